"""FK952."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Severity
from falcokit.ruleset.definitions import joined
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["desc_says_nothing"]


@check("FK952", Severity.INFO, pedantic=True)
def desc_says_nothing(ruleset: Ruleset) -> Iterator[Finding]:
    """A description says no more than the name.

    Who is woken by an alert at night wants to know what was seen, and why it matters.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: «shell»
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: A shell was started, which nothing on this host does by itself
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```
    """
    for definition in ruleset.rule_definitions:
        text = joined(definition.desc).strip(" .").lower()
        if definition.desc and (
            text == definition.name.strip().lower() or text in ("desc", "description", "todo", "test")
        ):
            written = definition.desc[0]
            end = written.node.start + len(written.file.text[written.node.start : written.node.end].rstrip())
            span = Span(written.file, written.node.start, end)
            yield Finding(span, "this says no more than the name", "say what is detected, and why it matters")

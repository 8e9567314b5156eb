"""FK950."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset, name_span

__all__ = ["missing_tags"]


@check("FK950", Severity.INFO, pedantic=True)
def missing_tags(ruleset: Ruleset) -> Iterator[Finding]:
    """A rule has no tags.

    Tags say what a rule is about, and switch whole groups of rules on and off.

    ## Flagged

    ```yaml custom.yaml
    - «rule: Shell»
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      tags: [process]
    ```
    """
    for definition in ruleset.rule_definitions:
        if not definition.tags:
            message = f"the rule `{definition.name}` has no tags"
            yield Finding(name_span(definition.item), message, "add `tags: [...]`, such as host, container, process")

"""FK951."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Edit, Fix, Severity
from falcokit.document import Scalar
from falcokit.ruleset.items import RuleItem
from falcokit.ruleset.rule_reader import PRIORITIES
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["priority_spelling"]


@check("FK951", Severity.INFO, pedantic=True)
def priority_spelling(ruleset: Ruleset) -> Iterator[Finding]:
    """A priority is not written in capitals.

    Falco takes any case.  One spelling is easier to search for.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: «Warning»
    ```

    ## Fixed

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: WARNING
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```
    """
    known = {priority.upper() for priority in PRIORITIES} | {"INFO"}
    for item in ruleset.items:
        node = item.node.get("priority") if isinstance(item, RuleItem) else None
        if (
            isinstance(item, RuleItem)
            and isinstance(node, Scalar)
            and node.value.upper() in known
            and node.value != node.value.upper()
            and not node.style
        ):
            span = Span(item.file, node.start, node.end)
            fix = Fix("write it in capitals", (Edit(span, node.value.upper()),))
            yield Finding(
                span, f"the priority `{node.value}` is not in capitals", f"write {node.value.upper()}", (), fix
            )

"""FK654."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["output_without_fields"]


@check("FK654", Severity.INFO)
def output_without_fields(ruleset: Ruleset) -> Iterator[Finding]:
    """An output prints no field.

    The alert then says that something happened, but not what, where, or by whom, and two of them cannot be told apart.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: «a shell was started»
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: a shell was started as %proc.cmdline by %user.name
      priority: INFO
    ```

    ## See also

    `missing-identity`, `field-without-percent`
    """
    for rule in ruleset.rules:
        result, parts = rule.output_result, rule.definition.output
        if result is None or result.problems or result.fields or any("%" in written.text for written in parts):
            continue
        node, file = parts[0].node, parts[0].file
        # A block text ends with the line end behind it.
        end = node.start + len(file.text[node.start : node.end].rstrip())
        message = "this prints no field of the event"
        if not rule.output.strip():
            message = "this prints nothing"
        yield Finding(Span(file, node.start, end), message, "print what tells events apart, such as `%proc.cmdline`")

"""FK650."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.definitions import joined
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Origin, Span

__all__ = ["missing_identity"]

_PROCESS: Final = ("proc.name", "proc.cmdline", "proc.exepath", "proc.exe", "proc.pname")
_IMAGE: Final = ("container.image.repository", "container.image", "container.info", "container.id")


@check("FK650", Severity.INFO, Confidence.MEDIUM)
def missing_identity(ruleset: Ruleset) -> Iterator[Finding]:
    """An output does not tell who did it.

    A whitelist is made from what the event says.  Without the name of the process, or the image where the rule is about containers,
    nobody can tell later which of the events are known.  Falco adds fields of containers by itself where its
    configuration says so; an output that has them works everywhere.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell in a container
      desc: a shell
      condition: evt.type = execve and container.id != host and proc.name = sh
      output: «a shell was started by %user.name»
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell in a container
      desc: a shell
      condition: evt.type = execve and container.id != host and proc.name = sh
      output: a shell was started by %user.name as %proc.cmdline in %container.image.repository
      priority: INFO
    ```
    """
    for rule in ruleset.compilation.rules.values():
        own = rule.definition
        if own.source != "syscall" or not own.output or own.output[-1].file.origin is not Origin.CUSTOM:
            continue
        if rule.output_result is None or rule.output_result.problems:
            continue
        output = joined(own.output)
        missing = []
        if not any(f"%{field}" in output for field in _PROCESS):
            missing.append("%proc.name")
        if _about_containers(rule) and not any(f"%{field}" in output for field in _IMAGE):
            missing.append("%container.image.repository")
        if missing:
            written = own.output[-1]
            end = written.node.start + len(written.file.text[written.node.start : written.node.end].rstrip())
            span = Span(written.file, written.node.start, end)
            message = f"this output does not tell {' and '.join(f'`{field}`' for field in missing)}"
            yield Finding(span, message, f"add {' and '.join(f'`{field}`' for field in missing)}")


def _about_containers(rule: CompiledRule) -> bool:
    return rule.body is not None and "container.id" in rule.body.final

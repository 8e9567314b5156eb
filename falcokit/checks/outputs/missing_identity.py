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

_PROCESS: Final = frozenset(
    f"proc.{owner}{what}" for owner in ("", "p", "a") for what in ("name", "cmdline", "exe", "exepath", "exeline")
)
_IMAGE: Final = ("container.image.repository", "container.image", "container.info")
_WITHOUT_PROCESS: Final = ("container", "asyncevent", "notification", "drop", "procinfo", "k8s", "mesos")
_ADDS_CONTAINERS: Final = (0, 41)
"""The release since which Falco's own configuration adds the fields of containers to outputs."""


@check("FK650", Severity.INFO, Confidence.MEDIUM)
def missing_identity(ruleset: Ruleset) -> Iterator[Finding]:
    """An output does not tell who did it.

    A whitelist is made from what the event says: without the name of a process or of an image nobody can tell later which of
    the events are known.  The fields of containers are added by the configuration that comes with Falco since 0.41; with a `target-falco`
    before that, outputs of rules about containers must have the image as well.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell in a container
      desc: a shell
      condition: evt.type = execve and container.id != host and proc.name = sh
      output: «a shell was started by %user.name»
      priority: INFO
    ```

    Before Falco 0.41:

    ```toml falcokit.toml
    target-falco = "0.40"
    ```

    ```yaml custom.yaml
    - rule: Shell in a container
      desc: a shell
      condition: evt.type = execve and container.id != host and proc.name = sh
      output: «a shell was started by %user.name as %proc.cmdline»
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell in a container
      desc: a shell
      condition: evt.type = execve and container.id != host and proc.name = sh
      output: a shell was started by %user.name as %proc.cmdline
      priority: INFO
    ```

    ## See also

    `output-without-fields`
    """
    events = ruleset.catalogue.events
    elsewhere = events.names(_WITHOUT_PROCESS)
    old = bool(ruleset.target) and tuple(map(int, ruleset.target.split(".")[:2])) < _ADDS_CONTAINERS
    for rule in ruleset.rules:
        own, result = rule.definition, rule.output_result
        if own.source != "syscall" or not own.output or own.output[-1].file.origin is not Origin.CUSTOM:
            continue
        if result is None or result.problems or not result.fields or not rule.codes & ~elsewhere:
            continue
        missing = {}
        fields = {field.partition("[")[0] for field in result.fields}
        if fields.isdisjoint(_PROCESS) and fields.isdisjoint(_IMAGE):
            missing["%proc.cmdline"] = "which process it was"
        if old and _about_containers(rule) and not any(f"%{field}" in joined(own.output) for field in _IMAGE):
            missing["%container.image.repository"] = "which image"
        if missing:
            written = own.output[-1]
            end = written.node.start + len(written.file.text[written.node.start : written.node.end].rstrip())
            span = Span(written.file, written.node.start, end)
            yield Finding(
                span,
                f"this output does not tell {' and '.join(missing.values())}",
                f"add {' and '.join([f'`{field}`' for field in missing])}",
            )


def _about_containers(rule: CompiledRule) -> bool:
    return rule.body is not None and "container." in rule.body.final

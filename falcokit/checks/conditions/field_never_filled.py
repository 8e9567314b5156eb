"""FK466."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import field_of

__all__ = ["field_never_filled"]

_NEVER: Final = re.compile(
    r"k8s\.(?:(?:rc|rs|svc|deployment)\.(?:name|id|labels?)|ns\.(?:id|labels?))"
    r"|container\.(?:healthcheck|liveness_probe|readiness_probe)"
    r"|proc\.is_container_(?:healthcheck|liveness_probe|readiness_probe)"
).fullmatch
_FILLED_BEFORE: Final = (0, 37)
"""Falco 0.37 took out the client of Kubernetes that filled them."""
_INSTEAD: Final = {"ns": "k8s.ns.name", "deployment": "k8s.pod.name", "rs": "k8s.pod.name", "rc": "k8s.pod.name"}


@check("FK466", Severity.WARNING)
def field_never_filled(ruleset: Ruleset) -> Iterator[Finding]:
    """A condition compares a field that has no value any more.

    Falco still knows the fields of deployments, services and labels of namespaces, so that old rules load, but nothing fills
    them: a comparison with one never holds, and what it excludes is not excluded.  The plugin `k8smeta` has fields of its own for these.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not «k8s.deployment.name = backup»
      output: shell %proc.cmdline
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not k8s.ns.name = backup and not k8s.pod.label[app] = backup
      output: shell %proc.cmdline
      priority: INFO
    ```

    With the `target-falco` of a release that filled them:

    ```toml falcokit.toml
    target-falco = "0.36"
    ```

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not k8s.deployment.name = backup
      output: shell %proc.cmdline
      priority: INFO
    ```
    """
    if ruleset.target and tuple(map(int, ruleset.target.split(".")[:2])) < _FILLED_BEFORE:
        return
    for use in ruleset.uses:
        field = field_of(use.check)
        if field.startswith(("k8s.", "container.", "proc.is_")) and _NEVER(field):
            near = _INSTEAD.get(field.split(".")[1], "")
            help_text = f"compare `{near}`, or a field of the plugin k8smeta" if near else "take it out"
            yield Finding(use.span(), f"`{field}` has no value in any event: this never holds", help_text)

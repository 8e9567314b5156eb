"""FK555."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.whitelists._images import IMAGE_FIELDS, flagged, is_narrowed
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use

__all__ = ["container_name_match"]

_IMAGE = (*IMAGE_FIELDS, "container.image.digest", "container.image.id")


@check("FK555", Severity.INFO, Confidence.MEDIUM)
def container_name_match(ruleset: Ruleset) -> Iterator[Finding]:
    """A whitelist goes by the name of a container.

    Whoever starts a container names it.  Some runtimes also make names with a counter that grows at every restart.
    The image is what the container runs: compare `container.image.repository`, with the namespace if need be.

    ## Flagged

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: user_known_shells
      condition: container.name = «agent»
    ```

    ## Accepted

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: user_known_shells
      condition: container.image.repository = registry.example.com/agent and container.name = agent
    ```
    """
    for text, span, _ in flagged(ruleset, ("container.name",), lambda use, text: _alone(ruleset, use, text)):
        message = f"the container name `{text}` lets through whoever takes it"
        yield Finding(span, message, "compare `container.image.repository` as well, or instead")


def _alone(ruleset: Ruleset, use: Use, text: str) -> bool | None:
    return (use.excludes and text != "<NA>" and not is_narrowed(ruleset, use, _IMAGE)) or None

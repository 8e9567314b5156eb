"""FK556."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.whitelists._images import compares_whole, flagged
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use, texts_of

__all__ = ["missing_registry"]


@check("FK556", Severity.INFO, Confidence.MEDIUM)
def missing_registry(ruleset: Ruleset) -> Iterator[Finding]:
    """A whitelisted image has no registry in its name.

    Docker leaves the registry of its own hub out, containerd and CRI-O say `docker.io/library/nginx`.  A whitelist with
    the short name does nothing on these.  Write both, or the one that your runtime uses.

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
      condition: container.image.repository in («nginx», «tools/agent»)
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
      condition: container.image.repository in (nginx, docker.io/library/nginx, localhost/agent)
    ```
    """
    for text, span, full in flagged(ruleset, ("container.image.repository",), _full_name):
        message = f"`{text}` names no registry: containerd and CRI-O call this image `{full}`"
        yield Finding(span, message, f"write `{full}`, or both")


def _full_name(use: Use, text: str) -> str | None:
    """The image with its registry, None where there is one, or the full name stands beside it."""
    if not use.excludes or not compares_whole(use) or not text or text in ("sha256", "<NA>"):
        return None
    first, slash, _ = text.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return None
    if any(other.endswith(f"/{text}") for other in texts_of(use.check)):
        return None
    return f"docker.io/{text if slash else f'library/{text}'}"

"""FK556."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.whitelists._images import excluding
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.ruleset import Ruleset

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
    for use, text, span in excluding(ruleset, ("container.image.repository",)):
        if use.check.operator not in ("=", "==", "in") or not text or text == "sha256":
            continue
        first, slash, _ = text.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            continue
        if any(other.endswith(f"/{text}") for other in _texts(use.check.right)):
            continue
        full = text if slash else f"library/{text}"
        message = f"`{text}` names no registry: containerd and CRI-O call this image `docker.io/{full}`"
        yield Finding(span, message, f"write `docker.io/{full}`, or both")


def _texts(right: object) -> tuple[str, ...]:
    return getattr(right, "texts", None) or (getattr(right, "text", ""),)

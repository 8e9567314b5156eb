"""FK554."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.whitelists._images import compares_whole, flagged
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use

__all__ = ["digest_repository"]


@check("FK554", Severity.WARNING)
def digest_repository(ruleset: Ruleset) -> Iterator[Finding]:
    """A whitelist lets through every image that was deployed by digest.

    Where a runtime knows an image by its digest only, `container.image.repository` is the word `sha256`, for this image as
    for any other.  Compare `container.image.digest`, or deploy by name.

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
      condition: container.image.repository = «sha256»
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
      condition: container.image.repository endswith /sha256sum
    ```
    """
    for text, span, _ in flagged(ruleset, ("container.image.repository",), _is_digest):
        message = f"`{text}` is what every image deployed by digest alone is called"
        yield Finding(span, message, "compare `container.image.digest`, or deploy the image by its name")


def _is_digest(use: Use, text: str) -> bool | None:
    return (compares_whole(use) and use.excludes and text.rpartition("/")[2] == "sha256") or None

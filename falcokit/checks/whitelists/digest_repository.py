"""FK554."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.whitelists._images import repository_values
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset

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
    for use, text, span in repository_values(ruleset):
        if use.excludes and text.rpartition("/")[2] == "sha256":
            message = f"`{text}` is what every image deployed by digest alone is called"
            yield Finding(span, message, "compare `container.image.digest`, or deploy the image by its name")

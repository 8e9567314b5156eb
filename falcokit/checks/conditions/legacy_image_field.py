"""FK458."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use, texts_of

__all__ = ["legacy_image_field"]


@check("FK458", Severity.INFO)
def legacy_image_field(ruleset: Ruleset) -> Iterator[Finding]:
    """The image is compared with its tag, by the old field.

    `container.image` is repository and tag in one.  An update of the image changes it, so whitelists by it rot.  Compare
    `container.image.repository`, and `container.image.tag` where the tag matters.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and «container.image startswith registry.example.com/shell»
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and container.image.repository = registry.example.com/shell
      output: shell %proc.name
      priority: INFO
    ```
    """
    for use in ruleset.uses_of("container.image"):
        if use.check.right is not None:
            message = "`container.image` is the image with its tag"
            if use.check.operator in ("=", "==", "!=", "in", "endswith"):
                message += ", which changes with every update"
            yield Finding(use.span(), message, f"compare {_instead(use)}")


def _instead(use: Use) -> str:
    if use.check.operator in ("endswith", "contains") and all("/" not in text for text in texts_of(use.check)):
        return "`container.image.tag` or `container.image.repository`, whichever is meant"
    return "`container.image.repository`, which has no tag"

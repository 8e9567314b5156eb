"""FK553."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.whitelists._images import compares_whole, flagged
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use

__all__ = ["tag_in_repository"]


@check("FK553", Severity.WARNING)
def tag_in_repository(ruleset: Ruleset) -> Iterator[Finding]:
    """An image repository is compared with a text that has a tag or digest.

    `container.image.repository` is the name without both, so the comparison never holds.  Compare the tag with
    `container.image.tag`, the digest with `container.image.digest`.

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
    - list: known_images
      items: ["«registry.example.com/tools/agent:1.2»", "registry.example.com:5000/tools/cron"]
    - macro: user_known_shells
      condition: container.image.repository in (known_images)
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
      condition: container.image.repository = registry.example.com/tools/agent and container.image.tag = "1.2"
    ```
    """
    for text, span, name in flagged(ruleset, ("container.image.repository",), _name):
        message = f"no image repository is `{text}`: tags and digests are no part of it"
        field = "container.image.digest" if "@" in text else "container.image.tag"
        yield Finding(span, message, f"write `{name}`, and compare the rest with `{field}`")


def _name(use: Use, text: str) -> str | None:
    """The repository in *text*, None where it has neither tag nor digest."""
    last = text.rpartition("/")[2]
    if not compares_whole(use) or not ("@" in last or (":" in last and not last.startswith(":"))):
        return None
    return text.partition("@")[0] if "@" in last else text[: len(text) - len(last)] + last.partition(":")[0]

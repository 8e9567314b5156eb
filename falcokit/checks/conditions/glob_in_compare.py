"""FK455."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import place_of, texts_of

__all__ = ["glob_in_compare"]

_FIELDS: Final = (
    "container.image.repository", "container.image", "container.name", "container.image.tag", "k8s.ns.name", "k8s.pod.name",
    "k8s.deployment.name", "proc.name", "proc.pname", "proc.exepath", "proc.pexepath", "fd.name", "fd.filename", "fd.directory",
    "fs.path.name", "user.name", "ka.target.namespace", "ka.user.name", "ka.target.name",
)  # fmt: skip


@check("FK455", Severity.WARNING, Confidence.MEDIUM)
def glob_in_compare(ruleset: Ruleset) -> Iterator[Finding]:
    """A pattern is compared as a text.

    `*` stands for itself in `=`, `in`, `startswith` and the like.  `registry.example.com/*` in a list equals no image there is.
    Patterns are for `glob`.

    ## Flagged

    ```yaml custom.yaml
    - list: known_images
      items: [registry.example.com/agent, «registry.example.com/tools/*»]
    - rule: Unknown image
      desc: an image that is not known
      condition: evt.type = execve and not container.image.repository in (known_images)
      output: image %container.image.repository
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Unknown image
      desc: an image that is not known
      condition: >
        evt.type = execve and not container.image.repository glob registry.example.com/tools/*
        and not proc.cmdline contains "*" and not proc.name = in_heartbeat_r*
      output: image %container.image.repository
      priority: INFO
    ```
    """
    seen = set()
    for use in [use for field in _FIELDS for use in ruleset.uses_of(field)]:
        if use.check.operator not in ("=", "==", "!=", "in", "startswith", "endswith", "contains"):
            continue
        if use.check.modifier:
            continue
        for number, text in enumerate(texts_of(use.check)):
            # Ruby cuts the names of its threads to fifteen bytes with a `*` at the end.
            if "*" not in text or (len(text) == 15 and text.endswith("*")):
                continue
            span = place_of(use, number)
            if (span.file, span.start) not in seen:
                seen.add((span.file, span.start))
                message = f"`{use.check.operator}` compares `*` as it stands: nothing is called `{text}`"
                yield Finding(span, message, _help(use.check.operator, text))


def _help(operator: str, text: str) -> str:
    if operator in ("startswith", "endswith", "contains"):
        return "take the `*` out, or compare with `glob`"
    if "*" not in text[:-1]:
        return "compare it with `glob`, or with `startswith` and without the `*`"
    return "compare it with `glob`"

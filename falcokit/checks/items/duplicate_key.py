"""FK051."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Label, Severity
from falcokit.document import Mapping, Scalar, Sequence
from falcokit.ruleset.items import IgnoredItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import SourceFile, Span

__all__ = ["duplicate_key"]


@check("FK051", Severity.WARNING)
def duplicate_key(ruleset: Ruleset) -> Iterator[Finding]:
    """A key stands twice in one item.

    Falco takes the first and does not look at the second.  Most often the `- ` before the next item is missing.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      «condition»: evt.type = execve and proc.name = bash
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    - rule: Shell
      condition: and not proc.pname = cron
      override:
        condition: append
    ```
    """
    for item in ruleset.items:
        if not isinstance(item, IgnoredItem):
            for node in _mappings(item.node):
                if len(node.names()) < len(node.pairs):
                    yield from _twice(item.file, node)


def _mappings(item: Mapping) -> Iterator[Mapping]:
    """The mappings that Falco looks into: the item, its override, its exceptions."""
    yield item
    for inner in (item.get("override"), item.get("exceptions")):
        for node in inner.items if isinstance(inner, Sequence) else (inner,):
            if isinstance(node, Mapping):
                yield node


def _twice(file: SourceFile, inner: Mapping) -> Iterator[Finding]:
    first: dict[str, Scalar] = {}
    for key, _ in inner.pairs:
        if not isinstance(key, Scalar):
            continue
        if key.value not in first:
            first[key.value] = key
            continue
        earlier = first[key.value]
        label = Label(Span(file, earlier.start, earlier.end), "Falco takes this one")
        message = f"`{key.value}` stands here a second time: Falco ignores it"
        yield Finding(Span(file, key.start, key.end), message, "remove one, or begin a new item with `- `", (label,))

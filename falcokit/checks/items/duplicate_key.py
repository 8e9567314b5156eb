"""FK051."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Edit, Fix, Label, Severity
from falcokit.document import Mapping, Node, Scalar
from falcokit.ruleset.items import IgnoredItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import SourceFile, Span

__all__ = ["duplicate_key"]

_NESTED: Final = ("exceptions", "required_plugin_versions")


@check("FK051", Severity.WARNING)
def duplicate_key(ruleset: Ruleset) -> Iterator[Finding]:
    """A key stands twice in one item.

    Falco takes the first and does not look at the second.  Where it is `rule`, `macro` or `list`, the `- ` before the next item is missing.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      «condition»: evt.type = execve and proc.name = bash
    ```

    Two items that became one:

    ```yaml custom.yaml
    - list: shells
      items: [sh]
      «list»: more_shells
      «items»: [bash]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
      «priority»: INFO
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
        if isinstance(item, IgnoredItem):
            continue
        names = item.node.names()
        if len(names) < len(item.node.pairs):
            yield from _twice(item.file, item.node)
        for key in _NESTED:
            if key in names and (inner := item.node.get(key)) is not None:
                yield from _inside(item.file, inner)


def _inside(file: SourceFile, node: Node) -> Iterator[Finding]:
    stack, seen = [node], set()
    while stack:
        inner = stack.pop()
        if isinstance(inner, Scalar) or id(inner) in seen:
            continue
        seen.add(id(inner))
        if isinstance(inner, Mapping):
            stack += [value for _, value in inner.pairs]
            if len(inner.names()) < len(inner.pairs):
                yield from _twice(file, inner)
        else:
            stack += inner.items


def _twice(file: SourceFile, node: Mapping) -> Iterator[Finding]:
    first: dict[str, tuple[Scalar, Node]] = {}
    for key, value in node.pairs:
        if not isinstance(key, Scalar):
            continue
        earlier, before = first.setdefault(key.value, (key, value))
        if earlier is key:
            continue
        label = Label(Span(file, earlier.start, earlier.end), "Falco takes this one")
        span = Span(file, key.start, key.end)
        message = f"`{key.value}` stands here a second time: Falco ignores it"
        help_text, fix = "remove one of the two", None
        if key.value in ("rule", "macro", "list", "name"):
            help_text = "begin a new item with `- `"
        elif isinstance(value, Scalar) and isinstance(before, Scalar) and value.value == before.value:
            fix = _without_line(file, key, value)
        yield Finding(span, message, help_text, (label,), fix)


def _without_line(file: SourceFile, key: Scalar, value: Scalar) -> Fix | None:
    """The pair taken out where it stands on lines of its own."""
    text = file.text
    start = text.rfind("\n", 0, key.start) + 1
    end = text.find("\n", value.end) + 1
    if text[start : key.start].strip(" ") or not end or text[value.end : end].strip():
        return None
    return Fix("take the second out", (Edit(Span(file, start, end), ""),))

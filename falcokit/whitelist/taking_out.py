"""Taking one thing out of a rules file, and nothing beside it."""

from __future__ import annotations

import re
from typing import Final

from falcokit.diagnostic import Edit
from falcokit.document import Mapping, Node, Sequence
from falcokit.source import SourceFile, Span

__all__ = ["element_out", "item_out", "key_out"]

_OWN_COMMENT: Final = ": lets through "
_DASH: Final = re.compile(r"[ \t]*-[ \t]+")
_FRAME: Final = frozenset(("rule", "macro", "list", "override", "append", "source"))
"""Keys of an item that say nothing by themselves."""


def item_out(file: SourceFile, node: Node) -> tuple[Edit, ...]:
    """The edit that takes a whole item out, with the comment of ours above it; none where its lines hold more than it."""
    text = file.text
    start = text.rfind("\n", 0, node.start) + 1
    end = _line_end(text, node.end)
    if not _DASH.fullmatch(text, start, node.start) or _is_more(text[_trimmed(text, node.start, node.end) : end]):
        return ()
    lines = text[:start].splitlines(keepends=True)
    taken = []
    while lines and lines[-1].lstrip().startswith("#"):
        taken.append(lines.pop())
    if any(_OWN_COMMENT in line for line in taken):
        while taken and _OWN_COMMENT not in taken[-1]:
            taken.pop()
        start -= sum(map(len, taken))
    return (Edit(Span(file, start, end), ""),)


def key_out(file: SourceFile, item: Mapping, key: str) -> tuple[Edit, ...]:
    """The edits that take *key* out of *item*, with what `override` says of it; the whole item where nothing else is in it."""
    others = [name for name in item.names() if name not in _FRAME and name != key]
    if not others:
        return item_out(file, item)
    edits = _pair_out(file, item, key)
    override = item.get("override")
    if not edits or override is None:
        return edits
    if not isinstance(override, Mapping):
        return ()
    if override.get(key) is None:
        return edits
    more = _pair_out(file, override, key) if len(override.pairs) > 1 else _pair_out(file, item, "override")
    return (*edits, *more) if more else ()


def element_out(file: SourceFile, holder: Node | None, element: Node) -> tuple[Edit, ...]:
    """The edit that takes *element* out of a sequence of several."""
    if not isinstance(holder, Sequence):
        return ()
    at = next((number for number, item in enumerate(holder.items) if item is element), -1)
    if at < 0 or len(holder.items) < 2:
        return ()
    if holder.flow:
        before, after = (
            holder.items[at - 1] if at else None,
            holder.items[at + 1] if at + 1 < len(holder.items) else None,
        )
        start, end = (before.end, element.end) if before is not None else (element.start, after.start if after else 0)
        # A comment between two of them belongs to one of them, and who knows to which.
        return (
            ()
            if "#" in file.text[start : element.start] + file.text[element.end : end]
            else (Edit(Span(file, start, end), ""),)
        )
    start = file.text.rfind("\n", 0, element.start) + 1
    if not _DASH.fullmatch(file.text, start, element.start):
        return ()
    return (_lines(file, element.start, element.end),)


def _pair_out(file: SourceFile, mapping: Mapping, key: str) -> tuple[Edit, ...]:
    """The edit that takes the pair of *key* out of a mapping that has others."""
    pairs = [(name, value) for name, value in mapping.pairs]
    at = next((number for number, (name, _) in enumerate(pairs) if name is mapping.key(key)), -1)
    if at < 0 or len(pairs) < 2:
        return ()
    name, value = pairs[at]
    if mapping.flow:
        if at:
            return (Edit(Span(file, pairs[at - 1][1].end, value.end), ""),)
        return (Edit(Span(file, name.start, pairs[1][0].start), ""),)
    text = file.text
    line = text.rfind("\n", 0, name.start) + 1
    if text[line : name.start].strip():
        # It stands behind the dash: the next one takes its place.
        return (Edit(Span(file, name.start, pairs[at + 1][0].start), ""),) if at + 1 < len(pairs) else ()
    return (_lines(file, name.start, value.end),)


def _trimmed(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1] in " \t\r\n":
        end -= 1
    return end


def _line_end(text: str, end: int) -> int:
    """The end of the line in which what ends at *end* stops."""
    end = _trimmed(text, 0, end)
    found = text.find("\n", end)
    return found + 1 if found >= 0 else len(text)


def _is_more(rest: str) -> bool:
    """Whether more than a comment stands behind an item."""
    return bool(rest.strip()) and not rest.strip().startswith("#")


def _lines(file: SourceFile, start: int, end: int) -> Edit:
    """The edit that takes out the lines from *start* to *end*."""
    first = file.text.rfind("\n", 0, start) + 1
    return Edit(Span(file, first, _line_end(file.text, end)), "")

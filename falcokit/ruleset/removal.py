"""Taking an item out of its file."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from falcokit.diagnostic import Edit
from falcokit.document import Node, Scalar, Sequence
from falcokit.ruleset.ruleset import NamedItem
from falcokit.source import Span

__all__ = ["has_comment", "removal"]

_DASH: Final = re.compile(r"[ \t]*-[ \t]+")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#", re.MULTILINE)


def has_comment(item: NamedItem, end: int = 0) -> bool:
    """Whether a comment stands inside of *item*, or behind it up to *end*."""
    scalars = sorted(_scalars(item.node))
    starts = [start for start, _ in scalars]
    for found in _COMMENT.finditer(item.file.text, item.node.start, max(end, item.node.end)):
        number = bisect_right(starts, found.start()) - 1
        if number < 0 or found.start() >= scalars[number][1]:
            return True
    return False


def _scalars(node: Node) -> Iterator[tuple[int, int]]:
    """Where the texts below *node* stand; a sign of a comment in them is none."""
    pending: list[Node] = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, Scalar):
            if one.style in ("'", '"', "|", ">"):
                yield one.start, one.end
        elif isinstance(one, Sequence):
            pending += one.items
        else:
            pending += [part for pair in one.pairs for part in pair]


def removal(item: NamedItem) -> Edit | None:
    """Taking the whole item out, with the blank lines behind it; None where more than the item stands in its lines, or
    a comment inside it would go as well."""
    text = item.file.text
    start = text.rfind("\n", 0, item.node.start) + 1
    end = text.find("\n", item.node.end) + 1 or len(text)
    alone = _DASH.fullmatch(text, start, item.node.start) and not text[item.node.end : end].strip()
    if not alone or has_comment(item, end):
        return None
    while end < len(text) and text[end : (text.find("\n", end) + 1) or len(text)].strip() == "":
        end = text.find("\n", end) + 1 or len(text)
    return Edit(Span(item.file, start, end), "")

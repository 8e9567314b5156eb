"""Taking an item out of its file."""

from __future__ import annotations

import re
from typing import Final

from falcokit.diagnostic import Edit
from falcokit.ruleset.ruleset import NamedItem
from falcokit.source import Span

__all__ = ["has_comment", "removal"]

_DASH: Final = re.compile(r"[ \t]*-[ \t]+")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#", re.MULTILINE)


def has_comment(text: str, start: int, end: int) -> bool:
    """Whether something that may be a comment stands in the range."""
    return _COMMENT.search(text, start, end) is not None


def removal(item: NamedItem) -> Edit | None:
    """Taking the whole item out, with the blank lines behind it; None where more than the item stands in its lines, or
    a comment inside it would go as well."""
    text = item.file.text
    start = text.rfind("\n", 0, item.node.start) + 1
    end = text.find("\n", item.node.end) + 1 or len(text)
    alone = _DASH.fullmatch(text, start, item.node.start) and not text[item.node.end : end].strip()
    if not alone or has_comment(text, item.node.start, end):
        return None
    while end < len(text) and text[end : (text.find("\n", end) + 1) or len(text)].strip() == "":
        end = text.find("\n", end) + 1 or len(text)
    return Edit(Span(item.file, start, end), "")

"""Finding the comments: ``# falcokit: ignore[NAME] reason`` and ``# falcokit: snooze[NAME] until 2026-12-31 reason``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from falcokit.diagnostic import Diagnostic
from falcokit.document import Document, Mapping, Node, Scalar, Sequence
from falcokit.record import Record
from falcokit.ruleset.loader import FileResult
from falcokit.source import Span

__all__ = ["Suppression", "read_suppressions"]

_COMMENT: Final = re.compile(r"(?<![^ \t\n])#[ \t]*falcokit:[^\n]*")
_SYNTAX: Final = re.compile(
    r"#[ \t]*falcokit:[ \t]*(ignore|snooze)\[([^\]\n]*)\](?:[ \t]+until[ \t]+([0-9-]+))?(?:[ \t]+[^\n]*)?"
)
_MAX_COMMENTS: Final = 1000


class Suppression(Record):
    """A comment at *span* that silences the findings *names* which begin in ``[start, end)`` of its file, up to and
    with the day *until*."""

    __slots__ = ("end", "names", "span", "start", "until")

    def __init__(self, span: Span, names: tuple[str, ...], start: int, end: int, until: str) -> None:
        self.span: Final = span
        self.names: Final = names
        self.start: Final = start
        self.end: Final = end
        self.until: Final = until


def read_suppressions(result: FileResult, known: frozenset[str]) -> tuple[list[Suppression], list[Diagnostic]]:
    """The suppressions of a file, and what is wrong with those that cannot be read; *known* are names and codes."""
    file = result.file
    found: list[Suppression] = []
    wrong: list[Diagnostic] = []
    if "falcokit:" not in file.text:
        return found, wrong
    text = file.text
    # A comment can stand behind the `>` or `|` of a block.
    scalars = sorted(
        (text.find("\n", s.start, s.end) if s.style in ("|", ">") and "\n" in text[s.start : s.end] else s.start, s.end)
        for document in result.documents
        for s in _scalars(document)
    )
    for number, comment in enumerate(_COMMENT.finditer(file.text)):
        if number >= _MAX_COMMENTS or any(start <= comment.start() < end for start, end in scalars):
            continue
        span = Span(file, comment.start(), len(comment[0].rstrip()) + comment.start())
        read = _read(result, span, known)
        if isinstance(read, Suppression):
            found.append(read)
        else:
            wrong.append(Diagnostic("invalid-suppression", read, span, _FORMS))
    return found, wrong


_FORMS: Final = "write `# falcokit: ignore[NAME] why` or `# falcokit: snooze[NAME] until YYYY-MM-DD why`"


def _read(result: FileResult, span: Span, known: frozenset[str]) -> Suppression | str:
    syntax = _SYNTAX.fullmatch(span.text)
    if syntax is None:
        return "this comment for falcokit cannot be read"
    names = tuple([name.strip() for name in syntax[2].split(",") if name.strip()])
    if not names:
        return "this comment names no finding"
    for name in names:
        if name not in known and any(code.startswith(name) for code in known):
            return f"comments take whole names or codes, not `{name}`"
        if name not in known:
            from falcokit.ruleset.suggest import nearest

            near = nearest(name, known)
            return f"there is no finding `{name}`" + (f": did you mean `{near[0]}`?" if near else "")
    until = ""
    if syntax[1] == "snooze":
        if syntax[3] is None:
            return "a snooze needs a date until which it holds"
        try:
            until = date.fromisoformat(syntax[3]).isoformat()
        except ValueError:
            return f"`{syntax[3]}` is no date"
    elif syntax[3] is not None:
        return "a date belongs to `snooze`"
    start, end = _range(result, span)
    return Suppression(span, names, start, end, until)


def _range(result: FileResult, span: Span) -> tuple[int, int]:
    """What the comment is about: its line where something stands before it, with the block that begins there, else the
    item or key that begins below."""
    text = span.file.text
    line = text.rfind("\n", 0, span.start) + 1
    if text[line : span.start].strip(" \t-"):
        blocks = [
            scalar.end
            for document in result.documents
            for scalar in _scalars(document)
            if line <= scalar.start < span.start < scalar.end
        ]
        return line, max([span.end, *blocks])
    start = text.find("\n", span.end) + 1 or len(text)
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        if (words := text[start:end].strip()) and not words.startswith("#"):
            break
        start = end
    else:
        return start, start
    for node_start, node_end in _parts(result):
        if start <= node_start < end:
            return start, max(node_end, end)
    return start, end


def _parts(result: FileResult) -> Iterator[tuple[int, int]]:
    """The places of items, then of the pairs in them."""
    mappings = [
        node
        for document in result.documents
        if isinstance(document.root, Sequence)
        for node in document.root.items
        if isinstance(node, Mapping)
    ]
    for node in mappings:
        yield node.start, node.end
    for node in mappings:
        for key, value in node.pairs:
            yield key.start, max(value.end, key.end)


def _scalars(document: Document) -> Iterator[Scalar]:
    stack: list[Node] = [document.root] if document.root is not None else []
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            yield node
        elif isinstance(node, Mapping):
            stack += [part for pair in node.pairs for part in pair]
        else:
            stack += node.items

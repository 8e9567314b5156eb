"""Finding the rules inside a file and taking them out, each as a file of its own with the places of the outer one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.diagnostic import Diagnostic
from falcokit.document import Mapping, Node, Scalar, Sequence, compose
from falcokit.embedded.template import blanked, filled, is_template
from falcokit.record import Record
from falcokit.source import SourceFile, Span

__all__ = ["Unwrapped", "unwrap"]

_RULES: Final = re.compile(r"^[ \t]*-[ \t]+(?:rule|macro|list)[ \t]*:", re.MULTILINE)
_ITEMS: Final = ("rule", "macro", "list")
_MAX_FILES: Final = 500
_MAX_NODES: Final = 200_000
_MAX_NESTING: Final = 4


class Unwrapped(Record):
    """The rules files inside a file, in the order Falco would load them, and what was passed over on the way."""

    __slots__ = ("files", "notes")

    def __init__(self, files: tuple[SourceFile, ...], notes: tuple[Diagnostic, ...]) -> None:
        self.files: Final = files
        self.notes: Final = notes


def unwrap(file: SourceFile) -> Unwrapped | None:
    """The rules inside *file*; None where it is a rules file itself, or nothing that is known here."""
    notes: list[Diagnostic] = []
    outer = file
    documents, error = compose(file)
    if error is not None or is_template(file.text):
        text, holes = filled(file.text)
        if text == file.text:
            return None
        outer = SourceFile(file.name, text, file.origin, shown=file.text, holes=holes)
        documents, error = compose(outer)
        if error is not None:
            return None
        notes.append(_templates(outer))
    found: list[SourceFile] = []
    for document in documents:
        if isinstance(document.root, Sequence):
            if outer is file and not _is_wrapped(document.root):
                return None
            found.append(_masked(outer, document.root.start, document.root.end, wrapped=_is_wrapped(document.root)))
        elif isinstance(document.root, Mapping):
            found += _inside(outer, document.root, notes, 0)
    if not found and not [d for d in notes if d.kind == "embedded-unreadable"]:
        return None
    return Unwrapped(tuple(found[:_MAX_FILES]), tuple(notes))


def _templates(file: SourceFile) -> Diagnostic:
    count = len(file.holes)
    start, end = file.holes[0] if file.holes else (0, 0)
    message = (
        f"{count} place{'' if count == 1 else 's'} that a template fills in {'is' if count == 1 else 'are'} not read"
    )
    return Diagnostic("template-places", message, Span(file, start, end), "lint what the template gives to see all")


def _inside(file: SourceFile, root: Mapping, notes: list[Diagnostic], nesting: int) -> Iterator[SourceFile]:
    """The rules files below *root*; those of one mapping in the order of their keys, as they are mounted."""
    pending: list[Node] = [root]
    seen: set[int] = set()
    while pending and len(seen) < _MAX_NODES:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            if _is_wrapped(node) or _is_rules(node):
                yield _masked(file, _line_start(file, node.start), node.end, wrapped=_is_wrapped(node))
            else:
                pending += reversed(node.items)
            continue
        if not isinstance(node, Mapping):
            continue
        pairs = sorted(node.pairs, key=lambda pair: pair[0].value if isinstance(pair[0], Scalar) else "")
        # A single line, such as a pattern to look for, is no item with its keys.
        texts = [v for _, v in pairs if isinstance(v, Scalar) and _RULES.search(v.value) and _has_lines(file, v)]
        for value in texts:
            if value.style == "|":
                yield from _block(file, value, notes, nesting)
            else:
                message = "the rules in this text cannot be read here: it is folded or quoted"
                span = Span(file, value.start, min(value.end, value.start + 40))
                notes.append(
                    Diagnostic("embedded-unreadable", message, span, "write it as a block that begins with `|`")
                )
        pending += [value for _, value in reversed(node.pairs) if not isinstance(value, Scalar)]


def _has_lines(file: SourceFile, value: Scalar) -> bool:
    return "\n" in value.value or "\n" in file.text[value.start : value.end]


def _block(file: SourceFile, value: Scalar, notes: list[Diagnostic], nesting: int) -> Iterator[SourceFile]:
    start = file.text.find("\n", value.start) + 1
    inner = _masked(file, start, value.end, wrapped=False)
    documents, error = compose(inner)
    roots = [document.root for document in documents]
    if error is None and nesting < _MAX_NESTING and any(isinstance(root, Mapping) for root in roots):
        # Values inside values, as in a resource that has the values of a chart as a text.
        for root in roots:
            if isinstance(root, Mapping):
                yield from _inside(inner, root, notes, nesting + 1)
        return
    if error is not None:
        text, holes = filled(inner.text)
        if holes:
            shown = file.shown or file.text
            tried = SourceFile(file.name, text, file.origin, shown=shown, holes=(*file.holes, *holes))
            if compose(tried)[1] is None:
                notes.append(_templates(tried))
                yield tried
                return
    yield inner


def _masked(file: SourceFile, start: int, end: int, *, wrapped: bool) -> SourceFile:
    """The characters from *start* to *end* at their places, and nothing else."""
    text = blanked(file.text[:start]) + file.text[start:end] + blanked(file.text[end:])
    shown = file.shown or file.text
    return SourceFile(file.name, text, file.origin, shown=shown, holes=file.holes, wrapped=wrapped)


def _line_start(file: SourceFile, offset: int) -> int:
    start = file.text.rfind("\n", 0, offset) + 1
    return start if not file.text[start:offset].strip() else offset


def _is_rules(node: Sequence) -> bool:
    """Whether the sequence has items of a rules file, not only things that are called so."""
    return any(
        isinstance(item, Mapping) and any(isinstance(item.get(kind), Scalar) for kind in _ITEMS) and len(item.pairs) > 1
        for item in node.items
    ) and any(
        isinstance(item, Mapping) and ({"condition", "items", "override", "exceptions"} & item.names())
        for item in node.items
    )


def _is_wrapped(node: Sequence) -> bool:
    """Whether the items are written as ``- rule: {name: ...}``, as some operators want them."""
    inner = [
        item.get(kind)
        for item in node.items
        if isinstance(item, Mapping) and len(item.pairs) == 1
        for kind in _ITEMS
        if isinstance(item.get(kind), Mapping)
    ]
    return bool(inner) and all(isinstance(value, Mapping) and value.get("name") is not None for value in inner)

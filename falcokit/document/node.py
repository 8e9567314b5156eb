"""The nodes of a YAML document: text, places, style; no typing of scalars."""

from __future__ import annotations

from collections.abc import Iterator, KeysView
from typing import Final, TypeAlias

from falcokit.record import Record
from falcokit.source import SourceFile, Span

__all__ = ["Document", "Mapping", "Node", "Scalar", "Sequence"]


class Scalar:
    """A scalar: its text after folding and escapes, and the range of the file that it stands in.

    ``style`` is ``""`` for plain, else the indicator ``'``, ``"``, ``|`` or ``>``.  ``null`` says that it is the null
    value (plain, untagged, empty or one of the words); its place is then that of the next token.
    """

    __slots__ = ("end", "null", "start", "style", "value")

    def __init__(self, value: str, start: int, end: int, style: str, null: bool) -> None:
        self.value: Final = value
        self.start: Final = start
        self.end: Final = end
        self.style: Final = style
        self.null: Final = null


class Sequence:
    """A sequence of nodes, in order."""

    __slots__ = ("end", "flow", "items", "start")

    def __init__(self, items: tuple[Node, ...], start: int, end: int, flow: bool) -> None:
        self.items: Final = items
        self.start: Final = start
        self.end: Final = end
        self.flow: Final = flow


class Mapping:
    """A mapping as its pairs, in document order, duplicate keys kept."""

    __slots__ = ("_by_key", "end", "flow", "pairs", "start")

    def __init__(self, pairs: tuple[tuple[Node, Node], ...], start: int, end: int, flow: bool) -> None:
        self.pairs: Final = pairs
        self._by_key: dict[str, tuple[Scalar, Node]] | None = None
        self.start: Final = start
        self.end: Final = end
        self.flow: Final = flow

    def get(self, key: str) -> Node | None:
        """The value of the first pair whose key is the text *key*: with duplicate keys Falco uses the first."""
        found = self._index().get(key)
        return None if found is None else found[1]

    def key(self, key: str) -> Scalar | None:
        """The node of the first key *key*."""
        found = self._index().get(key)
        return None if found is None else found[0]

    def names(self) -> KeysView[str]:
        """The texts of the scalar keys, each once."""
        return self._index().keys()

    def _index(self) -> dict[str, tuple[Scalar, Node]]:
        """The first pair of each key."""
        index = self._by_key
        if index is None:
            index = self._by_key = {}
            for name, value in self.pairs:
                if isinstance(name, Scalar):
                    text = "null" if name.null else name.value
                    if text not in index:
                        index[text] = (name, value)
        return index

    def keys(self) -> Iterator[Scalar]:
        """The scalar keys, in document order."""
        for name, _ in self.pairs:
            if isinstance(name, Scalar):
                yield name


Node: TypeAlias = Scalar | Sequence | Mapping


def key_text(node: Node) -> str:
    """The text of a key; a null key reads as ``null``."""
    assert isinstance(node, Scalar)
    return "null" if node.null else node.value


class Document(Record):
    """One document of a file.  ``root`` is None for an empty one.

    ``unclosed_quote`` is the character of a double quote that only the end of the file closes.
    """

    __slots__ = ("file", "root", "start", "unclosed_quote")

    def __init__(self, file: SourceFile, root: Node | None, start: int, unclosed_quote: int | None = None) -> None:
        self.file: Final = file
        self.root: Final = root
        self.start: Final = start
        self.unclosed_quote: Final = unclosed_quote

    def span(self, node: Node) -> Span:
        """Where *node* stands."""
        return Span(self.file, node.start, node.end)

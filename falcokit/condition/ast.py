"""The tree of a condition: what was written, and where.

Every node has ``start`` and ``end``, the half-open range it was read from, and nodes that Falco can report also
have ``at``, the place Falco gives them (where the level of the grammar started, before any blanks).  Places count
the bytes of the condition's UTF-8, as Falco does; `byte_to_char` turns them into characters.  Places take no part
in equality: two trees are equal when they mean the same.

Plain slotted classes: they are made by the thousand, and a start of the command line must not pay for generated ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

__all__ = [
    "And", "Check", "Expression", "Field", "Identifier", "ListValue", "Not", "Operand", "Or", "Transformer",
    "TransformerList", "Value", "byte_to_char", "utf8",
]  # fmt: skip


def _equal(self: Any, other: object) -> bool:
    if self is other:
        return True
    names = self.__match_args__
    if type(self) is not type(other):
        return False
    for name in names:  # noqa: SIM110  # a generator would double the depth of deep trees
        if getattr(self, name) != getattr(other, name):
            return False
    return True


def _hash(self: Any) -> int:
    return hash((type(self), *(getattr(self, k) for k in self.__match_args__)))


def _repr(self: Any) -> str:
    return f"{type(self).__name__}({', '.join(repr(getattr(self, k)) for k in self.__match_args__)})"


class Value:
    """A literal of the right side, or of a transformer's arguments: its text, escapes already read."""

    __slots__ = ("end", "quoted", "start", "text")
    __match_args__ = ("text",)

    def __init__(self, text: str, start: int = 0, end: int = 0, *, quoted: bool = False) -> None:
        self.text: Final = text
        self.start: Final = start
        self.end: Final = end
        self.quoted: Final = quoted

    __eq__, __hash__, __repr__ = _equal, _hash, _repr


class Field:
    """A field with its argument, as in ``proc.aname[2]``; the argument is None where no bracket was written."""

    __slots__ = ("argument", "end", "name", "start")
    __match_args__ = ("name", "argument")

    def __init__(self, name: str, argument: str | None = None, start: int = 0, end: int = 0) -> None:
        self.name: Final = name
        self.argument: Final = argument
        self.start: Final = start
        self.end: Final = end

    __eq__, __hash__, __repr__ = _equal, _hash, _repr


class Transformer:
    """A transformer or ``val`` with its arguments in order, and the text in brackets behind it, if any."""

    __slots__ = ("argument", "arguments", "end", "name", "start")
    __match_args__ = ("name", "arguments", "argument")

    def __init__(
        self, name: str, arguments: tuple[Operand, ...], argument: str | None = None, start: int = 0, end: int = 0
    ) -> None:
        self.name: Final = name
        self.arguments: Final = arguments
        self.argument: Final = argument
        self.start: Final = start
        self.end: Final = end

    __eq__, __hash__, __repr__ = _equal, _hash, _repr


class TransformerList:
    """A parenthesised list among a transformer's arguments."""

    __slots__ = ("end", "items", "start")
    __match_args__ = ("items",)

    def __init__(self, items: tuple[Operand, ...], start: int = 0, end: int = 0) -> None:
        self.items: Final = items
        self.start: Final = start
        self.end: Final = end

    __eq__, __hash__, __repr__ = _equal, _hash, _repr


class ListValue:
    """The values on the right of ``in``, ``intersects``, ``pmatch`` or a modifier.

    Lists can be long and are mostly read for their ``texts`` alone, so the ``items`` with their places are made when
    asked for: *items* is then a function that makes them.
    """

    __slots__ = ("_items", "end", "start", "texts")
    __match_args__ = ("texts",)

    def __init__(
        self,
        items: tuple[Value, ...] | Callable[[], tuple[Value, ...]],
        start: int = 0,
        end: int = 0,
        texts: tuple[str, ...] | None = None,
    ) -> None:
        self._items = items
        self.start: Final = start
        self.end: Final = end
        self.texts: Final = tuple([item.text for item in self.items]) if texts is None else texts

    @property
    def items(self) -> tuple[Value, ...]:
        """The values, in order."""
        if not isinstance(self._items, tuple):
            self._items = self._items()
        return self._items

    __eq__, __hash__, __repr__ = _equal, _hash, _repr


class Check:
    """One comparison.  ``operator`` is the bare operator, ``modifier`` is ``""`` or one of oneof, anyof, allof.

    ``right`` is None for ``exists``.  ``at`` is Falco's place; ``operator_start`` is where the operator begins.
    """

    __slots__ = ("at", "end", "left", "modifier", "operator", "operator_start", "right", "start")
    __match_args__ = ("left", "operator", "modifier", "right")

    def __init__(
        self,
        left: Field | Transformer,
        operator: str,
        modifier: str = "",
        right: Value | ListValue | Field | Transformer | None = None,
        at: int = 0,
        start: int = 0,
        end: int = 0,
        operator_start: int = 0,
    ) -> None:
        self.left: Final = left
        self.operator: Final = operator
        self.modifier: Final = modifier
        self.right: Final = right
        self.at: Final = at
        self.start: Final = start
        self.end: Final = end
        self.operator_start: Final = operator_start

    __eq__, __hash__, __repr__ = _equal, _hash, _repr


class Identifier:
    """A name standing for a macro."""

    __slots__ = ("at", "end", "name", "start")
    __match_args__ = ("name",)

    def __init__(self, name: str, at: int = 0, start: int = 0, end: int = 0) -> None:
        self.name: Final = name
        self.at: Final = at
        self.start: Final = start
        self.end: Final = end

    __eq__, __hash__, __repr__ = _equal, _hash, _repr


class Not:
    """A negation."""

    __slots__ = ("at", "child", "end", "start")
    __match_args__ = ("child",)

    def __init__(self, child: Expression, at: int = 0, start: int = 0, end: int = 0) -> None:
        self.child: Final = child
        self.at: Final = at
        self.start: Final = start
        self.end: Final = end

    __eq__, __hash__, __repr__ = _equal, _hash, _repr


class And:
    """A chain of ``and`` on one level; two children or more."""

    __slots__ = ("at", "children", "end", "start")
    __match_args__ = ("children",)

    def __init__(self, children: tuple[Expression, ...], at: int = 0, start: int = 0, end: int = 0) -> None:
        self.children: Final = children
        self.at: Final = at
        self.start: Final = start
        self.end: Final = end

    __eq__, __hash__, __repr__ = _equal, _hash, _repr


class Or:
    """A chain of ``or`` on one level; two children or more."""

    __slots__ = ("at", "children", "end", "start")
    __match_args__ = ("children",)

    def __init__(self, children: tuple[Expression, ...], at: int = 0, start: int = 0, end: int = 0) -> None:
        self.children: Final = children
        self.at: Final = at
        self.start: Final = start
        self.end: Final = end

    __eq__, __hash__, __repr__ = _equal, _hash, _repr


Operand: TypeAlias = Field | Transformer | TransformerList | Value
Expression: TypeAlias = And | Or | Not | Identifier | Check


def utf8(text: str) -> bytes:
    """The bytes of *text*; lone surrogates stand for the bytes of a file that were no UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def byte_to_char(text: str, offset: int) -> int:
    """The character of *text* that byte *offset* of its UTF-8 falls into."""
    if text.isascii():
        return min(offset, len(text))
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if len(utf8(text[:middle])) <= offset:
            low = middle
        else:
            high = middle - 1
    return low

"""The values of a configuration while files and options are put together: each knows its place.

They change in place, as the nodes of Falco's YAML library do: a value with an alias is one value, and an option that
changes it changes it everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping as Environment
from enum import Enum
from typing import NamedTuple

from falcokit.config.environment import expanded
from falcokit.document import Mapping, Node, Scalar, Sequence, key_text
from falcokit.errors import ConfigError
from falcokit.source import SourceFile

__all__ = ["Form", "Place", "Value", "ValueReader", "option_reader", "problem"]


class Form(Enum):
    """What a value is; ABSENT is one that a key leads to but nobody has set."""

    ABSENT = "absent"
    NULL = "empty"
    TEXT = "a text"
    SEQUENCE = "a sequence"
    TABLE = "a mapping"


class Place(NamedTuple):
    """Where a value was written: a character of a file, or a command line option."""

    file: SourceFile | None
    offset: int = 0
    option: str = ""

    def __str__(self) -> str:
        if self.file is None:
            return self.option
        line, column = self.file.line_column(self.offset)
        return f"{self.file.name}:{line + 1}:{column + 1}"


def problem(place: Place | str, message: str, advice: str) -> ConfigError:
    """The error to raise for *message*, with what to do about it."""
    return ConfigError(f"{place}: {message}; {advice}")


class Value:
    """One value; ``table`` holds the first of duplicate keys, the one that counts."""

    __slots__ = ("form", "items", "place", "table", "text")

    def __init__(self, place: Place, form: Form = Form.ABSENT, text: str = "") -> None:
        self.place = place
        self.form = form
        self.text = text
        self.items: list[Value] = []
        self.table: dict[str, Value] = {}

    def get(self, key: str) -> Value | None:
        """The value of *key*, None where there is none or this is no mapping."""
        return self.table.get(key) if self.form is Form.TABLE else None

    def as_text(self) -> str | None:
        """The text of a scalar, the empty one reading as ``null``; None for a collection."""
        if self.form is Form.NULL:
            return "null"
        return self.text if self.form is Form.TEXT else None

    def become(self, other: Value) -> None:
        """Take over the content and place of *other*."""
        self.form, self.text, self.items, self.table = other.form, other.text, other.items, other.table
        self.place = other.place

    def become_table(self) -> None:
        """Be a mapping; a sequence becomes one with its positions as keys, as in Falco."""
        if self.form is Form.SEQUENCE:
            self.table = {str(number): item for number, item in enumerate(self.items)}
            self.items = []
        self.form = Form.TABLE


class ValueReader:
    """Makes values of the nodes of one file; an aliased node becomes one value.

    The variables of *environment* are put in; with None the texts stay as they are.
    """

    def __init__(self, file: SourceFile, environment: Environment[str, str] | None, option: str = "") -> None:
        self._file = file
        self._environment = environment
        self._option = option
        self._known: dict[int, Value] = {}

    def place(self, node: Node | None) -> Place:
        """The place of *node*; values of an option all stand at the option."""
        if self._option:
            return Place(None, 0, self._option)
        return Place(self._file, node.start if node is not None else 0)

    def value(self, node: Node | None) -> Value:
        """The value of *node*, an empty document being null."""
        if node is None:
            return Value(self.place(node), Form.NULL)
        known = self._known.get(id(node))
        if known is not None:
            return known
        place = self.place(node)
        value = self._known[id(node)] = Value(place)
        match node:
            case Scalar():
                value.form = Form.NULL if node.null else Form.TEXT
                if not node.null:
                    value.text = self._expanded(node.value, place)
            case Sequence():
                value.form = Form.SEQUENCE
                for item in node.items:  # no comprehension: it would double the depth of the recursion
                    value.items.append(self.value(item))
            case Mapping():
                value.form = Form.TABLE
                for key, inner in node.pairs:
                    value.table.setdefault(key_text(key), self.value(inner))
        return value

    def _expanded(self, text: str, place: Place) -> str:
        found = text if self._environment is None else expanded(text, self._environment)
        if found is None:
            advice = "look for a variable whose value names itself"
            raise problem(place, "putting in the environment variables does not come to an end", advice)
        return found


def option_reader(text: str, option: str) -> tuple[SourceFile, ValueReader]:
    """A file and a reader for the text of a command line option, where no variables are put in."""
    file = SourceFile(option, text)
    return file, ValueReader(file, None, option)

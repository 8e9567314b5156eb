"""One comparison as a statement about one field, in a form in which two can be held against each other."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition.ast import Check, Field, ListValue, Value
from falcokit.record import Record
from falcokit.ruleset.literals import read_number
from falcokit.ruleset.operands import glued

__all__ = ["NUMBER", "Atom", "Datum", "disjoint", "implies", "read_atom", "test"]

Datum: TypeAlias = "str | int"
"""A value of a field: texts, addresses and truth values as text, numbers as int."""

_TEXTS: Final = frozenset(("CHARBUF", "FSPATH", "FSRELPATH"))
_NUMBERS: Final = frozenset(
    ("INT8", "INT16", "INT32", "INT64", "FD", "ERRNO", "PID", "UINT8", "UINT16", "UINT32", "UINT64", "RELTIME",
     "ABSTIME", "FLAGS8", "FLAGS16", "FLAGS32", "ENUMFLAGS8", "ENUMFLAGS16", "ENUMFLAGS32", "MODE")
)  # fmt: skip
_SETS: Final = frozenset(("=", "==", "in", "intersects"))
_ORDERS: Final = ("<", "<=", ">", ">=")
_PATTERNS: Final = ("contains", "icontains", "startswith", "endswith", "glob", "iglob", "pmatch", "regex")
_IPV4: Final = re.compile(r"[0-9]+(?:\.[0-9]+){3}").fullmatch
_LIMIT: Final = 1 << 64


class Atom(Record):
    """What a check says of the field ``key``.

    ``operator`` is ``in`` (the value is one of ``values``), ``!=`` (it is there and none of them), ``exists``, ``range`` (a number
    from ``values[0]`` to ``values[1]``), one of the operators of texts with its literals, or ``other`` for what is
    only ever compared with itself: then ``check`` says what it is.  All of them but ``other`` say that the field is there.
    """

    __slots__ = ("check", "key", "operator", "values")

    def __init__(self, key: str, operator: str, values: tuple[Datum, ...] = (), check: Check | None = None) -> None:
        self.key: Final = key
        self.operator: Final = operator
        self.values: Final = values
        self.check: Final = check

    def __eq__(self, other: object) -> bool:
        # Written out, as atoms are compared more than anything else.
        return self is other or (
            isinstance(other, Atom)
            and self.operator == other.operator
            and self.values == other.values
            and self.key == other.key
            and self.check == other.check
        )

    __hash__ = Record.__hash__


NUMBER: Final = "evt.num"
"""The field that placeholders compare: what they say is to be changed, mostly."""


def read_atom(check: Check, source: str, catalogue: Catalogue, constants: bool = False) -> Atom:
    """The statement that *check* makes in a rule of *source*; what it says of `NUMBER` only with *constants*."""
    left = check.left
    if not isinstance(left, Field):
        return Atom("", "other", (), check)
    key = glued(left)
    if key == NUMBER and not constants:
        return Atom(key, "free")
    if check.operator == "exists":
        return Atom(key, "exists")
    use = catalogue.resolve(key, source)
    # Fields that cannot stand on the right are those that compare several values at once, such as `fd.ip`.
    single = isinstance(use, FieldUse) and not use.is_list and not use.field.no_rhs and left.name != "proc.aargs"
    right = check.right
    if not single or check.modifier or not isinstance(right, (Value, ListValue)):
        return Atom(key, "other", (), check)
    assert isinstance(use, FieldUse)
    texts = right.texts if isinstance(right, ListValue) else (right.text,)
    if not texts:
        # It never holds, but is mostly a list that is filled elsewhere.
        return Atom(key, "in") if constants else Atom(key, "other", (), check)
    return _typed(check, key, use.type, texts) or Atom(key, "other", (), check)


def _typed(check: Check, key: str, type_name: str, texts: tuple[str, ...]) -> Atom | None:
    operator = check.operator
    if type_name in _NUMBERS:
        numbers = [read_number(text, type_name) for text in texts]
        if any(number is None for number in numbers):
            return None
        values: tuple[Datum, ...] = tuple([number for number in numbers if number is not None])
        if operator in _ORDERS:
            number = int(values[0])
            bounds = {"<": (-_LIMIT, number - 1), "<=": (-_LIMIT, number), ">": (number + 1, _LIMIT)}
            return Atom(key, "range", bounds.get(operator, (number, _LIMIT)))
    elif type_name in _TEXTS:
        if operator in _PATTERNS:
            return Atom(key, operator, texts)
        values = texts
    elif type_name == "BOOL" or (type_name in ("IPADDR", "IPV4ADDR") and all(map(_IPV4, texts))):
        values = texts
    elif type_name == "PORT" and all(text.isdecimal() and text.isascii() and len(text) < 6 for text in texts):
        values = tuple([int(text) % 65536 for text in texts])
    else:
        return None
    if operator in _SETS:
        return Atom(key, "in", values)
    return Atom(key, "!=", values) if operator == "!=" else None


def test(atom: Atom, value: Datum) -> bool | None:
    """Whether *atom* holds for a field that is *value*; None where that cannot be told."""
    operator, values = atom.operator, atom.values
    if operator == "exists":
        return True
    if operator in ("in", "!="):
        return (value in values) is (operator == "in")
    if operator == "range":
        return isinstance(value, int) and int(values[0]) <= value <= int(values[1])
    if not isinstance(value, str) or operator == "other":
        return None
    if operator == "pmatch":
        return _below(value, values)
    literal = str(values[0])
    match operator:
        case "startswith":
            return value.startswith(literal)
        case "endswith":
            return value.endswith(literal)
        case "contains":
            return literal in value
        case "icontains":
            return _lower(literal) in _lower(value)
        case "glob":
            return _globbed(value, literal)
        case "iglob":
            return _globbed(_lower(value), _lower(literal))
    return None


def _lower(text: str) -> str:
    return "".join([c.lower() if c.isascii() else c for c in text])


def _globbed(value: str, pattern: str) -> bool | None:
    """Shell patterns of `*` and text only: whatever else can stand in them is left undecided."""
    if any(c in pattern for c in "?[]\\"):
        return None
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value, re.DOTALL) is not None


def _below(value: str, patterns: tuple[Datum, ...]) -> bool | None:
    parts = [part for part in value.split("/") if part]
    undecided = False
    for pattern in patterns:
        wanted = [part for part in str(pattern).split("/") if part]
        if any(c in part for part in wanted for c in "?*["):
            undecided = True
        elif parts[: len(wanted)] == wanted:
            return True
    return None if undecided else False


def implies(atom: Atom, other: Atom) -> bool:
    """Whether *other* surely holds where *atom* does; both are about the same field."""
    if atom == other:
        return True
    mine, its = atom.operator, other.operator
    if "other" in (mine, its):
        return its == "exists" and bool(atom.key)
    if its == "exists":
        return True
    if mine == "in":
        return all(test(other, value) is True for value in atom.values)
    if its == "!=":
        if mine == "!=":
            return set(other.values) <= set(atom.values)
        return all(test(atom, value) is False for value in other.values)
    if mine == "range" == its:
        return int(other.values[0]) <= int(atom.values[0]) and int(atom.values[1]) <= int(other.values[1])
    if mine in ("startswith", "endswith", "contains") and its in ("startswith", "endswith", "contains", "icontains"):
        # A text that begins (ends) so begins (ends) with, and contains, whatever that beginning does.
        return (its in (mine, "contains", "icontains")) and test(other, atom.values[0]) is True
    return False


def disjoint(atom: Atom, other: Atom) -> bool:
    """Whether the two surely never hold together; both are about the same field."""
    for one, two in ((atom, other), (other, atom)):
        if one.operator == "in":
            return all(test(two, value) is False for value in one.values)
    mine, its = atom.operator, other.operator
    if mine == "range" == its:
        return int(atom.values[1]) < int(other.values[0]) or int(other.values[1]) < int(atom.values[0])
    if mine == its and mine in ("startswith", "endswith"):
        return test(atom, other.values[0]) is False and test(other, atom.values[0]) is False
    return False

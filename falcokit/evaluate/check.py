"""One check as a function of an event."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, TypeAlias, cast

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import Check, Field, ListValue, Transformer, Value
from falcokit.evaluate.ancestors import ANCESTORS
from falcokit.evaluate.operand import Event, Got, Reader, compile_operand
from falcokit.evaluate.patterns import glob_matcher, path_matcher, regex_matcher
from falcokit.evaluate.sockets import BOTH_ENDS
from falcokit.evaluate.values import ADDRESSES, TEXTS, Network, Single, WrongValues, encoded, inside, read_literal

__all__ = ["Predicate", "compile_predicate"]

Predicate: TypeAlias = "Callable[[Event], bool]"
_Literal: TypeAlias = "Single | Network"
_Compare: TypeAlias = "Callable[[Single, _Literal], bool]"

_FIRST_ONLY: Final = frozenset(("fd.ip", "fd.port", "fd.proto", "fd.net", *ANCESTORS))
"""Fields that compare several values at once: with a modifier they look at the first literal only."""
_MAX_GLOB: Final = 50_000_000
_SPOILED: Final = frozenset(("tolower", "toupper", "basename", "b64"))
"""What stands in the text behind these takes part where whole texts are looked up."""


def compile_predicate(check: Check, source: str, catalogue: Catalogue, wrong: WrongValues | None = None) -> Predicate:
    """Whether *check*, which Falco takes in rules of *source*, holds for an event.

    A check never holds where a value that it needs is missing.  Values of wrong types are noted in *wrong*.
    """
    left = compile_operand(check.left, source, catalogue, wrong)
    right = check.right
    if check.operator == "exists":
        return lambda event: left.get(event) is not None
    if right is None or isinstance(right, (Value, ListValue)):
        texts = right.texts if isinstance(right, ListValue) else (right.text,) if right is not None else ()
        return _with_literals(check, left, texts)
    return _with_operand(check, left, compile_operand(right, source, catalogue, wrong))


def _with_literals(check: Check, left: Reader, texts: Sequence[str]) -> Predicate:
    name, modifier = check.operator, check.modifier
    field = check.left.name if isinstance(check.left, Field) and check.left.argument is None else ""
    if field in _FIRST_ONLY and modifier:
        texts, modifier = texts[:1], ""
        if not texts:
            return lambda event: False
    if field == "fd.net" and name in ("in", "intersects"):
        texts = texts[:1] if name == "in" else ()
    if name == "regex" and not modifier:
        fits = regex_matcher(texts[0])
        return _single(left, lambda value: fits(_bytes(value)))
    if name == "pmatch" and not modifier:
        below = path_matcher([encoded(text) for text in texts])
        return _single(left, lambda value: below(_bytes(value)))
    literals = [read_literal(text, left.type, name) for text in texts]
    if left.is_list:
        return _of_list(name, left, literals)
    if modifier:
        return _modified(check, left, texts, literals)
    if name in ("in", "intersects"):
        if left.type in ADDRESSES:
            # The same addresses come again and again, and networks are compared one by one.
            return _single(left, lru_cache(maxsize=4096)(lambda value: _one_of(value, literals)))
        return _single(left, lambda value: _one_of(value, literals))
    compare, literal = _comparison(name, left.type), literals[0]
    return _single(left, lambda value: compare(value, literal), every=name == "!=" and field in BOTH_ENDS)


def _single(left: Reader, test: Callable[[Single], bool], every: bool = False) -> Predicate:
    """*test* of the value; of several ancestors one is enough, as is one end of a connection, unless *every* must pass."""
    combine = all if every else any

    def holds(event: Event) -> bool:
        value = left.get(event)
        if isinstance(value, list):
            return combine(test(_cut(part, left.type)) for part in value)
        return value is not None and test(_cut(value, left.type))

    return holds


def _of_list(name: str, left: Reader, literals: Sequence[_Literal]) -> Predicate:
    """`in`: every element is one of the *literals*; `intersects`: one is.  Bytes are compared as they are."""
    every = name == "in"

    def holds(event: Event) -> bool:
        got = left.get(event)
        if not isinstance(got, list):
            return False
        if not got:
            return every  # Options that were not found are an empty list that is there.
        found = (any(_equal(value, literal) for literal in literals) for value in got)
        return all(found) if every else any(found)

    return holds


def _modified(check: Check, left: Reader, texts: Sequence[str], literals: Sequence[_Literal]) -> Predicate:
    name, modifier = check.operator, check.modifier
    if not literals:
        return lambda event: False
    if isinstance(literals[0], Network) and (name, modifier) in (
        ("=", "anyof"), ("==", "anyof"), ("!=", "allof")
    ):  # fmt: skip
        # Falco looks these up by the stored bytes, which an address and a network never share.
        return _single(left, lambda value: name == "!=")
    tests: list[Callable[[Single], bool]] = []
    for text, literal in zip(texts, literals, strict=True):
        if name == "regex":
            fits = regex_matcher(text)
            tests.append(lambda value, fits=fits: fits(_bytes(value)))  # type: ignore[misc]
        elif name == "pmatch":
            below = path_matcher([_bytes(literal) if not isinstance(literal, Network) else b""])
            tests.append(lambda value, below=below: below(_bytes(value)))  # type: ignore[misc]
        else:
            compare = _comparison(name, left.type)
            tests.append(lambda value, compare=compare, literal=literal: compare(value, literal))  # type: ignore[misc]

    def test(value: Single) -> bool:
        count = sum(one(value) for one in tests)
        return count == 1 if modifier == "oneof" else count > 0 if modifier == "anyof" else count == len(tests)

    return _single(left, test)


def _with_operand(check: Check, left: Reader, right: Reader) -> Predicate:
    name = check.operator
    if name in ("in", "intersects"):
        return _in_operand(check, left, right)
    compare = _comparison(name, left.type, pattern_of_event=True)

    def holds(event: Event) -> bool:
        other = right.get(event)
        if other is None or isinstance(other, list):
            return False
        value = left.get(event)
        if value is None or isinstance(value, list):
            return False
        return compare(_cut(value, left.type), _cut(other, right.type))

    return holds


def _in_operand(check: Check, left: Reader, right: Reader) -> Predicate:
    spoiled = isinstance(check.right, Transformer) and check.right.name in _SPOILED and not right.is_list
    # Options found in a list are stored without the NUL that the elements of fields have: no two are equal.
    options = isinstance(check.left, Transformer) and check.left.name == "getopt" and left.is_list
    every = check.operator == "in"

    def holds(event: Event) -> bool:
        got = left.get(event)
        if options:
            return every and got == []
        others = right.get(event)
        if got is None or others is None:
            return False
        known = others if isinstance(others, list) else [others]
        values = got if isinstance(got, list) else [_cut(got, left.type)]
        if spoiled and not isinstance(got, list):
            return False
        found = (value in known for value in values)
        return all(found) if every else any(found)

    return holds


def _cut(value: Single, type_name: str) -> Single:
    """A text up to its first NUL, as single values are compared."""
    if isinstance(value, bytes) and type_name in TEXTS:
        return value.partition(b"\0")[0]
    return value


def _bytes(value: _Literal | Got) -> bytes:
    return value if isinstance(value, bytes) else b""


def _one_of(value: Single, literals: Sequence[_Literal]) -> bool:
    return any(_equal(value, literal) for literal in literals)


def _equal(value: Single, literal: _Literal) -> bool:
    return inside(value, literal) if isinstance(literal, Network) else value == literal


def _comparison(name: str, type_name: str, pattern_of_event: bool = False) -> _Compare:
    """How *name* compares a value with a literal, or with another value."""
    if name in ("=", "=="):
        return _equal
    if name == "!=":
        return lambda value, literal: not _equal(value, literal)
    if name in ("glob", "iglob"):
        return lambda value, literal: _fits_glob(_bytes(value), _bytes(literal), name == "iglob")
    return _PLAIN[name]


def _fits_glob(value: bytes, pattern: bytes, ignore_case: bool) -> bool:
    """Whether *value* fits *pattern*; where both come from an event and are absurdly long, it does not."""
    return len(value) * len(pattern) <= _MAX_GLOB and glob_matcher(pattern, ignore_case)(value)


def _folded(value: _Literal) -> bytes:
    return _bytes(value).lower()


_PLAIN: Final[dict[str, _Compare]] = {
    "<": cast("_Compare", operator.lt),
    "<=": cast("_Compare", operator.le),
    ">": cast("_Compare", operator.gt),
    ">=": cast("_Compare", operator.ge),
    "contains": lambda value, literal: _bytes(literal) in _bytes(value),
    "icontains": lambda value, literal: _folded(literal) in _folded(value),
    "startswith": lambda value, literal: _bytes(value).startswith(_bytes(literal)),
    "endswith": lambda value, literal: _bytes(value).endswith(_bytes(literal)),
    "bcontains": lambda value, literal: _bytes(literal) in _bytes(value),
    "bstartswith": lambda value, literal: _bytes(value).startswith(_bytes(literal)),
}

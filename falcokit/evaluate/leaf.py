"""One check made ready to be asked: in a closed world, where what is absent is missing, and in an open one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import Check, Field, ListValue
from falcokit.evaluate.ancestors import ANCESTORS, ancestors_of
from falcokit.evaluate.check import compile_predicate
from falcokit.evaluate.given import GIVEN, Given, event_time, fields_of
from falcokit.evaluate.operand import Event
from falcokit.evaluate.sockets import BOTH_ENDS, ends_of
from falcokit.evaluate.values import WrongValues, read_value
from falcokit.ruleset.event_set import event_codes
from falcokit.ruleset.operands import glued

__all__ = ["Leaf", "Leaves"]

_OF_TIME: Final = ("evt.rawtime", "evt.time", "evt.datetime")


class Leaf:
    """A *check* of rules of *source*; ``fields`` are the expressions it reads, ``given`` tells that the engine gives one."""

    __slots__ = ("_catalogue", "_open", "_predicate", "_source", "check", "fields", "given")

    def __init__(self, check: Check, source: str, catalogue: Catalogue, wrong: WrongValues | None = None) -> None:
        self.check: Final = check
        self._source: Final = source
        self._catalogue: Final = catalogue
        self._predicate: Final = compile_predicate(check, source, catalogue, wrong)
        self.fields: Final = tuple(dict.fromkeys([glued(field) for field in fields_of(check)]))
        self.given: Final = not GIVEN.isdisjoint(self.fields)

    def holds(self, event: Event, number: int) -> bool:
        """Whether the check holds for *event*, the one of that *number*, where an absent field has no value."""
        return self._predicate(Given(event, number, self._source) if self.given else event)

    def decided(self, event: Event) -> bool | None:
        """Whether the check holds where *event* gives some fields only; None where an absent field would decide."""
        check = self.check
        if isinstance(check.left, Field) and check.operator in ("in", "intersects") and _is_empty(check.right):
            return False
        if self.given:
            if self.fields == ("evt.num",) and event.get("evt.num") is None:
                events = self._catalogue.events
                never = event_codes(check, False, events) == 0
                return False if never else True if event_codes(check, True, events) == 0 else None
            if any(name in GIVEN and not _given(name, event) for name in self.fields):
                return None
        absent = [name for name in self.fields if name not in event and name not in GIVEN]
        if not absent:
            return self.holds(event, 1)
        if len(self.fields) > 1 or not isinstance(check.left, Field):
            return None
        return self._of_parts(absent[0], event)

    def _of_parts(self, name: str, event: Event) -> bool | None:
        """The same for the field *name*, which *event* does not carry, from fields that it does."""
        if name in BOTH_ENDS:
            ends, known = ends_of(name, event)
            if known:
                return self.holds(event, 1)
            type_name = "PORT" if name == "fd.port" else "IPADDR"
            if all(read_value(end, type_name) is None for end in ends):
                return None
            found = self.holds({name: ends}, 1)
            return found if found != (self.check.operator == "!=") else None
        if name in ANCESTORS:
            return True if ancestors_of(name, event) and self.holds(event, 1) else None
        return None

    def deciding(self, event: Event) -> tuple[str, ...]:
        """The fields that *event* lacks, of those that the check reads."""
        found: list[str] = []
        for name in self.fields:
            if _given(name, event) if name in GIVEN else name in event:
                continue
            found.append(name)
        return tuple(found) or self.fields


def _is_empty(right: object) -> bool:
    return isinstance(right, ListValue) and not right.texts


def _given(name: str, event: Mapping[str, object]) -> bool:
    """Whether the value of a field of the engine is known although an event carries some fields only."""
    if event.get(name) is not None or name in ("evt.source", "evt.dir"):
        return True
    return name.startswith(_OF_TIME) and event_time(event) is not None


class Leaves(dict[int, Leaf]):
    """The leaves of the checks asked for so far, by the check's identity."""

    def __init__(self, source: str, catalogue: Catalogue, wrong: WrongValues | None = None) -> None:
        self.source: Final = source
        self.catalogue: Final = catalogue
        self.wrong: Final = wrong
        self._kept: list[Check] = []

    def of(self, check: Check) -> Leaf:
        """The leaf of *check*."""
        leaf = self.get(id(check))
        if leaf is None:
            self._kept.append(check)  # An identity is one's own only as long as one lives.
            leaf = self[id(check)] = Leaf(check, self.source, self.catalogue, self.wrong)
        return leaf

"""Which events a condition can match: sets of event codes as bit masks (`falcokit.catalogue.EventTypes`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from falcokit.catalogue import EventTypes
from falcokit.condition.ast import Check, Field, ListValue, Value
from falcokit.ruleset.literals import read_number

__all__ = ["combined", "event_codes", "event_names"]

_TYPES: Final = frozenset(("evt.type", "syscall.type"))
_COMPARED: Final = frozenset(("=", "==", "!=", "in"))


def event_codes(check: Check, negated: bool, events: EventTypes) -> int:
    """The codes for which *check* can hold, as a bit mask; *negated* below an odd number of ``not``.

    Checks that say nothing of event types let all through, negated or not.
    """
    left, everything = check.left, _everything(events)
    if not isinstance(left, Field) or check.modifier or left.argument is not None:
        return everything
    operator = check.operator
    if left.name in _TYPES:
        if operator == "exists":
            return 0 if negated and left.name == "evt.type" else everything
        right = check.right
        if operator not in _COMPARED or not isinstance(right, (Value, ListValue)):
            return everything
        mask = events.names(right.texts if isinstance(right, ListValue) else (right.text,))
        return everything & ~mask if negated != (operator == "!=") else mask
    if left.name == "evt.num":
        decided = _number(check)
        if decided is not None:
            return everything if decided != negated else 0
    return everything


def _everything(events: EventTypes) -> int:
    codes: int = events.all_codes
    return codes


def combined(masks: Iterable[int], *, conjunction: bool, negated: bool, events: EventTypes) -> int:
    """The codes of ``and`` (*conjunction*) or ``or`` from those of the children, which were asked for with *negated*.

    Negation has been pushed down to the checks, so below it the two change places.
    """
    mask = _everything(events) if conjunction != negated else 0
    for other in masks:
        mask = mask & other if conjunction != negated else mask | other
    return mask


def event_names(mask: int, source: str, events: EventTypes) -> tuple[str, ...]:
    """The names of events that ``falco -L`` lists for a rule of *source* whose condition has the codes *mask*."""
    return events.described(mask) if source == "syscall" else ("asyncevent", "pluginevent")


def _number(check: Check) -> bool | None:
    """Whether a check of ``evt.num``, which counts from 1, always or never holds; None where it depends."""
    right, operator = check.right, check.operator
    if isinstance(right, ListValue):
        never = operator == "in" and all(read_number(text, "UINT64") == 0 for text in right.texts)
        return False if never else None
    if not isinstance(right, Value):
        return None
    number = read_number(right.text, "UINT64")
    if number == 0 or (number == 1 and operator in ("<", ">=")):
        if operator in ("=", "==", "<", "<=", "in"):
            return False
        if operator in ("!=", ">", ">="):
            return True
    return None

"""Which event codes a single check lets through."""

from __future__ import annotations

import re
from typing import Final

from falcokit.catalogue import EventTypes
from falcokit.condition.ast import Check, Field, ListValue, Value

__all__ = ["event_codes"]

_DECIMAL: Final = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")
_TYPES: Final = ("evt.type", "syscall.type")
_COMPARED: Final = frozenset(("=", "==", "!=", "in"))


def event_codes(check: Check, negated: bool, events: EventTypes) -> int:
    """The codes for which *check* can hold, as a bit mask; *negated* below an odd number of ``not``.

    Checks that say nothing of event types let all through, negated or not.
    """
    left = check.left
    if not isinstance(left, Field) or check.modifier:
        return events.all_codes
    operator = check.operator
    if left.name in _TYPES:
        if operator == "exists":
            return 0 if negated and left.name == "evt.type" else events.all_codes
        if operator not in _COMPARED:
            return events.all_codes
        right = check.right
        if isinstance(right, ListValue):
            mask = events.names(value.text for value in right.items)
        elif isinstance(right, Value):
            mask = events.names((right.text,))
        else:
            return events.all_codes
        if negated != (operator == "!="):
            mask = events.all_codes & ~mask
        return mask
    if left.name == "evt.num" and left.argument is None:
        decided = _number(check)
        if decided is not None:
            return events.all_codes if decided != negated else 0
    return events.all_codes


def _number(check: Check) -> bool | None:
    """Whether a check of ``evt.num``, which counts from 1, always or never holds; None where it depends."""
    right, operator = check.right, check.operator
    if isinstance(right, ListValue):
        if operator == "in" and all(_value(item.text) == 0 for item in right.items):
            return False
        return None
    if not isinstance(right, Value):
        return None
    if operator == "in":
        return False if _value(right.text) == 0 else None
    number = _value(right.text)
    if number is None:
        return None
    if (operator in ("=", "==") and number == 0) or (operator == "<" and number <= 1) or (operator == "<=" and number == 0):
        return False
    if (operator in ("!=", ">") and number == 0) or (operator == ">=" and number <= 1):
        return True
    return None


def _value(text: str) -> int | None:
    if not _DECIMAL.fullmatch(text) or len(text) > 100:
        return None
    number = int(text)
    return min(number, (1 << 64) - 1) if number >= 0 else number % (1 << 64)

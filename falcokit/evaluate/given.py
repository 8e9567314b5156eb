"""The fields that the engine itself gives every event: its number, source, time and the like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from falcokit.condition.ast import Check, Field, ListValue, Operand, Transformer, TransformerList

__all__ = ["GIVEN", "Given", "event_time", "fields_of", "time_text"]

_NANOSECONDS: Final = 10**9
GIVEN: Final = frozenset(
    (
        "evt.num", "evt.source", "evt.is_async", "evt.hostname", "evt.dir", "evt.rawtime", "evt.rawtime.s", "evt.rawtime.ns",
        "evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s",
    )
)  # fmt: skip
"""Falco has a value for each of these whatever the event carries."""


class Given(Mapping[str, object]):
    """An *event* with the fields of `GIVEN` that it does not carry.

    *number* counts the events from 1.  An event without a time happens that many nanoseconds after 1970 began, so that
    nothing hangs on a clock; its host is ``localhost``, and of system calls the end is seen (``evt.dir = <``).
    """

    def __init__(self, event: Mapping[str, object], number: int, source: str) -> None:
        self._event = event
        self._number = number
        self._source = source

    def __getitem__(self, key: str) -> object:
        value = self._event.get(key)
        if key == "evt.num" and not (isinstance(value, int) and value >= 1):
            return self._number
        if key.startswith(("evt.time", "evt.datetime")) and (value is None or value.__class__ is int):
            # Alerts give these as nanoseconds, where conditions compare texts.
            return time_text(key, self._time())
        if value is not None:
            return value
        if key in GIVEN:
            value = self._own(key)
        if value is None:
            raise KeyError(key)
        return value

    def _own(self, key: str) -> object:
        if key == "evt.source":
            return self._source
        if key == "evt.is_async":
            return False
        if key == "evt.hostname":
            return "localhost"
        if key == "evt.dir":
            return "<" if self._source == "syscall" else None
        time = self._time()
        seconds, rest = divmod(time, _NANOSECONDS)
        return {"evt.rawtime": time, "evt.rawtime.s": seconds, "evt.rawtime.ns": rest}.get(key)

    def _time(self) -> int:
        found = event_time(self._event)
        return self._number if found is None else found

    def __iter__(self) -> Iterator[str]:
        yield from self._event
        yield from [key for key in sorted(GIVEN) if key not in self._event]

    def __len__(self) -> int:
        return sum(1 for _ in self)


def event_time(event: Mapping[str, object]) -> int | None:
    """The nanoseconds since 1970 that *event* carries as ``evt.rawtime`` or ``evt.time``."""
    for key in ("evt.rawtime", "evt.time", "evt.time.iso8601"):
        value = event.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64:
            return value
    return None


def time_text(field: str, time: int) -> str:
    """*time*, nanoseconds since 1970, as the *field* of the event's time prints it (UTC)."""
    seconds, rest = divmod(time, _NANOSECONDS)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    fraction = "" if field.endswith(".s") else f".{rest:09}"
    if field == "evt.time.iso8601":
        return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}+0000"
    if field.startswith("evt.datetime"):
        return f"{moment:%Y-%m-%d %H:%M:%S}{fraction}"
    return f"{moment:%H:%M:%S}{fraction}"


def fields_of(operand: Operand | Check) -> Iterator[Field]:
    """The fields in *operand*, or on both sides of a check."""
    if isinstance(operand, Field):
        yield operand
    elif isinstance(operand, Transformer):
        for argument in operand.arguments:
            yield from fields_of(argument)
    elif isinstance(operand, TransformerList):
        for item in operand.items:
            yield from fields_of(item)
    elif isinstance(operand, Check):
        yield from fields_of(operand.left)
        if operand.right is not None and not isinstance(operand.right, ListValue):
            yield from fields_of(operand.right)

"""How much an audit policy records, estimated from a sample of an audit log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from falcokit.audit.policy import Level, Policy, Request
from falcokit.audit.regions import NAMELESS
from falcokit.event import AuditEvent, Event
from falcokit.record import Record

__all__ = ["Row", "Volume", "request_of", "volume"]

_DAY: Final = 86_400_000_000_000
_SHORT: Final = 60_000_000_000
"""A sample of less than a minute says nothing about a day."""
_MAX_ROWS: Final = 5_000
_LEVELS: Final = {level.word: level for level in Level}


class Row(Record):
    """How many events of one resource and verb the sample has, their bytes, and how much of that a policy would record."""

    __slots__ = ("bytes", "events", "kept_bytes", "kept_events", "resource", "verb")

    def __init__(self, resource: str, verb: str, events: int, bytes: int, kept_events: int, kept_bytes: int) -> None:
        self.resource: Final = resource
        self.verb: Final = verb
        self.events: Final = events
        self.bytes: Final = bytes
        self.kept_events: Final = kept_events
        self.kept_bytes: Final = kept_bytes


class Volume(Record):
    """The sample by resource and verb, most bytes first, and the sum of it.

    ``days`` is the time from its first to its last event, None where that is too short to say anything about a day.  ``raised``
    counts events of which the policy would record bodies that the sample lacks: their bytes are more than is told.
    ``skipped`` counts what is no audit event.
    """

    __slots__ = ("days", "raised", "rows", "skipped", "total")

    def __init__(self, rows: tuple[Row, ...], total: Row, days: float | None, raised: int, skipped: int) -> None:
        self.rows: Final = rows
        self.total: Final = total
        self.days: Final = days
        self.raised: Final = raised
        self.skipped: Final = skipped


def volume(events: Iterable[Event], policy: Policy) -> Volume:
    """How much of *events* the *policy* would record."""
    counts: dict[tuple[str, str], list[int]] = {}
    times: list[int] = []
    raised = skipped = 0
    for event in events:
        fields = event.fields
        if not isinstance(fields, AuditEvent):
            skipped += 1
            continue
        request = request_of(fields)
        decision = policy.decide(request)
        size = len(fields.compact().encode("utf-8", "replace")) + 1
        kept = 0
        if decision.level and _text(fields, "ka.stage") in decision.stages:
            kept = size - _left_out(fields, decision.level, decision.omit_managed_fields)
            raised += _is_raised(fields, decision.level, request)
        what = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
        key = (what or "(no resource)", request.verb)
        if key not in counts and len(counts) >= _MAX_ROWS:
            key = ("(others)", "")
        count = counts.setdefault(key, [0, 0, 0, 0])
        for at, number in enumerate((1, size, int(kept > 0), kept)):
            count[at] += number
        time = event.time
        if time is not None:
            times = [min(time, *times[:1]), max(time, *times[1:])] if times else [time, time]
    rows = [Row(resource, verb, *count) for (resource, verb), count in counts.items()]
    rows.sort(key=lambda row: (-row.bytes, row.resource, row.verb))
    sums = [sum(count[at] for count in counts.values()) for at in range(4)]
    span = times[1] - times[0] if times else 0
    days = span / _DAY if span >= _SHORT else None
    return Volume(tuple(rows), Row("", "", *sums), days, raised, skipped)


def request_of(event: AuditEvent) -> Request:
    """The request that *event* tells of, as a policy is asked about it."""
    groups = event.get("ka.user.groups")
    verb = _text(event, "ka.verb")
    resource = _text(event, "ka.target.resource")
    # A request for a path has no name; that of an object to be created is in its body only.
    name = _text(event, "ka.target.name") if verb not in NAMELESS else ""
    return Request(
        _text(event, "ka.user.name"), tuple(map(str, groups)) if isinstance(groups, list) else (), verb,
        _text(event, "json.value[/objectRef/apiGroup]"), resource, _text(event, "ka.target.subresource"), name,
        _text(event, "ka.target.namespace"), _text(event, "ka.uri").partition("?")[0],
    )  # fmt: skip


def _text(event: AuditEvent, field: str) -> str:
    value = event.get(field)
    return value if isinstance(value, str) else ""


def _left_out(event: AuditEvent, level: Level, omit_managed_fields: bool) -> int:
    """The bytes that *event* would have less at *level*."""
    found = 0
    for body, needed in (("requestObject", Level.REQUEST), ("responseObject", Level.REQUEST_RESPONSE)):
        if level < needed:
            found += _member(event, f"/{body}")
        elif omit_managed_fields:
            found += _member(event, f"/{body}/metadata/managedFields")
    return found


def _member(event: AuditEvent, place: str) -> int:
    value = event.get(f"json.value[{place}]")
    if not isinstance(value, str):
        return 0
    return len(value.encode("utf-8", "replace")) + len(place.rpartition("/")[2]) + 4


def _is_raised(event: AuditEvent, level: Level, request: Request) -> bool:
    recorded = _LEVELS.get(_text(event, "json.value[/level]"), Level.METADATA)
    if level <= recorded or not request.resource:
        return False
    return level is Level.REQUEST_RESPONSE or request.verb not in ("get", "list", "watch")

"""Kubernetes audit events, one JSON value a line, as the k8saudit plugin takes them from a log or a webhook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from falcokit.event.audit_fields import FIELDS, KEYED
from falcokit.event.json_text import JsonError, JsonValue, read_json

__all__ = ["AuditEvent", "audit_events"]

_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
_EXPRESSION: Final = re.compile(r"([a-z_.A-Z]+)(?:\[(.*)\])?", re.DOTALL)
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_POSITION: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)


class AuditEvent(Mapping[str, object]):
    """One event: a mapping from field expressions, such as ``ka.uri.param[watch]`` or ``json.value[/verb]``, to values.

    A text, a list of texts, or for ``evt.rawtime`` the nanoseconds; an expression without a value is no key.
    """

    def __init__(self, document: JsonValue, time: int) -> None:
        self._document = document
        self._time = time
        self._known: dict[str, object] = {}

    def __getitem__(self, expression: str) -> object:
        if not isinstance(expression, str):
            raise KeyError(expression)
        if expression not in self._known:
            self._known[expression] = self._extract(expression)
        value = self._known[expression]
        if value is None:
            raise KeyError(expression)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name in ("evt.rawtime", *FIELDS) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def compact(self) -> str:
        """The event as it was written, on one line; one of a list with the kind that the list told."""
        text = self._document.compact()
        kind = self._document.get("kind")
        if kind is not None and kind.text() == "Event":
            return text
        return '{"kind":"Event","apiVersion":"audit.k8s.io/v1"' + ("," if len(text) > 2 else "") + text[1:]

    def _extract(self, expression: str) -> object:
        found = _EXPRESSION.fullmatch(expression)
        if found is None:
            return None
        name, argument = found[1], found[2]
        if argument is not None and len(argument) > 1 and argument[0] == argument[-1] and argument[0] in "\"'":
            argument = re.sub(r"\\(.)", r"\1", argument[1:-1])
        if name == "evt.rawtime":
            return self._time
        prefix, _, what = name.partition(".")
        if prefix in ("json", "jevt"):
            return self._json(what, argument)
        extract = FIELDS.get(name)
        if extract is None or self._document.get("auditID") is None:
            return None
        if argument is not None and name not in KEYED and not _INDEX.fullmatch(argument):
            return None
        value = extract(self._document, argument)
        return value or None if isinstance(value, list) else value

    def _json(self, what: str, argument: str | None) -> object:
        if what == "rawtime":
            return str(self._time)
        if what == "obj":
            return self._document.indented().partition("\0")[0] if _strict(self._document.compact()) else None
        if what != "value" or argument is None:
            return None
        node: JsonValue | None = self._document
        if argument:
            for part in argument.removeprefix("/").split("/"):
                node = _member(node, part.replace("~1", "/").replace("~0", "~")) if node is not None else None
        return None if node is None else node.text()


def _member(node: JsonValue, key: str) -> JsonValue | None:
    if node.kind != "array":
        return node.get(key)
    at = int(key) if _POSITION.fullmatch(key) and len(key) < 20 else -1
    return node.items[at] if 0 <= at < len(node.items) else None


def _strict(text: str) -> bool:
    """Whether it is JSON by the standard."""

    def refuse(word: str) -> object:
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=refuse, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def audit_events(line: str) -> tuple[AuditEvent, ...]:
    """The events of one *line*: an ``Event``, an ``EventList``, or an array of such.

    Nothing for a line that the plugin drops: no JSON, another kind, or no time.
    """
    try:
        value = read_json(line.strip(" \t\r\n"))
    except JsonError:
        return ()
    found = _documents(value)
    events = [(document, _time(document.get("stageTimestamp"))) for document in found or ()]
    return tuple([AuditEvent(document, time) for document, time in events if time is not None])


def _documents(value: JsonValue) -> list[JsonValue] | None:
    """The objects of events in *value*, None where something else is among them."""
    if value.kind == "array":
        parts = [_documents(item) for item in value.items]
        return None if None in parts else [document for part in parts if part is not None for document in part]
    kind = value.get("kind")
    name = kind.text() if kind is not None and kind.kind == "text" else ""
    if name == "EventList":
        items = value.get("items")
        return list(items.items) if items is not None and items.kind == "array" else None
    return [value] if name == "Event" else None


def _time(value: JsonValue | None) -> int | None:
    """Nanoseconds since 1970 of a time as RFC 3339 by Go's time.Parse writes it."""
    found = _TIME.fullmatch(value.whole()) if value is not None and value.kind == "text" else None
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
    offset = timedelta()
    if found[8]:
        hours, minutes = int(found[9]), int(found[10])
        if hours > 24 or minutes > 59:
            return None
        offset = timedelta(hours=hours, minutes=minutes) * (1 if found[8] == "+" else -1)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    whole = (moment - datetime(1970, 1, 1, tzinfo=UTC) - offset) // timedelta(seconds=1)
    # Unsigned, as the plugin interface has it.
    return (whole * 10**9 + int((found[7] or "0")[:9].ljust(9, "0"))) % (1 << 64)

"""From a JSON value to the events in it, whatever form it has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from falcokit.event.event import Event
from falcokit.event.form import FALCO, FIELDS, LEGACY, RUNTIME
from falcokit.event.header import pairs_of

__all__ = ["NotAnEvent", "cleaned", "events_of", "is_clean"]

_FIELD: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-zA-Z0-9_]+)+(?:\[.*\])?", re.DOTALL | re.ASCII)
_WRAPPERS: Final = ("policyEvents", "entities", "data", "events", "items")
"""Keys of lists that events stand in: answers of interfaces, webhooks."""
_INNER: Final = ("event", "result", "_source", "alert_event", "payload")
"""Keys of objects that an event stands in: Splunk, Elasticsearch."""
_MAX_DEPTH: Final = 8

_CLEAN_NAMES: Final[set[str]] = set()
"""Names without blanks around them that were seen: the same few in nearly all events."""
_MAX_NAMES: Final = 4096


class NotAnEvent(ValueError):
    """A value is no event of a known form; the text says what it is."""


def events_of(document: Any, name: str = "", line: int = 0, depth: int = 0) -> Iterator[Event]:
    """The events of one JSON value, in order; audit events are not among what is known here.

    Raises `NotAnEvent`, after what could be read of a list.
    """
    if isinstance(document, list) and depth < _MAX_DEPTH:
        problem = None
        for item in document:
            try:
                yield from events_of(item, name, line, depth + 1)
            except NotAnEvent as error:
                problem = problem or error
        if problem is not None:
            raise problem
        return
    if not isinstance(document, dict):
        raise NotAnEvent(f"a JSON {_kind(document)} is no event")
    event = _event(document, name, line)
    if event is not None:
        yield event
        return
    if depth < _MAX_DEPTH:
        for key in _WRAPPERS:
            if isinstance(document.get(key), list):
                yield from events_of(document[key], name, line, depth + 1)
                return
        for key in _INNER:
            if isinstance(document.get(key), dict):
                yield from events_of(document[key], name, line, depth + 1)
                return
    keys = ", ".join([repr(key[:40]) for key in list(document)[:5]])
    raise NotAnEvent(
        f"an object that is no event of a known form; its keys are {keys}" if keys else "an empty object is no event"
    )


def _event(document: Mapping[str, Any], name: str, line: int) -> Event | None:
    fields = document.get("output_fields")
    if isinstance(fields, dict) or (fields is None and "rule" in document and "output" in document):
        return Event(cleaned(fields or {}), FALCO, document, name, line)
    content = document.get("content")
    if isinstance(content, dict) and ("ruleName" in content or "fields" in content or "ruleType" in content):
        return Event(cleaned(pairs_of(content.get("fields"))), RUNTIME, document, name, line)
    given = document.get("fields")
    if isinstance(given, list) and ("ruleType" in document or "policyId" in document or "eventLabels" in document):
        return Event(cleaned(pairs_of(given)), LEGACY, document, name, line)
    if isinstance(given, dict) and any(map(_FIELD.fullmatch, given)):
        # The form of the source document, and of Sysdig's interfaces where pairs are written as an object.
        sysdig = "ruleType" in document or "policyId" in document or "eventLabels" in document
        return Event(cleaned(given), LEGACY if sysdig else FIELDS, document, name, line)
    if "eventLabels" in document and ("output" in document or "ruleType" in document):
        return Event({}, LEGACY, document, name, line)
    if any(map(_FIELD.fullmatch, document)) and not any(isinstance(value, dict) for value in document.values()):
        return Event(cleaned(document), FIELDS, document, name, line)
    return None


def cleaned(fields: Mapping[str, Any]) -> dict[str, object]:
    """*fields* with None for what is known to have no value, and without blanks around names.

    A digest given as a list is its first element.
    """
    found: dict[str, object] = {}
    for name, value in fields.items():
        if value == "<NA>":
            value = None
        elif name == "container.image.digest" and isinstance(value, list):
            value = value[0] if value else None
        found[name.strip()] = value
    return found


def is_clean(fields: Mapping[str, Any]) -> bool:
    """Whether `cleaned` would change nothing; fast, because every event is asked."""
    if "<NA>" in fields.values() or fields.get("container.image.digest").__class__ is list:
        return False
    if _CLEAN_NAMES.issuperset(fields):
        return True
    if any(name != name.strip() for name in fields):
        return False
    if len(_CLEAN_NAMES) < _MAX_NAMES:
        _CLEAN_NAMES.update(fields)
    return True


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {str: "text", bool: "truth value", list: "array"}.get(type(value), "number")

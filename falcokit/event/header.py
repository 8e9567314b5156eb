"""What events say beside their fields: rule, priority, time, host, labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from falcokit.event.form import AUDIT, FALCO, FIELDS, LEGACY, RUNTIME, Form
from falcokit.event.text_line import read_text_line
from falcokit.event.times import read_time
from falcokit.record import Record

__all__ = ["Header", "header_of", "pairs_of", "source_of"]

_PRIORITIES: Final = ("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug")
_BY_WORD: Final = {word.lower(): word for word in _PRIORITIES} | {
    "info": "Informational",
    "warn": "Warning",
    "err": "Error",
}
_NO_VALUE: Final = ("", "<NA>")


class Header(Record):
    """What an event says of itself; texts are empty where it does not.

    ``policy`` is the Sysdig policy that took it, ``labels`` are those of Sysdig, ``container_id`` is told beside the fields.
    ``time`` is in nanoseconds since 1970.
    """

    __slots__ = ("container_id", "host", "id", "labels", "output", "policy", "priority", "rule", "tags", "time")

    def __init__(
        self,
        rule: str = "",
        policy: str = "",
        priority: str = "",
        time: int | None = None,
        output: str = "",
        host: str = "",
        tags: tuple[str, ...] = (),
        labels: Mapping[str, str] | None = None,
        container_id: str | None = None,
        id: str = "",
    ) -> None:
        self.rule: Final = rule
        self.policy: Final = policy
        self.priority: Final = priority
        self.time: Final = time
        self.output: Final = output
        self.host: Final = host
        self.tags: Final = tags
        self.labels: Final[Mapping[str, str]] = labels or {}
        self.container_id: Final = container_id
        self.id: Final = id


def source_of(form: Form, document: Any, fields: Mapping[str, object]) -> str:
    """The source of an event; empty where it does not tell."""
    if form is AUDIT:
        return "k8s_audit"
    source = document.get("source") if isinstance(document, dict) else None
    if not isinstance(source, str) or not source:
        source = fields.get("evt.source")
    if isinstance(source, str) and source:
        return source
    # Alerts of the time before sources were told: nothing else has these fields.
    return "k8s_audit" if any(name.startswith(("ka.", "jevt.")) for name in fields) else ""


def header_of(form: Form, document: Any, fields: Mapping[str, object]) -> Header:
    """The header of an event of *form*."""
    if form is AUDIT:
        return Header(time=_number(fields.get("evt.rawtime")), id=_text(fields.get("ka.auditid")))
    if isinstance(document, str):
        line = read_text_line(document)
        return (
            Header()
            if line is None
            else Header(priority=priority_of(line.priority), time=line.time, output=line.message)
        )
    if not isinstance(document, dict):
        return Header(time=_time(fields))
    if form is FALCO or form is FIELDS:
        return _falco(document, fields)
    return _legacy(document, fields) if form is LEGACY else _runtime(document, fields) if form is RUNTIME else Header()


def _falco(document: Mapping[str, Any], fields: Mapping[str, object]) -> Header:
    tags = document.get("tags")
    return Header(
        rule=_text(document.get("rule")),
        priority=priority_of(document.get("priority")),
        time=_time(fields, document.get("time")),
        output=_text(document.get("output")),
        host=_text(document.get("hostname")) or _text(fields.get("evt.hostname")),
        tags=tuple([tag for tag in tags if isinstance(tag, str)]) if isinstance(tags, list) else (),
        id=_text(document.get("uuid")),
    )


def _legacy(document: Mapping[str, Any], fields: Mapping[str, object]) -> Header:
    labels = _labels(document.get("eventLabels"))
    metrics = document.get("metrics")
    host = labels.get("host.hostName", "")
    if not host and isinstance(metrics, list):
        # Legacy events list the host behind its address, with no names.
        names = [name for name in metrics if isinstance(name, str) and name != document.get("hostMac")]
        host = names[0] if names else ""
    # The name of such an event is the policy's; an alert without the field has a rule of that name at best.
    rule = _text(fields.get("falco.rule"))
    tags = document.get("ruleTags")
    # Where it says that there was no policy, the name is that of the rule.
    policy = "" if "policyId" in document and document["policyId"] is None else _text(document.get("name"))
    return Header(
        rule=rule,
        policy=policy,
        priority=priority_of(document.get("severity")),
        time=_time(
            fields, document.get("timestampNs"), document.get("timestampRFC3339Nano"), document.get("timestamp")
        ),
        output=_text(document.get("output")),
        host=host,
        tags=tuple([tag for tag in tags if isinstance(tag, str)]) if isinstance(tags, list) else (),
        labels=labels,
        container_id=_optional(document.get("containerId")),
        id=_text(document.get("id")),
    )


def _runtime(document: Mapping[str, Any], fields: Mapping[str, object]) -> Header:
    content = document.get("content")
    content = content if isinstance(content, dict) else {}
    labels = _labels(document.get("labels")) | _labels(content.get("labels"))
    tags = content.get("ruleTags")
    return Header(
        rule=_text(content.get("ruleName")) or _text(fields.get("falco.rule")),
        policy=_text(document.get("name")),
        priority=priority_of(document.get("severity")),
        time=_time(fields, document.get("timestamp"), document.get("timestampRFC3339Nano")),
        output=_text(content.get("output")),
        host=labels.get("host.hostName", "") or labels.get("host.hostname", ""),
        tags=tuple([tag for tag in tags if isinstance(tag, str)]) if isinstance(tags, list) else (),
        labels=labels,
        container_id=_optional(document.get("containerId")),
        id=_text(document.get("id")),
    )


def priority_of(value: object) -> str:
    """Falco's word for a priority written as a word, or as a number from 0 (Emergency) to 7 (Debug)."""
    if isinstance(value, str):
        return _BY_WORD.get(value.strip().lower(), "")
    return _PRIORITIES[value] if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 8 else ""


def _time(fields: Mapping[str, object], *values: object) -> int | None:
    """The first of *values* that is a time, or else what the fields say."""
    candidates = (*values, fields.get("evt.rawtime"), fields.get("evt.time"), fields.get("evt.time.iso8601"))
    return next((time for one in candidates if (time := read_time(one)) is not None), None)


def pairs_of(value: object) -> dict[str, Any]:
    """A mapping, or a list of objects with ``key`` and ``value``, as a mapping; the first of equal keys counts."""
    if isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("key"), str):
            found.setdefault(entry["key"], entry.get("value"))
    return found


def _labels(value: object) -> dict[str, str]:
    return {key: text for key, one in pairs_of(value).items() if (text := _text(one))}


def _text(value: object) -> str:
    return value if isinstance(value, str) and value not in _NO_VALUE else ""


def _optional(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None

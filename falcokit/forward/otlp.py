"""OpenTelemetry logs, in the JSON of its protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from falcokit.event import Event
from falcokit.forward.enrich import host_of, id_of, labels_of
from falcokit.forward.facts import text_of
from falcokit.forward.integration import Integration
from falcokit.forward.severity import OTLP, number_of
from falcokit.forward.text import CUT, json_bytes, told

__all__ = ["export_request", "log_record"]

_SCOPE: Final = "falcokit"
_LAST: Final = 1 << 63
_MAX_TIME: Final = 1 << 64


def log_record(integration: Integration, event: Event, now: int | None = None) -> bytes:
    """*event* as one record: its output is the body, its fields and labels are attributes under their own names."""
    header = event.header
    number = number_of(header.priority)
    own = {
        "log.record.uid": id_of(event),
        "host.name": host_of(event, integration),
        "falco.rule": header.rule,
        "falco.policy": header.policy,
        "falco.priority": header.priority,
        "falco.source": event.source,
        "falco.tags": list(header.tags),
    }
    attributes = {**event.fields, **labels_of(event, integration)} | {key: one for key, one in own.items() if one}
    time = header.time if header.time is not None else now
    record: dict[str, Any] = {} if time is None or time >= _MAX_TIME else {"timeUnixNano": str(time)}
    if now is not None:
        record["observedTimeUnixNano"] = str(now)
    if number is not None:
        record["severityNumber"], _ = OTLP[number]
        record["severityText"] = header.priority
    record["body"] = {"stringValue": text_of(event)}
    record["attributes"] = _attributes(attributes)
    data = json_bytes(record)
    return data if len(data) <= integration.max_size else _smaller(record, own, integration.max_size)


def export_request(integration: Integration, records: Sequence[bytes]) -> bytes:
    """An ExportLogsServiceRequest with *records*; its resource is the service, with the labels of *integration*."""
    resource = {"attributes": _attributes({**integration.labels, "service.name": integration.option("service_name")})}
    head = json_bytes({"resource": resource})[:-1]
    scope = json_bytes({"name": _SCOPE})
    return b'{"resourceLogs":[' + head + b',"scopeLogs":[{"scope":' + scope + b',"logRecords":[' + b",".join(records) + b"]}]}]}"  # fmt: skip


def _smaller(record: dict[str, Any], own: Mapping[str, Any], size: int) -> bytes:
    """*record* in *size* bytes: its own attributes come first, and how many are left out is told."""
    ordered = sorted(record["attributes"], key=lambda one: one["key"] not in own)
    record |= {"attributes": [], "droppedAttributesCount": len(ordered)}
    body = record["body"]["stringValue"]
    length = min(len(body), size)
    while len(json_bytes(record)) > size // 2 and length > len(CUT):
        length //= 2
        record["body"] = {"stringValue": body[:length] + CUT}
    left, kept = size - len(json_bytes(record)), record["attributes"]
    for one in ordered:
        used = len(json_bytes(one)) + 1
        if used <= left:
            kept.append(one)
            left -= used
    record["droppedAttributesCount"] -= len(kept)
    return json_bytes(record)


def _attributes(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, one in found.items() if key and (value := _value(one)) is not None]


def _value(value: object) -> dict[str, Any] | None:
    """*value* as the protocol writes it; numbers of 64 bits are texts in its JSON."""
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -_LAST <= value < _LAST:
        return {"intValue": str(value)}
    if isinstance(value, float) and value - value == 0:
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [found for one in value if not isinstance(one, list) and (found := _value(one)) is not None]}}  # fmt: skip
    return {"stringValue": text} if (text := told(value)) else None

"""Elasticsearch and OpenSearch: documents with the names of the Elastic Common Schema, for the bulk interface."""

from __future__ import annotations

from typing import Any, Final

from falcokit.event import Event
from falcokit.forward.enrich import host_of, id_of, identity, labels_of, rfc3339
from falcokit.forward.facts import address, container_of, text, text_of, whole
from falcokit.forward.fit import fitted
from falcokit.forward.integration import Integration
from falcokit.forward.severity import number_of
from falcokit.forward.text import json_bytes, told

__all__ = ["bulk_action"]

_SCHEMA: Final = "8.11.0"
_INDEX: Final = "falco-events"
_PERIODS: Final = {"none": 0, "day": 10, "month": 7}
"""How many characters of a date are behind the name of an index."""
_MAX_PID: Final = 1 << 22
_MAX_KEYWORD: Final = 8191
"""Characters that a keyword has at most: Lucene takes 32766 bytes."""


def bulk_action(integration: Integration, event: Event, now: int | None = None) -> bytes:
    """Two lines without an end: the action, which makes the document once only however often it is sent, and the document."""
    time = event.header.time if event.header.time is not None else now
    stamp = rfc3339(time) if time is not None else ""
    index = integration.option("index") or _INDEX
    date = stamp[: _PERIODS[integration.option("index_by")]].replace("-", ".")
    action = json_bytes({"create": {"_index": f"{index}-{date}" if date else index, "_id": identity(event)}})
    return (
        action + b"\n" + (fitted(document(integration, event, stamp), integration.max_size - len(action) - 1) or b"{}")
    )


def document(integration: Integration, event: Event, stamp: str) -> dict[str, Any]:
    """The document of *event*, whose moment is *stamp*.

    What the schema has a name for is there under that name where it has the right type.  Everything else is in ``falco.fields`` and
    ``falco.labels``, as pairs of texts: names that events choose make no fields of the index.
    """
    header, fields = event.header, event.fields
    labels = labels_of(event, integration)
    container, image = container_of(event)
    source, target = address(fields, "fd.cip"), address(fields, "fd.sip", "fd.rip")
    file = text(fields, "fd.name")
    found = {
        "@timestamp": stamp,
        "ecs": {"version": _SCHEMA},
        "message": text_of(event),
        "event": {
            "kind": "alert" if header.rule or header.output else "event",
            "module": "falco",
            "dataset": "falco.alerts",
            "provider": event.source,
            "severity": number_of(header.priority),
            "id": id_of(event),
        },
        "rule": {"name": header.rule},
        "log": {"level": header.priority.lower()},
        "tags": [tag[:_MAX_KEYWORD] for tag in header.tags],
        "labels": {name.replace(".", "_"): value for name, value in integration.labels.items()},
        "host": {"name": host_of(event, integration)},
        "container": {
            "id": container,
            "name": labels.get("container.name", "") if container else "",
            "image": {"name": image.rpartition(":")[0] if ":" in image.rpartition("/")[2] else image, "tag": _tag(image)},
        },
        "orchestrator": {
            "cluster": {"name": labels.get("kubernetes.cluster.name", "")},
            "namespace": labels.get("kubernetes.namespace.name", ""),
            "resource": _pod(labels.get("kubernetes.pod.name", "")),
        },
        "process": {
            "name": text(fields, "proc.name"),
            "pid": whole(fields, ("proc.pid",), _MAX_PID),
            "command_line": text(fields, "proc.cmdline"),
            "executable": text(fields, "proc.exepath"),
            "parent": {
                "name": text(fields, "proc.pname"),
                "pid": whole(fields, ("proc.ppid",), _MAX_PID),
                "command_line": text(fields, "proc.pcmdline"),
            },
        },
        "user": {"name": text(fields, "user.name", "ka.user.name")},
        "file": {"path": file if file.startswith("/") else ""},
        "source": {"ip": source, "port": whole(fields, ("fd.cport",), 65_535)},
        "destination": {"ip": target, "port": whole(fields, ("fd.sport", "fd.rport"), 65_535)},
        "network": {"transport": text(fields, "fd.l4proto").lower()},
        "falco": {
            "priority": header.priority,
            "policy": header.policy,
            "fields": [{"key": _keyword(key), "value": _keyword(told(value))} for key, value in fields.items() if value is not None],
            "labels": [{"key": _keyword(key), "value": _keyword(value)} for key, value in labels.items()],
        },
    }  # fmt: skip
    return {key: value for key, one in found.items() if (value := _without_nothing(one))}


def _without_nothing(value: Any) -> Any:
    """*value* without what says nothing; a keyword no longer than the index takes."""
    if isinstance(value, dict):
        return {key: kept for key, one in value.items() if (kept := _without_nothing(one)) not in ("", None, {}, [])}
    return value


def _keyword(value: str) -> str:
    return value if len(value) <= _MAX_KEYWORD else value[:_MAX_KEYWORD]


def _tag(image: str) -> list[str]:
    last = image.rpartition("/")[2]
    return [last.partition(":")[2]] if ":" in last else []


def _pod(name: str) -> dict[str, str]:
    return {"type": "pod", "name": name} if name else {}

"""One event as a row of the database."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Final

import orjson

from falcokit.event import Event
from falcokit.event.form import AUDIT, FALCO
from falcokit.event.times import read_time
from falcokit.overview.labels import FIELDS_OF
from falcokit.overview.severity import PRIORITIES, rank_of, tile_of
from falcokit.overview.template import Templates

__all__ = ["COLUMNS", "row_of"]

COLUMNS: Final = {
    "time": "BIGINT", "id": "UBIGINT", "rank": "UTINYINT", "rule": "VARCHAR", "policy": "VARCHAR", "tile": "VARCHAR",
    "source": "VARCHAR", "host": "VARCHAR", "container": "VARCHAR", "container_id": "VARCHAR", "image": "VARCHAR",
    "tag": "VARCHAR", "digest": "VARCHAR", "cluster": "VARCHAR", "namespace": "VARCHAR", "deployment": "VARCHAR",
    "pod": "VARCHAR", "process": "VARCHAR", "parent": "VARCHAR", "user": "VARCHAR", "file": "VARCHAR", "actions": "VARCHAR",
    "proto": "VARCHAR", "client": "VARCHAR", "server": "VARCHAR", "port": "INTEGER", "output": "VARCHAR", "template": "UINTEGER",
    "timed": "BOOLEAN", "labels": "VARCHAR", "raw": "VARCHAR",
}  # fmt: skip
"""Columns and their types.  ``time`` is in nanoseconds since 1970, ``rank`` a priority as a number, ``template`` the form of the output;
``labels`` is JSON where ``raw`` has them not by name."""
_CLUSTER, _NAMESPACE, _DEPLOYMENT, _POD = (
    FIELDS_OF["kubernetes.cluster.name"], FIELDS_OF["kubernetes.namespace.name"],
    FIELDS_OF["kubernetes.deployment.name"], FIELDS_OF["kubernetes.pod.name"],
)  # fmt: skip
_SECOND: Final = 10**9
_LAST: Final = 2**63 - 1
"""The last moment that the database knows, in the year 2262."""
_MAX_OUTPUT: Final = 20_000
_STRING: Final = {str}
_STRING_OR_NONE: Final = {str, type(None)}
_ODD: Final = frozenset(("", "<NA>", "incomplete", "sha256"))
"""What fields say that tell nothing."""
_UNSAID: Final = dict.fromkeys(("rule", "output", "hostname", "source", "time", "priority"))
_SAID: Final = itemgetter(*_UNSAID)
_UNTOLD: Final = dict.fromkeys(
    ("container.image.repository", "container.name", "container.id", "k8s.cluster.name", "k8s.ns.name", "k8s.deployment.name", "k8s.pod.name",
     "proc.name", "proc.pname", "user.name", "fd.name", "fd.l4proto", "fd.cip", "fd.sip", "fd.rip", "container.image.digest", "container.image.tag",
     "container.image", "evt.hostname", "fd.sport", "fd.rport")
)  # fmt: skip
_TOLD: Final = itemgetter(*_UNTOLD)
_RANKS: Final = {word: rank for rank, word in enumerate(PRIORITIES)}


def row_of(event: Event, templates: Templates, now: int) -> tuple[Any, ...]:
    """The row of *event*, which was read at *now* (nanoseconds since 1970; its time where it tells none)."""
    if event.form is FALCO and (row := _alert(event, templates)) is not None:
        return row
    header, fields, form = event.header, event.fields, event.form
    labels = header.labels
    written = event.written
    container = event.container
    image = container.image
    time = min(header.time, _LAST) if header.time is not None else now
    document: Mapping[str, Any] = event.document if isinstance(event.document, dict) else {}
    rule, output = header.rule, header.output
    text = output if len(output) <= _MAX_OUTPUT else output[:_MAX_OUTPUT]
    if form is AUDIT:
        text = _audit_text(fields)
    port = fields.get("fd.sport", fields.get("fd.rport"))
    return (
        time,
        _identity(_own(event, written), header.time, rule, output, header.host),
        rank_of(header.priority),
        rule or None,
        header.policy or None,
        tile_of(_rule_type(document)),
        event.source or None,
        header.host or None,
        container.name or None,
        container.id or None,
        image.repository or None,
        image.tag or None,
        image.digest or None,
        _first(fields, labels, _CLUSTER),
        _first(fields, labels, _NAMESPACE),
        _first(fields, labels, _DEPLOYMENT),
        _first(fields, labels, _POD),
        _text(fields.get("proc.name")),
        _text(fields.get("proc.pname")),
        _text(fields.get("user.name") or fields.get("ka.user.name")),
        _text(fields.get("fd.name")),
        _actions(document) if form is not FALCO else None,
        _text(fields.get("fd.l4proto")),
        _text(fields.get("fd.cip")),
        _text(fields.get("fd.sip") or fields.get("fd.rip")),
        _port(port),
        text,
        templates.number(rule or header.policy, text, fields),
        header.time is not None,
        _labels(event) if form is not FALCO else None,
        written,
    )


def _alert(event: Event, templates: Templates) -> tuple[Any, ...] | None:
    """The row of an alert that has all in its usual place, as `row_of` would make it; None for any other."""
    document, fields = event.document, event.fields
    if not isinstance(fields, dict):
        return None
    rule, output, host, source, said, priority = said_by_all = _SAID(_UNSAID | document)
    image, name, own, *told, port, other = _TOLD(_UNTOLD | fields)
    texts = {*map(type, said_by_all), type(name), type(own)}
    if texts != _STRING:
        return None
    time, rank = read_time(said), _RANKS.get(priority)
    if time is None or time > _LAST or rank is None or not time % _SECOND or len(output) > _MAX_OUTPUT or not rule:
        return None
    if not set(map(type, told)) <= _STRING_OR_NONE or not _ODD.isdisjoint(told) or not (output and host and source):
        return None
    (
        cluster,
        namespace,
        deployment,
        pod,
        process,
        parent,
        user,
        file,
        proto,
        client,
        server,
        remote,
        digest,
        tag,
        whole,
        host_field,
    ) = told
    if own == "host":
        name, image, tag, digest = "host", None, None, None
    elif type(image) is not str or image in _ODD or own in _ODD or name in _ODD or whole is not None:
        return None
    if host_field is not None:
        return None
    port = other if port is None else port
    return (
        time, _identity("", time, rule, output, host), rank, rule, None, "Fa", source, host, name, own, image, tag, digest,
        cluster, namespace, deployment, pod, process, parent, user, file, None, proto, client, server or remote,
        None if port is None else _port(port), output, templates.number(rule, output, fields), True, None, event.written,
    )  # fmt: skip


def _own(event: Event, written: str) -> str:
    """What an event has of its own that tells it from every other; empty where its moment and what it says do."""
    form, header = event.form, event.header
    if form is AUDIT:
        return written  # The stages of one request have one identifier.
    if form is not FALCO:
        return header.id or ("" if header.time is not None and header.time % _SECOND else written)
    if header.time is not None and header.time % _SECOND:
        return ""
    # Whole seconds: other alerts may say the same.  Through falcosidekick there are more keys, but the same fields.
    try:
        fields = orjson.dumps(event.fields, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        fields = repr(sorted(event.fields.items(), key=str))
    return f"{header.time}\0{header.rule}\0{header.output}\0{header.host}\0{fields}"


def _identity(own: str, time: int | None, rule: str, output: str, host: str) -> int:
    """A number for what tells an event from every other: what it has of its own, else its moment to the nanosecond and what it says."""
    data = f"{own}\0{time}" if own else f"{time}\0{rule}\0{output}\0{host}"
    return int.from_bytes(blake2b(data.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _first(fields: Mapping[str, object], labels: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    for name in names:
        if value := _text(fields.get(name)):
            return value
    for name in names if labels else ():
        if label := labels.get(name):
            return label
    return None


def _text(value: object) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, str) and value not in ("", "<NA>") else None


def _port(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 6:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536 else None


def _rule_type(document: Mapping[str, Any]) -> str:
    content = document.get("content")
    value = document.get("ruleType") or (content.get("ruleType") if isinstance(content, dict) else "")
    return value if isinstance(value, str) else ""


def _actions(document: Mapping[str, Any]) -> str | None:
    """What was done: paused, stopped, killed, captured."""
    found = []
    for key in ("actionResults", "actions"):
        value = document.get(key)
        for one in value if isinstance(value, list) else ():
            kind = one.get("type") if isinstance(one, dict) else one
            if isinstance(kind, str) and kind:
                found.append(kind.removeprefix("POLICY_ACTION_").lower())
    return ", ".join(dict.fromkeys(found)) or None


def _labels(event: Event) -> str | None:
    """The labels and fields of an event that has them not as an object."""
    known: dict[str, str] = {
        name: str(value)[:2000]
        for name, value in event.fields.items()
        if value is not None and not isinstance(value, list)
    }
    known |= event.header.labels
    if not known:
        return None
    try:
        return orjson.dumps(known).decode()
    except TypeError:  # Half of a surrogate pair is in a text.
        return orjson.dumps({_whole(name): _whole(value) for name, value in known.items()}).decode()


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _audit_text(fields: Mapping[str, object]) -> str:
    """An audit event in one line."""
    names = (
        "ka.user.name",
        "ka.verb",
        "ka.target.resource",
        "ka.target.namespace",
        "ka.target.name",
        "ka.response.code",
    )
    return " ".join(str(value) for name in names if (value := fields.get(name)) is not None)

"""Events as columns of the database."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence, Set
from io import BytesIO
from itertools import compress
from operator import itemgetter
from typing import Any, Final, TypeAlias

import orjson

from falcokit.event import Event
from falcokit.event.form import AUDIT, FALCO
from falcokit.event.times import read_times
from falcokit.forward.enrich import id_of, identity_of
from falcokit.overview.labels import FIELDS_OF
from falcokit.overview.severity import PRIORITIES, rank_of, tile_of
from falcokit.overview.template import Templates
from falcokit.record import Record

__all__ = ["AT_ONCE", "COLUMNS", "Columns", "Packed", "columns_of", "joined", "packed"]

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
_ROW: Final = (*[name for name in COLUMNS if name != "id"], "own")
_CLUSTER, _NAMESPACE, _DEPLOYMENT, _POD = (
    FIELDS_OF["kubernetes.cluster.name"], FIELDS_OF["kubernetes.namespace.name"],
    FIELDS_OF["kubernetes.deployment.name"], FIELDS_OF["kubernetes.pod.name"],
)  # fmt: skip
_SECOND: Final = 10**9
_LAST: Final = 2**63 - 1
"""The last moment that the database knows, in the year 2262."""
_MAX_OUTPUT: Final = 20_000
_ODD: Final = frozenset(("", "<NA>", "incomplete", "sha256"))
"""What fields say that tell nothing."""
_SAID: Final = {
    "rule": "rule", "output": "output", "host": "hostname", "source": "source", "time": "time", "rank": "priority",
}  # fmt: skip
"""The keys of an alert that columns are for."""
_TOLD: Final = {
    "container": "container.name", "container_id": "container.id", "image": "container.image.repository",
    "tag": "container.image.tag", "digest": "container.image.digest", "cluster": "k8s.cluster.name", "namespace": "k8s.ns.name",
    "deployment": "k8s.deployment.name", "pod": "k8s.pod.name", "process": "proc.name", "parent": "proc.pname", "user": "user.name",
    "file": "fd.name", "proto": "fd.l4proto", "client": "fd.cip", "server": "fd.sip", "remote": "fd.rip",
}  # fmt: skip
"""The fields of an alert that columns are for, as far as they are texts."""
_ALWAYS: Final = frozenset((*_SAID, "container", "container_id"))
_IMAGE: Final = ("image", "tag", "digest")
_BOX: Final = ("container", "container_id", *_IMAGE)
_ELSEWHERE: Final = (
    "container.image", "evt.hostname", "ka.user.name",
    *[name for names in FIELDS_OF.values() for name in names if name not in _TOLD.values()],
)  # fmt: skip
"""Fields that say in another way what columns are for."""
_PORTS: Final = ("fd.sport", "fd.rport")
AT_ONCE: Final = 512
"""How many events are best looked at at once: so few that they are still in the processor's cache."""
_RANKS: Final = {word: rank for rank, word in enumerate(PRIORITIES)}

_Columns: TypeAlias = dict[str, list[Any]]


class Columns(Record):
    """Events as columns.  The numbers in ``template`` are places in ``forms``, each a rule and a text."""

    __slots__ = ("columns", "forms")

    def __init__(self, columns: Mapping[str, Sequence[Any]], forms: Sequence[tuple[str, str]]) -> None:
        self.columns: Final = columns
        self.forms: Final = forms

    @property
    def count(self) -> int:
        """How many events there are."""
        return len(self.columns["raw"])

    @property
    def size(self) -> int:
        """How many characters they have."""
        return sum(map(len, self.columns["raw"]))

    def opened(self) -> Columns:
        """As `Packed.opened`: these themselves."""
        return self


class Packed(Record):
    """`Columns`, ``count`` events of ``size`` characters, packed for another process: in one piece of memory."""

    __slots__ = ("count", "data", "size")

    def __init__(self, count: int, size: int, data: bytes) -> None:
        self.count: Final = count
        self.size: Final = size
        self.data: Final = data

    def opened(self) -> Columns:
        """What was packed, by a copy of this process."""
        found: Columns = pickle.loads(self.data)
        return found


def packed(columns: Columns) -> Packed:
    """*columns* in one piece of memory."""
    stream = BytesIO()
    pickler = pickle.Pickler(stream, pickle.HIGHEST_PROTOCOL)
    pickler.fast = True  # No text is looked for among those before.
    pickler.dump(columns)
    return Packed(columns.count, columns.size, stream.getvalue())


def joined(parts: Iterable[Columns | Packed]) -> Columns:
    """*parts*, one or more, put together."""
    columns: _Columns = {"raw": []}
    forms: list[tuple[str, str]] = []
    for one in parts:
        part = one.opened()
        _append(columns, {**part.columns, "template": [len(forms) + place for place in part.columns["template"]]})
        forms += part.forms
    return Columns(columns, forms)


def columns_of(events: Sequence[Event], templates: Templates, now: int) -> Columns:
    """The columns of some *events*, in any order; *now* (nanoseconds since 1970) is the moment of those that tell none.

    A column of which all is None is left out, and there is no ``id``: instead ``own`` is what tells an event from every other, None
    where its moment, rule, output and host do.
    """
    columns, rest = _alerts(events, templates)
    if rest:
        rows = zip(*[_row(event, templates, now) for event in rest], strict=True)
        _append(columns, {name: column for name, column in zip(_ROW, rows, strict=True) if {*column} != {None}})
    used = list(dict.fromkeys(columns["template"]))
    places = {number: place for place, number in enumerate(used)}
    columns["template"] = [places[number] for number in columns["template"]]
    return Columns(columns, [templates.found[number] for number in used])


def _append(found: _Columns, more: Mapping[str, Sequence[Any]]) -> None:
    """Put the columns *more* behind *found*."""
    before, count = len(found["raw"]), len(more["raw"])
    for name in found.keys() - more.keys():
        found[name] += [None] * count
    for name, column in more.items():
        if name not in found:
            found[name] = [None] * before
        found[name] += column


def _alerts(events: Sequence[Event], templates: Templates) -> tuple[_Columns, list[Event]]:
    """The columns of the alerts that have all in its usual place, as `_row` would fill them; and the other events.

    Most events are such alerts.  A column at a time takes half as long as an event at a time.
    """
    alerts: list[Event] = []
    rest: list[Event] = []
    for one in events:
        (alerts if one.form is FALCO and isinstance(one.fields, dict) else rest).append(one)
    found = _texts(alerts)
    rest += _take_out(found, _without_texts(found))
    found["time"], found["rank"] = read_times(found["time"]), [_RANKS.get(one) for one in found["rank"]]
    rest += _take_out(found, _unusual(found))
    for number in [number for number, one in enumerate(found["container_id"]) if one == "host"]:
        found["container"][number] = "host"
        for name in _IMAGE:
            if name in found:
                found[name][number] = None
    usual = found.pop("event")
    count = len(usual)
    if remote := found.pop("remote", None):
        found["server"] = [one or other for one, other in zip(found.get("server", remote), remote, strict=True)]
    fields = [one.fields for one in usual]
    ports = [one.get(_PORTS[0], one.get(_PORTS[1])) for one in fields]
    if any(ports):
        found["port"] = [_port(one) for one in ports]
    found["template"] = list(map(templates.number, found["rule"], found["output"], fields))
    found["tile"], found["timed"] = ["Fa"] * count, [True] * count
    found["raw"] = [one.written for one in usual]
    return found, rest


def _texts(alerts: list[Event]) -> _Columns:
    """What is written in the places of texts, whatever it is; ``event`` is whose it is."""
    found: _Columns = {"event": alerts}
    documents, fields = [one.document for one in alerts], [one.fields for one in alerts]
    names: Set[str] = frozenset().union(*fields)
    for name, key in _SAID.items():
        found[name] = _values(documents, key)
    for name, key in _TOLD.items():
        if key in names or name in _ALWAYS:
            found[name] = _values(fields, key)
    for key in _ELSEWHERE:
        if key in names:
            found[key] = _values(fields, key)
    return found


def _values(mappings: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    try:
        return list(map(itemgetter(key), mappings))
    except KeyError:
        return [one.get(key) for one in mappings]


def _without_texts(found: _Columns) -> set[int]:
    """The numbers of alerts with something else in the place of a text."""
    odd: set[int] = set()
    for name, column in found.items():
        if name in _ELSEWHERE:
            odd.update([number for number, one in enumerate(column) if one is not None])
        elif name not in ("event", "image") and not _all_texts(column):
            if name not in ("container", "container_id"):
                empty = None if name in _ALWAYS else type(None)
                odd.update(
                    [number for number, one in enumerate(column) if type(one) is not str and type(one) is not empty]
                )
            else:
                others = [number for number, one in enumerate(column) if type(one) is not str]
                odd.update([number for number in others if column[number] is not None or not _is_told(found, number)])
    for key in _ELSEWHERE:
        found.pop(key, None)
    return odd


def _is_told(found: _Columns, number: int) -> bool:
    """Whether it is clear what container the alert is of, although it does not name one: the host, or none."""
    if found["container_id"][number] == "host":
        return True
    if any(found[name][number] is not None for name in _BOX if name in found):
        return False
    output = found["output"][number]
    return isinstance(output, str) and "container" not in output and "image=" not in output


def _all_texts(column: Sequence[Any]) -> bool:
    try:
        "".join(column)  # Nothing tells it faster.
    except TypeError:
        return False
    return True


def _unusual(found: _Columns) -> set[int]:
    """The numbers of alerts that do not tell what alerts tell."""
    odd = {number for number, one in enumerate(found["time"]) if not one or one > _LAST or not one % _SECOND}
    odd.update([number for number, one in enumerate(found["output"]) if len(one) > _MAX_OUTPUT])
    odd.update([number for number, one in enumerate(found["rank"]) if one is None])
    for name, column in found.items():
        if name in ("rule", "output", "host", "source"):
            if not all(column):
                odd.update([number for number, one in enumerate(column) if not one])
        elif name in _TOLD and name != "image" and not _ODD.isdisjoint(column):
            odd.update([number for number, one in enumerate(column) if one in _ODD])
    images = found.get("image") or [None] * len(found["event"])
    if not _all_texts(images) or not _ODD.isdisjoint(images):
        boxes = zip(found["container_id"], images, strict=True)
        odd.update([number for number, (own, one) in enumerate(boxes) if own != "host" and ((not isinstance(one, str) and (own is not None or one is not None)) or one in _ODD)])  # fmt: skip
    return odd


def _take_out(found: _Columns, odd: set[int]) -> list[Event]:
    """The events with these numbers, which no column has any more."""
    if not odd:
        return []
    events: list[Event] = [found["event"][number] for number in sorted(odd)]
    kept = [number not in odd for number in range(len(found["event"]))]
    for name, column in found.items():
        found[name] = list(compress(column, kept))
    return events


def _row(event: Event, templates: Templates, now: int) -> tuple[Any, ...]:
    """The columns `_ROW` of any event."""
    header, fields, form = event.header, event.fields, event.form
    labels = header.labels
    written = event.written
    container = event.container
    image = container.image
    document: Mapping[str, Any] = event.document if isinstance(event.document, dict) else {}
    rule, output = header.rule, header.output
    text = output if len(output) <= _MAX_OUTPUT else output[:_MAX_OUTPUT]
    if form is AUDIT:
        text = _audit_text(fields)
    port = fields.get("fd.sport", fields.get("fd.rport"))
    return (
        min(header.time, _LAST) if header.time is not None else now,
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
        _own(event),
    )


def _own(event: Event) -> str:
    """What tells an event from every other: what it has of its own and its moment, else its moment to the nanosecond and what it says."""
    header, own = event.header, id_of(event)
    time = header.time
    if time is not None and time % _SECOND and own == identity_of(header):
        # It has no identifier, or had none before it was forwarded.
        return f"{time}\0{header.rule}\0{header.output}\0{header.host}"
    return f"{own}\0{time}"


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
        name: (str(value).lower() if isinstance(value, bool) else str(value))[:2000]
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

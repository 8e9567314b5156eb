"""The enriched event: a policy event with the labels of its host, container and orchestrator, in the form that Splunk is sent."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from time import gmtime
from typing import Any, Final

import orjson

from falcokit.event import Event
from falcokit.event.form import AUDIT, FALCO, FIELDS, LEGACY, RUNTIME
from falcokit.event.header import Header
from falcokit.forward.integration import Integration
from falcokit.forward.severity import number_of
from falcokit.forward.text import told

__all__ = ["USUAL", "enriched", "host_of", "id_of", "identity", "identity_of", "labels_of", "rfc3339"]

_LABELS: Final = (
    ("kubernetes.cluster.name", ("k8s.cluster.name", "kubernetes.cluster.name")),
    ("kubernetes.namespace.name", ("k8s.ns.name", "kubernetes.namespace.name", "ka.target.namespace")),
    ("kubernetes.deployment.name", ("k8s.deployment.name", "kubernetes.deployment.name")),
    ("kubernetes.pod.name", ("k8s.pod.name", "kubernetes.pod.name", "ka.target.pod.name")),
    ("kubernetes.node.name", ("k8s.node.name", "kubernetes.node.name")),
    ("container.name", ("container.name",)),
    ("process.name", ("proc.name",)),
)
"""The labels that every event gets where its fields tell them, beside those of images and the host."""
USUAL: Final = (*[label for label, _ in _LABELS], "container.image.repo", "container.image.tag", "container.image.digest", "host.hostName")  # fmt: skip
"""All labels that events have without being asked for."""
_SILENT: Final = ("", "<NA>", "incomplete")
_ODD: Final = (*_SILENT, "sha256")
"""What repositories are called that are none: an image deployed by its digest."""
_SECOND: Final = 10**9
_NANOSECONDS: Final = 10**17
"""From this number on, in 1973, readers of events take it for nanoseconds."""
_TAKEN: Final = frozenset(
    ("output", "output_fields", "rule", "priority", "time", "hostname", "tags", "source", "fields", "labels", "ruleName", "ruleTags", "timestampNs", "timestampRFC3339Nano")
)  # fmt: skip
"""Keys of other forms that have a place of their own in this one."""
_ELSEWHERE: Final = frozenset(("kind", "log", "stream", "MESSAGE", "result", "_raw", "content", "output_fields"))
"""Keys by which readers of events would take it for something else."""


def enriched(event: Event, integration: Integration) -> dict[str, Any]:
    """*event* in the form of the source document: ``eventLabels`` and ``fields`` as pairs, ``timestamp`` in microseconds.

    `falcokit.event.read_events` reads it back: the same fields, rule, priority, time (``timestampNs`` has what the microseconds lack),
    host, container, output and source.  What a form has beside that is carried on under its own name.  ``name`` is the policy, or else the rule.
    """
    header, document = event.header, event.document
    told_by: Mapping[str, Any] = document if isinstance(document, dict) else {}
    if event.form is LEGACY:
        found: dict[str, Any] = {**told_by}
    else:
        found = {
            "baselineId": None, "description": None, "falsePositive": False, "hostMac": None, "isAggregated": False,
            "matchedOnDefault": False, "policyId": None, "ruleSubtype": None, "ruleType": "RULE_TYPE_FALCO", "version": 1,
        }  # fmt: skip
        if event.form is RUNTIME:
            content = told_by["content"]
            found |= _carried(told_by) | _carried(content)
            found["hostMac"] = told_by.get("machineId")
            found["origin"] = content.get("policyOrigin")
        elif event.form is not FIELDS or isinstance(told_by.get("fields"), dict):
            found |= _carried(told_by)
            own = event.fields.get("container.id")
            found["containerId"] = ("" if own == "host" else own) if isinstance(own, str) and own not in _SILENT else None  # fmt: skip
        fields = dict(event.fields)
        if header.rule:
            fields["falco.rule"] = header.rule
        found["fields"] = [{"key": key, "value": value} for key, value in fields.items()]
        found["output"] = header.output
        if header.tags:
            found["ruleTags"] = list(header.tags)
    found["id"] = id_of(event)
    if event.form is not LEGACY:
        found["name"] = header.policy or header.rule or None
        if not header.policy:
            found["policyId"] = None  # So that the name is not taken for a policy.
        elif found["policyId"] is None:
            del found["policyId"]
    if (number := number_of(header.priority)) is not None:
        found["severity"] = number
    elif event.form is not LEGACY:
        found["severity"] = None
    if source := event.source:
        found["source"] = source
    if (time := header.time) is not None:
        found["timestamp"] = time // 1000
        found["timestampNs"] = time
        found["timestampRFC3339Nano"] = rfc3339(time)
        if time < _NANOSECONDS:
            del found["timestampNs"]
    elif event.form is not LEGACY:
        found["timestamp"] = None
        if isinstance(told_by.get("time"), str):
            found["time"] = told_by["time"]  # No time that anybody could read, but what there is.
    found["eventLabels"] = [{"key": key, "value": value} for key, value in labels_of(event, integration).items()]
    return found


def labels_of(event: Event, integration: Integration) -> dict[str, str]:
    """The labels of *event*: those it has, the usual ones that its fields tell, those that *integration* includes and puts on
    every event, without those that it excludes.  Nothing comes out of the text of an alert, which anybody can make look like a label."""
    fields, header = event.fields, event.header
    found = dict(header.labels)
    found.pop("", None)
    for label, names in _LABELS:
        if label not in found:
            for name in names:
                value = fields.get(name)
                if isinstance(value, list):
                    value = value[0] if value else None
                if isinstance(value, str) and value not in _SILENT:
                    found[label] = value
                    break
    if fields.get("container.id") == "host":
        if "container.name" not in header.labels:
            found.pop("container.name", None)
    else:
        for label, value in _image(event):
            if value:
                found.setdefault(label, value)
    if host := host_of(event, integration):
        found.setdefault("host.hostName", host)
    if integration.include:
        included = _pattern(integration.include)
        for name, value in fields.items():
            label = name[:-1].replace("[", ".") if name.endswith("]") else name
            if (included(label) or included(name)) and (text := told(value)):
                found.setdefault(label, text)
    found |= integration.labels
    if integration.exclude:
        excluded = _pattern(integration.exclude)
        found = {name: value for name, value in found.items() if not excluded(name)}
    return found


def _image(event: Event) -> tuple[tuple[str, str], ...]:
    """The labels of the image that the fields of *event* tell."""
    repository, tag, digest = [event.fields.get(f"container.image.{part}") for part in ("repository", "tag", "digest")]
    if (
        repository.__class__ is not str
        or repository in _ODD
        or event.fields.get("container.image")
        or event.header.labels
    ):
        if not (repository or digest or event.fields.get("container.image")):
            return ()
        image = event.container.image
        repository, tag, digest = (
            (image.repository, image.tag, image.digest) if image.told == "fields" else ("", "", "")
        )
    return (
        ("container.image.repo", _told(repository)),
        ("container.image.tag", _told(tag)),
        ("container.image.digest", _told(digest)),
    )


def _told(value: object) -> str:
    return value if isinstance(value, str) and value not in _SILENT else ""


def host_of(event: Event, integration: Integration) -> str:
    """The host that *event* happened on, or else the one that *integration* says; empty where neither does."""
    return event.header.host or integration.text("hostname")


@lru_cache(64)
def _pattern(patterns: tuple[str, ...]) -> Any:
    """What tells whether a name is one of *patterns*, which may have ``*``, ``?`` and ``[...]``, or says so itself."""
    compiled = re.compile("|".join([f"(?:{fnmatch.translate(one)})" for one in patterns]))
    exact = frozenset(patterns)
    return lambda name: name in exact or compiled.match(name) is not None


def id_of(event: Event) -> str:
    """What *event* is called: its own identifier, else its `identity`."""
    return (event.header.id if event.form is not AUDIT and event.form is not FALCO else "") or identity(event)


def identity(event: Event) -> str:
    """What tells *event* from every other, the same each time it is read: 32 hexadecimal digits.

    It is made of the identifier that the event has, else of its moment to the nanosecond with rule, output and host, else of these with
    all its fields: events without either that are the same to the letter count as one.  An alert's identifier is that of its way here,
    and an audit event's that of its request, which has several events: they do not count.
    """
    header, form = event.header, event.form
    if form is AUDIT or isinstance(event.document, str):
        return _digest(event.written)
    if header.id and form is not FALCO:
        return _digest(f"id\0{header.id}")
    if header.time is not None and header.time % _SECOND and (header.rule or header.output):
        return identity_of(header)
    try:
        fields = orjson.dumps(event.fields, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # A number of more than 64 bits, half of a surrogate pair.
        fields = repr(sorted(event.fields.items(), key=str))
    return _digest(f"{_said(header)}\0{fields}")


def identity_of(header: Header) -> str:
    """The `identity` of an event that has no identifier, and a moment to the nanosecond."""
    return _digest(_said(header))


def _said(header: Header) -> str:
    return f"{header.time}\0{header.rule}\0{header.output}\0{header.host}"


def _digest(data: str) -> str:
    return blake2b(data.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def rfc3339(time: int, digits: int = 9) -> str:
    """*time*, in nanoseconds since 1970, to so many *digits* of a second (UTC)."""
    seconds, rest = divmod(time, _SECOND)
    return f"{_seconds(seconds)}.{rest // 10 ** (9 - digits):0{digits}d}Z"


@lru_cache(1024)
def _seconds(seconds: int) -> str:
    year, month, day, hour, minute, second, *_ = gmtime(seconds)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}"


def _carried(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _TAKEN and key not in _ELSEWHERE}

"""CEF, the Common Event Format of ArcSight."""

from __future__ import annotations

import re
from typing import Final

from falcokit.event import Event
from falcokit.forward.enrich import host_of, id_of, labels_of
from falcokit.forward.facts import address, container_of, text, text_of, whole
from falcokit.forward.integration import Integration
from falcokit.forward.pairs import row
from falcokit.forward.severity import CEF, DEFAULT, number_of
from falcokit.forward.text import cut, inert

__all__ = ["cef"]

_LINE: Final = re.compile(r"[\r\n]")
_IN_HEAD: Final = re.compile(r"[\\|]")
_IN_VALUE: Final = re.compile(r"[\\=\n\r]")
_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\\": "\\\\", "=": "\\=", "|": "\\|"}
_MAX_NAME: Final = 512


def cef(integration: Integration, event: Event, size: int) -> bytes:
    """*event* in one line of at most *size* bytes; nothing where not even its head has room."""
    header, fields = event.header, event.fields
    number = number_of(header.priority)
    rule = header.rule or header.policy or "Falco"
    head = f"CEF:0|Falco|falcokit|1|{_head(rule)}|{_head(rule)}|{CEF[DEFAULT if number is None else number]}|"
    room = size - len(head.encode())
    if room < 0:
        head = f"CEF:0|Falco|falcokit|1|||{CEF[DEFAULT if number is None else number]}|"
        room = size - len(head)
        if room < 0:
            return b""
    source, target = address(fields, "fd.cip"), address(fields, "fd.sip", "fd.rip")
    container, image = container_of(event)
    labels = labels_of(event, integration)
    file = text(fields, "fd.name")
    named = (
        ("cs1", "container.id", container),
        ("cs2", "container.image", image),
        ("cs3", "kubernetes.namespace.name", labels.pop("kubernetes.namespace.name", "")),
        ("cs4", "kubernetes.pod.name", labels.pop("kubernetes.pod.name", "")),
        ("cs5", "proc.cmdline", text(fields, "proc.cmdline")),
        ("cs6", "labels", ", ".join([f"{name}={value}" for name, value in labels.items()])),
        ("c6a2", "Source IPv6 Address", source if ":" in source else ""),
        ("c6a3", "Destination IPv6 Address", target if ":" in target else ""),
    )
    pairs = [
        ("rt", str(header.time // 10**6) if header.time is not None else ""),
        ("dvchost", host_of(event, integration)),
        ("externalId", id_of(event)),
        ("cat", event.source),
        ("suser", text(fields, "user.name", "ka.user.name")),
        ("sproc", text(fields, "proc.name")),
        ("spid", _number(whole(fields, ("proc.pid",), 1 << 31))),
        ("filePath", file if file.startswith("/") else ""),
        ("src", "" if ":" in source else source),
        ("spt", _number(whole(fields, ("fd.cport",), 65_535))),
        ("dst", "" if ":" in target else target),
        ("dpt", _number(whole(fields, ("fd.sport", "fd.rport"), 65_535))),
        ("proto", text(fields, "fd.l4proto")),
    ]
    for key, label, value in named:
        if value:
            pairs += [(f"{key}Label", label), (key, _clean(value))]
    pairs = [(key, _clean(value)) for key, value in pairs]
    pairs.append(("msg", _clean(text_of(event))))
    return (head + row(pairs, " ", _value, room, "msg")).encode()


def _head(value: str) -> str:
    return _IN_HEAD.sub(_escape, cut(inert(_LINE.sub(" ", value)), _MAX_NAME))


def _clean(value: str) -> str:
    """*value* without control characters but those that end lines, which have an escape of their own."""
    if value.isprintable():
        return value
    return "\n".join(["\r".join([inert(part) for part in line.split("\r")]) for line in value.split("\n")])


def _value(value: str) -> str:
    return _IN_VALUE.sub(_escape, value)


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES[found[0]]


def _number(value: int | None) -> str:
    return "" if value is None else str(value)

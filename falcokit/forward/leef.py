"""LEEF 2.0, the Log Event Extended Format of QRadar."""

from __future__ import annotations

import re
from typing import Final

from falcokit.event import Event
from falcokit.forward.enrich import host_of, id_of, labels_of
from falcokit.forward.facts import address, container_of, text, text_of, whole
from falcokit.forward.integration import Integration
from falcokit.forward.pairs import row
from falcokit.forward.severity import DEFAULT, LEEF, number_of
from falcokit.forward.text import cut, inert

__all__ = ["leef"]

_BETWEEN: Final = "^"
"""What separates attributes.  A tab would be changed by relays of syslog, which write control characters as numbers."""
_NOT_IN_KEY: Final = re.compile(r"[^A-Za-z0-9._-]")
_MAX_NAME: Final = 512


def leef(integration: Integration, event: Event, size: int) -> bytes:
    """*event* in one line of at most *size* bytes; nothing where not even its head has room.

    The format has no escapes: what would end a value or a part of the head is written as control characters are, by its number (``#136``).
    """
    header, fields = event.header, event.fields
    number = number_of(header.priority)
    rule = cut(inert(header.rule or header.policy or "Falco"), _MAX_NAME).replace("|", "#174")
    head = f"LEEF:2.0|Falco|falcokit|1|{rule}|{_BETWEEN}|"
    room = size - len(head.encode())
    if room < 0:
        head = f"LEEF:2.0|Falco|falcokit|1|Falco|{_BETWEEN}|"
        room = size - len(head)
        if room < 0:
            return b""
    container, image = container_of(event)
    source, target = whole(fields, ("fd.cport",), 65_535), whole(fields, ("fd.sport", "fd.rport"), 65_535)
    pairs = [
        ("devTime", str(header.time // 10**6) if header.time is not None else ""),
        ("sev", str(LEEF[DEFAULT if number is None else number])),
        ("cat", event.source),
        ("identHostName", host_of(event, integration)),
        ("usrName", text(fields, "user.name", "ka.user.name")),
        ("src", address(fields, "fd.cip")),
        ("dst", address(fields, "fd.sip", "fd.rip")),
        ("srcPort", "" if source is None else str(source)),
        ("dstPort", "" if target is None else str(target)),
        ("proto", text(fields, "fd.l4proto")),
        ("policy", header.policy),
        ("eventId", id_of(event)),
        ("containerId", container),
        ("image", image),
        ("process", text(fields, "proc.name")),
        ("commandLine", text(fields, "proc.cmdline")),
        ("file", text(fields, "fd.name")),
    ]
    pairs += [(f"label.{_NOT_IN_KEY.sub('_', name)[:100]}", value) for name, value in labels_of(event, integration).items()]  # fmt: skip
    pairs.append(("msg", text_of(event)))
    return (head + row([(key, inert(value)) for key, value in pairs], _BETWEEN, _value, room, "msg")).encode()


def _value(value: str) -> str:
    return value.replace(_BETWEEN, "#136")

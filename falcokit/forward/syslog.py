"""Syslog: the heads of RFC 5424 and RFC 3164, structured data, and the framings of RFC 6587."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from time import gmtime
from typing import Final

from falcokit.event import Event
from falcokit.forward.cef import cef
from falcokit.forward.enrich import enriched, host_of, labels_of, rfc3339
from falcokit.forward.facts import text_of
from falcokit.forward.fit import fitted
from falcokit.forward.integration import Integration
from falcokit.forward.leef import leef
from falcokit.forward.options import FACILITIES
from falcokit.forward.severity import DEFAULT, number_of
from falcokit.forward.text import ascii_json, cut, inert, json_bytes

__all__ = ["framed_stream", "syslog_message"]

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOT_VISIBLE: Final = re.compile("[^!-~]")
_NOT_HOST: Final = re.compile(r"[^A-Za-z0-9.:_-]")
_NOT_IN_TAG: Final = re.compile(r"[^A-Za-z0-9]")
_NOT_IN_NAME: Final = re.compile(r'[^!-~]|[=\]"]')
_TO_ESCAPE: Final = re.compile(r'["\\\]]')
_BOM: Final = b"\xef\xbb\xbf"
_MAX_VALUE: Final = 1024
_MAX_NAME: Final = 32
_CUT: Final = ' truncated="true"'


def syslog_message(integration: Integration, event: Event, now: int | None = None) -> bytes:
    """*event* as one message without framing: on one line, of no more bytes than *integration* says.

    *now* is the moment (nanoseconds since 1970) of events that tell none; without it RFC 5424 has a place that says so, RFC 3164 the beginning of a year.
    """
    header = event.header
    number = number_of(header.priority)
    priority = FACILITIES.index(integration.option("facility")) * 8 + (DEFAULT if number is None else number)
    time = header.time if header.time is not None else now
    host = _NOT_HOST.sub("_", host_of(event, integration))[:255] or "-"
    size, form = integration.max_size, integration.option("message")
    app = integration.option("app_name")
    document = enriched(event, integration) if form == "json" else {}
    if integration.option("protocol") == "rfc3164":
        # The texts of ArcSight and QRadar begin with a name of their own in the place of the tag.
        tag = "" if form in ("cef", "leef") else f"{_NOT_IN_TAG.sub('', app)[:32] or 'falco'}: "
        # Receivers take a name for one only where it ends in a letter or digit.
        head = f"<{priority}>{_stamp(time)} {host.rstrip('-._:') or 'unknown'} {tag}".encode()
        mark = b""
    else:
        stamp = "-" if time is None else rfc3339(time, 6)
        start = f"<{priority}>1 {stamp} {host} {app} - {_message_id(header.rule or header.policy)} "
        labels = {pair["key"]: pair["value"] for pair in document["eventLabels"]} if document else labels_of(event, integration)  # fmt: skip
        data = _structured(integration.option("sd_id"), event, labels, (size - len(start)) // 2)
        head = f"{start}{data} ".encode()
        # Receivers look for the names of CEF and LEEF at the very beginning.
        mark = _BOM if integration.option("bom") and form == "output" else b""
    room = size - len(head)
    if form == "json":
        return head + fitted(document, room, _ascii)
    body = _body(integration, event, form, room - len(mark))
    return head + (body if body.isascii() else mark + body)


def framed_stream(framing: str, messages: Sequence[bytes]) -> bytes:
    """*messages* for a stream: behind their length (``octet``), or each with a line feed behind it (``lf``)."""
    if framing == "lf":
        return b"\n".join(messages) + b"\n" if messages else b""
    return b"".join([b"%d %b" % (len(message), message) for message in messages])


def _body(integration: Integration, event: Event, form: str, size: int) -> bytes:
    if form == "cef":
        return cef(integration, event, size)
    if form == "leef":
        return leef(integration, event, size)
    return cut(inert(text_of(event)), size).encode()


def _ascii(value: object) -> bytes:
    return ascii_json(json_bytes(value))


def _structured(name: str, event: Event, labels: Mapping[str, str], size: int) -> str:
    """The structured data of at most *size* bytes: what the event is, then its labels."""
    if not name:
        return "-"
    header = event.header
    own = (
        ("rule", header.rule), ("policy", header.policy), ("priority", header.priority), ("source", event.source),
        ("container.id", event.fields.get("container.id") or header.container_id or ""),
    )  # fmt: skip
    parts, seen, left = [f"[{name}"], set[str](), size - len(name) - 2 - len(_CUT)
    whole = True
    for key, value in (*own, *labels.items()):
        if not isinstance(value, str) or not value:
            continue
        key = _name(key)
        if len(value) > _MAX_VALUE or not (value.isascii() and value.isprintable()):
            text = inert(value)
            value = cut(text, _MAX_VALUE)
            whole = whole and value is text
        if '"' in value or "\\" in value or "]" in value:
            value = _TO_ESCAPE.sub(_escaped, value)
        part = f' {key}="{value}"'
        length = len(part) if part.isascii() else len(part.encode())
        if key in seen or length > left:
            whole = False
            continue
        seen.add(key)
        parts.append(part)
        left -= length
    if not seen:
        return "-"
    return "".join([*parts, "" if whole else _CUT, "]"])


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


@lru_cache(4096)
def _name(label: str) -> str:
    """*label* as a name of structured data, which has 32 characters at most: the end of a long one tells more."""
    name = _NOT_IN_NAME.sub("_", label)
    return name if len(name) <= _MAX_NAME else "~" + name[1 - _MAX_NAME :]


@lru_cache(4096)
def _message_id(rule: str) -> str:
    return _NOT_VISIBLE.sub("_", rule)[:32] or "-"


def _stamp(time: int | None) -> str:
    if time is None:
        return "Jan  1 00:00:00"
    return _second(time // 10**9)


@lru_cache(1024)
def _second(seconds: int) -> str:
    _, month, day, hour, minute, second, *_ = gmtime(seconds)
    return f"{_MONTHS[month - 1]} {day:2d} {hour:02d}:{minute:02d}:{second:02d}"

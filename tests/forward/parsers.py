"""Readers of what is forwarded, written from the RFCs and the vendors' descriptions, not from the code that writes it."""

from __future__ import annotations

import re
from typing import NamedTuple

FACILITY_AND_SEVERITY = 191


class Syslog(NamedTuple):
    facility: int
    severity: int
    timestamp: str
    hostname: str
    app_name: str
    procid: str
    msgid: str
    data: dict[str, list[tuple[str, str]]]
    message: bytes


def _printable(text: bytes, longest: int) -> str:
    assert 1 <= len(text) <= longest, text
    assert all(33 <= byte <= 126 for byte in text), text
    return text.decode()


def rfc5424(message: bytes) -> Syslog:
    """By the ABNF of RFC 5424, section 6."""
    head = re.match(rb"<(0|[1-9]\d{0,2})>([1-9]\d{0,2}) ", message)
    assert head is not None, message[:40]
    priority = int(head[1])
    assert priority <= FACILITY_AND_SEVERITY
    assert head[2] == b"1"
    parts = message[head.end() :].split(b" ", 5)
    assert len(parts) == 6, message
    timestamp, hostname, app_name, procid, msgid, rest = parts
    assert timestamp == b"-" or re.fullmatch(
        rb"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
        timestamp,
    )
    data, rest = _structured_data(rest)
    assert rest == b"" or rest[:1] == b" ", rest[:20]
    text = rest[1:]
    if text.startswith(b"\xef\xbb\xbf"):
        text.decode("utf-8")
    return Syslog(
        priority // 8, priority % 8, timestamp.decode(), _printable(hostname, 255), _printable(app_name, 48),
        _printable(procid, 128), _printable(msgid, 32), data, text,
    )  # fmt: skip


def _structured_data(rest: bytes) -> tuple[dict[str, list[tuple[str, str]]], bytes]:
    if rest[:1] == b"-":
        return {}, rest[1:]
    found: dict[str, list[tuple[str, str]]] = {}
    assert rest[:1] == b"[", rest[:20]
    while rest[:1] == b"[":
        name, rest = _name(rest[1:])
        assert name not in found  # The same SD-ID must not be there twice.
        params = found[name] = []
        while rest[:1] == b" ":
            key, rest = _name(rest[1:])
            assert rest[:2] == b'="', rest[:20]
            value, at = bytearray(), 2
            while rest[at : at + 1] != b'"':
                byte = rest[at : at + 1]
                assert byte, "a value without an end"
                assert byte != b"]", "] must be escaped"
                if byte == b"\\" and rest[at + 1 : at + 2] in (b'"', b"\\", b"]"):
                    at += 1
                    byte = rest[at : at + 1]
                value += byte
                at += 1
            params.append((key, value.decode("utf-8")))
            rest = rest[at + 1 :]
        assert rest[:1] == b"]", rest[:20]
        rest = rest[1:]
    return found, rest


def _name(rest: bytes) -> tuple[str, bytes]:
    found = re.match(rb"[!#-<>-\\^-~]{1,32}", rest)
    assert found is not None, rest[:40]
    return found[0].decode(), rest[found.end() :]


class Old(NamedTuple):
    priority: int
    timestamp: str
    hostname: str
    tag: str
    content: bytes


def rfc3164(message: bytes) -> Old:
    """By RFC 3164, section 4.1."""
    found = re.fullmatch(
        rb"<(\d{1,3})>((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?: [1-9]|[12]\d|3[01]) [0-2]\d:[0-5]\d:[0-5]\d) ([!-~]+) (?:([A-Za-z0-9]{1,32}): )?(.*)",
        message,
    )
    assert found is not None, message[:80]
    return Old(int(found[1]), found[2].decode(), found[3].decode(), (found[4] or b"").decode(), found[5])


def cef(line: str) -> tuple[list[str], dict[str, str]]:
    """The seven parts of the head (without the version), and the extension."""
    assert line.startswith("CEF:0|")
    head: list[str] = [""]
    at = 0
    while len(head) < 8:
        sign = line[at]
        if sign == "\\":
            assert line[at + 1] in "\\|", line[at : at + 5]
            head[-1] += line[at + 1]
            at += 2
            continue
        at += 1
        if sign == "|":
            head.append("")
        else:
            head[-1] += sign
    rest, found = line[at:], dict[str, str]()
    keys = [*re.finditer(r"(?:^| )([A-Za-z0-9]+)=", rest)]
    assert not rest or (keys and keys[0].start() == 0)
    for number, key in enumerate(keys):
        end = keys[number + 1].start() if number + 1 < len(keys) else len(rest)
        value = rest[key.end() : end]
        assert not re.search(r"(?<!\\)(?:\\\\)*=", value), value
        assert key[1] not in found
        found[key[1]] = re.sub(r"\\(.)", lambda one: {"n": "\n", "r": "\r"}.get(one[1], one[1]), value)
    return head[1:7], found


def leef(line: str) -> tuple[list[str], dict[str, str]]:
    """The four parts of the head (without version and delimiter), and the attributes."""
    version, *head, delimiter, rest = line.split("|", 6)
    assert version == "LEEF:2.0"
    assert len(delimiter) == 1
    found: dict[str, str] = {}
    for pair in rest.split(delimiter) if rest else ():
        key, mark, value = pair.partition("=")
        assert mark
        assert re.fullmatch(r"[A-Za-z0-9._-]+", key), key
        found[key] = value
    return head, found


def octet_counted(data: bytes) -> list[bytes]:
    """By RFC 6587, section 3.4.1, and RFC 5425, section 4.3."""
    found = []
    while data:
        length = re.match(rb"[1-9]\d* ", data)
        assert length is not None, data[:20]
        end = length.end() + int(length[0])
        assert len(data) >= end
        found.append(data[length.end() : end])
        data = data[end:]
    return found

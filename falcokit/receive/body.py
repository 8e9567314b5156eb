"""The body of a request: unpacked within a limit, and the events in it as lines."""

from __future__ import annotations

import zlib

from falcokit.event import Event, read_events

__all__ = ["MAX_BODY", "Refused", "lines_of", "unpacked"]

MAX_BODY = 1 << 23
"""Bytes that a body may have, as it is sent and as it is unpacked."""
_GZIP = b"\x1f\x8b"
_TOO_LARGE = f"a body of more than {MAX_BODY} bytes is refused: send the events in parts"


class Refused(Exception):
    """A body is not taken: the HTTP status, and why in a sentence."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def unpacked(body: bytes, encoding: str) -> bytes:
    """*body*, sent with that Content-Encoding; gzip needs none.  Raises `Refused`."""
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise Refused(415, "send the body as it is, or as gzip or deflate")
    if encoding == "deflate":
        body = _unpacked(body, 15)
    elif encoding in ("gzip", "x-gzip") or body[:2] == _GZIP:
        body = _unpacked(body, 31)
    if body[:2] == _GZIP:
        raise Refused(400, "the body is packed twice")
    if len(body) > MAX_BODY:
        raise Refused(413, _TOO_LARGE)
    return body


def _unpacked(body: bytes, form: int) -> bytes:
    found = b""
    try:
        while body:
            unpacker = zlib.decompressobj(form)
            found += unpacker.decompress(body, MAX_BODY + 1 - len(found))
            if len(found) > MAX_BODY:
                raise Refused(413, _TOO_LARGE)
            if not unpacker.eof:
                raise Refused(400, "the packed body ends too early")
            body = unpacker.unused_data
    except zlib.error:
        raise Refused(400, "the packed body is damaged") from None
    return found


def lines_of(body: bytes) -> tuple[list[bytes], str]:
    """The events in *body*, each as a line, and why something in it is none; empty where all was read.

    Raises `Refused` where there is no event.
    """
    lines: list[bytes] = []
    trouble = ""
    for found in read_events((body,)):
        if isinstance(found, Event):
            lines.append(found.written.encode("utf-8", "replace").replace(b"\n", b" "))
        elif not found.note and not trouble:
            trouble = f"line {found.line}: {found.reason}"
    if not lines:
        raise Refused(400, trouble or "the body has no event")
    return lines, trouble

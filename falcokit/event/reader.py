"""Reading events from streams of bytes, in constant memory: lines of JSON, documents over many lines, arrays, text, gzip.

What is no event is told with its place, and reading goes on behind it.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from falcokit.event.audit import audit_events
from falcokit.event.event import Event
from falcokit.event.form import AUDIT, FALCO, FIELDS, TEXT
from falcokit.event.recognise import NotAnEvent, events_of
from falcokit.event.text_line import read_text_line, unprefixed
from falcokit.record import Record

__all__ = ["Damaged", "read_events"]

MAX_LINE: Final = 1 << 26
"""How long in bytes one line, or one document over many lines, may be."""
_PLUGIN_LINE: Final = 1 << 16
"""The k8saudit plugin stops reading a file at a line of so many bytes."""
_PIECE: Final = 1 << 20
_STRUCTURE: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|["{}\[\]]', re.DOTALL)
_BLANK: Final = b" \t\r\n\f\v"


class Damaged(Record):
    """A place that no event could be read from; ``line`` counts from 1, ``reason`` is a sentence.

    With ``note`` everything was read, but a Falco with its plugins would not have.
    """

    __slots__ = ("line", "name", "note", "reason")

    def __init__(self, name: str, line: int, reason: str, note: bool = False) -> None:
        self.name: Final = name
        self.line: Final = line
        self.reason: Final = reason
        self.note: Final = note


def read_events(chunks: Iterable[bytes], name: str = "", *, max_line: int = MAX_LINE) -> Iterator[Event | Damaged]:
    """The events in *chunks*, the content of the file called *name* in pieces of any size."""
    pending = _Pending(name, max_line)
    for number, line in _lines(_unpacked(iter(chunks), name), max_line):
        if line.__class__ is Damaged:
            yield line.replaced(line=line.line or number)
            continue
        if not pending.lines:
            # The common case, and the one that has to be fast: a line that is one alert, or one object of fields.
            try:
                document = orjson.loads(line)
            except ValueError:
                pass
            else:
                if document.__class__ is dict:
                    fields = document.get("output_fields")
                    # Nothing in it that `cleaned` would change.
                    if b"<NA>" not in line and b' ":' not in line and b"image.digest" not in line:
                        if fields.__class__ is dict:
                            pending.parsed = True
                            yield Event(fields, FALCO, document, name, number)
                            continue
                        if "evt.type" in document and fields is None:
                            pending.parsed = True
                            yield Event(document, FIELDS, document, name, number)
                            continue
                pending.parsed = True
                yield from _of_document(document, line, name, number)
                continue
        yield from pending.take(line, number)
    yield from pending.end()


class _Pending:
    """Lines that are no JSON by themselves: the parts of a document, or none."""

    def __init__(self, name: str, max_size: int) -> None:
        self.name: Final = name
        self._max_size: Final = max_size
        self.parsed = False
        """Whether a line of this file was JSON by itself: then one that is none is damaged, and no part of a document."""
        self.lines: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._first = 0
        self._array = False
        self._too_large = False

    def take(self, line: bytes, number: int) -> Iterator[Event | Damaged]:
        """One more line."""
        stripped = line.strip(_BLANK)
        if not self.lines:
            if not stripped:
                return
            if stripped[:1] not in b"{[" or (self.parsed and len(stripped) > 2):
                yield from _of_line(line, self.name, number)
                return
            self._first, self._depth, self._size, self._array = number, 0, 0, stripped[:1] == b"["
        elif not self._array and line[:1] in (b"{", b"[") and len(stripped) > 1 and (found := _whole(line)) is not None:
            # A document that began above was cut off: this line is one by itself.
            yield self._cut_off()
            self.parsed = True
            yield from _of_document(found, line, self.name, number)
            return
        self._size += len(line) + 1
        if self._size > self._max_size:
            self.lines = []
            self.parsed = True
            yield Damaged(self.name, self._first, f"a document of more than {self._max_size} bytes is skipped")
            return
        yield from self._add(line, number)

    def _add(self, line: bytes, number: int) -> Iterator[Event | Damaged]:
        """Follow the brackets of *line*; a document ends where they are closed, an element of an array in it before."""
        start = 0
        for found in _STRUCTURE.finditer(line):
            sign = line[found.start() : found.start() + 1]
            if found.end() - found.start() > 1:
                continue
            if sign == b'"':
                # A text that the line does not end: no JSON has line breaks in texts.
                self.lines.append(line)
                yield self._cut_off()
                self.parsed = True
                return
            if sign in b"{[":
                self._depth += 1
                if self._array and self._depth == 2:
                    start = found.start()
                    self._first, self.lines = number, []
                continue
            self._depth -= 1
            if self._array and self._depth == 1:
                element = b"\n".join([*self.lines, line[start : found.end()]])
                self.lines, start, self._size = [], found.end(), len(line)
                yield from _of_text(element, self.name, self._first)
            elif self._depth <= 0:
                whole = b"\n".join([*self.lines, line[start : found.end()]])
                array, self.lines = self._array, []
                if not array:
                    yield from _of_text(whole, self.name, self._first)
                rest = line[found.end() :].strip(_BLANK)
                if rest:
                    yield Damaged(self.name, number, "there is text behind the end of a document")
                return
        self.lines.append(b"" if self._array and self._depth <= 1 else line[start:])

    def _cut_off(self) -> Damaged:
        self.lines = []
        return Damaged(self.name, self._first, "JSON that begins here does not end")

    def end(self) -> Iterator[Event | Damaged]:
        """The end of the file."""
        if self.lines:
            yield self._cut_off()


def _whole(line: bytes) -> Any:
    """The object or array that *line* is by itself, None if it is none."""
    try:
        found = orjson.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, (dict, list)) else None


def _of_text(text: bytes, name: str, line: int) -> Iterator[Event | Damaged]:
    """The events of the JSON *text*, or why it is none."""
    try:
        document = _loads(text)
    except (ValueError, RecursionError) as error:
        if audit := audit_events(_decoded(text)):
            for event in audit:
                yield Event(event, AUDIT, None, name, line)
            return
        yield Damaged(name, line, _said(error))
        return
    yield from _of_document(document, text, name, line)


def _loads(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        # Control characters in texts, lone surrogates, NaN, huge numbers: JSON of tools that do not look closely.
        return json.loads(_decoded(text), strict=False)


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON: {error.msg[:1].lower()}{error.msg[1:]} at character {error.pos + 1}"
    return "no JSON: it nests too deep" if isinstance(error, RecursionError) else f"no JSON: {error}"


def _of_document(document: Any, text: bytes, name: str, line: int) -> Iterator[Event | Damaged]:
    if _is_audit(document):
        yield from _audit(document, text, name, line)
        return
    if isinstance(document, dict) and (inside := _logged(document)) is not None:
        yield from _of_line(inside.encode("utf-8", "surrogatepass"), name, line)
        return
    try:
        yield from events_of(document, name, line)
    except NotAnEvent as error:
        yield Damaged(name, line, str(error))


def _logged(document: dict[str, Any]) -> str | None:
    """The line that a logger wrapped: Docker's json-file, journald."""
    inside = document.get("log") if "stream" in document else document.get("MESSAGE")
    return inside if isinstance(inside, str) else None


def _of_line(line: bytes, name: str, number: int) -> Iterator[Event | Damaged]:
    """A line that is no JSON by itself: a text alert, one that a logger put something in front of, or none."""
    text = unprefixed(_decoded(line).strip())
    if text[:1] in ("{", "["):
        yield from _of_text(text.encode("utf-8", "surrogatepass"), name, number)
    elif read_text_line(text) is not None:
        yield Event({}, TEXT, text, name, number)
    elif text:
        yield Damaged(name, number, "neither JSON nor an alert" if "\0" not in text else "neither JSON nor an alert: it has NUL characters, perhaps another encoding")  # fmt: skip


def _is_audit(document: Any) -> bool:
    """Whether it is what the k8saudit plugin reads: an event, a list of events, or an array of these."""
    if isinstance(document, list):
        return bool(document) and any(_is_audit(item) for item in document[:3])
    if not isinstance(document, dict) or document.get("kind") not in ("Event", "EventList"):
        return False
    version = document.get("apiVersion")
    return (
        (isinstance(version, str) and version.startswith("audit.k8s.io/"))
        or "auditID" in document
        or "items" in document
        or "stageTimestamp" in document
    )


def _audit(document: Any, text: bytes, name: str, line: int) -> Iterator[Event | Damaged]:
    events = audit_events(_decoded(text))
    for event in events:
        yield Event(event, AUDIT, None, name, line)
    if len(text) >= _PLUGIN_LINE:
        yield Damaged(
            name, line, f"the audit plugin of Falco stops reading at a line of {_PLUGIN_LINE} bytes or more", True
        )
    expected = _count(document)
    if len(events) < expected:
        reason = (
            "an audit event without a readable stageTimestamp, or one of another kind, is dropped, as by Falco's plugin"
        )
        yield Damaged(
            name, line, reason if expected == 1 else f"{expected - len(events)} of {expected} audit events: {reason}"
        )


def _count(document: Any) -> int:
    if isinstance(document, list):
        return sum(map(_count, document))
    items = document.get("items") if isinstance(document, dict) and document.get("kind") == "EventList" else None
    return len(items) if isinstance(items, list) else 1


def _lines(chunks: Iterator[bytes | Damaged], max_line: int) -> Iterator[tuple[int, Any]]:
    """The lines of *chunks* with their numbers, without their ends; a line that is too long is a `Damaged`."""
    rest = b""
    number = 0
    skipping = False
    first = True
    for chunk in chunks:
        if chunk.__class__ is Damaged:
            yield number + 1, chunk
            continue
        if first:
            first = False
            if chunk[:3] == b"\xef\xbb\xbf":  # type: ignore[index]
                chunk = chunk[3:]  # type: ignore[index]
            elif chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):  # type: ignore[index]
                yield 1, Damaged("", 1, "the file is UTF-16: convert it to UTF-8")
                return
        if skipping:
            _, found, chunk = chunk.partition(b"\n")  # type: ignore[union-attr]
            if not found:
                continue
            skipping = False
        lines = (rest + chunk).split(b"\n")  # type: ignore[operator]
        rest = lines.pop()
        for line in lines:
            number += 1
            yield number, line
        if len(rest) > max_line:
            number += 1
            yield number, Damaged("", number, f"a line of more than {max_line} bytes is skipped")
            rest, skipping = b"", True
    if rest:
        yield number + 1, rest


def _unpacked(chunks: Iterator[bytes], name: str) -> Iterator[bytes | Damaged]:
    """*chunks* as they are, or what they are the gzip of."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= 2:
            break
    if head[:2] != b"\x1f\x8b":
        if head:
            yield head
        yield from chunks
        return
    unpacker = zlib.decompressobj(31)
    data: bytes | None = head
    taken = False
    try:
        while data is not None:
            while data:
                yield unpacker.decompress(data, _PIECE)
                taken, data = True, unpacker.unconsumed_tail
                if unpacker.eof:  # Another member may follow, as where logs were put together.
                    taken, data = False, unpacker.unused_data.lstrip(b"\0")
                    unpacker = zlib.decompressobj(31)
            data = next(chunks, None)
        if taken:
            yield unpacker.flush()
            yield Damaged(name, 0, "the gzip data end too early")
    except zlib.error:
        yield Damaged(name, 0, "the gzip data are damaged: what follows is not read")

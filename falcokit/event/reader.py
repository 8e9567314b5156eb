"""Reading events from streams of bytes, in constant memory: lines of JSON, documents over many lines, arrays, text, gzip.

What is no event is told with its place, and reading goes on behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Iterator
from typing import Any, Final

import orjson

from falcokit.event.audit import audit_events
from falcokit.event.event import Event
from falcokit.event.form import AUDIT, FALCO, FIELDS, TEXT
from falcokit.event.lines import numbered_lines
from falcokit.event.recognise import NotAnEvent, events_of, is_clean
from falcokit.event.text_line import read_text_line, unprefixed
from falcokit.record import Record

__all__ = ["Damaged", "read_event", "read_events"]

MAX_LINE: Final = 1 << 26
"""How long in bytes one line, or one document over many lines, may be."""
_PLUGIN_LINE: Final = 1 << 16
"""The k8saudit plugin stops reading a file at a line of so many bytes."""
_MAX_NESTED: Final = 100
"""How deep in arrays audit events are looked for."""
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
    for number, line in numbered_lines(iter(chunks), max_line, lambda: not pending.lines):
        if isinstance(line, str):
            yield from pending.end()
            yield Damaged(name, number, line)
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
                    if fields.__class__ is dict:
                        if is_clean(fields):
                            pending.parsed = True
                            yield Event(fields, FALCO, document, name, number, line)
                            continue
                    elif fields is None and "evt.type" in document and is_clean(document):
                        pending.parsed = True
                        yield Event(document, FIELDS, document, name, number)
                        continue
                pending.parsed = True
                yield from _of_document(document, line, name, number)
                continue
        yield from pending.take(line, number)
    yield from pending.end()


def read_event(text: bytes) -> Event | None:
    """The event that *text*, one line without its end, is; None where it is none."""
    document = _whole(text)
    if isinstance(document, dict):  # Nearly all are such alerts.
        fields = document.get("output_fields")
        if isinstance(fields, dict) and is_clean(fields):
            return Event(fields, FALCO, document, "", 1, text)
    return next((one for one in read_events([text, b"\n"]) if isinstance(one, Event)), None)


class _Pending:
    """Lines that are no JSON by themselves: the parts of a document, or none."""

    def __init__(self, name: str, max_size: int) -> None:
        self.name: Final = name
        self._max_size: Final = max_size
        self.parsed = False
        """Whether a line of this file was JSON by itself: then one that is none is damaged, and no part of a document."""
        self.lines: list[bytes] = []
        """The lines of the document, or of the element of an array, that is open; none where nothing is."""
        self._size = 0
        self._depth = 0
        self._begun = 0
        """The line that the document begins on."""
        self._first = 0
        """The line that the element begins on, or else the document."""
        self._array = False
        self._single = False

    def take(self, line: bytes, number: int) -> Iterator[Event | Damaged]:
        """One more line.  A document may begin on it behind the end of another."""
        if self.lines and self._is_cut_off(line):
            yield self._cut_off()
        rest = line.strip(_BLANK)
        while rest:
            if not self.lines:
                if rest[:1] not in (b"{", b"["):
                    yield from _of_line(rest, self.name, number)
                    return
                self._begun = self._first = number
                self._depth, self._size, self._array = 0, 0, rest[:1] == b"["
                self._single = self.parsed and len(rest) > 2
            rest = yield from self._add(rest, number)

    def _is_cut_off(self, line: bytes) -> bool:
        """Whether the document that is open was never ended, because *line* is an event by itself."""
        if line[:1].isdigit():
            return read_text_line(_decoded(line)) is not None
        if self._array and self._depth <= 1:
            return False
        return line[:1] in (b"{", b"[") and len(line.strip(_BLANK)) > 1 and _whole(line) is not None

    def _add(self, line: bytes, number: int) -> Generator[Event | Damaged, None, bytes]:
        """Follow the brackets of *line*; a document ends where they are closed, an element of an array in it before.

        Returns what stands behind the end.
        """
        self._size += len(line) + 1
        if self._size > self._max_size:
            yield self._cut_off(f"a document of more than {self._max_size} bytes is skipped")
            return b""
        if self._array and self._depth == 1 and line[:1] == b"{":
            # One element a line, as most tools write arrays: no need to look at its brackets.
            element = line.rstrip(b"," + _BLANK)
            document = _whole(element)
            if document is not None:
                self._size = 0
                yield from _of_document(document, element, self.name, number)
                return b""
        start = outside = 0
        for found in _STRUCTURE.finditer(line):
            if found.end() - found.start() > 1:
                continue
            sign = found[0]
            if sign == b'"':
                # A text that the line does not end: no JSON has line breaks in texts.
                yield self._cut_off()
                return b""
            if sign in b"{[":
                self._depth += 1
                if self._array and self._depth == 1:
                    outside = found.end()
                elif self._array and self._depth == 2:
                    yield from self._stray(line[outside : found.start()], number)
                    start = found.start()
                    self._first, self.lines = number, []
                continue
            self._depth -= 1
            if self._depth <= 0 and self._array:
                self.lines = []
                yield from self._stray(line[outside : found.start()], number)
                return line[found.end() :].strip(_BLANK)
            if self._depth <= 0 or (self._array and self._depth == 1):
                whole = b"\n".join([*self.lines, line[start : found.end()]])
                self.lines, self._size = [], 0
                yield from _of_text(whole, self.name, self._first)
                if not self._array:
                    return line[found.end() :].strip(_BLANK)
                self._first = self._begun
                outside = found.end()
        if self._array and self._depth == 1:
            self.lines = [b""]
            yield from self._stray(line[outside:], number)
        else:
            self.lines.append(line[start:])
        if self._single:
            yield self._cut_off()
        return b""

    def _stray(self, text: bytes, number: int) -> Iterator[Event | Damaged]:
        """What stands between the elements of an array that are objects."""
        if text := text.strip(_BLANK + b","):
            yield from _of_text(text, self.name, number)

    def _cut_off(self, reason: str = "JSON that begins here does not end") -> Damaged:
        self.lines = []
        self.parsed = True
        return Damaged(self.name, self._first, reason)

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
        return json.loads(_decoded(text), strict=False, parse_int=_int)


def _int(text: str) -> int | str:
    """A whole number; one that Python would refuse to read stays as it is written."""
    return int(text) if len(text) < 4_000 else text


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
    """The line that something wrapped: Docker's json-file, journald, an export of Splunk."""
    inside = document.get("log") if "stream" in document else document.get("MESSAGE")
    if inside is None:
        result = document.get("result")
        inside = (result if isinstance(result, dict) else document).get("_raw")
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


def _is_audit(document: Any, depth: int = 0) -> bool:
    """Whether it is what the k8saudit plugin reads: an event, a list of events, or an array of these."""
    if isinstance(document, list):
        return depth < _MAX_NESTED and any(_is_audit(item, depth + 1) for item in document[:3])
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
    elif b"\n" in text:
        yield Damaged(name, line, "the audit plugin of Falco reads values on one line only", True)
    expected = _count(document)
    if len(events) < expected:
        reason = (
            "an audit event without a readable stageTimestamp, or one of another kind, is dropped, as by Falco's plugin"
        )
        yield Damaged(
            name, line, reason if expected == 1 else f"{expected - len(events)} of {expected} audit events: {reason}"
        )


def _count(document: Any, depth: int = 0) -> int:
    if isinstance(document, list):
        return sum([_count(item, depth + 1) for item in document]) if depth < _MAX_NESTED else 0
    items = document.get("items") if isinstance(document, dict) and document.get("kind") == "EventList" else None
    return len(items) if isinstance(items, list) else 1

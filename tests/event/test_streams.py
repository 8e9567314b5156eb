"""Streams of events: whole and damaged, in pieces of any size."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from falcokit.event import Damaged, Event, read_events

ALERT = {"rule": "R", "priority": "Warning", "output": "o", "output_fields": {"proc.name": "x", "proc.aname[2]": "y"}}
LINE = json.dumps(ALERT).encode()
PRETTY = json.dumps(ALERT, indent=2).encode()
AUDIT = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stageTimestamp": "2026-02-03T04:05:06Z"}


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def told(data: bytes, size: int = 1 << 17, **options: Any) -> list[object]:
    """The line of each event with its rule, or of each damaged place with its reason; notes in brackets."""
    found: list[object] = []
    for one in read_events(pieces(data, size), "f", **options):
        assert one.name == "f"
        if isinstance(one, Event):
            found.append((one.line, one.rule or one.header.output or one.form.name))
        else:
            found.append((one.line, f"[{one.reason}]" if one.note else one.reason))
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1 << 17])
@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (LINE, [1]),
        (LINE + b"\n" + LINE, [1, 2]),
        (LINE + b"\r\n\r\n \t\n" + LINE + b"\r\n", [1, 4]),
        (b"\xef\xbb\xbf" + LINE + b"\n", [1]),
        (b"\n" + PRETTY + b"\n" + PRETTY + b"\n", [2, 11]),
        (PRETTY + PRETTY, [1, 9]),
        (LINE + LINE + b" " + LINE + b"\n" + LINE + LINE, [1, 1, 1, 2, 2]),
        (b"[" + LINE + b", " + LINE + b"]\n", [1, 1]),
        (b"[\n" + LINE + b",\n" + LINE + b"\n]\n" + LINE, [2, 3, 5]),
        (json.dumps([ALERT, ALERT], indent=2).encode(), [2, 11]),
        (b"[\n\n]\n[]", []),
        (b"", []),
        (b"\n", []),
    ],
)
def test_whole_streams(data: bytes, lines: list[int], size: int) -> None:
    expected = [(line, "R") for line in lines]
    assert told(data, size) == expected
    assert told(gzip.compress(data), size) == expected


@pytest.mark.parametrize("size", [1, 5, 1 << 17])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Tue Feb  3 12:00:00 2026: Loading rules\n" + LINE, [(1, "neither JSON nor an alert"), (2, "R")]),
        (LINE[:40] + b"\n" + LINE + b"\n" + LINE, [(1, "JSON that begins here does not end"), (2, "R"), (3, "R")]),
        (LINE + b"\n" + LINE[:40] + b"\n" + LINE, [(1, "R"), (2, "JSON that begins here does not end"), (3, "R")]),
        (PRETTY[:50] + b"\n" + LINE, [(1, "JSON that begins here does not end"), (5, "R")]),
        (PRETTY[:50] + b"\n12:00:00: Warning text\n" + LINE, [(1, "JSON that begins here does not end"), (5, "text"), (6, "R")]),
        (LINE + b"\n" + LINE[:40] + b"\n]\n" + PRETTY, [(1, "R"), (2, "JSON that begins here does not end"), (3, "neither JSON nor an alert"), (4, "R")]),
        (LINE + b'\n{"a": [\na log line\n' + LINE, [(1, "R"), (2, "JSON that begins here does not end"), (3, "neither JSON nor an alert"), (4, "R")]),
        (b'{"a": [\n12:00:00: Warning text', [(1, "JSON that begins here does not end"), (2, "text")]),
        (PRETTY[:50], [(1, "JSON that begins here does not end")]),
        (b"[\n" + LINE + b",\n1,\n" + LINE + b"]", [(2, "R"), (3, "a JSON number is no event"), (4, "R")]),
        (b"[\n" + LINE + b",\n", [(2, "R"), (1, "JSON that begins here does not end")]),
        (LINE + b"}\n" + LINE, [(1, "R"), (1, "neither JSON nor an alert"), (2, "R")]),
        (b"5\n" + LINE, [(1, "a JSON number is no event"), (2, "R")]),
        (LINE.decode().encode("utf-16"), [(1, "the file is UTF-16: convert it to UTF-8")]),
        (LINE.decode().encode("utf-16-le"), [(1, "the file is UTF-16: convert it to UTF-8")]),
        (LINE + b"\na\0b\n" + LINE, [(1, "R"), (2, "neither JSON nor an alert: it has NUL characters, perhaps another encoding"), (3, "R")]),
    ],
)  # fmt: skip
def test_damaged_streams(data: bytes, expected: list[object], size: int) -> None:
    assert told(data, size) == expected


@pytest.mark.parametrize(
    "field",
    [
        b"NaN",
        b"Infinity",
        b'"\x01"',
        b'"\\ud800"',
        b"1" + b"0" * 400,
        b"9" * 5000,
        b"1e999",
        b'"' + b"z" * 70000 + b'"',
    ],
)
def test_values_that_strict_readers_refuse(field: bytes) -> None:
    line = LINE.replace(b'"x"', field)
    assert told(line + b"\n" + LINE + b"\n" + line) == [(1, "R"), (2, "R"), (3, "R")]


def test_of_equal_keys_the_last_counts() -> None:
    (event,) = read_events([b'{"rule": "a", "output": "o", "rule": "b"}'])
    assert isinstance(event, Event)
    assert event.rule == "b"


@pytest.mark.parametrize("data", [b"[" * 1000 + b"]" * 1000, b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000])
def test_deep_nesting(data: bytes) -> None:
    found = told(data + b"\n" + LINE + b"\n" + LINE)
    assert found[-1] == (3, "R")
    assert len([one for one in found if "R" not in one]) == 1  # type: ignore[operator]


@pytest.mark.parametrize("size", [1, 100, 1 << 17])
def test_gzip_of_many_members(size: int) -> None:
    members = gzip.compress(LINE + b"\n" + LINE[:10]) + gzip.compress(LINE[10:] + b"\n") + b"\0" * 100
    assert told(members, size) == [(1, "R"), (2, "R")]


@pytest.mark.parametrize("size", [1, 100, 1 << 17])
def test_gzip_that_ends_too_early_keeps_what_was_before(size: int) -> None:
    found = told(gzip.compress((LINE + b"\n") * 50)[:-9], size)
    assert found[:50] == [(line, "R") for line in range(1, 51)]
    assert found[50:] == [(51, "the gzip data end too early")]


def test_damaged_gzip() -> None:
    data = gzip.compress(LINE + b"\n") + b"no more gzip"
    assert told(data) == [(1, "R"), (2, "the gzip data are damaged: what follows is not read")]


def test_a_stream_without_end_is_read_as_it_comes() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield LINE + b"\n"

    assert [one.line for one in islice(read_events(endless()), 5)] == [1, 2, 3, 4, 5]


def test_what_expands_without_end_is_bounded() -> None:
    bomb = gzip.compress(b"a" * (1 << 24)) + gzip.compress(b"\n" + LINE)
    assert told(bomb, max_line=1 << 20) == [(1, "a line of more than 1048576 bytes is skipped"), (2, "R")]


@pytest.mark.parametrize("size", [50, 1 << 17])
def test_long_lines_are_skipped(size: int) -> None:
    long = LINE.replace(b'"x"', b'"' + b"x" * 3000 + b'"')
    expected = [(1, "R"), (2, "a line of more than 2000 bytes is skipped"), (3, "R")]
    assert told(LINE + b"\n" + long + b"\n" + LINE, size, max_line=2000) == expected
    assert told(LINE + b"\n" + long, size, max_line=2000) == expected[:2]


def test_long_documents_are_skipped() -> None:
    long = json.dumps({**ALERT, "tags": ["x" * 50] * 100}, indent=2).encode()
    found = told(long + b"\n" + LINE, max_line=2000)
    assert found[0] == (1, "a document of more than 2000 bytes is skipped")
    assert found[-1] == (long.count(b"\n") + 2, "R")


def test_an_array_on_one_line_is_read_element_by_element() -> None:
    taken = 0

    def array() -> Iterator[bytes]:
        nonlocal taken
        yield b" ["
        for _ in range(20_000):
            taken += 1
            yield LINE + b", "
        yield b'7, {"a": "]["}' + b"]\n" + LINE

    found = read_events(array(), "f")
    first = next(found)
    assert isinstance(first, Event)
    assert taken < 15_000  # It does not wait for the end of the line.
    rest = list(found)
    assert all(isinstance(one, Event) and one.line == 1 for one in rest[:19_999])
    assert rest[19_999:-1] == [
        Damaged("f", 1, "a JSON number is no event"),
        Damaged("f", 1, "an object that is no event of a known form; its keys are 'a'"),
    ]
    assert isinstance(rest[-1], Event)
    assert rest[-1].line == 2


def test_a_long_array_that_does_not_end() -> None:
    data = b"[" + (LINE + b",") * 10_000 + LINE[:30] + b"\n" + LINE
    found = told(data)
    assert found[:10_000] == [(1, "R")] * 10_000
    assert found[10_000:] == [(1, "an array that begins here does not end"), (2, "R")]


def test_brackets_and_quotes_in_texts() -> None:
    odd = json.dumps({**ALERT, "output": '}]{["\\" \\'}).encode()
    data = b"[" + b",".join([odd] * 10_000) + b"]"
    assert len(data) > 1 << 20
    assert told(data, 1000) == [(1, "R")] * 10_000
    assert told(json.dumps([json.loads(odd)] * 3, indent=1).encode()) == [(2, "R"), (11, "R"), (20, "R")]


@pytest.mark.parametrize(
    "line",
    [
        b"Feb  3 12:00:00 node-1 falco[123]: 12:00:00.1: Warning text",
        b"2026-02-03T12:00:00.1Z stdout F 12:00:00.1: Warning text",
        json.dumps({"log": "12:00:00.1: Warning text\n", "stream": "stdout", "time": "x"}).encode(),
        json.dumps({"MESSAGE": "12:00:00.1: Warning text", "_PID": "1"}).encode(),
    ],
)
def test_text_alerts_in_other_logs(line: bytes) -> None:
    (event,) = read_events([line])
    assert isinstance(event, Event)
    assert (event.form.name, event.form.complete, event.fields) == ("text", False, {})
    assert (event.priority, event.output, event.time) == ("Warning", "text", None)
    assert event.document == "12:00:00.1: Warning text"


@pytest.mark.parametrize(
    "line",
    [
        b"Feb  3 12:00:00 node-1 falco[123]: " + LINE,
        b"2026-02-03T12:00:00.1Z stdout F " + LINE,
        json.dumps({"log": LINE.decode() + "\n", "stream": "stdout"}).encode(),
        json.dumps({"MESSAGE": LINE.decode()}).encode(),
    ],
)
def test_json_alerts_in_other_logs(line: bytes) -> None:
    assert told(line + b"\n" + line) == [(1, "R"), (2, "R")]


def audit(**changes: Any) -> bytes:
    return json.dumps({**AUDIT, **changes}).encode()


@pytest.mark.parametrize(("size", "note"), [(65535, False), (65536, True)])
def test_lines_that_stop_the_audit_plugin(size: int, note: bool) -> None:
    line = audit(x="y" * (size - len(audit(x=""))))
    assert len(line) == size
    notes = [(1, "[the audit plugin of Falco stops reading at a line of 65536 bytes or more]")] if note else []
    assert told(line + b"\n" + audit()) == [(1, "kubernetes-audit"), *notes, (2, "kubernetes-audit")]


def test_a_long_array_of_audit_events_stays_one_line() -> None:
    data = json.dumps([{**AUDIT, "x": "y" * 1000}] * 1200).encode()
    assert len(data) > 1 << 20
    note = "[the audit plugin of Falco stops reading at a line of 65536 bytes or more]"
    assert told(data) == [(1, "kubernetes-audit")] * 1200 + [(1, note)]


DROPPED = "an audit event without a readable stageTimestamp, or one of another kind, is dropped, as by Falco's plugin"


@pytest.mark.parametrize(
    ("line", "events", "damaged"),
    [
        (audit(stageTimestamp="yesterday"), 0, [DROPPED]),
        (json.dumps([AUDIT, {"kind": "Pod"}, AUDIT]).encode(), 0, [f"3 of 3 audit events: {DROPPED}"]),
        (json.dumps([AUDIT, {**AUDIT, "stageTimestamp": 1}]).encode(), 1, [f"1 of 2 audit events: {DROPPED}"]),
        (json.dumps({"kind": "EventList", "items": [AUDIT, AUDIT]}).encode(), 2, []),
        (json.dumps(AUDIT, indent=1).encode(), 1, ["the audit plugin of Falco reads values on one line only"]),
        (b'{"kind": "Event", "auditID": "\\q", "stageTimestamp": "2026-02-03T04:05:06Z"}', 1, []),
    ],
)
def test_audit_lines(line: bytes, events: int, damaged: list[str]) -> None:
    found = list(read_events([line]))
    assert len([one for one in found if isinstance(one, Event)]) == events
    assert [one.reason for one in found if isinstance(one, Damaged)] == damaged

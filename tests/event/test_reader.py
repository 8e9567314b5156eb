"""Events of every form, read from bytes in any pieces; what is none is told with its line."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.event import Damaged, Event, read_events

ALERT = {
    "hostname": "node-1", "output": "12:00:00.000000001: Warning A shell | user=root", "priority": "Warning", "rule": "A shell",
    "source": "syscall", "tags": ["shell"], "time": "2026-01-02T03:04:05.000000006Z",
    "output_fields": {"container.id": "4f2e1d9a0b1c", "proc.name": "bash", "proc.pname": None, "user.uid": 0, "container.image.repository": "team/web"},
}  # fmt: skip
AUDIT = {
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a-1", "stage": "ResponseComplete", "verb": "create",
    "stageTimestamp": "2026-01-02T03:04:05.000006Z", "user": {"username": "alice"},
    "objectRef": {"resource": "pods", "namespace": "dev", "name": "web"},
}  # fmt: skip
FIELDS = {"evt.type": "execve", "proc.name": "bash", "proc.aname[2]": "sshd", "user.uid": 1000}
LEGACY = {
    "id": "17", "name": "A policy", "severity": 4, "policyId": 7, "ruleType": "RULE_TYPE_FALCO", "containerId": "c8c4d64fe7a5",
    "output": "File below / (user=root image=nginx)", "timestamp": 1568647020401652, "hostMac": "42:01:0a:9c:0f:ce",
    "fields": [{"key": "falco.rule", "value": "Write below root"}, {"key": "proc.pid", "value": "-1"}, {"key": "fd.rip", "value": "<NA>"}],
    "eventLabels": [{"key": "container.image.repo", "value": "team/web"}, {"key": "container.image.tag", "value": "1.2"}],
}  # fmt: skip
RUNTIME = {
    "id": "18", "type": "policy", "source": "syscall", "name": "A policy", "severity": 6, "timestamp": 1606322948648718268, "containerId": "",
    "content": {"ruleName": "Write below etc", "ruleType": 6, "ruleTags": ["x"], "output": "o", "fields": {"container.id": "host", "fd.name": "/etc/x"}},
    "labels": {"host.hostName": "box"},
}  # fmt: skip


def read(*chunks: bytes, **options: Any) -> list[Event | Damaged]:
    return list(read_events(chunks, "f", **options))


def line(document: Any) -> bytes:
    return json.dumps(document).encode() + b"\n"


def events(found: list[Event | Damaged]) -> list[Event]:
    assert all(isinstance(one, Event) for one in found), found
    return [one for one in found if isinstance(one, Event)]


# --- forms


def test_an_alert() -> None:
    (event,) = events(read(line(ALERT)))
    assert (event.rule, event.priority, event.source, event.host) == ("A shell", "Warning", "syscall", "node-1")
    assert event.time == 1767323045000000006
    assert event.fields["proc.pname"] is None
    assert (event.form.complete, event.internal) == (False, False)
    assert event.container.image.repository == "team/web"
    assert event.container.image.certain


def test_fields_by_themselves_are_complete() -> None:
    for document in (FIELDS, {"fields": FIELDS, "source": "syscall"}):
        (event,) = events(read(line(document)))
        assert event.form.complete
        assert dict(event.fields) == FIELDS


def test_a_legacy_event_of_sysdig() -> None:
    (event,) = events(read(line(LEGACY)))
    assert (event.rule, event.header.policy, event.priority) == ("Write below root", "A policy", "Warning")
    assert event.time == 1568647020401652000
    assert event.fields == {"falco.rule": "Write below root", "proc.pid": "-1", "fd.rip": None}
    image = event.container.image
    assert (event.container.id, image.repository, image.tag, image.told) == (
        "c8c4d64fe7a5",
        "team/web",
        "1.2",
        "labels",
    )


@pytest.mark.parametrize(
    "wrap",
    [
        lambda event: [event, event],
        lambda event: {"policyEvents": [event, event]},
        lambda event: {"entities": [{"policyEvents": [event]}, {"policyEvents": [event]}]},
        lambda event: {"data": [event, event], "page": {"total": 2}},
        lambda event: [{"result": event}, {"event": event}],
    ],
)
def test_what_events_are_wrapped_in(wrap: Any) -> None:
    assert [event.rule for event in events(read(line(wrap(LEGACY))))] == ["Write below root"] * 2


def test_a_runtime_event_of_sysdig() -> None:
    (event,) = events(read(line(RUNTIME)))
    assert (event.rule, event.header.policy, event.priority) == ("Write below etc", "A policy", "Informational")
    assert (event.time, event.host, event.header.tags) == (1606322948648718268, "box", ("x",))
    assert event.container.on_host


def test_audit_events_are_complete() -> None:
    (event,) = events(read(line(AUDIT)))
    assert (event.source, event.form.complete, event.time) == ("k8s_audit", True, 1767323045000006000)
    assert event.fields["ka.verb"] == "create"
    assert event.fields.get("ka.target.name") == "web"
    assert len(read(line({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [AUDIT, AUDIT]}))) == 2


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-02T03:04:05.000000006+0000: Warning A shell (user=root)", 1767323045000000006),
        ("2026-01-02T03:04:05Z: warning A shell (user=root)", 1767323045000000000),
        ("03:04:05.000000006: Warning A shell (user=root)", None),
        ("2026-01-02T03:04:05.1Z stdout F 03:04:05.000000006: Warning A shell (user=root)", None),
        ("Jan  2 03:04:05 node falco[17]: 03:04:05.000000006: Warning A shell (user=root)", None),
        ("<14>1 2026-01-02T03:04:05Z node falco 17 - - 03:04:05.000000006: Warning A shell (user=root)", None),
    ],
)
def test_a_text_alert(text: str, time: int | None) -> None:
    (event,) = events(read(text.encode() + b"\n"))
    assert (event.form.name, event.priority, event.time) == ("text", "Warning", time)
    assert event.output == "A shell (user=root)"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: f"2026-01-02T03:04:05.1Z stdout F {text}",
        lambda text: f"Jan  2 03:04:05 node falco[17]: {text}",
        lambda text: json.dumps({"log": text + "\n", "stream": "stdout", "time": "2026-01-02T03:04:05Z"}),
        lambda text: json.dumps({"MESSAGE": text, "_PID": "17"}),
    ],
)
def test_what_loggers_put_around_a_line(wrap: Any) -> None:
    (event,) = events(read(wrap(json.dumps(ALERT)).encode()))
    assert event.rule == "A shell"


# --- identity


@pytest.mark.parametrize(
    ("fields", "output", "expected"),
    [
        ({"container.image": "registry:5000/team/web:1.2@sha256:" + "a" * 64}, "", ("registry:5000/team/web", "1.2", "sha256:" + "a" * 64, "fields")),
        ({"container.image": "registry:5000/team/web"}, "", ("registry:5000/team/web", "", "", "fields")),
        ({"container.image.repository": "sha256", "container.image.tag": "b" * 64}, "", ("", "", "b" * 64, "fields")),
        ({"container.image.repository": "<NA>"}, "x (image=nginx:1.2)", ("nginx", "1.2", "", "output")),
        ({}, "x container_image_repository=team/web container_image_tag=1.2", ("team/web", "1.2", "", "output")),
        ({}, "x container_image_repository=<NA> container_image_tag=<NA>", ("", "", "", "")),
    ],
)  # fmt: skip
def test_where_an_image_is_told(fields: dict[str, Any], output: str, expected: tuple[str, ...]) -> None:
    (event,) = events(read(line({**ALERT, "output_fields": fields, "output": output})))
    image = event.container.image
    assert (image.repository, image.tag, image.digest, image.told) == expected
    assert image.certain is (expected[3] == "fields")


def test_a_digest_given_as_a_list() -> None:
    (event,) = events(
        read(line({**ALERT, "output_fields": {"container.image.digest": ["sha256:aa", "sha256:bb"], "fd.name ": "x"}}))
    )
    assert dict(event.fields) == {"container.image.digest": "sha256:aa", "fd.name": "x"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1568647020, 1568647020 * 10**9), (1568647020401, 1568647020401 * 10**6), (1568647020401652, 1568647020401652 * 10**3),
        (1568647020401652123, 1568647020401652123), ("1568647020401", 1568647020401 * 10**6), ("2019-09-16T15:17:00.5+02:00", 1568639820500000000),
        ("2019-09-16T15:17:00.123456789123Z", 1568647020123456789), ("yesterday", None), (True, None), (-5, None), (1 << 70, None), (None, None),
        ("2019-13-16T15:17:00Z", None),
    ],
)  # fmt: skip
def test_times(value: Any, expected: int | None) -> None:
    (event,) = events(read(line({**ALERT, "time": value})))
    assert event.time == expected


# --- reading


def test_lines_in_any_pieces() -> None:
    content = b"\xef\xbb\xbf" + line(ALERT).replace(b"\n", b"\r\n") + b"\n  \n" + line(FIELDS) + line(AUDIT)[:-1]
    for size in (1, 7, 100, 10_000):
        found = events(read(*[content[start : start + size] for start in range(0, len(content), size)]))
        assert [(event.form.name, event.line) for event in found] == [
            ("falco", 1),
            ("fields", 4),
            ("kubernetes-audit", 5),
        ]


def test_documents_over_many_lines() -> None:
    pretty = json.dumps(ALERT, indent=2).encode()
    found = events(read(pretty + b"\n" + pretty))
    assert [event.line for event in found] == [1, 1 + len(pretty.splitlines())]


def test_an_array_over_many_lines_is_read_element_by_element() -> None:
    content = json.dumps([ALERT, FIELDS, LEGACY], indent=2).encode()
    found = events(read(content))
    assert [event.form.name for event in found] == ["falco", "fields", "sysdig-legacy"]
    assert found[1].line == content[: content.index(b'"evt.type"')].count(b"\n")
    assert [event.form.name for event in events(read(b"[\n" + line(ALERT)[:-1] + b",\n" + line(FIELDS) + b"]\n"))] == [
        "falco",
        "fields",
    ]


@pytest.mark.parametrize(
    ("content", "bad"),
    [
        (line(ALERT) + b'{"rule": "cut off\n' + line(ALERT), 2),
        (line(ALERT) + b"no event at all\n" + line(ALERT), 2),
        (line(ALERT) + b"17\n" + line(ALERT), 2),
        (line(ALERT) + b'{"some": "object"}\n' + line(ALERT), 2),
        (line(ALERT) + b"{}\n" + line(ALERT), 2),
        (line(ALERT) + b"[" * 2000 + b"\n" + line(ALERT), 2),
        (line(ALERT) + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\n" + line(ALERT), 2),
        (b'{"rule": "cut off\n' + line(ALERT) + line(ALERT), 1),
        (b'{"rule":\n' + line(ALERT) + line(ALERT), 1),
        (line(ALERT) + b"\xff\xfe\x00\n" + line(ALERT), 2),
        (line(ALERT) + line(ALERT) + b'{"rule": ', 3),
    ],
)
def test_what_is_damaged_is_told_and_passed_over(content: bytes, bad: int) -> None:
    found = read(content)
    assert [one.line for one in found if isinstance(one, Damaged)] == [bad]
    assert [one.rule for one in found if isinstance(one, Event)] == ["A shell", "A shell"]


def test_json_that_tools_write_carelessly() -> None:
    careless = json.dumps(ALERT).replace('"user.uid": 0', '"user.uid": NaN').replace("A shell |", "A\x01shell \\ud800|")
    (event,) = events(read(careless.encode()))
    assert "shell" in event.output


def test_a_line_that_is_too_long_is_skipped() -> None:
    found = read(line(ALERT), b'{"rule": "' + b"x" * 3000, b"x" * 3000 + b'"}\n' + line(ALERT), max_line=2000)
    assert [type(one) for one in found] == [Event, Damaged, Event]
    assert [one.line for one in found] == [1, 2, 3]


def test_audit_lines_that_the_plugin_would_not_read_are_told() -> None:
    long = {**AUDIT, "annotations": {"x": "y" * 70_000}}
    late = {key: value for key, value in AUDIT.items() if key != "stageTimestamp"}
    found = read(line(long) + line(AUDIT) + line(late))
    assert [type(one) for one in found] == [Event, Damaged, Event, Damaged]
    assert [one.note for one in found if isinstance(one, Damaged)] == [True, False]


def test_gzip() -> None:
    content = line(ALERT) * 50
    packed = gzip.compress(content)
    for data in (packed, packed + gzip.compress(content), packed[:30] + packed[30:]):
        found = events(read(*[data[start : start + 13] for start in range(0, len(data), 13)]))
        assert len(found) == (100 if len(data) > len(packed) else 50)
    cut = read(packed[:-20])
    assert isinstance(cut[-1], Damaged)
    assert "too early" in cut[-1].reason
    assert isinstance(read(packed[:20] + b"xxxxxxx" + packed[27:])[-1], Damaged)


def test_utf_16_is_told() -> None:
    (found,) = read(json.dumps(ALERT).encode("utf-16"))
    assert isinstance(found, Damaged)
    assert "UTF-16" in found.reason


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_are_read_without_an_exception(content: bytes, size: int) -> None:
    read(*[content[start : start + size] for start in range(0, len(content), size)])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([ALERT, AUDIT, FIELDS, LEGACY, RUNTIME]), st.data())
def test_damaged_samples_are_read_without_an_exception(document: Any, data: st.DataObject) -> None:
    content = bytearray(json.dumps(document, indent=data.draw(st.sampled_from([None, 1]))).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=4)) or b"{"
    for one in read(bytes(content) + b"\n" + line(ALERT)):
        if isinstance(one, Event):
            assert one.header is not None
            assert one.container is not None
            assert isinstance(one.source, str)
            assert isinstance(dict(one.fields), dict)

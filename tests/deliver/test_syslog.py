"""Syslog to the receivers that people run, each with its own parser: every event arrives, exactly as it was sent."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from kit import (  # fmt: skip
    Certificates,
    Syslog,
    configured,
    events,
    forward,
    integration,
    line,
    lines,
    rsyslog,
    running,
    syslog_ng,
    until,
)

from falcokit.event import Event
from falcokit.forward.integration import read_integration
from falcokit.forward.render import render

HOSTILE = [
    {"rule": 'Quotes " and ] and \\ and =', "output": 'x" y="z"] [evil@1 a="b"] \\'},
    {"rule": "Lines", "output": "one\n<0>1 - evil evil - - - two\r\n\r\n<0>three\0four\x1b[31mfive\u2028six\u0085"},
    {"rule": "Schöne Grüße 世界 🎉", "output": "Ünïcödé: 世界 🎉"},
    {"rule": "Long", "output": "x" * 6000},
    {"rule": "", "output": ""},
    {"rule": "Host", "output": "h", "hostname": "evil host\n<0>"},
    {"rule": "25 <13>1 looks like a frame", "output": "40 <13>1 2026-01-01T00:00:00Z h a - - - fake"},
    {"rule": "Priority", "output": "p", "priority": "Emergency"},
]
WAYS = [("udp", "octet"), ("tcp", "octet"), ("tcp", "lf"), ("tls", "octet")]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("made") / "certificates")


@pytest.fixture
def started() -> Iterator[list[Syslog]]:
    """Receivers, ended after the test."""
    every: list[Syslog] = []
    yield every
    for one in every:
        one.kill()


def written() -> bytes:
    return b"".join(
        [line(number) for number in range(40)] + [line(100 + number, **more) for number, more in enumerate(HOSTILE)]
    )


def target(port: int, transport: str, protocol: str, framing: str, certificates: Certificates) -> dict[str, Any]:
    options = {"transport": transport, "protocol": protocol}
    if transport == "tcp":
        options["framing"] = framing
    if transport == "tls":
        options |= {"ca": certificates.ca, "client_cert": certificates.client, "client_key": certificates.client_key}
    return integration("syslog", "syslog", f"127.0.0.1:{port}", **options)


def sent_by(data: dict[str, Any], sent: list[Event]) -> list[str]:
    read, wrong = read_integration(data)
    assert read is not None, wrong
    return [render(read, one).decode() for one in sent]


def flat(found: Any, prefix: str = "") -> dict[str, str]:
    if not isinstance(found, dict):
        return {prefix: str(found)}
    return {
        key: value
        for name, one in found.items()
        for key, value in flat(one, f"{prefix}.{name}" if prefix else name).items()
    }


def same_event(message: str, event: Event) -> None:
    """The text of *message* is *event*: every field, the rule, the moment to the nanosecond."""
    (back,) = events(message.removeprefix("\ufeff").encode())
    assert dict(back.fields) == dict(event.fields) | ({"falco.rule": event.rule} if event.rule else {})
    assert (back.rule, back.time, back.output, back.priority) == (event.rule, event.time, event.output, event.priority)


def host_of(event: Event, protocol: str) -> str:
    """Its host without what receivers take for its end."""
    host = event.host.translate({ord(sign): "_" for sign in " \n<>"})
    return host if protocol == "rfc5424" else host.rstrip("-._:")


def moment(event: Event) -> str:
    """Its time as RFC 5424 has it: to the microsecond."""
    assert event.time is not None
    return datetime.fromtimestamp(event.time // 1000 / 10**6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize("protocol", ["rfc5424", "rfc3164"])
@pytest.mark.parametrize(
    ("transport", "framing", "driver"), [*[(*way, "gtls") for way in WAYS], ("tls", "octet", "ossl")]
)
def test_rsyslog(tmp_path: Path, certificates: Certificates, started: list[Syslog], transport: str, framing: str, protocol: str, driver: str) -> None:  # fmt: skip
    receiver = rsyslog(tmp_path / "rsyslog", transport, certificates if transport == "tls" else None, driver)
    started.append(receiver)
    data = target(receiver.port, transport, protocol, framing, certificates)
    (tmp_path / "events.json").write_bytes(written())
    code, out, err = forward(tmp_path, "run", "events.json", "--once", "--config", configured(tmp_path, data))
    sent = events(written())
    assert (code, out) == (0, f"syslog: {len(sent)} read, {len(sent)} sent\n"), err
    found = receiver.wait_for(len(sent))
    assert len(found) == len(sent)
    assert [one["rawmsg"] for one in found] == sent_by(data, sent)
    for one, event in zip(found, sent, strict=True):
        assert int(one["pri"]) == 8 + {"Warning": 4, "Emergency": 0}[event.priority]
        assert one["app-name"] == "falco"
        assert one["hostname"] == host_of(event, protocol)
        # RFC 3164 tells no year and no zone.
        assert one["timereported"][4:19] == moment(event)[4:19]
        message = one["msg"].removeprefix(" ")
        if protocol == "rfc5424":
            assert one["structured-data"].startswith("[event@32473 ")
            assert one["timereported"] == moment(event)
        if "truncated" not in message:
            same_event(message, event)


@pytest.mark.parametrize("protocol", ["rfc5424", "rfc3164"])
@pytest.mark.parametrize(("transport", "framing"), WAYS)
def test_syslog_ng(tmp_path: Path, certificates: Certificates, started: list[Syslog], transport: str, framing: str, protocol: str) -> None:  # fmt: skip
    receiver = syslog_ng(tmp_path / "ng", transport, protocol, framing, certificates if transport == "tls" else None)
    started.append(receiver)
    data = target(receiver.port, transport, protocol, framing, certificates)
    (tmp_path / "events.json").write_bytes(written())
    code, out, err = forward(tmp_path, "run", "events.json", "--once", "--config", configured(tmp_path, data))
    sent = events(written())
    assert (code, out) == (0, f"syslog: {len(sent)} read, {len(sent)} sent\n"), err
    found = receiver.wait_for(len(sent))
    assert len(found) == len(sent)
    for one, event in zip(found, sent, strict=True):
        assert int(one["pri"]) == 8 + {"Warning": 4, "Emergency": 0}[event.priority]
        assert one["program"] == "falco"
        assert one["host"] == host_of(event, protocol)
        same_event(one["msg"], event)
        if protocol == "rfc5424":
            told = flat(one["_SDATA"]["event@32473"])
            assert told["priority"] == event.priority
            assert told["kubernetes.namespace.name"] == "prod"
            assert told["process.name"] == "sh"
            if event.rule:
                assert told["rule"] == event.rule


def test_a_receiver_that_is_killed_gets_again_what_it_may_not_have_read(tmp_path: Path, started: list[Syslog]) -> None:
    receiver = rsyslog(tmp_path / "rsyslog", "tcp")
    started.append(receiver)
    log = tmp_path / "events.json"
    log.write_bytes(lines(0, 500))
    data = integration("syslog", "syslog", f"127.0.0.1:{receiver.port}", transport="tcp", linger=0)
    with running(tmp_path, "run", "events.json", "--config", configured(tmp_path, data)) as run:
        receiver.wait_for(500)
        receiver.kill()
        with open(log, "ab") as file:
            file.write(lines(500, 1000))
        until(lambda: "sent again" in run.said)
        receiver.start()
        until(
            lambda: (
                {json.loads(one["msg"])["output"] for one in receiver.found()}
                >= {one.output for one in events(lines(0, 1000))}
            )
        )
        assert run.end() == 0
        assert "the last 500 messages are sent again" in run.said


def test_the_wrong_certificates_are_refused_and_nothing_is_sent(tmp_path: Path, certificates: Certificates, started: list[Syslog]) -> None:  # fmt: skip
    receiver = rsyslog(tmp_path / "rsyslog", "tls", certificates)
    started.append(receiver)
    address = f"localhost:{receiver.port}"
    own = {"transport": "tls", "client_cert": certificates.client, "client_key": certificates.client_key}
    wrong = integration("stranger", "syslog", address, **own, ca=certificates.other)
    other_name = integration("other name", "syslog", address, **own, ca=certificates.ca, server_name="example.org")
    right = integration("right", "syslog", address, **own, ca=certificates.ca)
    unchecked = integration("unchecked", "syslog", address, **own, verify=False)
    config = configured(tmp_path, wrong, other_name, right, unchecked)
    code, out, err = forward(tmp_path, "test", "stranger", "--config", config)
    assert (code, out) == (1, "")
    assert "its certificate is refused" in err
    code, _, err = forward(tmp_path, "test", "other name", "--config", config)
    assert code == 1
    assert "certificate is not valid for 'example.org'" in err
    assert receiver.found() == []
    for name in ("right", "unchecked"):
        code, out, err = forward(tmp_path, "test", name, "--config", config)
        assert (code, out) == (0, f"{name}: {address}: sent; syslog has no answer\n"), err
    assert all("This is a test of falcokit forward" in one["msg"] for one in receiver.wait_for(2))

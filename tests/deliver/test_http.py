"""Receivers over HTTP: what they say is understood, what they acknowledge has arrived, and the hostile ones do no harm."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from aiohttp import web
from kit import Certificates, configured, events, forward, integration, lines, number_of, running, until
from stand_in import KEY, TOKEN, Endless, StandIn, answer

Start = Callable[..., StandIn]
KINDS = ["hec", "ack", "bulk", "webhook", "otlp"]
SECRETS = {"TOKEN": TOKEN, "KEY": KEY.decode(), "PASSWORD": "pass word"}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """What starts receivers, which end after the test."""
    every: list[StandIn] = []

    def start(kind: str, **more: Any) -> StandIn:
        every.append(StandIn(kind, tmp_path / f"journal-{len(every)}", **more))
        return every[-1]

    yield start
    for one in every:
        one.close()


def to(receiver: StandIn, name: str = "it", **options: Any) -> dict[str, Any]:
    """An integration for *receiver*."""
    kind = {"hec": "splunk", "ack": "splunk", "bulk": "elastic"}.get(receiver.kind, receiver.kind)
    secrets = {"signing_key": "env:KEY"} if kind == "webhook" else {"token": "env:TOKEN"}
    if receiver.kind == "ack":
        options["ack"] = True
    return integration(name, kind, receiver.url, secrets, **{"timeout": 5.0, **options})


def run(folder: Path, *integrations: dict[str, Any], **more: Any) -> tuple[int, str, str]:
    """Forward the events of the file once."""
    code, out, err = forward(folder, "run", "events.json", "--once", "--config", configured(folder, *integrations), **SECRETS, **more)  # fmt: skip
    assert not any(one in out + err for one in SECRETS.values())
    return code, out, err


def outputs(receiver: StandIn) -> list[str]:
    """The numbers of the alerts that it took, each in the text of the alert."""
    return [json.dumps(one).partition("(number=")[2].partition(")")[0] for one in receiver.taken]


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_everything_arrives_once_and_in_order(tmp_path: Path, start: Start, kind: str, gzip: bool) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 1200))
    receiver = start(kind)
    assert run(tmp_path, to(receiver, gzip=gzip, batch=100))[:2] == (0, "it: 1200 read, 1200 sent\n")
    found = outputs(receiver)
    assert sorted(found, key=int) == [str(number) for number in range(1200)]
    if kind in ("webhook", "otlp"):  # The others have several requests on their way at once.
        assert found == sorted(found, key=int)
    packed = {headers.get("Content-Encoding") for path, headers, _ in receiver.requests if "/ack" not in path}
    assert packed == ({"gzip"} if gzip else {None})
    assert run(tmp_path, to(receiver))[:2] == (0, "it: 0 read, 0 sent\n")


def test_a_webhook_that_takes_one_event_at_a_time(tmp_path: Path, start: Start) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 5))
    receiver = start("webhook")
    assert run(tmp_path, to(receiver, body="single"))[0] == 0
    assert [number_of(one) for one in receiver.taken] == [0, 1, 2, 3, 4]
    assert len(receiver.requests) == 5


def test_an_event_is_the_same_behind_the_way_to_a_webhook(tmp_path: Path, start: Start) -> None:
    (tmp_path / "events.json").write_bytes(lines(7, 8))
    receiver = start("webhook")
    assert run(tmp_path, to(receiver, body="lines"))[0] == 0
    (back,), (sent,) = events(json.dumps(receiver.taken[0]).encode()), events(lines(7, 8))
    assert (back.rule, back.time, back.output, back.priority, back.host) == (sent.rule, sent.time, sent.output, sent.priority, sent.host)  # fmt: skip


LASTING = [
    ("hec", answer(403, {"text": "Invalid token", "code": 4}), "it does not know the token: check secrets.token"),
    ("hec", answer(403, {"text": "Token disabled", "code": 1}), "the token is disabled"),
    ("hec", answer(400, {"text": "Incorrect index", "code": 7, "invalid-event-number": 0}), "there is no such index for this token: check options.index"),
    ("hec", answer(400, {"text": "Data channel is missing", "code": 10}), "it wants acknowledgement: set options.ack"),
    ("ack", answer(400, {"text": "ACK is disabled", "code": 14}), "acknowledgement is off for this token"),
    ("ack", answer(200, {"text": "Success", "code": 0}), "acknowledgement is off for this token"),
    ("hec", answer(200, {"hello": "world"}), "its answer is not that of a collector: check the URL"),
    ("hec", answer(503, {"text": "Server is busy", "code": 9}), "it is busy (Server is busy)"),
    ("bulk", answer(401, {}), "it does not let us in (HTTP 401): check the secrets"),
    ("bulk", answer(200, {"items": []}), "is it a bulk interface?"),
    ("webhook", answer(302, {}, Location="http://127.0.0.1:1/"), "redirects are not followed"),
    ("webhook", answer(404, {}), "check the URL"),
    ("otlp", answer(429, {}), "it is busy or broken (HTTP 429)"),
    ("otlp", lambda _: web.Response(text="<html>log in</html>"), "its answer is not that of a collector: check the URL"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "first", "told"), LASTING)
def test_what_is_wrong_is_told_and_nothing_is_lost(tmp_path: Path, start: Start, kind: str, first: Any, told: str) -> None:  # fmt: skip
    (tmp_path / "events.json").write_bytes(lines(0, 3))
    receiver = start(kind)
    receiver.answers.append(first)
    config = configured(tmp_path, to(receiver))
    code, out, err = forward(tmp_path, "test", "it", "--config", config, **SECRETS)
    assert (code, out) == (1, "")
    assert told in err
    assert receiver.taken == []
    receiver.answers.append(first)
    with running(tmp_path, "run", "events.json", "--config", config, **SECRETS) as going:
        until(lambda: told in going.said)
        assert going.end() == 1  # They were read, and are not delivered.
    assert run(tmp_path, to(receiver))[:2] == (0, "it: 3 read, 3 sent\n")
    assert sorted(outputs(receiver)) == ["0", "1", "2"]


def test_a_wrong_token_and_a_wrong_index_as_the_collector_itself_says_them(tmp_path: Path, start: Start) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 1))
    receiver = start("hec")
    config = configured(tmp_path, to(receiver), to(receiver, "elsewhere", index="nowhere"))
    code, _, err = forward(tmp_path, "test", "it", "--config", config, TOKEN="a-wrong-token-of-someone")
    assert (code, "a-wrong-token-of-someone" in err) == (1, False)
    assert "it does not know the token: check secrets.token" in err
    assert (
        forward(tmp_path, "test", "it", "--config", config)[2]
        == "falcokit: it: the variable TOKEN for its token is not set\n"
    )
    code, _, err = forward(tmp_path, "test", "elsewhere", "--config", config, **SECRETS)
    assert "there is no such index for this token: check options.index" in err
    code, out, _ = forward(tmp_path, "test", "it", "--config", config, **SECRETS)
    assert (code, out) == (0, f"it: {receiver.url}: HTTP 200, Success\n")


def test_an_event_that_is_refused_does_not_keep_back_the_others(tmp_path: Path, start: Start) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 40))
    receiver = start("webhook")

    def without_13(body: bytes) -> web.StreamResponse:
        found = [number_of(one) for one in json.loads(body)]
        if 13 in found:
            receiver.answers.appendleft(without_13)
            return web.json_response({"no": "13"}, status=422)
        receiver.answers.appendleft(without_13)
        receiver.taken += json.loads(body)
        return web.json_response({})

    receiver.answers.append(without_13)
    code, out, err = run(tmp_path, to(receiver))
    assert (code, out) == (1, "it: 40 read, 39 sent, 1 refused\n")
    assert sorted(number_of(one) for one in receiver.taken) == [number for number in range(40) if number != 13]
    assert "an event is refused: 127.0.0.1" in err
    (kept,) = (tmp_path / "XDG_STATE_HOME/falcokit/forward/it/refused.jsonl").read_bytes().splitlines()
    assert events(kept)[0].fields["proc.pid"] == 13


def test_items_of_a_bulk_request_are_told_apart(tmp_path: Path, start: Start) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 4))
    receiver = start("bulk")

    def mixed(body: bytes) -> web.StreamResponse:
        items: list[Any] = [{"create": {"status": status}} for status in (201, 409, 429)]
        wrong = {"type": "document_parsing_exception", "reason": "failed to parse"}
        return web.json_response({"errors": True, "items": [*items, {"create": {"status": 400, "error": wrong}}]})

    receiver.answers.append(mixed)
    code, out, err = run(tmp_path, to(receiver))
    assert (code, out) == (1, "it: 4 read, 3 sent, 1 retried, 1 refused\n")
    assert outputs(receiver) == ["2"]
    assert "failed to parse" in err


def test_what_a_receiver_asks_to_wait_is_waited(tmp_path: Path, start: Start) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 1))
    receiver = start("webhook")
    receiver.answers.append(answer(503, {}, Retry_After="100000"))
    with running(tmp_path, "run", "events.json", "--config", configured(tmp_path, to(receiver)), **SECRETS) as going:
        until(lambda: "HTTP 503" in going.said)
        going.end()
    assert receiver.taken == []
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_without_an_end(tmp_path: Path, start: Start, status: int) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 2))
    receiver = start("bulk")
    receiver.answers.append(lambda _: Endless(status=status))
    code, out, _ = run(tmp_path, to(receiver))
    assert (code, out) == (0, "it: 2 read, 2 sent, 2 retried\n")
    assert sorted(outputs(receiver)) == ["0", "1"]


def test_an_answer_that_breaks_off(tmp_path: Path) -> None:
    for said, told in ((b"", "connection reset by peer"), (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "its answer has no end"), (b"SSH-2.0\r\n", "its answer is no HTTP")):  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as server:

            def reset() -> None:
                connection, _ = server.accept()  # joined below
                connection.recv(100)  # Not all of it, so that its end is a reset.
                connection.sendall(said)  # noqa: B023
                if not said:  # noqa: B023
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                else:
                    connection.recv(1 << 20)
                connection.close()

            thread = threading.Thread(target=reset)
            thread.start()
            port = server.getsockname()[1]
            config = configured(tmp_path, integration("it", "webhook", f"http://127.0.0.1:{port}/hook", timeout=5.0))
            code, _, err = forward(tmp_path, "test", "it", "--config", config)
            thread.join()
        assert (code, err) == (1, f"falcokit: it: 127.0.0.1:{port}: {told}\n")


def test_events_that_are_taken_and_not_indexed_are_told(tmp_path: Path, start: Start) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 3))
    receiver = start("ack")
    receiver.answers.append(answer(200, {"text": "Success", "code": 0, "ackId": 77}))
    config = configured(tmp_path, to(receiver, timeout=0.5))
    with running(tmp_path, "run", "events.json", "--config", config, **SECRETS) as going:
        until(lambda: "it has taken events, and not said for 0.5 seconds that they are indexed" in going.said)
        until(lambda: forward(tmp_path, "status", "--config", config)[0] == 1)
        assert going.end() == 1


def test_a_redirect_is_not_followed_with_the_token(tmp_path: Path, start: Start) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 1))
    receiver, thief = start("hec"), start("hec")
    receiver.answers.append(answer(307, {}, Location=thief.url + "/services/collector/event"))
    code, _, err = forward(tmp_path, "test", "it", "--config", configured(tmp_path, to(receiver)), **SECRETS)
    assert code == 1
    assert "redirects are not followed" in err
    assert thief.requests == []


def test_who_is_no_receiver_at_all(tmp_path: Path) -> None:
    """One says nothing, one talks about something else: both are told in one line, within the time that was set."""
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as other:

        def talk() -> None:
            connection, _ = other.accept()
            connection.sendall(b"220 mail.example ESMTP\r\n" * 3)
            connection.close()

        thread = threading.Thread(target=talk)
        thread.start()
        ports = [one.getsockname()[1] for one in (silent, other)]
        made = [
            integration(f"i{port}", "webhook", f"http://127.0.0.1:{port}/secret-path", timeout=0.5) for port in ports
        ]
        config = configured(tmp_path, *made)
        code, _, err = forward(tmp_path, "test", f"i{ports[0]}", "--config", config)
        assert (code, err) == (1, f"falcokit: i{ports[0]}: 127.0.0.1:{ports[0]}: it does not answer in 0.5 seconds\n")
        code, _, err = forward(tmp_path, "test", f"i{ports[1]}", "--config", config)
        assert (code, "secret-path" in err, err.count("\n")) == (1, False, 1)
        thread.join()
    code, _, err = forward(tmp_path, "test", f"i{ports[0]}", "--config", config)
    assert (code, err) == (1, f"falcokit: i{ports[0]}: 127.0.0.1:{ports[0]}: connection refused\n")


def test_tls_is_checked(tmp_path: Path, start: Start) -> None:
    certificates = Certificates(tmp_path / "certificates")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.ca)
    context.load_cert_chain(certificates.server, certificates.server_key)
    context.verify_mode = ssl.CERT_REQUIRED
    receiver = start("webhook", ssl=context)
    own = {"client_cert": certificates.client, "client_key": certificates.client_key}
    config = configured(
        tmp_path, to(receiver, "unknown"), to(receiver, "stranger", ca=certificates.other, **own),
        to(receiver, "nobody", ca=certificates.ca), to(receiver, "right", ca=certificates.ca, **own),
    )  # fmt: skip
    for name in ("unknown", "stranger"):
        code, _, err = forward(tmp_path, "test", name, "--config", config, **SECRETS)
        assert code == 1
        assert "its certificate is refused" in err
    assert forward(tmp_path, "test", "nobody", "--config", config, **SECRETS)[0] == 1
    assert receiver.requests == []
    assert forward(tmp_path, "test", "right", "--config", config, **SECRETS)[0] == 0
    assert len(receiver.taken) == 1

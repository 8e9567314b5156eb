"""Syslog over a connection that nobody acknowledges on: receivers that hang, break off, or cannot stand one message."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from kit import Certificates, configured, events, forward, integration, line, lines, running, until

from falcokit.deliver.sinks.window import ROOM, YOUNG, Window

Judge = Callable[[bytes], str]
"""What is done with a connection after what was read on it: ``read`` on, ``hang``, ``reset``."""


class Receiver:
    """Reads messages with their lengths in front, on one connection after the other, as ``judge`` says."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.messages: list[str] = []
        self.connections = 0
        self.hung: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                with suppress(OSError):
                    self._read(connection)

    def _read(self, connection: socket.socket) -> None:
        data, at = b"", 0
        while (verdict := self.judge(data)) == "read":
            piece = connection.recv(4096)
            if not piece:
                break
            data += piece
            while (blank := data.find(b" ", at, at + 8)) > 0 and (end := blank + 1 + int(data[at:blank])) <= len(data):
                self.messages.append(data[blank + 1 : end].decode())
                at = end
        if verdict == "hang":
            self.hung.append(connection)
            return
        if verdict == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def numbers(self) -> list[int]:
        """The numbers of the alerts that were read."""
        return [int(one.partition("(number=")[2].partition(")")[0]) for one in list(self.messages)]

    def close(self) -> None:
        self._listening.close()
        for one in self.hung:
            one.close()


@contextmanager
def receiver(judge: Judge) -> Iterator[Receiver]:
    found = Receiver(judge)
    try:
        yield found
    finally:
        found.close()


def to(port: int, **options: Any) -> dict[str, Any]:
    return integration("it", "syslog", f"127.0.0.1:{port}", **{"transport": "tcp", "linger": 0.0, "timeout": 5.0, **options})  # fmt: skip


def status(folder: Path, config: Path) -> dict[str, Any]:
    found = json.loads(forward(folder, "status", "--config", config, "--format", "json")[1])
    return dict(found["integrations"][0])


def test_what_a_receiver_that_hung_had_not_read_is_sent_again(tmp_path: Path) -> None:
    """Its system has taken the events, and it is only killed when they are no longer young."""
    log = tmp_path / "events.json"
    log.write_bytes(lines(0, 20))
    config = configured(tmp_path, to(0))
    with receiver(lambda data: "hang" if b"(number=19)" in data else "read") as first:
        config = configured(tmp_path, to(first.port))
        with running(tmp_path, "run", "events.json", "--config", config) as run:
            until(lambda: first.numbers() == list(range(20)))
            with open(log, "ab") as file:
                file.write(lines(20, 50))
            left = tmp_path / "XDG_STATE_HOME/falcokit/forward/it/status.json"

            def written() -> dict[str, Any]:
                return dict(json.loads(left.read_bytes()))

            until(lambda: written()["counts"]["sent"] == 50)
            sent = written()["moment"]
            until(lambda: written()["moment"] > sent + YOUNG + 2)
            first.judge = lambda _: "read"
            first.hung.pop().close()  # With something unread in it: that is no end in order.
            until(lambda: set(first.numbers()) == set(range(50)))
            until(lambda: "the last 50 messages are sent again" in run.said)
            assert run.end() == 0
    assert forward(tmp_path, "run", "events.json", "--once", "--config", config)[1] == "it: 0 read, 0 sent\n"


def test_a_receiver_that_breaks_off_again_and_again_gets_everything(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 300))
    with receiver(lambda data: "reset" if len(data) > 50_000 else "read") as found:
        config = configured(tmp_path, to(found.port))
        with running(tmp_path, "run", "events.json", "--config", config) as run:
            until(lambda: set(found.numbers()) == set(range(300)))
            assert run.end() == 0
        assert "connections broke one after the other: now few messages go on one" in run.said
        assert len(found.numbers()) < 3000
        assert " perhaps lost" not in run.said


def test_a_message_that_a_receiver_cannot_stand_is_given_up_and_told(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 60) + line(60, rule="poison") + lines(61, 100))
    with receiver(lambda data: "reset" if b"poison" in data else "read") as found:
        config = configured(tmp_path, to(found.port))
        with running(tmp_path, "run", "events.json", "--config", config) as run:
            until(lambda: {*range(60), *range(61, 100)} <= set(found.numbers()))
            until(lambda: "an event is refused: it breaks the connection each time" in run.said)
            assert run.end() == 1
        (kept,) = (tmp_path / "XDG_STATE_HOME/falcokit/forward/it/refused.jsonl").read_bytes().splitlines()
        assert [one.rule for one in events(kept)] == ["poison"]
    code, out, _ = forward(tmp_path, "status", "--config", config)
    assert (code, "1 refused" in out) == (1, True)


def test_a_receiver_that_takes_nothing_at_all_loses_nothing(tmp_path: Path) -> None:
    """It is not taken for one that cannot stand what it gets."""
    (tmp_path / "events.json").write_bytes(lines(0, 10))
    with receiver(lambda data: "reset" if data else "read") as found:
        config = configured(tmp_path, to(found.port))
        with running(tmp_path, "run", "events.json", "--config", config) as run:
            until(lambda: found.connections > 9)
            assert run.end() == 1
        assert "refused" not in run.said.replace("connection refused", "")
        found.judge = lambda _: "read"
        found.messages.clear()
        assert forward(tmp_path, "run", "events.json", "--once", "--config", config)[:2] == (0, "it: 10 read, 10 sent\n")  # fmt: skip
        assert found.numbers() == list(range(10))


def test_a_receiver_that_wants_a_certificate_is_told(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.ca)
    context.load_cert_chain(certificates.server, certificates.server_key)
    context.verify_mode = ssl.CERT_REQUIRED
    (tmp_path / "events.json").write_bytes(lines(0, 3))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with suppress(OSError):
                        context.wrap_socket(connection, server_side=True)

        threading.Thread(target=serve, daemon=True).start()
        config = configured(tmp_path, to(listening.getsockname()[1], transport="tls", ca=certificates.ca))
        code, _, err = forward(tmp_path, "test", "it", "--config", config)
        assert (code, "certificate required" in err) == (1, True), err
        with running(tmp_path, "run", "events.json", "--config", config) as run:
            until(lambda: "certificate required" in run.said)
            until(lambda: "certificate required" in status(tmp_path, config)["counts"]["trouble"])
            assert run.end() == 1


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "write", "cut", "forget", "reset", "end", "swap"]), st.integers(1, 5)),
    max_size=60,
)


@given(STEPS)
def test_nothing_leaves_the_window_that_may_not_have_been_read(steps: list[tuple[str, int]]) -> None:
    window = Window()
    now, written, made, read = 1.0, 0, 0, 0
    sent: deque[tuple[int, float, bool]] = deque()
    for step, count in steps:
        now += count * YOUNG / 4
        if step == "put":
            window.put([b"%d" % number for number in range(made, made + count)])
            made += count
        elif step in ("write", "cut") and (piece := window.next(count * 10 if step == "cut" else 0)) is not None:
            written += piece.size
            sent.append((len(piece.messages), now, piece.moment > 0))
            window.wrote(written, now)
        elif step == "forget":  # Nothing is an hour old, and there is room; but what was sent again goes soon.
            window.forget(written, now)
            while sent and sent[0][2] and now - sent[0][1] > YOUNG:
                read += sent.popleft()[0]
        elif step == "reset":
            window.ended(None, now)
            sent.clear()
            written = 0
        elif step == "end":
            read += sum(number for number, moment, _ in sent if now - moment > YOUNG)
            assert window.ended(written, now) == 0
            sent.clear()
            written = 0
        elif step == "swap":
            window.swap()
    left = window.written
    while (piece := window.next(0)) is not None:
        left += len(window.give_up())
    assert left == made - read
    window.ended(1 << 40, now, -1.0)
    assert (window.bytes, window.batches) == (0, 0)


def test_the_window_has_a_limit_and_says_what_may_be_lost() -> None:
    window = Window()
    for number in range(20):
        window.put([b"x" * (ROOM // 10)])
        window.wrote((number + 1) * ROOM // 10, 1.0 + number)
        window.forget((number + 1) * ROOM // 10, 1.0 + number)
    assert window.bytes <= ROOM
    assert window.written == window.batches == 9
    assert window.ended(None, 30.0) == 11
    assert window.again == 9


def test_what_is_an_hour_old_is_not_sent_again() -> None:
    window = Window()
    window.put([b"old"])
    window.wrote(3, 1.0)
    window.forget(3, 3000.0)
    assert window.batches == 1
    window.forget(2, 5000.0)  # The other system does not have it.
    assert window.batches == 1
    window.forget(3, 5000.0)
    assert window.batches == 0
    assert window.ended(None, 5001.0) == 1


def test_what_was_sent_again_is_not_sent_a_third_time_unless_that_broke_soon() -> None:
    window = Window()
    window.put([b"x"])
    for moment in (1.0, 100.0, 101.0):
        window.wrote(1, moment)
        window.forget(1, moment + YOUNG / 2)
        assert window.ended(None, moment + YOUNG / 2) == 0
        assert window.again == 1
    window.wrote(1, 200.0)
    window.forget(1, 201.0 + YOUNG)
    assert window.batches == 0


@pytest.mark.parametrize(("read", "again"), [(None, 3), (0, 3), (2, 1), (3, 1)])
def test_only_what_was_read_for_sure_and_is_not_young_is_not_sent_again(read: int | None, again: int) -> None:
    window = Window()
    for number, moment in enumerate((1.0, 2.0, 100.0)):
        window.put([b"%d" % number])
        window.wrote(number + 1, moment)
    assert window.ended(read, 101.0) == 0
    assert window.again == again

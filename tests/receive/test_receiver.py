"""`falcokit events receive` as a real process on loopback: what it acknowledged is in the history, once, whatever happens to it."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "history"))
from real import EVENTS, environment, line, lines, numbers, run, until

from falcokit.history.store import open_to_write
from falcokit.receive.body import MAX_BODY
from falcokit.receive.spool import Spool, pieces_of

TOKEN = "correct-horse-battery"
Answer = tuple[int, str]


class Receiver:
    """A running receiver."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def ask(self, body: bytes = b"", path: str = "/", method: str = "POST", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    @contextmanager
    def connections(self, count: int) -> Iterator[list[socket.socket]]:
        with ExitStack() as every:
            yield [
                every.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=120))
                for _ in range(count)
            ]

    def raw(self, data: bytes) -> bytes:
        """What it answers to bytes, until it ends the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as connection:
            connection.sendall(data)
            found = b""
            with suppress(ConnectionError):
                while piece := connection.recv(65_536):
                    found += piece
            return found


@contextmanager
def receiving(folder: Path, *options: str, by: int = signal.SIGTERM, **more: str) -> Iterator[Receiver]:
    with subprocess.Popen(
        [*EVENTS, "receive", "--listen", "127.0.0.1:0", *options], cwd=folder, env=environment(folder, **more),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert said.startswith("falcokit: listening on http://127.0.0.1:"), said + process.stderr.read()
            yield Receiver(process, int(said.partition(", ")[0].rpartition(":")[2]))
            process.send_signal(by)
            _, err = process.communicate(timeout=120)
            assert "Traceback" not in err
            assert TOKEN not in err
            assert process.returncode == (0 if by != signal.SIGKILL else -signal.SIGKILL), err
        finally:
            process.kill()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "data/falcokit/events.duckdb"


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_every_way_to_send_events(tmp_path: Path, store: Path, by: int) -> None:
    with receiving(tmp_path, by=by) as receiver:
        assert receiver.ask(method="GET", path="/healthz") == (200, "ok\n")
        # Falco's http_output, with a line break at its end as some versions have it.
        assert receiver.ask(line(0), Content_Type="application/json") == (200, "1 kept\n")
        assert receiver.ask(line(1).strip(), path="/events") == (200, "1 kept\n")
        # falcosidekick's webhook: the same alert again, with its own keys.
        through = json.dumps({**json.loads(line(1)), "uuid": "8b7f-11", "tags": ["shell"]}).encode()
        assert receiver.ask(through, path="/any/path", method="PUT") == (200, "1 kept\n")
        array = b"[" + b",".join(line(number).strip() for number in range(2, 5)) + b"]"
        assert receiver.ask(array) == (200, "3 kept\n")
        assert receiver.ask(json.dumps([json.loads(line(5))], indent=2).encode()) == (200, "1 kept\n")
        assert receiver.ask(lines(6, 100), Content_Type="application/x-ndjson") == (200, "94 kept\n")
        assert receiver.ask(gzip.compress(lines(100, 200)), Content_Encoding="gzip") == (200, "100 kept\n")
        assert receiver.ask(gzip.compress(lines(200, 210)) + gzip.compress(line(210))) == (200, "11 kept\n")
        code, said = receiver.ask(line(211) + b"no event\n" + line(212))
        assert (code, said) == (200, "2 kept; not all was an event: line 2: neither JSON nor an alert\n")
        until(lambda: store.exists() and len(numbers(store)) == 213)  # While it runs.
        assert receiver.ask(line(213))[0] == 200
        receiver.process.send_signal(by)
        assert receiver.process.communicate(timeout=120)[0] == "215 events received, 214 new\n"
    assert numbers(store) == list(range(214))
    assert sorted(os.listdir(f"{store}.spool")) == ["lock"]


@pytest.mark.skipif(not (Path(__file__).parents[3] / "shared/events").exists(), reason="needs the events in ../shared")
def test_what_others_send_is_what_an_import_of_it_gives(tmp_path: Path, store: Path) -> None:
    files = sorted((Path(__file__).parents[3] / "shared/events").glob("*.json"))
    with receiving(tmp_path) as receiver:
        for path in files:
            assert receiver.ask(path.read_bytes())[0] == 200, path.name
    code, out, _ = run(tmp_path, "import", *files)
    assert (code, out.partition(" read, ")[2]) == (0, "0 new\n")


def test_many_clients_at_once_lose_nothing(tmp_path: Path, store: Path) -> None:
    with receiving(tmp_path) as receiver:

        def send(client: int) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=120)
            for number in range(client * 60, client * 60 + 60):
                connection.request("POST", "/", line(number))
                answer = connection.getresponse()
                assert (answer.status, answer.read()) == (200, b"1 kept\n")
            connection.close()

        with ThreadPoolExecutor(40) as clients:
            list(clients.map(send, range(40)))
    assert numbers(store) == list(range(2_400))


def test_what_was_acknowledged_outlasts_kills_under_load(tmp_path: Path, store: Path) -> None:
    moments = random.Random()
    acknowledged: set[int] = set()
    sent = 0
    for _ in range(5):
        with receiving(tmp_path, by=signal.SIGKILL) as receiver:

            def send(client: int, first: int = sent, receiver: Receiver = receiver) -> list[int]:
                kept: list[int] = []
                connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=120)
                with suppress(OSError, http.client.HTTPException), closing(connection):
                    for number in range(first + client * 10_000, first + (client + 1) * 10_000, 3):
                        # A kill may come at any byte of a body, of a write, of a fold.
                        connection.request("POST", "/", lines(number, number + 3))
                        answer = connection.getresponse()
                        if (answer.status, answer.read()) == (200, b"3 kept\n"):
                            kept += [number, number + 1, number + 2]
                return kept

            with ThreadPoolExecutor(16) as clients:
                running = [clients.submit(send, client) for client in range(16)]
                with suppress(subprocess.TimeoutExpired):
                    receiver.process.wait(moments.uniform(0.3, 2.5))
                receiver.process.kill()
                for one in running:
                    acknowledged.update(one.result())
        sent += 160_000
    with receiving(tmp_path):
        pass  # What was left in the spool is put in.
    there = numbers(store)
    assert len(acknowledged) > 100
    assert len(there) == len(set(there))
    assert acknowledged - set(there) == set()
    assert sorted(os.listdir(f"{store}.spool")) == ["lock"]


def test_a_full_spool_puts_senders_off_until_there_is_room(tmp_path: Path, store: Path) -> None:
    with receiving(tmp_path, "--spool-limit", "16") as receiver:
        part, taken = lines(0, 4_000), 0
        with open_to_write(str(store), 60.0):  # Nothing can be put in meanwhile.
            while (answer := receiver.ask(lines(taken, taken + 4_000)))[0] == 200:
                taken += 4_000
                assert taken * len(part) / 4_000 < 32 << 20
            assert answer == (503, "the spool is full, events have to wait: send them again later\n")
            assert b"\r\nRetry-After: " in receiver.raw(
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(part), part)
            )
            assert taken > 0
        until(lambda: receiver.ask(lines(taken, taken + 4_000))[0] == 200)
    assert numbers(store) == list(range(taken + 4_000))


def test_health_tells_that_the_spool_is_full(tmp_path: Path, store: Path) -> None:
    spool = tmp_path / "spool"
    waiting = Spool(str(spool))
    for start in range(0, 80_000, 4_000):
        waiting.append([line(number).strip() for number in range(start, start + 4_000)])
    waiting.close()
    with open_to_write(str(store), 60.0) as history, receiving(tmp_path, "--spool", "spool", "--spool-limit", "16") as receiver:  # fmt: skip
        assert receiver.ask(method="GET", path="/healthz") == (503, "the spool is full\n")
        history.connection.close()
        until(lambda: receiver.ask(method="GET", path="/healthz")[0] == 200)
    assert numbers(store) == list(range(80_000))


def test_a_token_is_asked_of_everyone_and_never_told(tmp_path: Path, store: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    ways = [("--token-file", {}, "token"), ("", {"FALCOKIT_TOKEN": TOKEN}, "")]
    for number, (option, more, value) in enumerate(ways):
        with receiving(tmp_path, *([option, value] if option else []), **more) as receiver:
            no = (401, "the token is missing, or is another one\n")
            assert receiver.ask(line(90)) == no
            assert receiver.ask(line(90), Authorization="Bearer wrong-token-wrong-token") == no
            assert receiver.ask(line(90), Authorization=f"Basic {TOKEN}") == no
            assert receiver.ask(line(90), path=f"/?token={TOKEN}x") == no
            assert receiver.ask(line(90), path="/?token=%ff%00") == no
            assert receiver.ask(line(90), Authorization="Bearer ") == no
            assert receiver.ask(line(number * 2), Authorization=f"Bearer {TOKEN}") == (200, "1 kept\n")
            assert receiver.ask(line(number * 2 + 1), path=f"/events?token={TOKEN}") == (200, "1 kept\n")
            assert receiver.ask(method="GET", path="/healthz") == (200, "ok\n")
            receiver.raw(f"POST /?token={TOKEN} HTTP/1.1\r\nContent-Length: x\r\n\r\n".encode())
    assert numbers(store) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("options", "more", "said"),
    [
        (("--listen", "0.0.0.0:0"), {}, "others can reach 0.0.0.0: give a token with --token-file or FALCOKIT_TOKEN, or --no-token"),
        (("--listen", "[::]:0"), {}, "others can reach ::: give a token"),
        (("--listen", "2802"), {}, "--listen takes HOST:PORT such as 127.0.0.1:2802 or [::1]:2802, not '2802'"),
        (("--listen", "127.0.0.1:70000"), {}, "--listen takes HOST:PORT"),
        (("--listen", "no.such.invalid:1"), {}, "cannot listen on no.such.invalid: there is no such host"),
        (("--token-file", "none"), {}, "cannot read none: no such file or directory"),
        (("--token-file", "empty"), {}, "the token in empty needs 16 to 4096 characters"),
        ((), {"FALCOKIT_TOKEN": "short"}, "the token in FALCOKIT_TOKEN needs 16 to 4096 characters"),
        ((), {"FALCOKIT_TOKEN": "with a blank in it"}, "the token in FALCOKIT_TOKEN has characters other than printable ASCII"),
        (("--no-token",), {"FALCOKIT_TOKEN": TOKEN}, "give either a token or --no-token"),
        (("--store", "empty/below"), {}, "cannot write empty/below: "),
        (("--store", "text"), {}, "text is no history of falcokit, or is damaged"),
        (("--spool", "empty"), {}, "cannot write empty: file exists"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(tmp_path: Path, options: tuple[str, ...], more: dict[str, str], said: str) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_bytes(b"text")
    code, out, err = run(tmp_path, "receive", *options, **more)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"falcokit: {said}")


def test_an_address_and_a_spool_are_for_one(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        code, _, err = run(tmp_path, "receive", "--listen", f"127.0.0.1:{receiver.port}", "--spool", "other")
        assert (code, err) == (2, f"falcokit: cannot listen on 127.0.0.1:{receiver.port}: address already in use\n")
        code, _, err = run(tmp_path, "receive", "--listen", "127.0.0.1:0")
        assert code == 2
        assert err.startswith("falcokit: another falcokit receives into ")


HOSTILE = {
    "nothing": (b"", {}, 400, "the body has no event"),
    "blanks": (b" \n\n ", {}, 400, "the body has no event"),
    "no JSON": (b"\xff\xfe\x00\x1b[31m", {}, 400, "line 1: the file is UTF-16: convert it to UTF-8"),
    "cut JSON": (line(1)[:-9], {}, 400, "line 1: JSON that begins here does not end"),
    "another object": (b'{"hello": "<script>"}', {}, 400, "line 1: an object that is no event of a known form; its keys are 'hello'"),
    "a number": (b"[[[7]]]", {}, 400, "line 1: a JSON number is no event"),
    "deep": (b"[" * 100_000, {}, 400, "line 1: "),
    "deep objects": (b'{"a":' * 50_000, {}, 400, "line 1: "),
    "too large": (b" " * (MAX_BODY + 1), {}, 413, f"a body of more than {MAX_BODY} bytes is refused: send the events in parts"),
    "a bomb": (gzip.compress(bytes(1 << 28)), {"Content_Encoding": "gzip"}, 413, f"a body of more than {MAX_BODY} bytes is refused"),
    "a hidden bomb": (gzip.compress(bytes(1 << 28)), {}, 413, f"a body of more than {MAX_BODY} bytes is refused"),
    "a bomb in a bomb": (gzip.compress(gzip.compress(bytes(1 << 28))), {}, 400, "the body is packed twice"),
    "no gzip": (line(1), {"Content_Encoding": "gzip"}, 400, "the packed body is damaged"),
    "half a gzip": (gzip.compress(line(1))[:-9], {"Content_Encoding": "gzip"}, 400, "the packed body ends too early"),
    "another packing": (line(1), {"Content_Encoding": "br"}, 415, "send the body as it is, or as gzip or deflate"),
    "a web page": (line(1), {"Origin": "https://example.org"}, 403, "web pages cannot send events"),
}  # fmt: skip


def test_hostile_bodies_are_refused_in_a_sentence_and_harm_nothing(tmp_path: Path, store: Path) -> None:
    with receiving(tmp_path) as receiver:
        for name, (body, headers, code, said) in HOSTILE.items():
            answer = receiver.ask(body, **headers)
            assert (answer[0], answer[1].count("\n")) == (code, 1), name
            assert answer[1].startswith(said), name
        for method in ("GET", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
            assert receiver.ask(method=method) == (405, "events are sent by POST\n")
        for garbage in (b"\x16\x03\x01\x02\x00\x01\x00", b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nA: " + b"a" * 100_000, b"\0" * 70_000 + b"\r\n\r\n",
                        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):  # fmt: skip
            assert b" 400 " in receiver.raw(garbage).partition(b"\r\n")[0]
        # A body without an end in sight is cut off.
        endless = (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"100000\r\n%b\r\n" % bytes(1 << 20) * 10
        )
        assert b" 413 " in receiver.raw(endless).partition(b"\r\n")[0]
        # Odd values are events as well, and do not keep others out of the history.
        odd = {**json.loads(line(7)), "time": "2300-01-01T00:00:00.000000001Z", "rule": "\ud800", "priority": {}}
        assert receiver.ask(json.dumps(odd).encode())[0] == 200
        assert receiver.ask(line(8)) == (200, "1 kept\n")
        # Connections that send nothing, or do not go on, do not keep others out.
        with receiver.connections(300) as slow:
            for number, connection in enumerate(slow):
                connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n{"[: number % 70])
            assert receiver.ask(line(9)) == (200, "1 kept\n")
        assert receiver.ask(line(10)) == (200, "1 kept\n")
    assert numbers(store) == [7, 8, 9, 10]


def test_clients_that_do_not_go_on_do_not_hold_up_the_end(tmp_path: Path, store: Path) -> None:
    with receiving(tmp_path) as receiver, receiver.connections(1) as (slow,):
        slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
        assert slow.recv(100).startswith(b"HTTP/1.1 100 ")
        assert receiver.ask(line(1))[0] == 200
        receiver.process.send_signal(signal.SIGTERM)
        assert receiver.process.communicate(timeout=120)[0] == "1 event received, 1 new\n"
    assert numbers(store) == [1]


def test_a_body_that_does_not_come_is_given_up(tmp_path: Path, store: Path) -> None:
    with receiving(tmp_path) as receiver:
        said = receiver.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert said.startswith(b"HTTP/1.1 408 ")
        assert said.endswith(b"\r\n\r\nthe body was not there after 20 seconds\n")


def test_half_bodies_do_not_fill_the_memory(tmp_path: Path, store: Path) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n"
    with receiving(tmp_path) as receiver, receiver.connections(12) as clients, ThreadPoolExecutor(12) as senders:

        def send(client: socket.socket) -> bytes:
            with suppress(ConnectionError):
                client.sendall(head + b" " * 7_000_000)
                return client.recv(100)
            return b""

        answers = [one.partition(b"\r\n")[0] for one in senders.map(send, clients)]
        assert b"HTTP/1.1 503 Service Unavailable" in answers  # The others wait until their time is over.
        assert b"HTTP/1.1 408 Request Timeout" in answers
        assert receiver.ask(line(1)) == (200, "1 kept\n")
    assert numbers(store) == [1]


def test_too_many_connections_are_put_off(tmp_path: Path, store: Path) -> None:
    with receiving(tmp_path) as receiver:
        with receiver.connections(700) as held:
            assert held[-1].recv(100).startswith(b"HTTP/1.1 503 ")
        until(lambda: receiver.ask(line(1))[0] == 200)
    assert numbers(store) == [1]


def test_a_torn_line_of_the_spool_is_dropped_and_the_others_are_not(tmp_path: Path, store: Path) -> None:
    folder = Path(f"{store}.spool")
    spool = Spool(str(folder))
    spool.append([line(1).strip(), line(2).strip()])
    spool.close()
    (torn,) = folder.glob("*.events")
    with torn.open("ab") as stream:
        stream.write(line(3)[:-20])
    with receiving(tmp_path) as receiver:
        assert receiver.ask(line(4))[0] == 200
    assert numbers(store) == [1, 2, 4]


def test_a_crash_between_the_history_and_the_spool_doubles_nothing(tmp_path: Path, store: Path) -> None:
    (tmp_path / "timeless.json").write_text('{"evt.type": "execve", "proc.name": "sh"}\n', encoding="utf-8")
    data = lines(0, 10) + (tmp_path / "timeless.json").read_bytes()
    assert run(tmp_path, "import", "-", input=data)[1] == "11 events read, 11 new\n"
    spool = Spool(f"{store}.spool")  # What is in the history is in the spool still.
    spool.append(data.splitlines())
    spool.close()
    with receiving(tmp_path) as receiver:
        receiver.process.send_signal(signal.SIGTERM)
        assert receiver.process.communicate(timeout=120)[0] == "0 events received, 0 new\n"
    assert os.listdir(f"{store}.spool") == ["lock"]


def test_the_spool_begins_new_files_by_size_and_gives_back_what_it_got(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "spool"), segment=5_000)
    for number in range(100):
        spool.append([line(number).strip()])
    size = spool.size
    paths = spool.seal()
    assert len(paths) > 3
    assert b"".join(piece for path in paths for piece in pieces_of(path)) == lines(0, 100)
    assert size == sum(map(os.path.getsize, paths))
    for path in paths:
        spool.remove(path)
    assert (spool.size, spool.empty, spool.seal()) == (0, True, [])
    spool.append([b"x"])
    assert spool.seal() > paths[-1:]  # A name is not used again.
    spool.close()

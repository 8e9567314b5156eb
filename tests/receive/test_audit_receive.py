"""`falcokit audit receive` and `send` as real processes on loopback: from events over the wire to alerts, printed and stored."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "history"))
from real import environment, until

from falcokit.audit.events import batch, events_of
from falcokit.audit.samples import SAMPLES, sample
from falcokit.history.store import open_to_read
from falcokit.receive.audit import MAX_BATCH

AUDIT = [sys.executable, "-m", "falcokit", "audit"]
TOKEN = "correct-horse-battery"
EXPECTED = {one.rule for one in SAMPLES if one.rule and not one.needs}
Answer = tuple[int, str]


def body_of(name: str, seed: int = 0) -> bytes:
    one = sample(name)
    assert one is not None
    return batch(events_of(one, seed))


class Receiver:
    """A running receiver: what it prints goes to a file."""

    def __init__(self, process: subprocess.Popen[str], port: int, out: Path) -> None:
        self.process = process
        self.port = port
        self.out = out
        self.said = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/k8s-audit"

    def ask(self, body: bytes = b"", path: str = "/k8s-audit", method: str = "POST", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            sent = {"Content-Type": "application/json"} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            found = b""
            with suppress(ConnectionError):
                while piece := connection.recv(65_536):
                    found += piece
            return found

    def printed(self) -> list[str]:
        return self.out.read_text().splitlines()

    def rules(self) -> list[str]:
        return [json.loads(line)["rule"] for line in self.printed()]


@contextmanager
def receiving(folder: Path, *options: str, by: int | None = signal.SIGTERM, **more: str) -> Iterator[Receiver]:
    out = folder / "alerts"
    with out.open("a") as stream, subprocess.Popen(
        [*AUDIT, "receive", "--listen", "127.0.0.1:0", *options], cwd=folder, env=environment(folder, **more),
        stdout=stream, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            first = process.stderr.readline()
            assert "listening on http" in first, first + process.stderr.read()
            receiver = Receiver(process, int(first.partition("/k8s-audit")[0].rpartition(":")[2]), out)
            yield receiver
            if by is not None:
                process.send_signal(by)
            _, receiver.said = process.communicate(timeout=120)
            assert "Traceback" not in receiver.said
            assert TOKEN not in receiver.said
            assert process.returncode == (-signal.SIGKILL if by == signal.SIGKILL else 0), receiver.said
        finally:
            process.kill()


def send(folder: Path, *arguments: str, **more: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*AUDIT, "send", *arguments], cwd=folder, env=environment(folder, **more), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def stored(store: Path) -> list[tuple[str, str]]:
    """Rules and sources in a history."""
    with open_to_read(str(store), 60.0) as history:
        return sorted((rule or "", source or "") for rule, source in history.all("SELECT rule, source FROM events"))


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_every_sample_sent_fires_its_rule_which_is_printed_and_stored(tmp_path: Path, by: int) -> None:
    store = tmp_path / "events.duckdb"
    with receiving(tmp_path, "--format", "json", "--store", str(store), by=by) as receiver:
        code, out, err = send(tmp_path, receiver.url, "--all", "--seed", "1")
        assert (code, err) == (0, "")
        assert f"{len(SAMPLES)} accepted\n" in out
        assert len(EXPECTED) >= 20
        assert set(receiver.rules()) == EXPECTED
        once = receiver.rules()
        assert send(tmp_path, receiver.url, "--all", "--seed", "1")[0] == 0
        assert receiver.rules() == once * 2
    assert f"rules fired on {2 * len(once)}, {len(once)} new in the history" in receiver.said
    assert stored(store) == sorted((rule, "k8s_audit") for rule in once)


def test_alerts_are_falcos_and_the_rules_the_users(tmp_path: Path) -> None:
    rules = tmp_path / "mine.yaml"
    rules.write_text("- rule: Pods\n  desc: d\n  condition: ka.verb = create and ka.target.resource = pods\n  output: 'pod %ka.target.name by %ka.user.name'\n"
                     "  priority: WARNING\n  source: k8s_audit\n")  # fmt: skip
    with receiving(tmp_path, "--no-defaults", "--rules", str(rules)) as receiver:
        assert receiver.ask(body_of("pod-created")) == (200, "2 received, rules fired on 2\n")
        (first, second) = receiver.printed()
        assert first.endswith(": Warning pod <NA> by system:serviceaccount:delivery:deployer")
        assert second.endswith(": Warning pod web-1 by system:serviceaccount:delivery:deployer")


def test_events_are_kept_as_they_can_be_read_again(tmp_path: Path) -> None:
    store = tmp_path / "events.duckdb"
    with receiving(tmp_path, "--store", str(store), "--keep", "all") as receiver:
        assert receiver.ask(body_of("exec"))[0] == 200
    rows = stored(store)
    assert rows == [("", "k8s_audit")] * 3 + [("Attach/Exec Pod", "k8s_audit"), ("Disallowed K8s User", "k8s_audit")]
    with open_to_read(str(store), 60.0) as history:
        raw = [json.loads(text) for (text,) in history.all("SELECT raw FROM events WHERE rule IS NULL")]
    assert {event["kind"] for event in raw} == {"Event"}
    assert {event["stage"] for event in raw} == {"RequestReceived", "ResponseStarted", "ResponseComplete"}


def test_it_stops_after_as_many_events_as_it_is_told(tmp_path: Path) -> None:
    with receiving(tmp_path, "--once", "3", by=None) as receiver:
        assert receiver.ask(body_of("secret-read"))[0] == 200
        assert receiver.ask(body_of("secret-refused"))[0] == 200
    assert "4 events received, rules fired on 2" in receiver.said


def test_what_a_killed_run_acknowledged_is_stored_once_by_the_next(tmp_path: Path) -> None:
    store = tmp_path / "events.duckdb"
    with receiving(tmp_path, "--store", str(store), by=signal.SIGKILL) as receiver:
        for seed in range(40):
            assert receiver.ask(body_of("secret-read", seed))[0] == 200
    with receiving(tmp_path, "--store", str(store)) as receiver:
        # The last list was not acknowledged as far as the API server knows: it comes again.
        assert receiver.ask(body_of("secret-read", 39))[0] == 200
        assert receiver.ask(body_of("secret-read", 40))[0] == 200
    assert stored(store) == [("K8s Secret Get Successfully", "k8s_audit")] * 41
    assert not list(Path(f"{store}.audit-spool").glob("*.events"))


def test_nobody_who_reads_ends_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*AUDIT, "receive", "--listen", "127.0.0.1:0"], cwd=tmp_path, env=environment(tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stderr is not None
            assert process.stdout is not None
            port = int(process.stderr.readline().partition("/k8s-audit")[0].rpartition(":")[2])
            process.stdout.close()
            assert Receiver(process, port, tmp_path).ask(body_of("secret-read"))[0] == 200
            assert process.wait(60) == 1
            assert "nobody reads the alerts any more" in process.stderr.read()
        finally:
            process.kill()


def test_bodies_and_requests_that_are_none(tmp_path: Path) -> None:
    good = body_of("secret-read")
    with receiving(tmp_path) as receiver:
        assert receiver.ask(method="GET", path="/healthz") == (200, "ok\n")
        assert receiver.ask(good, path="/")[0] == 404
        assert receiver.ask(good, path="/k8s_audit") == (404, "events are taken at /k8s-audit\n")
        assert receiver.ask(good, method="PUT")[0] == 405
        assert receiver.ask(good, Content_Type="text/plain")[0] == 400
        assert receiver.ask(good, Content_Encoding="gzip")[0] == 415
        assert receiver.ask(good, Origin="http://evil.example")[0] == 403
        for body in (
            b"", b"{", b"null", b"[]", b"{}", b'"text"', b"\xff\xfe", b"\0", good[:-20], b"[" * 100_000, b'{"a":' * 100_000,
            b'{"kind":"EventList","items":[]}', b'{"kind":"EventList","items":{"a":1}}', b'{"kind":"Event"}',
            b'{"kind":"Event","stageTimestamp":"yesterday"}', b'{"kind":"Pod","stageTimestamp":"2026-01-01T00:00:00Z"}',
        ):  # fmt: skip
            assert receiver.ask(body)[0] == 400, body[:40]
        assert receiver.ask(b"x" * (MAX_BATCH + 1))[0] == 413
        assert (
            receiver.raw(
                b"POST /k8s-audit HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
            ).split()[1]
            == b"413"
        )
        assert receiver.raw(b"\x16\x03\x01\x02\x00nonsense\r\n\r\n").split()[1] == b"400"
        assert (
            receiver.raw(
                b"POST /k8s-audit HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
            ).split()[1]
            == b"400"
        )
        strange = {"kind": "Event", "auditID": [1], "verb": {"a": 1}, "stageTimestamp": "2026-01-01T00:00:00Z", "user": "\x1b[2J",
                   "objectRef": {"resource": 7}, "responseStatus": {"code": "\x1b[31m\n"}, "stage": "ResponseComplete"}  # fmt: skip
        assert receiver.ask(json.dumps(strange).encode())[0] == 200
        assert receiver.printed() == []
        assert receiver.ask(good) == (200, "2 received, rules fired on 1\n")
        event = events_of(next(one for one in SAMPLES if one.name == "secret-read"))[1]
        event["user"]["username"] = "\x1b[2J\u202ehidden\nname"
        assert receiver.ask(json.dumps(event).encode())[0] == 200
        assert receiver.ask(json.dumps([event, event]).encode())[0] == 200
        assert len(receiver.printed()) == 4
        assert "\x1b" not in receiver.out.read_text()


def test_a_batch_as_large_as_an_api_server_sends(tmp_path: Path) -> None:
    event = events_of(next(one for one in SAMPLES if one.name == "secret-read"))[1]
    event["annotations"]["filler"] = "x" * 100_000
    body = batch([event] * 104)
    assert 10_000_000 < len(body) < MAX_BATCH
    with receiving(tmp_path) as receiver:
        assert receiver.ask(body) == (200, "104 received, rules fired on 104\n")


def test_a_token(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    with receiving(tmp_path, "--token-file", str(token)) as receiver:
        assert receiver.ask(body_of("exec"))[0] == 401
        assert receiver.ask(body_of("exec"), Authorization="Bearer other")[0] == 401
        assert receiver.ask(body_of("exec"), Authorization=f"Bearer {TOKEN}")[0] == 200
        code, out, err = send(tmp_path, receiver.url, "exec")
        assert (code, err) == (1, "")
        assert "refused  exec" in out
        code, out, err = send(tmp_path, receiver.url, "exec", "--token-file", str(token))
        assert code == 0
        assert TOKEN not in out + err
        assert send(tmp_path, receiver.url, "exec", FALCOKIT_TOKEN=TOKEN)[0] == 0


def certificate(folder: Path, name: str) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file, as the plugin takes them."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(pem)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    both = folder / f"{name}-both.pem"
    both.write_text(key.read_text() + pem.read_text())
    return both


def test_tls(tmp_path: Path) -> None:
    own, other = certificate(tmp_path, "receiver"), certificate(tmp_path, "other")
    with receiving(tmp_path, "--cert", str(own)) as receiver:
        url = receiver.url.replace("http:", "https:")
        code, out, _ = send(tmp_path, url, "exec", "--ca", str(tmp_path / "receiver.pem"))
        assert (code, "accepted exec" in out) == (0, True)
        code, out, _ = send(tmp_path, url, "exec", "--ca", str(tmp_path / "other.pem"))
        assert (code, "failed   exec" in out, "the certificate is not believed" in out) == (1, True, True)
        code, out, _ = send(tmp_path, receiver.url, "exec")
        assert (code, "failed   exec" in out) == (1, True)
        code, _, err = send(tmp_path, url, "exec", "--ca", str(tmp_path / "receiver.key"))
        assert (code, err.count("\n")) == (2, 1)
        code, _, err = send(tmp_path, url, "exec", "--ca", str(tmp_path / "receiver.pem"), "--cert", str(tmp_path / "receiver.pem"),
                            "--key", str(tmp_path / "other.key"))  # fmt: skip
        assert (code, "do not fit" in err) == (2, True)
        assert other.exists()
        # A connection that never shakes hands keeps nobody out.
        with socket.create_connection(("127.0.0.1", receiver.port)):
            context = ssl.create_default_context(cafile=str(tmp_path / "receiver.pem"))
            connection = http.client.HTTPSConnection("127.0.0.1", receiver.port, context=context, timeout=60)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            connection.close()


@contextmanager
def answering(status: int, end: bytes = b"", **headers: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server of somebody else: its address, and what it was asked."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers["Content-Type"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"\x1b[2Jlook here " + self.headers.get("Authorization", "").encode() + end)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_redirects_are_not_followed_and_answers_are_no_commands(tmp_path: Path) -> None:
    with answering(307, Location="/elsewhere") as (url, asked):
        code, out, _ = send(tmp_path, f"{url}/k8s_audit?x=1", "exec", "attach")
        assert code == 1
        assert out.count("refused  ") == 2
        assert "\x1b" not in out
        assert asked == [("/k8s_audit?x=1", "application/json")] * 2


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_token_that_an_answer_repeats_is_not_printed(tmp_path: Path, format: str) -> None:
    # The second time the token is cut off where reading of the answer ends.
    end = b"x" * (4096 - len(f"\x1b[2Jlook here Bearer {TOKEN}") - 10) + TOKEN.encode()
    with answering(500, end) as (url, asked):
        code, out, err = send(tmp_path, f"{url}/", "exec", "--format", format, FALCOKIT_TOKEN=TOKEN)
    assert (code, len(asked)) == (1, 1)
    assert "look here Bearer ..." in out
    assert TOKEN[:8] not in out + err


def test_who_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, out, _ = send(
            tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}/", "exec", "attach", "--timeout", "0.3"
        )
        assert code == 1
        assert "no answer within 0.3 seconds" in out
        assert "attach" not in out


def test_events_of_files_are_sent_in_lists(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    events = [event for seed in range(5) for event in events_of(SAMPLES[0], seed)]
    log.write_text("".join(json.dumps(event) + "\n" for event in events) + "no event\n")
    with receiving(tmp_path) as receiver:
        code, out, err = send(tmp_path, receiver.url, "--file", str(log), "--batch-size", "4")
        assert code == 1, "a line is no event"
        assert out.count("accepted ") == 3
        assert f"{log}:11: " in err
        until(lambda: len(receiver.printed()) == 5)


def test_an_address_that_is_taken_and_a_spool_that_is_in_use(tmp_path: Path) -> None:
    store = tmp_path / "events.duckdb"
    with receiving(tmp_path, "--store", str(store)) as receiver:
        for options in (["--listen", f"127.0.0.1:{receiver.port}"], ["--listen", "127.0.0.1:0", "--store", str(store)]):
            done = subprocess.run([*AUDIT, "receive", *options], env=environment(tmp_path), capture_output=True, text=True, check=False, timeout=120)  # fmt: skip
            assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done.stderr
    assert os.listdir(f"{store}.audit-spool") == ["lock"]

"""`falcokit forward run`, `status` and `test` as a user runs them."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from kit import (
    FORWARD,
    configured,
    environment,
    events,
    forward,
    free_port,
    integration,
    line,
    lines,
    number_of,
    running,
    until,
)

from falcokit.history.store import open_to_write


def file_to(folder: Path, name: str = "out", **more: Any) -> dict[str, Any]:
    """An integration that writes a file, and what integrations have beside options."""
    return integration(name, "file", str(folder / f"{name}.json")) | more


def numbers(path: Path) -> list[int]:
    """The numbers of the alerts in a file that is forwarded to; what was written of a line so far is not read."""
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return [number_of(json.loads(one)) for one in whole.splitlines()]


def lines_in(path: Path) -> int:
    """How many lines a file has that may be there."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def dead(name: str = "dead", **options: Any) -> dict[str, Any]:
    """An integration whose receiver is down."""
    return integration(name, "webhook", f"http://127.0.0.1:{free_port()}/hook", **options)


def test_what_was_forwarded_is_not_forwarded_again(tmp_path: Path) -> None:
    log = tmp_path / "events.json"
    log.write_bytes(lines(0, 3))
    config = configured(tmp_path, file_to(tmp_path))
    assert forward(tmp_path, "run", "events.json", "--once", "--config", config) == (0, "out: 3 read, 3 sent\n", "falcokit: forwarding events.json to out\n")  # fmt: skip
    os.rename(log, tmp_path / "events.json.1")
    log.write_bytes(lines(3, 5))
    assert forward(tmp_path, "run", "events.json", "--once", "--config", config)[1] == "out: 2 read, 2 sent\n"
    assert numbers(tmp_path / "out.json") == [0, 1, 2, 3, 4]
    assert (tmp_path / "out.json").stat().st_mode & 0o777 == 0o600


def test_a_log_is_followed(tmp_path: Path) -> None:
    log, out = tmp_path / "events.json", tmp_path / "out.json"
    log.write_bytes(line(0))
    with running(tmp_path, "run", "events.json", "--config", configured(tmp_path, file_to(tmp_path))) as run:
        until(lambda: numbers(out) == [0])
        with open(log, "ab") as file:
            file.write(lines(1, 3))
        until(lambda: numbers(out) == [0, 1, 2])
        os.rename(log, tmp_path / "events.json.1")
        log.write_bytes(line(3))
        until(lambda: numbers(out) == [0, 1, 2, 3])
        assert run.end() == 0
    assert run.said == "falcokit: forwarding events.json to out; Ctrl-C ends it\n"


def test_standard_input_in_every_form(tmp_path: Path) -> None:
    document = [json.loads(line(number)) for number in range(3)]
    config = configured(tmp_path, file_to(tmp_path))
    done = forward(tmp_path, "run", "-", "--once", "--config", config, input=json.dumps(document, indent=2).encode())
    assert done[:2] == (0, "out: 3 read, 3 sent\n")
    text = b"12:00:00.000000001: Warning A shell (number=9)\ngarbage\n"
    code, out, err = forward(tmp_path, "run", "-", "--once", "--config", config, input=text)
    assert (code, out) == (1, "out: 1 read, 1 sent, 1 unreadable\n")
    assert "<stdin>:2: neither JSON nor an alert" in err


def test_the_history_is_forwarded_as_it_is_filled(tmp_path: Path) -> None:
    store, out = tmp_path / "history.duckdb", tmp_path / "out.json"
    with open_to_write(str(store)) as history:
        history.add(events(lines(10, 13)))
    config = configured(tmp_path, file_to(tmp_path))
    arguments = ("run", "--store", store, "--once", "--config", config)
    assert forward(tmp_path, *arguments)[1] == "out: 3 read, 3 sent\n"
    with open_to_write(str(store)) as history:
        history.add(events(lines(0, 2)))  # Older ones, put in later.
    assert forward(tmp_path, *arguments)[1] == "out: 2 read, 2 sent\n"
    with open_to_write(str(store)) as history:
        history.drop_before(events(line(1))[0].time or 0)
        history.add(events(lines(20, 21)))
    assert forward(tmp_path, *arguments)[1] == "out: 1 read, 1 sent\n"
    assert numbers(out) == [10, 11, 12, 0, 1, 20]
    with running(tmp_path, "run", "--store", store, "--config", config) as run:
        with open_to_write(str(store)) as history:
            history.add(events(lines(30, 32)))
        until(lambda: numbers(out)[6:] == [30, 31])
        assert run.end() == 0


def test_a_receiver_that_is_down_holds_up_no_other(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 2000))
    config = configured(tmp_path, dead(), file_to(tmp_path))
    with running(tmp_path, "run", "events.json", "--config", config) as run:
        until(lambda: len(numbers(tmp_path / "out.json")) == 2000)
        until(lambda: "connection refused; trying again" in run.said)
        until(lambda: forward(tmp_path, "status", "--config", config)[0] == 1)
        out = forward(tmp_path, "status", "--config", config)[1]
        assert "dead (webhook): running" in out
        assert "connection refused" in out
        assert run.end() == 1
    code, out, _ = forward(tmp_path, "status", "--config", config, "--format", "json")
    found = {one["name"]: one for one in json.loads(out)["integrations"]}
    assert (code, found["out"]["running"], found["out"]["counts"]["acknowledged"], found["dead"]["counts"]["sent"]) == (1, False, 2000, 0)  # fmt: skip


def test_a_receiver_that_is_down_for_the_whole_run_costs_no_memory(tmp_path: Path) -> None:
    """Of 40 MB of events no more is held than a run with few needs, and a tenth."""
    peaks = []
    for count in (100, 60_000):
        (tmp_path / "events.json").write_bytes(lines(0, count))
        config = configured(tmp_path, dead(), file_to(tmp_path))
        state = tmp_path / f"state{count}"
        (tmp_path / "out.json").unlink(missing_ok=True)
        with running(tmp_path, "run", "events.json", "--config", config, "--state", state) as run:
            until(lambda: lines_in(tmp_path / "out.json") == count)  # noqa: B023  # used up here
            status = Path(f"/proc/{run.process.pid}/status").read_text(encoding="ascii")
            peaks.append(int(status.partition("VmHWM:")[2].split()[0]))
            run.end()
    assert peaks[1] < peaks[0] + 40_000, peaks


def test_standard_input_has_a_limit_on_disk(tmp_path: Path) -> None:
    """What has no room is refused for the one that is down, told and counted; the other gets everything."""
    config = configured(tmp_path, dead(spool=1), file_to(tmp_path))
    with running(tmp_path, "run", "-", "--config", config, stdin=subprocess.PIPE) as run:
        assert run.process.stdin is not None
        run.process.stdin.write(lines(0, 6000))
        run.process.stdin.close()
        until(lambda: len(numbers(tmp_path / "out.json")) == 6000)
        until(lambda: "dead: its spool is full: events are dropped, and counted, until there is room" in run.said)
        spool = tmp_path / "XDG_STATE_HOME/falcokit/forward/dead/spool"
        kept = [one for part in sorted(spool.iterdir()) for one in events(part.read_bytes())]
        assert sum(part.stat().st_size for part in spool.iterdir()) <= 1 << 20
        # The oldest are kept.
        assert [one.fields["proc.pid"] for one in kept] == list(range(len(kept)))
        until(lambda: json.loads(forward(tmp_path, "status", "--config", config, "--format", "json")[1])["integrations"][0]["counts"]["dropped"] == 6000 - len(kept))  # fmt: skip
        assert run.end() == 1


def test_standard_input_can_be_held_up_instead(tmp_path: Path) -> None:
    config = configured(tmp_path, dead(spool=1))
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with (
        os.fdopen(reader, "rb") as stdin,
        running(tmp_path, "run", "-", "--wait", "--config", config, stdin=stdin) as run,
    ):
        written, data = 0, lines(0, 10_000)

        def is_held_up() -> bool:
            nonlocal written
            try:
                written += os.write(writer, data[written : written + 65_536])
            except BlockingIOError:
                return written > 1 << 20
            return False

        until(is_held_up)
        assert written < 3 << 20
        run.end()
    os.close(writer)
    assert "dropped" not in run.said


def test_filter_duplicates_and_rate(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 6) + line(6, rule="Other", output="12:00:00.1: Warning Other"))
    config = configured(
        tmp_path,
        file_to(tmp_path, "one", filter="proc.pid in (2, 4)"),
        file_to(tmp_path, "two", dedup=3600),
        file_to(tmp_path, "three", rate=1000),
        file_to(tmp_path, "four", enabled=False),
    )
    code, out, _ = forward(tmp_path, "run", "events.json", "--once", "--config", config)
    assert (code, out.splitlines()[0]) == (0, "one: 7 read, 2 sent, 5 filtered")
    assert numbers(tmp_path / "one.json") == [2, 4]
    assert numbers(tmp_path / "three.json") == list(range(7))
    # The number in an output tells one event from another, unless it is made up for it.
    assert numbers(tmp_path / "two.json")[-1] == 6
    assert not (tmp_path / "four.json").exists()


def test_rules_and_priorities(tmp_path: Path) -> None:
    log = tmp_path / "log"
    named = [("Terminal shell", "Notice"), ("Read file", "Critical"), ("Terminal other", "Error"), ("Write", "Warning")]
    log.write_bytes(b"".join(line(number, rule=rule, priority=priority) for number, (rule, priority) in enumerate(named)))  # fmt: skip
    config = configured(
        tmp_path,
        file_to(tmp_path, "rules", options={"rules": "Terminal *, Write"}),
        file_to(tmp_path, "urgent", options={"priority": "error"}),
        file_to(tmp_path, "both", options={"priority": "error", "rules": "Terminal *"}),
    )
    code, _, err = forward(tmp_path, "run", log, "--once", "--config", config)
    assert code == 0, err
    found = [numbers(tmp_path / f"{name}.json") for name in ("rules", "urgent", "both")]
    assert found == [[0, 2, 3], [1, 2], [2]]


def test_dry_run_sends_and_remembers_nothing(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(line(1, output="\x1b[31m evil") + line(2))
    port = free_port()
    config = configured(
        tmp_path, file_to(tmp_path), integration("siem", "syslog", f"127.0.0.1:{port}", transport="tcp")
    )
    code, out, err = forward(tmp_path, "run", "events.json", "--dry-run", "--config", config, "--only", "siem")
    assert (code, err) == (0, f"falcokit: siem: 2 events would go to 127.0.0.1:{port}; nothing was sent\n")
    assert out.startswith("<12>1 2026-11-01T00:00:01.000000Z node-1 falco - Terminal_shell [")
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2
    assert not (tmp_path / "XDG_STATE_HOME").exists()
    assert not (tmp_path / "out.json").exists()


def test_numbers_for_prometheus(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 5))
    port = free_port()
    config = configured(tmp_path, file_to(tmp_path), dead("down today"))
    with running(tmp_path, "run", "events.json", "--config", config, "--metrics", f"127.0.0.1:{port}") as run:

        def ask(path: str = "/metrics", host: str = "127.0.0.1", method: str = "GET") -> tuple[int, str]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request(method, path, headers={"Host": f"{host}:{port}"})
            answer = connection.getresponse()
            found = answer.status, answer.read().decode()
            connection.close()
            return found

        until(lambda: 'falcokit_forward_acknowledged_total{integration="out"} 5' in ask()[1])
        until(lambda: 'falcokit_forward_up{integration="down today"} 0' in ask()[1])
        text = ask()[1]
        assert "# TYPE falcokit_forward_read_total counter" in text
        assert 'falcokit_forward_queue_bytes{integration="out"} 0\n' in text
        assert ask("/")[0] == 404
        assert ask(method="POST")[0] == 405
        assert ask(host="evil.example")[0] == 403
        run.end()
    for wrong, told in (("0.0.0.0:0", "metrics are for this machine only"), ("nonsense", "--metrics takes HOST:PORT")):
        code, _, err = forward(tmp_path, "run", "events.json", "--once", "--config", config, "--metrics", wrong)
        assert code == 2
        assert told in err


def test_a_run_that_is_held_by_another(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 5))
    config = configured(tmp_path, file_to(tmp_path))
    with running(tmp_path, "run", "events.json", "--config", config) as run:
        code, _, err = forward(tmp_path, "run", "events.json", "--once", "--config", config)
        assert (code, "another falcokit forwards" in err) == (2, True)
        run.end()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say what to forward: files of events, - for standard input, or --store for a history"),
        (("events.json", "--store", "x"), "say what to forward"),
        (("packed.json",), "cannot follow packed.json: it is compressed; unpack it into standard input"),
        (("/dev/null",), "cannot follow /dev/null: it is no plain file; hand it over on standard input"),
        (("missing.json",), "cannot read missing.json: there is no such file"),
        (("events.json", "--config", "missing"), "cannot read missing: there is no such file"),
        (("events.json", "--only", "ouy"), "there is no integration 'ouy'"),
        (("events.json", "--only", "off"), "'off' is disabled: falcokit forward enable 'off'"),
        (("--store", "missing.duckdb"), "there is no history at missing.duckdb"),
        (("events.json", "--config", "open.json"), "is open to others"),
        (("events.json", "--only", "keyless"), "its token"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 1))
    (tmp_path / "packed.json").write_bytes(gzip.compress(lines(0, 1)))
    (tmp_path / "open.json").write_text('{"version": 1, "integrations": []}', encoding="utf-8")
    (tmp_path / "open.json").chmod(0o644)
    keyless = integration("keyless", "splunk", "http://127.0.0.1:1", {"token": "file:/nowhere/token"})
    config = configured(tmp_path, file_to(tmp_path), file_to(tmp_path, "off", enabled=False), keyless)
    given = arguments if "--config" in arguments else (*arguments, "--config", config)
    if "keyless" in arguments:
        code, _, err = forward(tmp_path, "test", "keyless", "--config", config)
        assert (code, told in err) == (1, True)
        return
    code, out, err = forward(tmp_path, "run", *given)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_standard_output_has_events_only(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 2))
    config = configured(tmp_path, integration("out", "file", "-", message="cef"))
    code, out, err = forward(tmp_path, "run", "events.json", "--once", "--config", config)
    assert (code, [one[:6] for one in out.splitlines()]) == (0, ["CEF:0|", "CEF:0|"])
    assert err.endswith("out: 2 read, 2 sent\n")


def test_who_reads_standard_output_can_go_away(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 2000))
    config = configured(tmp_path, integration("out", "file", "-", batch=10))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*FORWARD, "run", "events.json", "--config", str(config)], cwd=tmp_path, env=environment(tmp_path),
        stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip
    os.close(writer)
    assert done.returncode == 1
    assert "falcokit: out: it had to stop: nobody reads standard output any more\n" in done.stderr
    assert forward(tmp_path, "run", "events.json", "--once", "--config", config)[2].endswith(
        "out: 2000 read, 2000 sent\n"
    )


def test_a_syslog_receiver_that_talks_or_takes_nothing(tmp_path: Path) -> None:
    """One never ends talking, one never reads: both are told, and the run ends when it is told to."""
    (tmp_path / "events.json").write_bytes(lines(0, 20_000))
    with socket.create_server(("127.0.0.1", 0)) as talker, socket.create_server(("127.0.0.1", 0)) as sleeper:
        ended = threading.Event()

        def talk() -> None:
            while not ended.is_set():
                connection, _ = talker.accept()
                try:
                    while not ended.is_set():
                        connection.sendall(b"x" * 65_536)
                except OSError:
                    pass
                connection.close()

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        ports = [one.getsockname()[1] for one in (talker, sleeper)]
        made = [integration(name, "syslog", f"127.0.0.1:{port}", transport="tcp", timeout=0.5) for name, port in zip(("talker", "sleeper"), ports, strict=True)]  # fmt: skip
        with running(tmp_path, "run", "events.json", "--config", configured(tmp_path, *made)) as run:
            until(lambda: "talks without end" in run.said)
            until(lambda: "it takes nothing" in run.said)
            run.end()
        ended.set()


def test_help_is_there() -> None:
    done = subprocess.run(
        [*FORWARD, "run", "--help"], capture_output=True, text=True, check=True, env=environment(Path("/"))
    )
    assert "Exit codes:" in done.stdout

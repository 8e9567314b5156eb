"""What goes wrong with one integration is told at once, holds up no other, and is still to be seen when the run has ended."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from aiohttp import web
from kit import configured, events, forward, free_port, integration, line, lines, number_of, running, until
from stand_in import KEY, StandIn, answer

from falcokit.deliver.state import Refusals

STATE = "XDG_STATE_HOME/falcokit/forward"


def file_to(folder: Path, name: str = "out") -> dict[str, Any]:
    return integration(name, "file", str(folder / f"{name}.json"))


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def metrics(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/metrics")
    found = connection.getresponse().read().decode()
    connection.close()
    return found


def without_authority(folder: Path) -> dict[str, Any]:
    return integration("ill", "webhook", "https://127.0.0.1:9", ca=str(folder / "missing.pem"))


def damaged(folder: Path) -> dict[str, Any]:
    (folder / STATE / "ill").mkdir(parents=True)
    (folder / STATE / "ill/position.json").write_text("x", encoding="utf-8")
    return file_to(folder, "ill")


def without_output(folder: Path) -> dict[str, Any]:
    return integration("ill", "file", "-")


@pytest.mark.parametrize(
    ("ill", "told"),
    [
        (without_authority, "missing.pem has no certificates to trust (no such file or directory)"),
        (damaged, "position.json is damaged: remove it, and all is sent from the beginning"),
        (without_output, "cannot write -: standard output is closed"),
    ],
)
def test_one_that_cannot_begin_holds_up_no_other(tmp_path: Path, ill: Any, told: str) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 5))
    bad = ill(tmp_path)
    config = configured(tmp_path, bad, file_to(tmp_path))
    port = free_port()
    arguments = ("run", "events.json", "--config", config)
    with running(tmp_path, *arguments, "--metrics", f"127.0.0.1:{port}", before="exec >&-") as run:
        until(lambda: lines_in(tmp_path / "out.json") == 5)
        assert "falcokit: ill: it cannot begin: " in run.said
        assert told in run.said
        found = metrics(port)
        assert 'falcokit_forward_up{integration="ill"} 0' in found
        assert 'falcokit_forward_up{integration="out"} 1' in found
        code, out, _ = forward(tmp_path, "status", "--config", config)
        assert (code, told in out) == (1, True)
        assert run.end() == 1
    with running(tmp_path, *arguments, "--only", "ill", before="exec >&-") as run:
        assert run.process.wait(timeout=60) == 2
        assert told in run.said
        assert run.said.count("\n") == 1


def test_one_that_cannot_go_on_is_told_at_once(tmp_path: Path) -> None:
    log = tmp_path / "events.json"
    log.write_bytes(lines(0, 5))
    config = configured(tmp_path, integration("gone", "file", "-"), file_to(tmp_path))
    port = free_port()
    reader, writer = os.pipe()
    os.close(reader)
    with running(tmp_path, "run", "events.json", "--config", config, "--metrics", f"127.0.0.1:{port}", stdout=writer) as run:  # fmt: skip
        os.close(writer)
        until(lambda: "gone: it had to stop: nobody reads standard output any more" in run.said)
        until(lambda: 'falcokit_forward_up{integration="gone"} 0' in metrics(port))
        until(lambda: "trouble: it had to stop" in forward(tmp_path, "status", "--config", config)[1])
        with open(log, "ab") as file:
            file.write(lines(5, 9))
        until(lambda: lines_in(tmp_path / "out.json") == 9)
        assert run.end() == 1


def test_what_nobody_could_foresee_breaks_off_and_begins_again(tmp_path: Path) -> None:
    """The folder of a spool is no folder just when a file in it is to be removed."""
    receiver = StandIn("webhook", tmp_path / "journal")
    config = configured(tmp_path, integration("it", "webhook", receiver.url, {"signing_key": "env:KEY"}, spool=1))
    spool, away = tmp_path / STATE / "it/spool", tmp_path / "away"
    receiver.answers.append(answer(503, {}, Retry_After="1"))

    def take(body: bytes) -> web.StreamResponse:
        found = json.loads(body)
        receiver.taken += found
        last = lines_in(spool / "0000000000000001.events") - 1
        if last in map(number_of, found):
            spool.rename(away)
            spool.write_text("no folder", encoding="utf-8")
        else:
            receiver.answers.append(take)
        return web.json_response({})

    receiver.answers.append(take)
    try:
        with running(tmp_path, "run", "-", "--config", config, stdin=subprocess.PIPE, KEY=KEY.decode()) as run:
            assert run.process.stdin is not None
            run.process.stdin.write(lines(0, 1500))
            run.process.stdin.flush()
            until(lambda: "it broke off: not a directory; trying again" in run.said)
            code, out, _ = forward(tmp_path, "status", "--config", config)
            assert (code, "it broke off" in out) == (1, True)
            spool.unlink()
            away.rename(spool)
            until(lambda: {number_of(one) for one in list(receiver.taken)} == set(range(1500)))
            until(lambda: "it goes on" in run.said)
            run.process.stdin.close()
            assert run.process.wait(timeout=60) == 0
            assert "Traceback" not in run.said
    finally:
        receiver.close()


def test_places_that_are_no_events_are_counted(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 2) + b"garbage\n" + line(2) + b'{"rule": "cut off\n')
    config = configured(tmp_path, file_to(tmp_path))
    code, out, _ = forward(tmp_path, "run", "events.json", "--once", "--config", config)
    assert (code, out) == (1, "out: 3 read, 3 sent, 2 unreadable\n")
    code, out, _ = forward(tmp_path, "status", "--config", config)
    assert (code, "2 unreadable" in out) == (1, True)


def test_a_line_of_a_spool_that_is_damaged_is_counted(tmp_path: Path) -> None:
    config = configured(tmp_path, integration("it", "webhook", f"http://127.0.0.1:{free_port()}/hook"))
    spool = tmp_path / STATE / "it/spool"
    with running(tmp_path, "run", "-", "--config", config, stdin=subprocess.PIPE) as run:
        assert run.process.stdin is not None
        run.process.stdin.write(lines(0, 3))
        run.process.stdin.flush()
        until(lambda: spool.exists() and sum(map(lines_in, spool.iterdir())) == 3)
        run.end()
    (part,) = spool.iterdir()
    part.write_bytes(part.read_bytes().replace(line(1), b"#" * (len(line(1)) - 1) + b"\n"))
    config = configured(tmp_path, file_to(tmp_path, "it"))
    code, out, err = forward(tmp_path, "run", "-", "--config", config, input=b"")
    assert (code, out) == (1, "it: 2 read, 2 sent, 1 unreadable\n")
    assert "0000000000000001.events" in err


def test_what_cannot_be_written_of_a_run_is_told_once_and_seen_afterwards(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 3000))
    made = file_to(tmp_path)
    config = configured(tmp_path, made | {"options": {"batch": 100}})
    arguments = ("run", "events.json", "--once", "--config", config)
    assert forward(tmp_path, *arguments)[0] == 0
    with open(tmp_path / "events.json", "ab") as file:
        file.write(lines(3000, 6000))
    for name in ("position", "status"):  # As on a disk that is full.
        (tmp_path / STATE / f"out/{name}.json.new").mkdir()
    code, out, err = forward(tmp_path, *arguments)
    assert (code, out) == (1, "out: 3000 read, 3000 sent\n")
    assert err.count("out: cannot write") == 1
    assert "delivers again" not in err
    code, out, _ = forward(tmp_path, "status", "--config", config)
    assert (code, out.splitlines()[1:]) == (1, ["  trouble: what it did could not be written: is the disk full?"])
    for name in ("position", "status"):
        (tmp_path / STATE / f"out/{name}.json.new").rmdir()
    assert forward(tmp_path, *arguments)[:2] == (0, "out: 3000 read, 3000 sent\n")
    assert forward(tmp_path, "status", "--config", config)[0] == 0


def test_a_run_that_has_written_nothing_for_long_is_told(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 3))
    config = configured(tmp_path, file_to(tmp_path))
    with running(tmp_path, "run", "events.json", "--config", config) as run:
        status = tmp_path / STATE / "out/status.json"
        until(status.exists)
        os.kill(run.process.pid, 19)  # SIGSTOP: it hangs.
        found = json.loads(status.read_bytes())
        status.write_text(json.dumps(found | {"moment": found["moment"] - 3600}), encoding="utf-8")
        code, out, _ = forward(tmp_path, "status", "--config", config)
        assert (code, "trouble: what it did was written 60m ago" in out) == (1, True)


def test_who_is_waited_for_is_told(tmp_path: Path) -> None:
    """A file on standard input waits for the slowest; ended in the middle of it, nothing is wrong with the event there."""
    (tmp_path / "many.json").write_bytes(lines(0, 6000))
    dead = integration("dead", "webhook", f"http://127.0.0.1:{free_port()}/hook", spool=1)
    config = configured(tmp_path, dead, file_to(tmp_path))
    with open(tmp_path / "many.json", "rb") as stdin, running(tmp_path, "run", "-", "--config", config, stdin=stdin) as run:  # fmt: skip
        until(lambda: "reading waits for dead, and all others with it: its spool is full" in run.said)
        assert run.end() == 1
    assert "does not end" not in run.said
    assert "standard input is not read to its end" in run.said


def test_a_run_ends_with_standard_input(tmp_path: Path) -> None:
    config = configured(tmp_path, file_to(tmp_path))
    code, out, err = forward(tmp_path, "run", "-", "-", "--config", config, input=lines(0, 5))
    assert (code, out) == (0, "out: 5 read, 5 sent\n")
    assert "falcokit: standard input has ended: the run ends when all of it is delivered\n" in err
    (tmp_path / "events.json").write_bytes(b"")
    with running(tmp_path, "run", "-", "events.json", "--config", config) as run:
        until(lambda: "falcokit: standard input has ended\n" in run.said)
        (tmp_path / "events.json").write_bytes(lines(5, 7))
        until(lambda: lines_in(tmp_path / "out.json") == 7)
        assert run.end() == 0


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(lines(0, 100))
    (tmp_path / "out.json").write_bytes(line(0))
    config = configured(tmp_path, file_to(tmp_path))
    with running(tmp_path, "run", "events.json", "--config", config, before="ulimit -f 20") as run:
        until(lambda: "cannot write" in run.said)
        assert run.end() == 1
    assert (tmp_path / "out.json").read_bytes() == line(0)
    assert forward(tmp_path, "run", "events.json", "--once", "--config", config)[1] == "out: 100 read, 100 sent\n"
    assert len(events((tmp_path / "out.json").read_bytes())) == 101


def test_what_is_refused_again_after_a_restart_is_kept_once(tmp_path: Path) -> None:
    for _ in range(2):
        refusals = Refusals(str(tmp_path))
        assert all(refusals.keep(line(number).decode()) for number in (1, 2, 1))
    assert (tmp_path / "refused.jsonl").read_bytes().count(b"\n") == 2

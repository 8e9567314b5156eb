"""`falcokit events import` and `prune` as a user runs them: killed, interrupted, with logs that rotate while it reads."""

from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from real import EVENTS, environment, line, lines, numbers, run, until

from falcokit.errors import ConfigError
from falcokit.history.store import open_to_write


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "data/falcokit/events.duckdb"


def test_events_are_imported_once_wherever_they_come_from(tmp_path: Path, store: Path) -> None:
    (tmp_path / "one.json").write_bytes(lines(0, 30))
    (tmp_path / "two.json.gz").write_bytes(gzip.compress(lines(20, 50)))
    assert run(tmp_path, "import", "one.json", "two.json.gz") == (0, "60 events read, 50 new\n", "")
    assert run(tmp_path, "import", "one.json", "two.json.gz") == (0, "60 events read, 0 new\n", "")
    assert run(tmp_path, "import", "-", input=lines(45, 51)) == (0, "6 events read, 1 new\n", "")
    assert numbers(store) == list(range(51))
    assert store.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("failing", [False, True])
def test_nothing_is_left_of_standard_input(tmp_path: Path, failing: bool) -> None:
    held = tmp_path / "while"
    held.mkdir()
    where = ("--where", "no condition (") if failing else ()
    code, _, wrong = run(tmp_path, "list", "-", *where, input=lines(0, 3), TMPDIR=str(held))
    assert code == 2 * failing
    assert ("3 of 3" in wrong) is not failing
    assert os.listdir(held) == []
    assert run(tmp_path, "list", "-", input=lines(0, 3), TMPDIR="/nonexistent")[0] == 0  # Another place is found.


@pytest.mark.parametrize("command", [("import",), ("list",)])
def test_a_disk_that_takes_no_more_is_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    import resource

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    done = subprocess.run(
        [*EVENTS, *command, "-"], cwd=tmp_path, env=environment(tmp_path, TMPDIR=str(tmp_path)), input=lines(0, 40_000), capture_output=True,
        preexec_fn=limited, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"falcokit: cannot use {tmp_path}")
    assert done.stderr.count(b"\n") == 1
    assert [one for one in os.listdir(tmp_path) if one.startswith("falcokit-")] == []


def test_what_is_no_event_is_told_and_the_rest_is_imported(tmp_path: Path, store: Path) -> None:
    (tmp_path / "bad.json").write_bytes(line(1) + b'no event \x1b[31m\n{"rule": 1\n' + line(2))
    code, out, err = run(tmp_path, "import", "bad.json")
    assert (code, out) == (1, "2 events read, 2 new; 2 skipped\n")
    assert [one.partition(" ")[2].split(": ")[0] for one in err.splitlines()] == ["bad.json:2", "bad.json:3"]
    assert "\x1b" not in err
    assert numbers(store) == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "none.json"), "cannot read none.json: there is no such file"),
        (("import", "."), "cannot read .: it is a directory"),
        (("import", "-", "-"), "standard input can be read once: give - once"),
        (("import", "-", "--follow"), "cannot follow -: --follow is for plain files"),
        (("import", "/dev/null", "--follow"), "cannot follow /dev/null: --follow is for plain files"),
        (("import", "events.json", "--store", "events.json"), "events.json is no history of falcokit, or is damaged: name another file with --store"),
        (("import", "events.json", "--store", "events.json/below"), "cannot write events.json/below: file exists"),
        (("import", "events.json", "--store", "."), "cannot use .: IO Error: Cannot open file"),
        (("prune",), "say what goes: --keep 30d, or --before 2026-11-27"),
        (("prune", "--keep", "30d", "--before", "6h"), "say what goes: --keep 30d, or --before 2026-11-27"),
        (("prune", "--keep", "soon"), "--keep takes a span such as 12h, 30d or 2w, not 'soon'"),
        (("prune", "--before", "soon"), "--before takes a time such as 2026-11-27T10:00 (UTC) or a span such as 6h, not 'soon'"),
        (("prune", "--keep", "30d"), "there is no history at "),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "events.json").write_bytes(line(1))
    code, out, err = run(tmp_path, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"falcokit: {said}")


def test_old_events_are_deleted_after_a_yes(tmp_path: Path, store: Path) -> None:
    run(tmp_path, "import", "-", input=lines(0, 60) + lines(86_400, 86_410))
    code, out, err = run(tmp_path, "prune", "--before", "2026-11-02")
    assert (code, out) == (2, "")
    assert err == "falcokit: 60 of 70 events, all from before 2026-11-02 00:00:00 UTC, would go: confirm with --yes\n"
    assert len(numbers(store)) == 70
    assert run(tmp_path, "prune", "--before", "2026-11-02", "--yes") == (0, "60 events deleted\n", "")
    assert numbers(store) == list(range(86_400, 86_410))
    code, out, _ = run(tmp_path, "prune", "--before", "2026-11-02", "--yes")
    assert (code, out) == (0, "nothing to delete: none of 10 events is from before 2026-11-02 00:00:00 UTC\n")


def test_an_import_that_is_killed_and_done_again_has_every_event_once(tmp_path: Path, store: Path) -> None:
    count = 70_000
    (tmp_path / "events.json").write_bytes(lines(0, count))
    command = [*EVENTS, "import", "events.json"]
    moments = random.Random()  # Whenever it is, nothing may be lost.
    for _ in range(6):
        with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.DEVNULL) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(moments.uniform(0.2, 2.5))
            process.kill()
        if store.exists():
            there = numbers_so_far(store)
            assert len(there) == len(set(there))
    code, out, err = run(tmp_path, "import", "events.json")
    assert (code, err) == (0, "")
    assert out.startswith(f"{count} events read, ")
    assert numbers(store) == list(range(count))


def numbers_so_far(store: Path) -> list[int]:
    try:
        return numbers(store)
    except ConfigError as error:
        # Killed before the first tables were in the file; the next run makes them.
        assert str(error).startswith(f"{store} is no history of ")
        return []


def test_an_interrupted_import_keeps_what_it_read(tmp_path: Path, store: Path) -> None:
    with subprocess.Popen(
        [*EVENTS, "import", "-"], cwd=tmp_path, env=environment(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(lines(0, 10_000))
        process.stdin.flush()
        # All but what fits into the pipe has been taken from it.
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert b"Traceback" not in err
    there = numbers(store)
    assert there == list(range(len(there)))
    assert out == f"{len(there)} events read, {len(there)} new\n".encode()
    assert len(there) > 5_000


@contextmanager
def following(folder: Path, *files: str, ends: int = 0, by: int = signal.SIGTERM) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*EVENTS, "import", "--follow", *files], cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            assert process.stderr.readline().startswith("falcokit: following ")
            yield process
            process.send_signal(by)
            _, err = process.communicate(timeout=120)
            assert "Traceback" not in err
            if by != signal.SIGKILL:
                assert process.returncode == ends, err
        finally:
            process.kill()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as stream:
        stream.write(data)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_log_that_grows_is_followed_and_gone_on_with(tmp_path: Path, store: Path, by: int) -> None:
    log = tmp_path / "events.json"
    log.write_bytes(lines(0, 5))
    with following(tmp_path, "events.json", by=by):
        until(lambda: store.exists() and numbers(store) == list(range(5)))
        append(log, line(5)[:40])  # Half a line is none yet.
        append(log, line(5)[40:] + line(6))
        until(lambda: numbers(store) == list(range(7)))
        append(log, line(7)[:-1])
    assert numbers(store) == list(range(7))
    append(log, b"\n" + line(8))
    with following(tmp_path, "events.json") as process:
        until(lambda: numbers(store) == list(range(9)))
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=120)[0] == "2 events read, 2 new\n"  # It went on where the first stopped.


def test_a_log_is_read_to_its_end_when_it_is_renamed(tmp_path: Path, store: Path) -> None:
    log, old = tmp_path / "events.json", tmp_path / "events.json.1"
    log.write_bytes(lines(0, 3))
    with following(tmp_path, "events.json"):
        until(lambda: store.exists() and len(numbers(store)) == 3)
        with log.open("ab") as writer:
            log.rename(old)
            writer.write(line(3))  # The writer has it open still.
            writer.flush()
            until(lambda: len(numbers(store)) == 4)
            log.touch()
            writer.write(line(4) + line(5)[:-1])
        append(log, line(6))
        until(lambda: numbers(store) == list(range(7)))
        old.rename(tmp_path / "events.json.2")
        log.rename(old)
        log.write_bytes(lines(7, 9))
        until(lambda: numbers(store) == list(range(9)))


def test_a_log_is_read_from_its_start_when_it_is_truncated(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "events.json"
    log.write_bytes(lines(0, 50))
    with following(tmp_path, "events.json"):
        until(lambda: store.exists() and len(numbers(store)) == 50)
        (tmp_path / "events.json-20261127").write_bytes(log.read_bytes() + lines(50, 52))
        os.truncate(log, 0)
        append(log, lines(52, 55))
        until(lambda: numbers(store) == list(range(55)))


def test_what_was_rotated_away_between_two_runs_is_read_first(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "events.json"
    log.write_bytes(lines(0, 10))
    with following(tmp_path, "events.json"):
        until(lambda: store.exists() and len(numbers(store)) == 10)
    append(log, lines(10, 20))
    log.rename(tmp_path / "events.json.2")
    os.utime(tmp_path / "events.json.2", (1_000, 1_000))
    (tmp_path / "events.json.1").write_bytes(lines(20, 30))
    log.write_bytes(lines(30, 40))
    with following(tmp_path, "events.json"):
        until(lambda: numbers(store) == list(range(40)))
    # Packed, with what was written behind the place that was reached.
    append(log, lines(40, 50))
    (tmp_path / "events.json.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    (tmp_path / "events.json.1").unlink()
    log.write_bytes(lines(50, 60))
    with following(tmp_path, "events.json"):
        until(lambda: numbers(store) == list(range(60)))
    # Gone.
    log.unlink()
    log.write_bytes(lines(60, 61))
    with following(tmp_path, "events.json", ends=1) as process:
        until(lambda: numbers(store) == list(range(61)))
        assert process.stderr is not None
        assert "it was rotated since the last run, and what it had is not beside it" in process.stderr.readline()


def test_lines_do_not_wait_for_a_new_file_that_is_empty(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "events.json"
    log.write_bytes(lines(0, 10))
    with following(tmp_path, "events.json"):
        until(lambda: store.exists() and len(numbers(store)) == 10)
        with open_to_write(str(store), 60.0):  # Whoever follows is held up.
            log.rename(tmp_path / "events.json.2")
            (tmp_path / "events.json.1").write_bytes(lines(10, 20))
            log.write_bytes(b"")
        until(lambda: numbers(store) == list(range(20)))


def test_a_log_is_known_by_another_name_too(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "events.json"
    log.write_bytes(lines(0, 10))
    with following(tmp_path, "events.json"):
        until(lambda: store.exists() and len(numbers(store)) == 10)
    (tmp_path / "link.json").symlink_to(log)
    with following(tmp_path, "link.json") as process:
        append(log, lines(10, 12))
        until(lambda: numbers(store) == list(range(12)))
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=120)[0] == "2 events read, 2 new\n"


def test_a_follower_that_is_killed_loses_nothing_and_doubles_nothing(tmp_path: Path, store: Path) -> None:
    log, other = tmp_path / "events.json", tmp_path / "other.json"
    log.write_bytes(lines(0, 1))
    other.write_bytes(b"")
    moments = random.Random()
    count = 1
    with following(tmp_path, "events.json", "other.json"):
        # A log that was rotated before anybody looked into it is not found again.
        until(lambda: store.exists() and numbers(store) == [0])
    for turn in range(5):
        with following(tmp_path, "events.json", "other.json", by=signal.SIGKILL) as process:
            for _ in range(20):
                append(log, lines(count, count + 100))
                append(other, lines(count + 100, count + 150))
                count += 150
            if turn % 2:
                log.rename(tmp_path / f"events.json.{9 - turn}")
                log.write_bytes(b"")
            with suppress(subprocess.TimeoutExpired):
                process.wait(moments.uniform(0.0, 1.0))
    with following(tmp_path, "events.json", "other.json"):
        until(lambda: len(numbers(store)) >= count)
    assert numbers(store) == list(range(count))


def test_a_follower_waits_for_whoever_has_the_history(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "events.json"
    log.write_bytes(lines(0, 3))
    with following(tmp_path, "events.json"):
        until(lambda: store.exists() and len(numbers(store)) == 3)
        with open_to_write(str(store), 60.0) as history:
            append(log, lines(3, 6))
            assert history.all("SELECT count(*) FROM events") == [(3,)]
        until(lambda: numbers(store) == list(range(6)))

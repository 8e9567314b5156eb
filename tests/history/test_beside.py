"""Events that another process reads are the same ones, and neither process outlives the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from real import EVENTS, environment, line, lines, numbers, run, until

from falcokit.history.store import open_to_read

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two processors"
)

IMPORT = """
import sys
from falcokit.event import read_events
from falcokit.history.importing import import_into
with open(sys.argv[2], "rb") as stream:
    told = []
    done = import_into(sys.argv[1], read_events(iter(lambda: stream.read(1 << 16), b""), "x"), told.append, beside=sys.argv[3] == "True")
print(done.read, done.new, [(one.line, one.reason) for one in told])
"""
ENDLESS = """
import itertools, sys
sys.path.insert(0, sys.argv[2])
from real import line
from falcokit.event import read_events
from falcokit.history.importing import import_into
try:
    done = import_into(sys.argv[1], read_events(map(line, itertools.count())), beside=True, hold=0.0)
    print(done.read, done.interrupted)
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""
FAILING = """
import sys
from falcokit.event import read_events
from falcokit.history.importing import import_into
def failing():
    yield from read_events((b'{"output": "a", "output_fields": {}, "rule": "r"}\\n',))
    raise ValueError("a bug of ours")
try:
    import_into(sys.argv[1], failing(), beside=True)
except ValueError as error:
    print(error, "in failing" in error.__notes__[0])
"""


def script(folder: Path, code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], env=environment(folder), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def rows(store: Path) -> list[tuple[object, ...]]:
    with open_to_read(str(store)) as history:
        return history.all(
            "SELECT events.* EXCLUDE (template, time), if(timed, time, 0), text FROM events JOIN templates ON template = number ORDER BY ALL"
        )


def alive(process: int) -> bool:
    with suppress(OSError):
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    return False


@contextmanager
def endless(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """An import that has no end, and the process that reads for it; some of it is in the history."""
    store = tmp_path / "history"
    with script(tmp_path, ENDLESS, store, Path(__file__).parent) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        until(lambda: bool(children.read_text()))
        child = int(children.read_text())
        until(lambda: store.exists() and bool(numbers(store)))
        try:
            yield process, child
        finally:
            for one in (process.pid, child):
                with suppress(OSError):
                    os.kill(one, signal.SIGKILL)


def test_the_history_is_the_same(tmp_path: Path) -> None:
    source = tmp_path / "events.json"
    odd = [b"no event\n", b'{"rule": "\\ud800", "output": "\\u0000 \\ud800", "output_fields": {"proc.name": 3}}\n', b'{"cut":\n', b'{"a": 1}\n',
           b'{"output": "o", "output_fields": {"proc.name": "<NA>", " fd.name ": "/x"}, "rule": "r", "time": 5, "priority": "Notice"}\n']  # fmt: skip
    source.write_bytes(b"".join(line(number) + odd[number % 50 % 6 - 1] * (number % 50 < 6) for number in range(3000)))
    said = []
    for beside in (True, False):
        process = script(tmp_path, IMPORT, tmp_path / str(beside), source, beside)
        said.append(process.communicate(timeout=120))
    assert said[0] == said[1]
    assert said[0][1] == ""
    assert said[0][0].startswith("3")
    assert rows(tmp_path / "True") == rows(tmp_path / "False") != []


def test_a_large_file_on_the_command_line(tmp_path: Path) -> None:
    source, store = tmp_path / "events.json", tmp_path / "data/falcokit/events.duckdb"
    count = (1 << 24) // len(line(0)) + 2000
    source.write_bytes(lines(0, count) + b"no event\n" + lines(0, 10))
    code, out, wrong = run(tmp_path, "import", "events.json")
    assert (code, out) == (1, f"{count + 10} events read, {count} new; 1 skipped\n")
    assert wrong == f"falcokit: events.json:{count + 1}: neither JSON nor an alert\n"
    assert numbers(store) == list(range(count))


def test_a_large_file_without_a_history(tmp_path: Path) -> None:
    count = (1 << 24) // len(line(0)) + 10
    (tmp_path / "events.json").write_bytes(lines(0, count))
    (tmp_path / "while").mkdir()
    said = run(tmp_path, "list", "events.json", "--limit", "1", TMPDIR=str(tmp_path / "while"))
    assert said[0] == 0
    assert said[2] == f"falcokit: events 1 to 1 of {count:,}; the next ones: --page 2\n"
    assert sorted(os.listdir(tmp_path)) == ["events.json", "while"]
    assert os.listdir(tmp_path / "while") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_is_left_of_a_command_that_is_ended(tmp_path: Path, number: int) -> None:
    held = tmp_path / "while"
    held.mkdir()
    with subprocess.Popen(
        [*EVENTS, "list", "-"], cwd=tmp_path, env=environment(tmp_path, TMPDIR=str(held)), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(lines(0, 20_000))
        until(lambda: os.listdir(held) != [])
        process.send_signal(number)
        _, wrong = process.communicate(timeout=60)
    assert process.returncode not in (0, -number)
    assert b"Traceback" not in wrong
    assert os.listdir(held) == []


def test_an_interrupt_keeps_what_was_read(tmp_path: Path) -> None:
    with endless(tmp_path) as (process, child):
        process.send_signal(signal.SIGINT)
        said, wrong = process.communicate(timeout=60)
        assert wrong == ""
        read, interrupted = said.split()
        assert interrupted == "True"
        found = numbers(tmp_path / "history")
        assert found == list(range(len(found)))
        assert len(found) >= int(read) > 0
        until(lambda: not alive(child))


def test_no_process_is_left_when_the_import_is_killed(tmp_path: Path) -> None:
    with endless(tmp_path) as (process, child):
        process.kill()
        process.communicate(timeout=60)
        until(lambda: not alive(child))
    found = numbers(tmp_path / "history")
    assert found == list(range(len(found))) != []


def test_the_import_ends_with_one_line_when_the_reader_is_killed(tmp_path: Path) -> None:
    with endless(tmp_path) as (process, child):
        os.kill(child, signal.SIGKILL)
        assert process.communicate(timeout=60) == ("ConfigError: the process that reads the events was killed\n", "")


def test_an_error_while_reading_tells_where(tmp_path: Path) -> None:
    assert script(tmp_path, FAILING, tmp_path / "history").communicate(timeout=60) == ("a bug of ours True\n", "")

"""What the tests of the history share: events, the commands as real processes, and what is in a history."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import monotonic

from falcokit.history.store import open_to_read

ROOT = Path(__file__).parents[2]
EVENTS = [sys.executable, "-m", "falcokit", "events"]
"""The command, to which its arguments are added."""


def line(number: int) -> bytes:
    """An alert as Falco writes it, another one for each number, with the end of its line."""
    moment = f"2026-11-{1 + number // 86_400:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.{number % 999_983 + 1:09}Z"
    return (
        json.dumps(
            {
                "hostname": "node",
                "output": f"{moment[11:-1]}: Notice A shell was spawned (process=sh number={number})",
                "output_fields": {
                    "container.id": "host",
                    "container.name": "host",
                    "proc.name": "sh",
                    "proc.pid": number,
                },
                "priority": "Notice",
                "rule": "Terminal shell",
                "source": "syscall",
                "time": moment,
            }
        )
        + "\n"
    ).encode()


def lines(start: int, end: int) -> bytes:
    """The alerts of these numbers."""
    return b"".join(map(line, range(start, end)))


def numbers(store: Path) -> list[int]:
    """The numbers of the alerts in the history at *store*, sorted."""
    with open_to_read(str(store), 60.0) as history:
        return sorted(
            int(output.rpartition("=")[2].rstrip(")")) for (output,) in history.all("SELECT output FROM events")
        )


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a process whose own files are in *folder*."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]),
            "COLUMNS": "80", "XDG_DATA_HOME": str(folder / "data"), **more}  # fmt: skip


def run(folder: Path, *arguments: str | Path, input: bytes | None = None, **more: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command about events."""
    done = subprocess.run(
        [*EVENTS, *map(str, arguments)], cwd=folder, env=environment(folder, **more), input=input,
        stdin=subprocess.DEVNULL if input is None else None, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that another process does."""
    end, never = monotonic() + seconds, Event()
    while not holds():
        assert monotonic() < end, "it did not come to pass"
        never.wait(0.02)

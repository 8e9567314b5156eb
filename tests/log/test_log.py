"""What a log is made of: which files are of it, in which order, and which of them are read."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from falcokit.errors import ConfigError
from falcokit.log.log import Log
from falcokit.log.mark import Mark, mark_of


def read(log: Log) -> bytes:
    """What there is to read now."""
    found = b""
    while (piece := log.read(100)) is not None:
        assert piece.data
        found += piece.data
        log.advance(piece)
    return found


def mark_after(path: Path, data: bytes) -> Mark:
    """The place behind *data*, which the log at *path* has."""
    path.write_bytes(data)
    with closing(Log(str(path), {}, pytest.fail)) as log:
        piece = log.read(1 << 20)
        assert piece is not None
        assert piece.data == data
        return piece.mark


@pytest.mark.parametrize(
    ("log", "names"),
    [
        ("ev.json", ["ev.json.2", "ev.json.1"]),
        ("ev.json", ["ev.json.11.gz", "ev.json.2.gz", "ev.json.1"]),
        ("ev.json", ["ev.2.json", "ev.1.json"]),
        ("ev.json", ["ev.json-20261127", "ev.json-20261128"]),
        ("ev.json", ["ev.json-20261127-1764200000.gz", "ev.json-20261128-1764300000"]),
        ("ev.json", ["ev-20261127.json.gz", "ev-20261128.json"]),
        ("ev.json", ["ev-2026-11-27T03-42-56.000.json", "ev-2026-11-28T03-42-56.000.json"]),
        ("0.log", ["0.log.20261127-033432.gz", "0.log.20261128-033432"]),
        ("ev", ["ev.2", "ev.1"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_files_that_were_rotated_away_are_known_by_their_names(tmp_path: Path, log: str, names: list[str]) -> None:
    path = tmp_path / log
    mark = mark_after(path, b"first\n")
    for number, name in enumerate(names):
        data = b"first\n" * (not number) + b"of %d\n" % number
        rotated = tmp_path / name
        rotated.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        os.utime(rotated, (9_000_000_000, 9_000_000_000))  # Of one moment: then the names tell.
    path.write_bytes(b"last\n")
    with closing(Log(str(path), {str(path): mark}, pytest.fail)) as again:
        assert read(again) == b"".join([b"of %d\n" % number for number in range(len(names))]) + b"last\n"


@pytest.mark.parametrize(
    "name",
    ["ev-2.json", "ev.json.bak", "ev.json~", "ev.json.1.tmp", "event.json.1", "ev.json1", "ev.txt.1", "ev.1.txt"],
)
def test_other_files_beside_it_are_not_of_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "ev.json"
    mark = mark_after(path, b"first\n")
    (tmp_path / name).write_bytes(b"first\nother\n")
    path.write_bytes(b"last\n")
    said: list[str] = []
    with closing(Log(str(path), {str(path): mark}, said.append)) as again:
        assert read(again) == b"last\n"
        assert (len(said), again.gaps) == (1, 1)


def test_a_file_that_is_there_plain_and_packed_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "ev.json"
    mark = mark_after(path, b"first\n")
    (tmp_path / "ev.json.1").write_bytes(b"first\nsecond\n")
    (tmp_path / "ev.json.1.gz").write_bytes(gzip.compress(b"first\nsec"))  # Not ready yet.
    path.write_bytes(b"last\n")
    with closing(Log(str(path), {str(path): mark}, pytest.fail)) as again:
        assert read(again) == b"second\nlast\n"


def test_files_that_say_the_same_are_told_apart_by_their_inodes(tmp_path: Path) -> None:
    path = tmp_path / "ev.json"
    mark = mark_after(path, b"same\nsame\n")
    path.rename(tmp_path / "ev.json.2")
    (tmp_path / "ev.json.1").write_bytes(b"same\nsame\n")
    path.write_bytes(b"same\n")
    with closing(Log(str(path), {str(path): mark}, pytest.fail)) as again:
        assert read(again) == b"same\n" * 3


def test_parts_of_a_packed_file_that_were_packed_on_their_own(tmp_path: Path) -> None:
    path = tmp_path / "ev.json"
    mark = mark_after(path, b"first\n")
    (tmp_path / "ev.json.1.gz").write_bytes(gzip.compress(b"fir") + gzip.compress(b"st\nsec") + gzip.compress(b"ond\n"))
    path.write_bytes(b"last\n")
    with closing(Log(str(path), {str(path): mark}, pytest.fail)) as again:
        assert read(again) == b"second\nlast\n"


def test_a_packed_file_is_unpacked_as_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ev.json"
    first = b"x" * 999 + b"\n"
    mark = mark_after(path, first * 20)
    with gzip.open(tmp_path / "ev.json.1.gz", "wb") as packed:
        for _ in range(64):
            packed.write(first * 1000)
    path.write_bytes(b"last\n")
    tracemalloc.start()
    try:
        with closing(Log(str(path), {str(path): mark}, pytest.fail)) as again:
            size = 0
            while (piece := again.read(1 << 18)) is not None:
                size += len(piece.data)
                again.advance(piece)
        assert size == 64_000_000 - 20_000 + 5
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_log_that_is_no_file_of_lines(tmp_path: Path) -> None:
    (tmp_path / "packed").write_bytes(gzip.compress(b"{}\n"))
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (("packed", "it is compressed"), ("pipe", "it is no plain file"), ("none", "no such file")):
        with pytest.raises(ConfigError, match=reason):
            Log(str(tmp_path / name), {}, pytest.fail)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"bytes": 3},
        {"bytes": -1, "inode": 1, "time": 1, "head": "", "tail": ""},
        {"bytes": 1, "inode": 1, "time": 1.5, "head": "", "tail": ""},
        {"bytes": 1, "inode": 1, "time": 1, "head": None, "tail": ""},
    ],
)
def test_what_is_no_mark(data: Any) -> None:
    assert mark_of(data) is None


def test_a_mark_is_plain_data(tmp_path: Path) -> None:
    mark = mark_after(tmp_path / "ev.json", b"first\n")
    assert mark_of(mark.data()) == mark

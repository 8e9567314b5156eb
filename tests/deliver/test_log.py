"""Logs are read once, whatever is done to them: rotated by renaming, copied and truncated, rotated while nobody looks."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

sys.path.insert(0, str(Path(__file__).parent))
import tempfile

from kit import line, lines

from falcokit.deliver.cursor import Cursor
from falcokit.deliver.log import LogFeed
from falcokit.errors import ConfigError


def taken(feed: LogFeed) -> list[int]:
    """The numbers of the alerts that come now."""
    found = []
    while (chunk := feed.read()) is not None:
        found += [int(str(event.fields["proc.pid"])) for event in chunk.events]
    return found


class Rotation(RuleBasedStateMachine):
    """A writer, a rotation and a reader that is started anew: every line is read once, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.log = self.folder / "falco.json"
        self.written = 0
        self.partial = b""
        self.found: list[int] = []
        self.said: list[str] = []
        self.rotated = 0

    @initialize()
    def begin(self) -> None:
        self.log.write_bytes(b"")
        self.cursor = Cursor(str(self.folder / "state"))
        self.feed = self.open()

    def open(self) -> LogFeed:
        return LogFeed(str(self.log), self.cursor.get(str(self.log)), False, self.said.append)

    def append(self, data: bytes) -> None:
        with open(self.log, "ab") as file:
            file.write(data)

    @rule(count=st.integers(1, 5))
    def write(self, count: int) -> None:
        self.append(self.partial + lines(self.written + bool(self.partial), self.written + count))
        self.partial = b""
        self.written += count

    @rule(at=st.integers(1, 40))
    def write_a_part(self, at: int) -> None:
        if not self.partial:
            whole = line(self.written)
            self.append(whole[:at])
            self.partial = whole[at:]

    def take(self) -> bool:
        """Read on a little, and remember how far: whether there was something."""
        chunk = self.feed.read()
        if chunk is None:
            return False
        self.found += [int(str(event.fields["proc.pid"])) for event in chunk.events]
        self.cursor.set(self.feed.key, chunk.place)
        return True

    @rule()
    def read(self) -> None:
        while self.take():
            pass

    @rule()
    def read_a_little_and_start_anew(self) -> None:
        self.take()
        self.cursor.save()
        self.cursor.close()
        self.feed.close()
        self.cursor = Cursor(str(self.folder / "state"))
        self.feed = self.open()

    @rule()
    def rename(self) -> None:
        if not self.partial and self.log.stat().st_size:
            self.rotated += 1
            for number in range(self.rotated - 1, 0, -1):
                os.rename(f"{self.log}.{number}", f"{self.log}.{number + 1}")
            os.rename(self.log, f"{self.log}.1")
            self.log.write_bytes(b"")

    @invariant()
    def nothing_twice_and_nothing_left_out(self) -> None:
        assert self.found == list(range(len(self.found)))

    def teardown(self) -> None:
        if hasattr(self, "feed"):
            if self.partial:
                self.append(self.partial)
                self.written += 1
            self.found += taken(self.feed)
            self.feed.close()
            self.cursor.close()
            assert self.found == list(range(self.written))
            assert self.said == []
        shutil.rmtree(self.folder)


class TestRotation(Rotation.TestCase):
    settings = settings(max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


def test_what_is_rotated_away_and_deleted_is_still_read(tmp_path: Path) -> None:
    log = tmp_path / "falco.json"
    log.write_bytes(lines(0, 3))
    feed = LogFeed(str(log), None, False, pytest.fail)
    for number in range(3, 9, 3):
        os.rename(log, tmp_path / "falco.json.1")
        log.write_bytes(lines(number, number + 3))
        assert feed.backlog()
        assert not feed.ended
        # It looks now and then while its receiver is down, and holds what it saw.
        feed._look()
    os.unlink(tmp_path / "falco.json.1")
    assert taken(feed) == list(range(9))


def test_a_log_that_is_copied_and_truncated(tmp_path: Path) -> None:
    log = tmp_path / "falco.json"
    log.write_bytes(lines(0, 3))
    said: list[str] = []
    feed = LogFeed(str(log), None, False, said.append)
    assert taken(feed) == [0, 1, 2]
    with open(log, "ab") as file:
        file.write(lines(3, 5))
    shutil.copy(log, tmp_path / "falco.json.1")
    os.truncate(log, 0)
    with open(log, "ab") as file:
        file.write(lines(5, 6))
    assert taken(feed) == [3, 4, 5]
    os.truncate(log, 0)
    assert taken(feed) == []
    with open(log, "ab") as file:
        file.write(lines(6, 8))
    assert taken(feed) == [6, 7]


def test_an_inode_that_is_used_again_is_not_taken_for_the_old_file(tmp_path: Path) -> None:
    log = tmp_path / "falco.json"
    log.write_bytes(lines(0, 3))
    feed = LogFeed(str(log), None, False, pytest.fail)
    chunk = feed.read()
    assert chunk is not None
    feed.close()
    with open(log, "r+b") as file:  # The same inode, and more in it than was read.
        file.write(lines(10, 16))
    said: list[str] = []
    assert taken(LogFeed(str(log), chunk.place, False, said.append)) == list(range(10, 16))
    assert "events may be missing" in said[0]


def test_once_takes_a_last_line_without_an_end_where_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "falco.json"
    log.write_bytes(lines(0, 2)[:-1])
    feed = LogFeed(str(log), None, True, pytest.fail)
    assert taken(feed) == [0, 1]
    assert feed.ended
    place = feed._parts[0].place()
    with open(log, "ab") as file:
        file.write(b"\n" + line(2) + line(3)[:30])
    said: list[str] = []
    feed = LogFeed(str(log), place, True, said.append)
    assert taken(feed) == [2]
    assert feed.ended
    assert said == [f"{log}: its last line has no end yet: it is left for the next run"]


def test_what_is_no_event_is_told_with_its_place(tmp_path: Path) -> None:
    log = tmp_path / "falco.json"
    log.write_bytes(line(0) + b"garbage\n" + line(1))
    said: list[str] = []
    assert taken(LogFeed(str(log), None, False, said.append)) == [0, 1]
    assert said == [f"{log}: byte 0, line 2 from there: neither JSON nor an alert"]


def test_a_position_that_is_damaged_is_told_and_two_runs_exclude_each_other(tmp_path: Path) -> None:
    cursor = Cursor(str(tmp_path))
    with pytest.raises(ConfigError, match="another falcokit forwards"):
        Cursor(str(tmp_path))
    cursor.set("a", {"bytes": 1})
    cursor.save()
    cursor.close()
    again = Cursor(str(tmp_path))
    assert again.get("a") == {"bytes": 1}
    again.close()
    for content in (b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "places": {"a": 1}}', b"[" * 100_000):
        (tmp_path / "position.json").write_bytes(content)
        with pytest.raises(ConfigError, match="is damaged"):
            Cursor(str(tmp_path))

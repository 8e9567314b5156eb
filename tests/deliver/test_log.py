"""Logs are read once, whatever is done to them: rotated by renaming, copied and truncated, packed, deleted, while nobody looks."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

sys.path.insert(0, str(Path(__file__).parent))
from kit import configured, forward, integration, line, lines, number_of, running, until
from stand_in import KEY, StandIn, answer

from falcokit.deliver.cursor import Cursor
from falcokit.deliver.log import LogFeed
from falcokit.errors import ConfigError


def taken(feed: LogFeed) -> list[int]:
    """The numbers of the alerts that come now."""
    found = []
    while (chunk := feed.read()) is not None:
        found += [int(str(event.fields["proc.pid"])) for event in chunk.events]
    return found


def pack(path: Path, to: Path | None = None) -> None:
    """What gzip does: the file has another name and inode, and the time of the old one."""
    before = path.stat()
    packed = to or Path(f"{path}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(packed, ns=(before.st_atime_ns, before.st_mtime_ns))
    path.unlink()


class Rotation(RuleBasedStateMachine):
    """A writer, a rotation and a reader that is stopped and started: every line is read once, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.log = self.folder / "falco.json"
        self.written = 0
        self.partial = b""
        self.found: list[int] = []
        self.said: list[str] = []
        self.feed: LogFeed | None = None
        self.cut = False

    @initialize()
    def begin(self) -> None:
        self.log.write_bytes(b"")
        self.start()

    @precondition(lambda self: self.feed is None)
    @rule()
    def start(self) -> None:
        self.cursor = Cursor(str(self.folder / "state"))
        self.feed = LogFeed(str(self.log), self.cursor.places, False, self.said.append)

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
        assert self.feed is not None
        chunk = self.feed.read()
        if chunk is None:
            return False
        self.found += [int(str(event.fields["proc.pid"])) for event in chunk.events]
        self.cursor.set(self.feed.key, chunk.place)
        return True

    @precondition(lambda self: self.feed is not None)
    @rule()
    def read(self) -> None:
        while self.take():
            pass

    # A log that was rotated before anything of it was read is not found again.
    @precondition(lambda self: self.feed is not None and self.found)
    @rule(read=st.booleans())
    def stop(self, read: bool) -> None:
        assert self.feed is not None
        if read:
            self.take()
        self.cursor.save()
        self.cursor.close()
        self.feed.close()
        self.feed = None

    def look(self) -> None:
        """What is done every second: what is written and cut off in between nothing tells of."""
        if self.feed is not None:
            self.feed.look()
        self.cut = False

    def shift(self) -> None:
        """Make room for another one that is rotated away."""
        for number in range(len(list(self.folder.glob("falco.json.*"))), 0, -1):
            for ending in ("", ".gz"):
                if (old := Path(f"{self.log}.{number}{ending}")).exists():
                    old.rename(f"{self.log}.{number + 1}{ending}")

    @precondition(lambda self: not self.partial and self.log.stat().st_size)
    @rule(packed=st.booleans())
    def rename(self, packed: bool) -> None:
        if self.cut:
            self.look()
        self.shift()
        os.rename(self.log, f"{self.log}.1")
        self.log.write_bytes(b"")
        if packed:
            pack(Path(f"{self.log}.1"))

    @precondition(lambda self: not self.partial and self.log.stat().st_size)
    @rule(packed=st.booleans())
    def copy_and_truncate(self, packed: bool) -> None:
        self.look()
        self.cut = True
        self.shift()
        shutil.copy(self.log, f"{self.log}.1")
        os.truncate(self.log, 0)
        if packed:
            pack(Path(f"{self.log}.1"))

    @rule()
    def pack_the_older_ones(self) -> None:
        for old in self.folder.glob("falco.json.?"):
            if old.name != "falco.json.1":
                pack(old)

    @invariant()
    def nothing_twice_and_nothing_left_out(self) -> None:
        assert self.found == list(range(len(self.found)))

    def teardown(self) -> None:
        if self.feed is None:
            self.start()
        assert self.feed is not None
        if self.partial:
            self.append(self.partial)
            self.written += 1
        try:
            self.found += taken(self.feed)
            assert self.found == list(range(self.written))
            assert (self.said, self.feed.gaps) == ([], 0)
        finally:
            self.feed.close()
            self.cursor.close()
            shutil.rmtree(self.folder)


class TestRotation(Rotation.TestCase):
    settings = settings(max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "falco.json"
    path.write_bytes(lines(0, 3))
    return path


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def opened(log: Path, said: list[str]) -> Iterator[Callable[..., LogFeed]]:
    """Feeds of the log, or of what is given."""
    feeds: list[LogFeed] = []

    def make(
        places: dict[str, Any] | None = None, path: Path = log, once: bool = False, from_end: bool = False
    ) -> LogFeed:
        feeds.append(LogFeed(str(path), places or {}, once, said.append, from_end))
        return feeds[-1]

    yield make
    for feed in feeds:
        feed.close()


def places_after(feed: LogFeed) -> dict[str, Any]:
    """How far *feed* was read, as the next run finds it."""
    chunk = feed.read()
    assert chunk is not None
    feed.close()
    return {feed.key: json.loads(json.dumps(chunk.place))}


def rotate(log: Path, start: int, end: int) -> None:
    """Rotate by renaming; the new log has those lines."""
    older, old = Path(f"{log}.2"), Path(f"{log}.1")
    if old.exists():
        old.rename(older)
    log.rename(old)
    log.write_bytes(lines(start, end))


def test_what_is_rotated_away_and_deleted_is_still_read(
    log: Path, opened: Callable[..., LogFeed], said: list[str]
) -> None:
    feed = opened()
    for number in range(3, 12, 3):
        rotate(log, number, number + 3)
        assert feed.backlog()
        assert not feed.ended
        feed.look()  # As is done now and then while its receiver is down.
    os.unlink(f"{log}.1")
    os.unlink(f"{log}.2")
    assert taken(feed) == list(range(12))
    assert not said


def test_what_was_packed_before_it_was_looked_at_is_read_and_the_plain_one_behind_it(
    log: Path, opened: Callable[..., LogFeed], said: list[str]
) -> None:
    feed = opened()
    feed.look()
    rotate(log, 3, 6)
    rotate(log, 6, 9)
    pack(Path(f"{log}.2"))  # logrotate's `delaycompress`
    assert taken(feed) == list(range(9))
    assert (said, feed.gaps) == ([], 0)


def test_what_is_gone_is_told_and_what_is_newer_is_read(
    log: Path, opened: Callable[..., LogFeed], said: list[str]
) -> None:
    feed = opened()
    feed.look()
    Path(f"{log}.0").write_bytes(lines(50, 60))  # Older than what is read: it is nobody's business.
    os.utime(f"{log}.0", (1_000, 1_000))
    rotate(log, 3, 6)
    rotate(log, 6, 9)
    os.unlink(f"{log}.2")
    assert taken(feed) == list(range(9))
    assert said == [f"{log}: it was rotated, and what it had is not beside it any more: events may be missing"]
    assert feed.gaps == 1


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_between_two_runs_the_plain_one_of_delaycompress_is_read(
    log: Path, opened: Callable[..., LogFeed], said: list[str], packed: bool
) -> None:
    places = places_after(opened())
    rotate(log, 3, 6)
    rotate(log, 6, 9)
    if packed:
        pack(Path(f"{log}.2"))
    else:
        os.unlink(f"{log}.2")
    feed = opened(places)
    assert taken(feed) == list(range(3, 9))
    gone = [f"{log}: it was rotated since the last run, and what it had is not beside it: events may be missing"]
    assert (said, feed.gaps) == (([], 0) if packed else (gone, 1))


def test_packed_files_are_read_from_the_right_place(log: Path, opened: Callable[..., LogFeed], said: list[str]) -> None:
    places = places_after(opened())
    with open(log, "ab") as file:
        file.write(lines(3, 5))
    for number, name in ((5, "falco-20261126.json"), (7, "falco-20261127.json"), (9, "falco-20261128.json")):
        log.rename(log.with_name(name))
        pack(log.with_name(name))
        log.write_bytes(lines(number, number + 2))
    (log.parent / "falco-2.json").write_bytes(lines(50, 60))  # Another log.
    feed = opened(places)
    assert taken(feed) == list(range(3, 11))
    assert said == []


def test_a_run_that_is_stopped_within_a_packed_file_goes_on_there(log: Path, opened: Callable[..., LogFeed]) -> None:
    places = places_after(opened())
    rotate(log, 4000, 4001)
    with open(f"{log}.1", "ab") as file:
        file.write(lines(3, 4000))
    pack(Path(f"{log}.1"))
    found: list[int] = []
    while len(found) < 3998:
        feed = opened(places)
        chunk = feed.read()
        assert chunk is not None
        found += [int(str(event.fields["proc.pid"])) for event in chunk.events]
        places = {feed.key: chunk.place}
        feed.close()
    assert found == list(range(3, 4001))


def test_a_packed_file_that_is_damaged_is_told(log: Path, opened: Callable[..., LogFeed], said: list[str]) -> None:
    places = places_after(opened())
    rotate(log, 2000, 2001)
    with open(f"{log}.1", "ab") as file:
        file.write(lines(3, 2000))
    pack(Path(f"{log}.1"))
    packed = Path(f"{log}.1.gz")
    os.truncate(packed, packed.stat().st_size // 2)
    feed = opened(places)
    found = taken(feed)
    assert 100 < len(found) < 1990
    assert found == [*range(3, found[-2] + 1), 2000]
    assert said[-1] == f"{log}: {packed} is damaged: what it had behind line {found[-2] + 1} is missing"
    assert feed.gaps == 1


def test_a_log_that_is_copied_and_truncated(log: Path, opened: Callable[..., LogFeed], said: list[str]) -> None:
    feed = opened()
    assert taken(feed) == [0, 1, 2]
    with open(log, "ab") as file:
        file.write(lines(3, 5))
    shutil.copy(log, f"{log}.1")
    os.truncate(log, 0)
    with open(log, "ab") as file:
        file.write(lines(5, 6))
    assert taken(feed) == [3, 4, 5]
    os.truncate(log, 0)
    assert taken(feed) == []
    assert said == [f"{log}: it was cut off; what it had was read before, and what comes is read from its start"]
    with open(log, "ab") as file:
        file.write(lines(6, 8))
    feed.look()
    os.truncate(log, 0)
    assert taken(feed) == []
    assert said[1:] == [f"{log}: it was cut off, and not all that it had is beside it: events may be missing"]
    assert feed.gaps == 1


def test_a_copy_that_was_packed_meanwhile_is_read(log: Path, opened: Callable[..., LogFeed], said: list[str]) -> None:
    feed = opened()
    feed.look()
    shutil.copy(log, f"{log}.1")
    with open(log, "r+b") as file:
        file.truncate()
        file.write(lines(3, 9))  # It has more in it by now than it had.
    pack(Path(f"{log}.1"))
    assert taken(feed) == list(range(9))
    assert said == []


def test_lines_do_not_wait_for_the_new_file(log: Path, opened: Callable[..., LogFeed]) -> None:
    feed = opened()
    assert taken(feed) == [0, 1, 2]
    rotate(log, 3, 6)
    rotate(log, 0, 0)
    assert taken(feed) == [3, 4, 5]
    with open(f"{log}.1", "ab") as file:
        file.write(line(6))  # Whoever writes has it open still.
    assert taken(feed) == [6]
    log.write_bytes(line(7))
    assert taken(feed) == [7]


def test_an_inode_that_is_used_again_is_not_taken_for_the_old_file(
    log: Path, opened: Callable[..., LogFeed], said: list[str]
) -> None:
    places = places_after(opened())
    with open(log, "r+b") as file:  # The same inode, and more in it than was read.
        file.write(lines(10, 16))
    assert taken(opened(places)) == list(range(10, 16))
    assert "events may be missing" in said[0]


@pytest.mark.parametrize("rotated", [False, True], ids=["as it was", "rotated"])
@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_a_log_has_one_position_under_all_its_names(
    log: Path, opened: Callable[..., LogFeed], said: list[str], link: Callable[..., None], rotated: bool
) -> None:
    (log.parent / "elsewhere").mkdir()
    name = log.parent / "elsewhere" / "link.json"
    link(log, name)
    places = places_after(opened(path=name))
    with open(log, "ab") as file:
        file.write(lines(3, 5))
    if rotated:
        rotate(log, 5, 7)
    assert taken(opened(places)) == list(range(3, 7 if rotated else 5))
    if link is os.symlink:
        # What is rotated away lies beside what the link is of.
        assert taken(opened(places, path=name)) == list(range(3, 7 if rotated else 5))
    assert said == []


def test_a_link_that_is_of_another_file_each_day(log: Path, opened: Callable[..., LogFeed], said: list[str]) -> None:
    days = [log.with_name(f"falco-2026112{day}.json") for day in range(6, 9)]
    log.rename(days[0])
    log.symlink_to(days[0])
    places = places_after(opened())
    feed = opened(places)
    for number, day in enumerate(days[1:], 3):
        day.write_bytes(line(number))
        log.unlink()
        log.symlink_to(day)
        assert taken(feed) == [number]
    assert taken(opened(places)) == [3, 4]
    assert said == []


def test_once_takes_a_last_line_without_an_end_where_it_is_whole(
    log: Path, opened: Callable[..., LogFeed], said: list[str]
) -> None:
    log.write_bytes(lines(0, 2)[:-1])
    feed = opened(once=True)
    found = []
    while (chunk := feed.read()) is not None:
        found += [int(str(event.fields["proc.pid"])) for event in chunk.events]
        places = {feed.key: chunk.place}
    assert found == [0, 1]
    assert feed.ended
    with open(log, "ab") as file:
        file.write(b"\n" + line(2) + line(3)[:30])
    feed = opened(places, once=True)
    assert taken(feed) == [2]
    assert feed.ended
    assert said == [f"{log}: its last line has no end yet: it is left for the next run"]


def test_what_is_no_event_is_told_with_its_place(log: Path, opened: Callable[..., LogFeed], said: list[str]) -> None:
    log.write_bytes(line(0) + b"garbage\n" + line(1))
    assert taken(opened()) == [0, 1]
    assert said == [f"{log}: byte 0, line 2 from there: neither JSON nor an alert"]


def test_a_position_that_is_damaged_is_told_and_two_runs_exclude_each_other(tmp_path: Path) -> None:
    with closing(Cursor(str(tmp_path))) as cursor:
        with pytest.raises(ConfigError, match="another falcokit forwards"):
            Cursor(str(tmp_path))
        cursor.set("a", {"bytes": 1})
        cursor.save()
    with closing(Cursor(str(tmp_path))) as again:
        assert again.get("a") == {"bytes": 1}
    for content in (b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "places": {"a": 1}}', b"[" * 100_000):
        (tmp_path / "position.json").write_bytes(content)
        with pytest.raises(ConfigError, match="is damaged"):
            Cursor(str(tmp_path))


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[StandIn]:
    receiver = StandIn("webhook", tmp_path / "journal")
    yield receiver
    receiver.close()


def test_from_the_end(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    config = configured(tmp_path, integration("out", "file", str(out)))
    with open(log, "ab") as file:
        file.write(line(3)[:40])  # Somebody is writing.
    command = ("run", log, "--from-end", "--config", config)
    with running(tmp_path, *command) as run:
        position = tmp_path / "XDG_STATE_HOME/falcokit/forward/out/position.json"
        until(position.exists)
        run.kill()
    with open(log, "ab") as file:
        file.write(line(3)[40:])
    rotate(log, 4, 6)
    assert forward(tmp_path, *command, "--once")[:2] == (0, "out: 3 read, 3 sent\n")
    assert [number_of(json.loads(one)) for one in out.read_bytes().splitlines()] == [3, 4, 5]
    assert forward(tmp_path, "run", "-", "--from-end", "--config", config)[0] == 2


def test_from_the_end_of_a_log_that_has_nothing_yet(log: Path, opened: Callable[..., LogFeed], said: list[str]) -> None:
    log.write_bytes(b"")
    places = places_after(opened(from_end=True))
    log.write_bytes(lines(0, 2))
    rotate(log, 2, 4)
    assert taken(opened(places, from_end=True)) == [0, 1, 2, 3]
    assert said == []


def waiting(folder: Path) -> int:
    """How many bytes wait, as `status` tells."""
    (one,) = json.loads(forward(folder, "status", "--config", folder / "integrations.json", "--format", "json")[1])["integrations"]  # fmt: skip
    return int(one["counts"].get("queue_bytes", 0))


def test_two_rotations_while_the_receiver_is_down_lose_nothing(log: Path, tmp_path: Path, hook: StandIn) -> None:
    config = configured(tmp_path, integration("hook", "webhook", hook.url, {"signing_key": "env:KEY"}))
    hook.answers.extend([answer(503)] * 10_000)
    log.write_bytes(lines(0, 1000))
    with running(tmp_path, "run", log, "--config", config, KEY="whsec_" + base64.b64encode(KEY).decode()) as run:
        until(lambda: waiting(tmp_path) > 0)
        for start in (1000, 2000):
            seen = waiting(tmp_path)
            rotate(log, start, start + 1000)
            until(lambda: waiting(tmp_path) > seen + 200_000)  # noqa: B023  # called at once
        os.unlink(f"{log}.1")
        os.unlink(f"{log}.2")
        hook.answers.clear()
        until(lambda: len(hook.taken) >= 3000)
        assert run.end() == 0
        assert "missing" not in run.said
    assert {number_of(one) for one in hook.taken} == set(range(3000))


def test_what_may_be_missing_is_counted(log: Path, tmp_path: Path) -> None:
    config = configured(tmp_path, integration("out", "file", str(tmp_path / "out.json")))
    assert forward(tmp_path, "run", log, "--once", "--config", config)[:2] == (0, "out: 3 read, 3 sent\n")
    log.unlink()
    log.write_bytes(lines(3, 5))
    code, out, told = forward(tmp_path, "run", log, "--once", "--config", config)
    assert (code, out) == (1, "out: 2 read, 2 sent, 1 gaps in logs\n")
    assert "it was rotated since the last run, and what it had is not beside it: events may be missing" in told
    assert forward(tmp_path, "status", "--config", config)[0] == 1

"""What cannot wait is kept on disk, the oldest first, and no more than there may be; and how long is waited between two tries."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from kit import line

from falcokit.deliver.retry import Backoff, seconds_after
from falcokit.deliver.spool import Spool, SpoolFeed


def alert(number: int) -> bytes:
    return line(number).rstrip(b"\n")


def taken(feed: SpoolFeed) -> tuple[list[int], dict[str, int]]:
    """The numbers of the alerts that come now, and the place behind them."""
    found: list[int] = []
    place: dict[str, int] = {}
    while (chunk := feed.read()) is not None:
        found += [int(str(event.fields["proc.pid"])) for event in chunk.events]
        place = dict(chunk.place)
    return found, place


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["append", "settle", "restart"])), max_size=25))
def test_everything_that_was_taken_comes_once_and_in_order(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]]) -> None:  # fmt: skip
    folder = str(tmp_path_factory.mktemp("spool"))
    limit = 6 * len(line(0))
    place: dict[str, int] = {}
    spool = Spool(folder, limit, place)
    feed = SpoolFeed(spool, place, pytest.fail)
    written = 0
    found: list[int] = []
    for count, step in steps:
        if step == "append":
            kept = spool.append([alert(number) for number in range(written, written + count)])
            assert kept <= count
            assert spool.size <= limit
            written += kept  # What was refused comes again, under the same number.
        elif step == "settle":
            more, reached = taken(feed)
            found += more
            place = reached or place
            feed.settle(place)
        else:
            spool.close()
            spool = Spool(folder, limit, place)
            feed = SpoolFeed(spool, place, pytest.fail)
    spool.close()
    found += taken(feed)[0]
    assert found == list(range(written))
    assert feed.ended


def test_there_is_room_again_for_what_is_delivered(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), 10 * len(line(10)), segment=2 * len(line(10)))
    feed = SpoolFeed(spool, None, pytest.fail)
    assert spool.append([alert(number) for number in range(10, 30)]) == 10
    assert spool.append([alert(20)]) == 0
    found, place = taken(feed)
    assert found == list(range(10, 20))
    feed.settle(place)
    assert spool.append([alert(number) for number in range(20, 30)]) == 10
    assert taken(feed)[0] == list(range(20, 30))


def test_the_end_of_a_file_that_a_kill_left_is_nothing(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), 1 << 20)
    spool.append([alert(0)])
    spool.close()
    with open(spool.path(1), "ab") as file:
        file.write(alert(1)[:50])
    spool = Spool(str(tmp_path), 1 << 20)
    spool.append([alert(2)])
    feed = SpoolFeed(spool, None, pytest.fail)
    assert taken(feed)[0] == [0, 2]


@given(st.integers(), st.lists(st.tuples(st.none() | st.floats(0, 1e9), st.booleans()), max_size=40))
def test_waits_grow_up_to_a_limit_and_are_as_long_as_was_asked(seed: int, tries: list[tuple[float | None, bool]]) -> None:  # fmt: skip
    backoff = Backoff(random.Random(seed))
    for asked, lasting in tries:
        wait = backoff.wait(asked, lasting)
        assert 0.1 < wait <= 700
        if asked is not None:
            assert wait >= min(asked, 600)
        if lasting:
            assert wait >= 7
    backoff.done()
    assert backoff.wait() <= 0.25
    waits = [Backoff(random.Random(number)).wait() for number in range(20)]
    assert len(set(waits)) == 20  # Not all come back at once.


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", None), ("5", 5.0), (" 7 ", 7.0), ("-1", None), ("soon", None), ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
     ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0), ("9" * 400, 999_999_999.0), ("٣", None), ("Mon, 99 Foo 9999999", None)],
)  # fmt: skip
def test_what_a_receiver_asks_to_wait(header: str, seconds: float | None) -> None:
    assert seconds_after(header, 60.0) == seconds

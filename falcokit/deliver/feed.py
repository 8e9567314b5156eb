"""What events are read from, piece by piece, from any place that was reached before."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from falcokit.event import Damaged, Event
from falcokit.event.reader import read_events
from falcokit.record import Record

__all__ = ["PIECE", "Chunk", "Feed", "Place", "Tell", "parsed"]

PIECE: Final = 1 << 18
"""Bytes that are read at once: some hundred events, which are then on their way together."""
_KEPT: Final = 6

Place: TypeAlias = "Mapping[str, Any]"
"""How far a feed was read: plain data, as a file can keep them."""
Tell: TypeAlias = "Callable[[str], object]"
"""What is told a sentence for people."""


class Chunk(Record):
    """The next ``events`` of a feed, the ``place`` behind them, how many ``bytes`` they were, and how many places in them were
    ``unreadable``."""

    __slots__ = ("bytes", "events", "place", "unreadable")

    def __init__(self, events: Sequence[Event], place: Place, bytes: int, unreadable: int = 0) -> None:
        self.unreadable: Final = unreadable
        self.events: Final = events
        self.place: Final = place
        self.bytes: Final = bytes


class Feed(Protocol):
    """Where one integration reads events; every integration has feeds of its own, so that none waits for another."""

    @property
    def key(self) -> str:
        """What its place is kept under."""

    @property
    def slow(self) -> bool:
        """Whether `read` can take long, and is better called in a thread."""

    def read(self) -> Chunk | None:
        """The next events; None where there are none now.  Raises `ConfigError`."""

    def look(self) -> None:
        """Take note of what happens to what will be read, while nothing is."""

    @property
    def gaps(self) -> int:
        """How often something was gone before it was read, or may have been."""

    def backlog(self) -> int:
        """About how many bytes wait to be read."""

    @property
    def ended(self) -> bool:
        """Whether nothing can come any more, as far as one knows now."""

    def settle(self, place: Place) -> None:
        """What is before *place* is not needed any more."""

    def close(self) -> None:
        """Let go of files."""


_found: OrderedDict[tuple[int, ...], tuple[Sequence[Event], Sequence[Damaged]]] = OrderedDict()


def parsed(
    data: bytes, name: str, where: tuple[int, int, int] | None = None
) -> tuple[Sequence[Event], Sequence[Damaged]]:
    """The events in *data*, whole lines, and what is none; *where* (device, inode, offset) tells that others have just read the same."""
    key = (*where, len(data), zlib.crc32(data)) if where is not None else None
    found = _found.get(key) if key is not None else None
    if found is None:
        events: list[Event] = []
        damaged: list[Damaged] = []
        for one in read_events((data,), name):
            if isinstance(one, Event):
                events.append(one)
            elif not one.note:
                damaged.append(one)
        found = (events, damaged)
        if key is not None:
            _found[key] = found
        while len(_found) > _KEPT:
            _found.popitem(last=False)
    return found

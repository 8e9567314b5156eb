"""Events into the database, as they are read: one batch is put in while the next is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import chain, islice
from math import inf
from typing import Final

from falcokit.event import Damaged, Event
from falcokit.history.store import BATCH, History, Progress, open_to_write
from falcokit.record import Record

__all__ = ["HOLD", "PATIENCE", "PAUSE", "Imported", "add_all", "import_events", "import_into", "only_events"]

HOLD: Final = 3.0
"""Seconds that a long import keeps others out at a time."""
PAUSE: Final = 0.12
"""Seconds that it lets them in between: whoever waits looks at least ten times a second."""
PATIENCE: Final = 60.0
"""Seconds that it waits until others let it in again."""
_SOME: Final = 256
"""How many events are taken at once."""


class Imported(Record):
    """How many events were ``read``, how many of them were ``new``, and whether an interrupt (Ctrl-C) came before the end."""

    __slots__ = ("interrupted", "new", "read")

    def __init__(self, read: int, new: int, interrupted: bool = False) -> None:
        self.read: Final = read
        self.new: Final = new
        self.interrupted: Final = interrupted


def import_events(
    history: History, events: Iterable[Event | Damaged], damaged: Callable[[Damaged], object] = lambda _: None
) -> tuple[int, int]:
    """Put all *events* in that are not there yet: how many were read, how many were new.  *damaged* is told of what is no event.

    Each batch is there for good once it is in; a run that was interrupted can be done again.
    """
    source = _Source(events, damaged)
    with ThreadPoolExecutor(1) as pool:
        done = _put_all(history, pool, source.batches())
    if source.interrupted:
        raise KeyboardInterrupt
    return done


def import_into(
    path: str,
    events: Iterable[Event | Damaged],
    damaged: Callable[[Damaged], object] = lambda _: None,
    *,
    hold: float = HOLD,
    enough: Callable[[], bool] = lambda: False,
) -> Imported:
    """As `import_events`, into the history at *path*, which others can read and write in between.

    It is kept for *hold* seconds at a time, and never while the first events of a batch are waited for.  A batch ends early where
    *enough* says so.  An interrupt while events are read ends the import after those that were.  Raises `ConfigError`.
    """
    source = _Source(events, damaged, enough)
    read = new = 0
    with ThreadPoolExecutor(1) as pool:
        while first := list(source.some(_SOME if hold else BATCH)):
            if read:
                time.sleep(PAUSE)
            with open_to_write(path, PATIENCE) as history:
                some, added = _put_all(history, pool, source.batches(first, time.monotonic() + hold))
            read, new = read + some, new + added
    return Imported(read, new, source.interrupted)


def add_all(history: History, events: Iterator[Event], progress: Progress) -> tuple[int, int]:
    """Put *events* in, and with the last of them that their file was read as far as *progress*: how many there were, and new ones."""
    read = new = 0
    chunk = list(islice(events, BATCH))
    while True:
        more = list(islice(events, BATCH))
        read, new = read + len(chunk), new + history.add(chunk, None if more else progress)
        if not more:
            return read, new
        chunk = more


def only_events(events: Iterable[Event | Damaged], damaged: Callable[[Damaged], object]) -> Iterator[Event]:
    """*events* without the places where there is none, which *damaged* is told of."""
    for event in events:
        if isinstance(event, Event):
            yield event
        else:
            damaged(event)


def _put_all(history: History, pool: ThreadPoolExecutor, batches: Iterable[Iterable[Event]]) -> tuple[int, int]:
    read = added = 0
    waiting: Future[int] | None = None
    try:
        for events in batches:
            batch = history.batch(events)
            read += batch.count
            added += waiting.result() if waiting is not None else 0
            waiting = pool.submit(history.put, batch)
        return read, added + (waiting.result() if waiting is not None else 0)
    finally:
        # Whoever gets an error or an interrupt closes the history: not under a batch that is on its way.
        if waiting is not None:
            wait([waiting])


class _Source:
    """Events, a batch at a time; *damaged* is told of what is none."""

    def __init__(
        self,
        events: Iterable[Event | Damaged],
        damaged: Callable[[Damaged], object],
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        self._events: Final = iter(events)
        self._damaged: Final = damaged
        self._enough: Final = enough
        self._ended = False
        self.interrupted = False

    def batches(self, first: Sequence[Event] = (), end: float = inf) -> Iterator[Iterator[Event]]:
        """*first* and what follows, until the moment *end*."""
        more = first or list(self.some(_SOME))
        while more:
            yield chain(more, self.some(BATCH - len(more)))
            more = list(self.some(_SOME)) if time.monotonic() < end else []

    def some(self, most: int) -> Iterator[Event]:
        """The next *most* events, or a few more; fewer where these are enough.  None at the end, and after an interrupt."""
        while most > 0 and not self._ended:
            found: list[Event | Damaged] = []
            try:
                found.extend(islice(self._events, _SOME))  # Keeps what came before an interrupt.
            except KeyboardInterrupt:
                self.interrupted = True
            self._ended = len(found) < _SOME
            events = [one for one in found if isinstance(one, Event)]
            if len(events) < len(found):
                for one in found:
                    if isinstance(one, Damaged):
                        self._damaged(one)
            yield from events
            most -= len(events)
            if self._enough():
                return

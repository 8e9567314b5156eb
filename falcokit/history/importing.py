"""Events into the database, as they are read: one batch is put in while the next is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from itertools import islice
from typing import Final, TypeAlias

from falcokit.event import Damaged, Event
from falcokit.history.beside import made_beside
from falcokit.history.gathering import BATCH, batches_of, gather
from falcokit.history.rows import Columns, Packed, packed
from falcokit.history.store import History, Progress, open_to_write
from falcokit.overview.template import MOST_FORMS, Templates
from falcokit.record import Record

__all__ = ["HOLD", "PATIENCE", "PAUSE", "Imported", "add_all", "import_events", "import_into", "only_events"]

HOLD: Final = 3.0
"""Seconds that a long import keeps others out at a time."""
PAUSE: Final = 0.12
"""Seconds that it lets them in between: whoever waits looks at least ten times a second."""
PATIENCE: Final = 60.0
"""Seconds that it waits until others let it in again."""

_Batch: TypeAlias = list[Columns | Packed]


class Imported(Record):
    """How many events were ``read``, how many of them were ``new``, and whether an interrupt (Ctrl-C) came before the end."""

    __slots__ = ("interrupted", "new", "read")

    def __init__(self, read: int, new: int, interrupted: bool = False) -> None:
        self.read: Final = read
        self.new: Final = new
        self.interrupted: Final = interrupted


def import_events(
    history: History,
    events: Iterable[Event | Damaged],
    damaged: Callable[[Damaged], object] = lambda _: None,
    *,
    beside: bool = False,
) -> tuple[int, int]:
    """Put all *events* in that are not there yet: how many were read, how many were new.  *damaged* is told of what is no event.

    Each batch is there for good once it is in; a run that was interrupted can be done again.  With *beside* another process reads them
    (`made_beside`).
    """
    source = _started(gather(events, Templates(most=MOST_FORMS)), beside)
    with ThreadPoolExecutor(1) as pool, closing(source):
        done = _put_all(history, pool, batches_of(source, damaged))
    if done.interrupted:
        raise KeyboardInterrupt
    return done.read, done.new


def import_into(
    path: str,
    events: Iterable[Event | Damaged],
    damaged: Callable[[Damaged], object] = lambda _: None,
    *,
    hold: float = HOLD,
    beside: bool = False,
) -> Imported:
    """As `import_events`, into the history at *path*, which others can read and write in between.

    It is kept for *hold* seconds at a time, and never while the first batch of these is waited for.  An interrupt while events are read
    ends the import after those that were.  With *beside* another process reads them (`made_beside`).  Raises `ConfigError`.
    """
    source = _started(gather(events, Templates(most=MOST_FORMS)), beside)
    batches = batches_of(source, damaged)
    done, closed = Imported(0, 0), 0.0
    with ThreadPoolExecutor(1) as pool, closing(source), suppress(KeyboardInterrupt):
        while (first := next(batches, None)) is not None:
            time.sleep(max(0.0, closed + PAUSE - time.monotonic()))
            with open_to_write(path, PATIENCE) as history:
                some = _put_all(history, pool, _until(time.monotonic() + hold, first, batches))
            closed = time.monotonic()
            done = Imported(done.read + some.read, done.new + some.new)
            if some.interrupted:
                break
        else:
            return done
    return done.replaced(interrupted=True)


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


def _started(found: Iterator[Columns | Damaged], beside: bool) -> Generator[Columns | Packed | Damaged]:
    if beside:
        yield from made_beside(packed(one) if isinstance(one, Columns) else one for one in found)
    else:
        yield from found


def _until(end: float, first: _Batch, batches: Iterator[_Batch]) -> Iterator[_Batch]:
    """*first* and those *batches* that are there before the moment *end*."""
    yield first
    while time.monotonic() < end and (batch := next(batches, None)) is not None:
        yield batch


def _put_all(history: History, pool: ThreadPoolExecutor, batches: Iterator[_Batch]) -> Imported:
    read, interrupted = 0, False
    sent: list[Future[int]] = []
    try:
        for batch in batches:
            if sent:
                sent[-1].result()
            sent.append(pool.submit(history.put, batch))
            read += sum([part.count for part in batch])
        wait(sent)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        # Whoever gets an error closes the history: not under a batch that is on its way.
        wait(sent)
    return Imported(read, sum([one.result() for one in sent]), interrupted)

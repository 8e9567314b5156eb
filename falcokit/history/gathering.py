"""Events as columns, some at a time, and batches of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from falcokit.event import Damaged, Event
from falcokit.history.rows import AT_ONCE, Columns, Packed, columns_of
from falcokit.overview.template import Templates

__all__ = ["BATCH", "batches_of", "gather"]

BATCH: Final = 16_384
"""How many events are best put in at once."""
_MOST: Final = 1 << 26
"""Characters of events after which a batch is put in, however few they were."""


def gather(events: Iterable[Event | Damaged], templates: Templates) -> Iterator[Columns | Damaged]:
    """*events*, some at a time, and the places where there is none.

    Raises `KeyboardInterrupt` for an interrupt while events are read, behind those that were.
    """
    source = iter(events)
    interrupted = ended = False
    while not ended:
        some: list[Event | Damaged] = []
        try:
            some.extend(islice(source, AT_ONCE))  # Keeps what came before an interrupt.
        except KeyboardInterrupt:
            interrupted = True
        ended = len(some) < AT_ONCE
        read = [one for one in some if isinstance(one, Event)]
        if len(read) < len(some):
            yield from [one for one in some if isinstance(one, Damaged)]
        if read:
            yield columns_of(read, templates, time.time_ns())
    if interrupted:
        raise KeyboardInterrupt


def batches_of(
    found: Iterable[Columns | Packed | Damaged], damaged: Callable[[Damaged], object]
) -> Iterator[list[Columns | Packed]]:
    """Batches of the columns in *found*; *damaged* is told of the places where there is no event.

    Raises `KeyboardInterrupt` as `gather` does.
    """
    batch: list[Columns | Packed] = []
    count = size = 0
    interrupted = False
    try:
        for one in found:
            if isinstance(one, Damaged):
                damaged(one)
                continue
            batch.append(one)
            count, size = count + one.count, size + one.size
            if count >= BATCH or size >= _MOST:
                yield batch
                batch, count, size = [], 0, 0
    except KeyboardInterrupt:
        interrupted = True
    if batch:
        yield batch
    if interrupted:
        raise KeyboardInterrupt

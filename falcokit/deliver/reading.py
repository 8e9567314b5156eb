"""What an integration reads, and what becomes of it: batches of messages, ready to be sent."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final, TypeAlias

from falcokit.deliver.counts import Counts
from falcokit.deliver.feed import Chunk, Feed, Place
from falcokit.deliver.sieve import Sieve
from falcokit.deliver.spool import SpoolFeed
from falcokit.deliver.troubles import FEED, Troubles
from falcokit.errors import ConfigError
from falcokit.event import Event
from falcokit.forward.integration import Integration
from falcokit.forward.render import render

__all__ = ["Flight", "Item", "Reading"]

_ENOUGH: Final = 1 << 16
"""Bytes that need not wait for others."""

Item: TypeAlias = tuple[Event, bytes]
"""An event, and the message that it is."""


class Flight:
    """A batch on its way, ``place`` behind it where it is the last one of what was read, which was ``spooled`` bytes of a spool."""

    __slots__ = ("bytes", "count", "feed", "items", "place", "spooled", "task", "time")

    def __init__(self, feed: Feed, place: Place | None, items: Sequence[Item], spooled: int) -> None:
        self.feed: Final = feed
        self.place: Final = place
        self.items = items
        self.count: Final = len(items)
        self.bytes: Final = sum(len(message) for _, message in items)
        self.spooled: Final = spooled
        self.time: Final = items[0][0].time if items else None
        self.task: asyncio.Task[None] | None = None

    @property
    def done(self) -> bool:
        """Whether it is delivered, and not given up."""
        return self.task is None or (self.task.done() and not self.task.cancelled() and self.task.exception() is None)


class Reading:
    """What *integration* reads from *feeds*, in turns; *refuse* is told of what cannot be written."""

    def __init__(
        self,
        integration: Integration,
        feeds: Sequence[Feed],
        once: bool,
        counts: Counts,
        troubles: Troubles,
        refuse: Callable[[str, str], object],
    ) -> None:
        """Raises `ConfigError` for a filter that cannot be used."""
        self._integration: Final = integration
        self._feeds: Final = deque(feeds)
        self._sieve: Final = Sieve(integration)
        self._counts: Final = counts
        self._troubles: Final = troubles
        self._refuse: Final = refuse
        rate, batch = int(integration.rate), int(integration.option("batch"))
        self._batch: Final = max(1, min(batch, rate or 1) if integration.rate else batch)
        self._linger: Final = 0.0 if once else float(integration.option("linger"))
        self._since: Final[dict[str, float]] = {}
        self._ready: Final[deque[Flight]] = deque()
        self._before: Final = (counts.gaps, counts.filtered, counts.repeated)

    @property
    def ended(self) -> bool:
        """Whether nothing is left, and nothing can come any more."""
        return not self._ready and all(feed.ended for feed in self._feeds)

    @property
    def count(self) -> int:
        """How many events are read that were not asked for yet."""
        return sum(flight.count for flight in self._ready)

    async def next(self) -> Flight | None:
        """The next batch; None where there is none now."""
        if not self._ready:
            found = await self._read()
            if found is None:
                return None
            self._prepare(*found)
        return self._ready.popleft()

    def measure(self) -> None:
        """Bring the counts up to date with what the feeds say."""
        self._counts.gaps = self._before[0] + sum(feed.gaps for feed in self._feeds)
        self._counts.queue_bytes = sum(flight.bytes for flight in self._ready)
        self._counts.queue_bytes += sum(feed.backlog() for feed in self._feeds)

    def look(self) -> None:
        """Let feeds take note of what happens to what will be read."""
        for feed in self._feeds:
            feed.look()

    def close(self) -> None:
        """Let go of files."""
        for feed in self._feeds:
            feed.close()

    def _prepare(self, feed: Feed, chunk: Chunk) -> None:
        """Make batches of what was read."""
        counts, sieve = self._counts, self._sieve
        events: Sequence[Event] = chunk.events
        counts.read += len(events)
        counts.unreadable += chunk.unreadable
        now = time.time_ns()
        if not sieve.open:
            events = [event for event in events if sieve.lets(event, now)]
            counts.filtered = self._before[1] + sieve.filtered
            counts.repeated = self._before[2] + sieve.repeated
        items: list[Item] = []
        for event in events:
            try:
                items.append((event, render(self._integration, event, now)))
            except Exception as error:
                # One event that cannot be written must not keep all others back.
                self._refuse(event.written, f"it cannot be written ({type(error).__name__})")
        for start in range(0, max(len(items), 1), self._batch):
            last = start + self._batch >= len(items)
            spooled = chunk.bytes if last and feed.key == SpoolFeed.key else 0
            part = items[start : start + self._batch]
            self._ready.append(Flight(feed, chunk.place if last else None, part, spooled))

    async def _read(self) -> tuple[Feed, Chunk] | None:
        """What one of the feeds has."""
        for _ in range(len(self._feeds)):
            feed = self._feeds[0]
            self._feeds.rotate(-1)
            if self._lingers(feed):
                continue
            try:
                chunk = await asyncio.to_thread(feed.read) if feed.slow else feed.read()
            except ConfigError as error:
                self._troubles.add(FEED, str(error))
                continue
            if chunk is not None:
                self._troubles.over(FEED)
                return feed, chunk
        return None

    def _lingers(self, feed: Feed) -> bool:
        """Whether to wait for more, to be sent together."""
        size = feed.backlog() if self._linger else 0
        if not 0 < size < _ENOUGH:
            self._since.pop(feed.key, None)
            return False
        now = monotonic()
        if now - self._since.setdefault(feed.key, now) < self._linger:
            return True
        del self._since[feed.key]
        return False

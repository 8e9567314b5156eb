"""One integration at work: reads, renders, delivers, tries again, and remembers how far it came.  None waits for another."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final, TypeAlias

from falcokit.deliver.counts import Counts
from falcokit.deliver.cursor import Cursor
from falcokit.deliver.feed import Chunk, Feed, Place, Tell
from falcokit.deliver.outcome import Refused, Trouble
from falcokit.deliver.retry import Backoff
from falcokit.deliver.sieve import Sieve
from falcokit.deliver.sinks import Sink, open_sink
from falcokit.deliver.state import Refusals, write_status
from falcokit.errors import ConfigError
from falcokit.event import Event
from falcokit.forward.integration import Integration
from falcokit.forward.render import render

__all__ = ["Worker"]

_POLL: Final = 0.2
"""Seconds between two looks at what is read."""
_SAVE_EVERY: Final = 0.1
_TELL_EVERY: Final = 1.0
_REMIND: Final = 600.0
"""Seconds after which a trouble that lasts is told again."""
_ENOUGH: Final = 1 << 16
"""Bytes that need not wait for others."""
_GRACE: Final = 5.0
"""Seconds that a receiver has to take what is on its way when a run ends."""
_MOST_TOLD: Final = 20
_IN_A_ROW: Final = 20
"""Events refused one after the other, with which it is rather the receiver that is wrong: then the next ones go slowly."""

_Item: TypeAlias = tuple[Event, bytes]


class _Flight:
    """A batch on its way, ``place`` behind it where it is the last one of what was read."""

    __slots__ = ("bytes", "count", "feed", "items", "place", "task", "time")

    def __init__(self, feed: Feed, place: Place | None, items: Sequence[_Item], size: int) -> None:
        self.feed: Final = feed
        self.place: Final = place
        self.items = items
        self.count: Final = len(items)
        self.bytes: Final = size
        self.time: Final = items[0][0].time if items else None
        self.task: asyncio.Task[None] | None = None

    @property
    def done(self) -> bool:
        """Whether it is delivered, and not given up."""
        return self.task is None or (self.task.done() and not self.task.cancelled() and self.task.exception() is None)


class Worker:
    """What forwards to *integration* what *feeds* have; *tell* is told in sentences of what goes wrong."""

    def __init__(self, integration: Integration, cursor: Cursor, feeds: Sequence[Feed], once: bool, tell: Tell) -> None:
        """Raises `ConfigError` for certificates or a filter that cannot be used."""
        self.integration: Final = integration
        self.counts: Final = Counts()
        self._cursor: Final = cursor
        self._feeds: Final = deque(feeds)
        self._once: Final = once
        self._tell: Final = tell
        self._sink: Final[Sink] = open_sink(integration)
        self._sieve: Final = Sieve(integration)
        self._refusals: Final = Refusals(cursor.folder)
        rate = float(integration.rate)
        self._linger: Final = 0.0 if once else float(integration.option("linger"))
        self._batch: Final = max(
            1, min(int(integration.option("batch")), int(rate) or 1) if rate else int(integration.option("batch"))
        )
        self._spacing: Final = 1 / rate if rate else 0.0
        self._free = 0.0
        self._flights: Final[deque[_Flight]] = deque()
        self._ready: Final[deque[_Flight]] = deque()
        """Read, and not yet on its way."""
        self._sent: Final[deque[_Flight]] = deque()
        """Handed over, and perhaps to be sent again."""
        self._sent_count = 0
        self._due: Final[list[tuple[Feed, Place]]] = []
        self._since: Final[dict[str, float]] = {}
        self._backoff: Final = Backoff()
        self._saved = self._told = 0.0
        self._trouble = ""
        self._trouble_told = 0.0
        self._refused_told = self._in_a_row = 0

    @property
    def undelivered(self) -> int:
        """How many events were read and are not known to be delivered; they will be read again."""
        return sum(flight.count for flight in (*self._ready, *self._flights, *self._sent))

    async def run(self, stop: asyncio.Event) -> None:
        """Forward until *stop* is set, or with ``once`` until all is delivered."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._settle()
                await self._keep()
                if self._flights and (task := self._flights[0].task) is not None and task.done():
                    task.result()  # It cannot go on, and says why.
                if len(self._flights) < self._sink.window and await self._launch():
                    await asyncio.sleep(0)
                    continue
                if self._once and not self._flights and all(feed.ended for feed in self._feeds):
                    break
                waits: set[asyncio.Task[Any]] = {flight.task for flight in self._flights if flight.task is not None}
                await asyncio.wait({*waits, stopping}, timeout=_POLL, return_when=asyncio.FIRST_COMPLETED)
                if not self._flights:
                    await self._tend(stop)
        finally:
            stopping.cancel()
            await self._end()

    async def _launch(self) -> bool:
        """Send the next batch on its way; whether there was one."""
        if not self._ready:
            found = await self._next()
            if found is None:
                return False
            self._prepare(*found)
        flight = self._ready.popleft()
        items, flight.items = flight.items, ()  # Kept no longer than they have to be.
        if items:
            flight.task = asyncio.create_task(self._deliver(items))
        self._flights.append(flight)
        return True

    def _prepare(self, feed: Feed, chunk: Chunk) -> None:
        """Make batches of what was read."""
        events: Sequence[Event] = chunk.events
        self.counts.read += len(events)
        now = time.time_ns()
        if not self._sieve.open:
            events = [event for event in events if self._sieve.lets(event, now)]
            self.counts.filtered, self.counts.repeated = self._sieve.filtered, self._sieve.repeated
        items: list[_Item] = []
        for event in events:
            try:
                items.append((event, render(self.integration, event, now)))
            except Exception as error:
                # One event that cannot be written must not keep all others back.
                self._refuse(event, f"it cannot be written ({type(error).__name__})")
        for start in range(0, max(len(items), 1), self._batch):
            last = start + self._batch >= len(items)
            part = items[start : start + self._batch]
            self._ready.append(_Flight(feed, chunk.place if last else None, part, sum(len(one) for _, one in part)))

    async def _next(self) -> tuple[Feed, Chunk] | None:
        """What one of the feeds has; they take turns."""
        for _ in range(len(self._feeds)):
            feed = self._feeds[0]
            self._feeds.rotate(-1)
            if self._lingers(feed):
                continue
            try:
                chunk = await asyncio.to_thread(feed.read) if feed.slow else feed.read()
            except ConfigError as error:
                self._is_in_trouble(str(error))
                continue
            if chunk is not None:
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

    async def _deliver(self, items: Sequence[_Item]) -> None:
        """Hand *items* over, until each is taken or refused."""
        work: deque[Sequence[_Item]] = deque([items])
        backoff = Backoff()
        while work:
            part = work.popleft()
            await self._take_turn(len(part))
            try:
                answer = await self._sink.send([message for _, message in part])
            except Trouble as trouble:
                self.counts.retried += len(part)
                work.appendleft(part)
                await self._wait_out(backoff, trouble)
                continue
            except Refused as refused:
                if len(part) > 1:
                    half = len(part) // 2
                    work.extendleft((part[half:], part[:half]))
                    continue
                self._refuse(part[0][0], str(refused))
                self._in_a_row += 1
                if self._in_a_row >= _IN_A_ROW:
                    await self._wait_out(backoff, Trouble(f"{refused}; so it was with {self._in_a_row} events one after the other", lasting=True))  # fmt: skip
                continue
            taken = len(part) - len(answer.again) - len(answer.refused)
            self.counts.sent += taken
            if self._sink.acknowledges:
                self.counts.acknowledged += taken
            for number, reason in answer.refused.items():
                self._refuse(part[number][0], reason)
            if answer.again:
                self.counts.retried += len(answer.again)
                work.appendleft([part[number] for number in answer.again])
                await self._wait_out(backoff, Trouble(answer.reason))
                continue
            self._in_a_row = 0
            self._is_well()

    async def _take_turn(self, count: int) -> None:
        """Wait until *count* more may go."""
        if self._spacing:
            now = monotonic()
            start = max(self._free, now)
            self._free = start + count * self._spacing
            await asyncio.sleep(start - now)

    async def _wait_out(self, backoff: Backoff, trouble: Trouble) -> None:
        self._is_in_trouble(str(trouble))
        self._notes()
        await asyncio.sleep(backoff.wait(trouble.after, trouble.lasting))

    async def _tend(self, stop: asyncio.Event) -> None:
        try:
            await self._sink.tend()
        except Trouble as trouble:
            self._is_in_trouble(str(trouble))
            waiting = asyncio.ensure_future(stop.wait())
            await asyncio.wait((waiting,), timeout=self._backoff.wait(trouble.after, trouble.lasting))
            waiting.cancel()
        else:
            self._backoff.done()

    def _refuse(self, event: Event, reason: str) -> None:
        self.counts.refused += 1
        kept = self._refusals.keep(event.written)
        self._refused_told += 1
        if self._refused_told <= _MOST_TOLD or not kept:
            where = f"it is kept in {self._refusals.path}" if kept else "it is lost: there is no room for more of them"
            if kept or self._refused_told % 1000 == 0:
                self._say(f"an event is refused: {reason}; {where}")

    def _is_in_trouble(self, reason: str) -> None:
        self.counts.up = 0
        self.counts.trouble = reason
        now = monotonic()
        if reason != self._trouble or now - self._trouble_told > _REMIND:
            self._trouble, self._trouble_told = reason, now
            self._say(f"{reason}; trying again")

    def _is_well(self) -> None:
        self.counts.up = 1
        self.counts.delivered = time.time_ns()
        if self._trouble:
            self._trouble = self.counts.trouble = ""
            self._say("it delivers again")

    def _notes(self) -> None:
        notes = self._sink.notes
        self.counts.replayed, self.counts.maybe_lost = self._sink.replayed, self._sink.maybe_lost
        while notes:
            self._say(notes.pop(0))

    def _say(self, sentence: str) -> None:
        self._tell(f"{self.integration.name}: {sentence}")

    def _settle(self) -> None:
        """Take note of what is delivered, in the order in which it was read."""
        while self._flights and self._flights[0].done:
            flight = self._flights.popleft()
            self._sent.append(flight)
            self._sent_count += flight.count > 0
        while self._sent and (not self._sent[0].count or self._sent_count > self._sink.unsettled):
            flight = self._sent.popleft()
            self._sent_count -= flight.count > 0
            if flight.place is not None:
                self._cursor.set(flight.feed.key, flight.place)
                self._due.append((flight.feed, flight.place))

    async def _keep(self, now: bool = False) -> None:
        """Make last how far it came, every now and then."""
        self._notes()
        moment = monotonic()
        if now or moment - self._saved > _SAVE_EVERY:
            self._saved = moment
            if self._cursor.changed:
                try:
                    await asyncio.to_thread(self._cursor.save)
                except OSError as error:
                    self._is_in_trouble(
                        f"cannot write {self._cursor.folder}: {(error.strerror or 'it failed').lower()}"
                    )
                    return
                # Only now nobody will ask for it any more.
                due, self._due[:] = list(self._due), []
                for feed, place in due:
                    feed.settle(place)
        if now or moment - self._told > _TELL_EVERY:
            self._told = moment
            self.measure()
            write_status(self._cursor.folder, self.counts.data())

    def measure(self) -> None:
        """Bring what goes up and down in the counts up to date."""
        counts = self.counts
        waiting = sum(flight.bytes for flight in (*self._ready, *self._flights))
        counts.queue_bytes = waiting + sum(feed.backlog() for feed in self._feeds)
        oldest = next((flight.time for flight in self._flights if flight.time is not None), None)
        counts.lag_seconds = round(max(0.0, (time.time_ns() - oldest) / 1e9), 3) if oldest is not None else 0.0

    async def _end(self) -> None:
        """Let the receiver take what is on its way, if it takes anything, and remember how far it came."""
        tasks = [flight.task for flight in self._flights if flight.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=0 if self._trouble else _GRACE)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._settle()
        await self._sink.close(_GRACE)
        self._settle()
        await self._keep(now=True)
        for feed in self._feeds:
            feed.close()

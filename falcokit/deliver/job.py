"""The work of one integration: sends what is read, tries again, and remembers how far it came.  None waits for another."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

from falcokit.deliver.counts import Counts
from falcokit.deliver.cursor import Cursor
from falcokit.deliver.feed import Feed, Place, Tell
from falcokit.deliver.outcome import Refused, Trouble
from falcokit.deliver.reading import Flight, Item, Reading
from falcokit.deliver.retry import Backoff
from falcokit.deliver.sinks import Sink, open_sink
from falcokit.deliver.state import Refusals, write_status
from falcokit.deliver.troubles import DISK, RECEIVER, WORK, Troubles, told
from falcokit.forward.integration import Integration

__all__ = ["Job"]

_POLL: Final = 0.2
"""Seconds between two looks at what is read."""
_SAVE_EVERY: Final = 0.1
_LOOK_EVERY: Final = 1.0
"""Seconds between two looks at logs that are not read because a receiver takes nothing."""
_TELL_EVERY: Final = 1.0
_GRACE: Final = 5.0
"""Seconds that a receiver has to take what is on its way when a run ends."""
_MOST_TOLD: Final = 20
_IN_A_ROW: Final = 20
"""Events refused one after the other, with which it is rather the receiver that is wrong: then the next ones go slowly."""


class Job:
    """What forwards to *integration* what *feeds* have, until it ends or breaks off; *tell* is told in sentences of what goes wrong.

    With *once* nothing waits for more to be sent with it.
    """

    def __init__(
        self,
        integration: Integration,
        cursor: Cursor,
        feeds: Sequence[Feed],
        once: bool,
        counts: Counts,
        troubles: Troubles,
        tell: Tell,
    ) -> None:
        """Raises `ConfigError` for certificates or a filter that cannot be used."""
        self._counts: Final = counts
        self._cursor: Final = cursor
        self._troubles: Final = troubles
        self._tell: Final = tell
        self._sink: Final[Sink] = open_sink(integration)
        self._reading: Final = Reading(integration, feeds, once, counts, troubles, self._refuse)
        self._refusals: Final = Refusals(cursor.folder)
        self._spacing: Final = 1 / float(integration.rate) if integration.rate else 0.0
        self._free = 0.0
        self._flights: Final[deque[Flight]] = deque()
        self._sent: Final[deque[Flight]] = deque()
        """Handed over, and perhaps to be sent again."""
        self._sent_count = self._spooled = 0
        self._most_spooled: Final = int(integration.option("spool")) << 18
        """A quarter of what the spool can hold: what may have to be sent again must not keep out what comes."""
        self._due: Final[list[tuple[Feed, Place]]] = []
        self._backoff: Final = Backoff()
        self._made: Final = monotonic()
        self._saved = self._told = self._looked = 0.0
        self._refused_told = self._in_a_row = 0
        self._before: Final = (counts.replayed, counts.maybe_lost)
        self._is_written = True

    @property
    def undelivered(self) -> int:
        """How many events were read and are not known to be delivered; they will be read again."""
        return self._reading.count + sum(flight.count for flight in (*self._flights, *self._sent))

    @property
    def unsaved(self) -> bool:
        """Whether it could not be written how far it came, or what it did."""
        return self._cursor.changed or not self._is_written

    async def run(self, stop: asyncio.Event) -> None:
        """Forward until *stop* is set, or until all is delivered and nothing more can come; raises whatever breaks it off."""
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
                if not self._flights and self._reading.ended:
                    break
                waits: set[asyncio.Task[Any]] = {flight.task for flight in self._flights if flight.task is not None}
                await asyncio.wait({*waits, stopping}, timeout=_POLL, return_when=asyncio.FIRST_COMPLETED)
                if not self._flights:
                    await self._tend(stop)
                self._look()
        finally:
            stopping.cancel()
            await self._end()

    async def _launch(self) -> bool:
        """Send the next batch on its way; whether there was one."""
        flight = await self._reading.next()
        if flight is None:
            return False
        items, flight.items = flight.items, ()  # Kept no longer than they have to be.
        if items:
            flight.task = asyncio.create_task(self._deliver(items))
        self._flights.append(flight)
        return True

    async def _deliver(self, items: Sequence[Item]) -> None:
        """Hand *items* over, until each is taken or refused."""
        work: deque[Sequence[Item]] = deque([items])
        backoff = Backoff()
        while work:
            part = work.popleft()
            await self._take_turn(len(part))
            try:
                answer = await self._sink.send([message for _, message in part])
            except Trouble as trouble:
                self._counts.retried += len(part)
                work.appendleft(part)
                await self._wait_out(backoff, trouble)
                continue
            except Refused as refused:
                if len(part) > 1:
                    half = len(part) // 2
                    work.extendleft((part[half:], part[:half]))
                    continue
                self._refuse(part[0][0].written, str(refused))
                self._in_a_row += 1
                if self._in_a_row >= _IN_A_ROW:
                    await self._wait_out(backoff, Trouble(f"{refused}; so it was with {self._in_a_row} events one after the other", lasting=True))  # fmt: skip
                continue
            taken = len(part) - len(answer.again) - len(answer.refused)
            self._counts.sent += taken
            if self._sink.acknowledges:
                self._counts.acknowledged += taken
            for number, reason in answer.refused.items():
                self._refuse(part[number][0].written, reason)
            if answer.again:
                self._counts.retried += len(answer.again)
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
        self._troubles.add(RECEIVER, str(trouble))
        self._notes()
        await asyncio.sleep(backoff.wait(trouble.after, trouble.lasting))

    async def _tend(self, stop: asyncio.Event) -> None:
        try:
            await self._sink.tend()
        except Trouble as trouble:
            self._troubles.add(RECEIVER, str(trouble))
            waiting = asyncio.ensure_future(stop.wait())
            end = monotonic() + self._backoff.wait(trouble.after, trouble.lasting)
            while not waiting.done() and (left := end - monotonic()) > 0:
                await asyncio.wait((waiting,), timeout=min(left, _LOOK_EVERY))
                self._look()
            waiting.cancel()
        else:
            self._backoff.done()
            if not self._sink.waits:
                self._troubles.over(RECEIVER)

    def _look(self) -> None:
        if monotonic() - self._looked >= _LOOK_EVERY:
            self._looked = monotonic()
            self._reading.look()

    def _refuse(self, written: str, reason: str) -> None:
        self._counts.refused += 1
        kept = self._refusals.keep(written)
        self._refused_told += 1
        if self._refused_told <= _MOST_TOLD or not kept:
            where = f"it is kept in {self._refusals.path}" if kept else "it is lost: there is no room for more of them"
            if kept or self._refused_told % 1000 == 0:
                self._tell(f"an event is refused: {reason}; {where}")

    def _is_well(self) -> None:
        self._counts.delivered = time.time_ns()
        self._troubles.over(RECEIVER)

    def _notes(self) -> None:
        sink = self._sink
        self._counts.replayed = self._before[0] + sink.replayed
        self._counts.maybe_lost = self._before[1] + sink.maybe_lost
        while sink.notes:
            self._tell(sink.notes.pop(0))
        while sink.given_up:
            self._refuse(sink.given_up.pop(0).decode("utf-8", "replace"), "it breaks the connection each time")
        if sink.waits:
            self._troubles.add(RECEIVER, sink.waits, again=False)

    def _settle(self) -> None:
        """Take note of what is delivered, in the order in which it was read."""
        while self._flights and self._flights[0].done:
            flight = self._flights.popleft()
            self._sent.append(flight)
            self._sent_count += flight.count > 0
            self._spooled += flight.spooled
        while self._sent and (
            not self._sent[0].count or self._sent_count > self._sink.unsettled or self._spooled > self._most_spooled
        ):
            flight = self._sent.popleft()
            self._sent_count -= flight.count > 0
            self._spooled -= flight.spooled
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
                    self._troubles.add(DISK, f"cannot write {self._cursor.folder}: {told(error)}")
                else:
                    # Only now nobody will ask for it any more.
                    due, self._due[:] = list(self._due), []
                    for feed, place in due:
                        feed.settle(place)
        if now or moment - self._told > _TELL_EVERY:
            self._told = moment
            if moment - self._made > _GRACE:
                self._troubles.over(WORK)
            self.measure()
            self.write_status()

    def write_status(self) -> None:
        """Leave on disk what it has done."""
        failed = write_status(self._cursor.folder, self._counts.data())
        self._is_written = failed is None
        if failed is not None:
            self._troubles.add(DISK, f"cannot write {self._cursor.folder}: {told(failed)}")
        elif not self._cursor.changed:
            self._troubles.over(DISK)

    def measure(self) -> None:
        """Bring what goes up and down in the counts up to date."""
        counts = self._counts
        self._reading.measure()
        counts.queue_bytes += sum(flight.bytes for flight in self._flights)
        oldest = next((flight.time for flight in self._flights if flight.time is not None), None)
        counts.lag_seconds = round(max(0.0, (time.time_ns() - oldest) / 1e9), 3) if oldest is not None else 0.0

    async def _end(self) -> None:
        """Let the receiver take what is on its way, if it takes anything, and remember how far it came."""
        tasks = [flight.task for flight in self._flights if flight.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=0 if RECEIVER in self._troubles else _GRACE)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._settle()
        await self._sink.close(_GRACE)
        self._settle()
        await self._keep(now=True)
        self._reading.close()

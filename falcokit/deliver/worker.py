"""One integration at work: what nobody could foresee breaks off its job, and another one begins where that was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from falcokit.deliver.counts import Counts
from falcokit.deliver.cursor import Cursor
from falcokit.deliver.feed import Feed, Tell
from falcokit.deliver.job import Job
from falcokit.deliver.retry import Backoff
from falcokit.deliver.troubles import WORK, Troubles, told
from falcokit.errors import ConfigError
from falcokit.forward.integration import Integration

__all__ = ["Worker"]


class Worker:
    """What forwards to *integration* what the feeds have that *opened* gives; *tell* is told in sentences of what goes wrong.

    With *once* nothing waits for more to be sent with it, and what breaks off does not begin again.
    """

    def __init__(
        self, integration: Integration, cursor: Cursor, opened: Callable[[], Sequence[Feed]], once: bool, tell: Tell
    ) -> None:
        """Raises `ConfigError` for certificates or a filter that cannot be used, and as *opened* does."""
        self.integration: Final = integration
        self.counts: Final = Counts()
        self._cursor: Final = cursor
        self._opened: Final = opened
        self._once: Final = once
        self._tell: Final = tell
        self._troubles: Final = Troubles(self.counts, tell)
        self._ended = False
        self._job = self._begun()

    @property
    def undelivered(self) -> int:
        """How many events were read and are not known to be delivered; they will be read again."""
        return self._job.undelivered

    async def run(self, stop: asyncio.Event) -> bool:
        """Forward until *stop* is set, or until all is delivered and nothing more can come.

        Whether all went well in the end: nothing made it give up, and how far it came is on disk.
        """
        backoff = Backoff()
        while True:
            sent = self.counts.sent
            try:
                await self._job.run(stop)
                self._ended = True
                return not self._job.unsaved
            except Exception as error:
                if self._once or isinstance(error, ConfigError):
                    self._ended = True
                    self._takes_note(f"it had to stop: {told(error)}", again=False)
                    return False
                self._takes_note(f"it broke off: {told(error)}")
            if self.counts.sent > sent:
                backoff.done()
            while not await _is_set(stop, backoff.wait()):
                try:
                    self._job = self._begun()
                    break
                except ConfigError as error:
                    self._takes_note(told(error))
            else:
                self._ended = True
                return False

    def measure(self) -> None:
        """Bring what goes up and down in the counts up to date."""
        if not self._ended:
            self._job.measure()

    def _begun(self) -> Job:
        return Job(self.integration, self._cursor, self._opened(), self._once, self.counts, self._troubles, self._tell)

    def _takes_note(self, trouble: str, again: bool = True) -> None:
        self._troubles.add(WORK, trouble, again)
        self._job.write_status()


async def _is_set(stop: asyncio.Event, seconds: float) -> bool:
    """Whether *stop* is set within so many seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()

"""The spool is put into the history every now and then, while a receiver runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from falcokit.errors import ConfigError
from falcokit.history.store import Held
from falcokit.receive.fold import fold
from falcokit.receive.spool import Spool

__all__ = ["Folding"]

_EVERY: Final = 1.0
_PATIENCE: Final = 1.0
_LONG_WAIT: Final = 30
"""How often the history was not to be had before it is told."""
_LAST_PATIENCE: Final = 15.0
"""Seconds that the end waits for others who have the history."""


class Folding:
    """What puts the events in *spool* into the history at *store*; *say* is told in sentences of what goes wrong."""

    def __init__(self, spool: Spool, store: str, say: Callable[[str], object]) -> None:
        self._spool: Final = spool
        self._store: Final = store
        self._say: Final = say
        self._folder: Final = ThreadPoolExecutor(1)
        self._waits = 0
        self._trouble = ""
        self.new = 0
        """How many events were new in the history."""

    async def until(self, stop: asyncio.Event) -> None:
        """Put in what is there every now and then, until *stop* is set."""
        while not stop.is_set():
            await self._fold(_PATIENCE)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _EVERY)

    async def end(self) -> None:
        """Put in what is left."""
        before = -1
        while not self._spool.empty and self._spool.size != before:
            before = self._spool.size
            if not await self._fold(_LAST_PATIENCE):
                break

    def tell(self, trouble: str) -> None:
        """Say it, but not again and again."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._say(f"{trouble}; trying again")

    async def _fold(self, patience: float) -> bool:
        loop = asyncio.get_running_loop()

        def say(sentence: str) -> None:
            loop.call_soon_threadsafe(self._say, sentence)

        try:
            self.new += await loop.run_in_executor(self._folder, fold, self._spool, self._store, patience, say)
        except Held as held:
            # Others read: they will be done.
            self._waits += 1
            if self._waits == _LONG_WAIT:
                self.tell(f"{held}; events wait in the spool")
            return False
        except (ConfigError, OSError) as error:
            self.tell(str(error))
            return False
        self._trouble, self._waits = "", 0
        return True

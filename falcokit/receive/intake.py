"""Lines on their way to the disk: all that wait are written together, and there is a limit to how many do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from falcokit.receive.spool import Spool

__all__ = ["Full", "Intake"]


class Full(Exception):
    """There is no room: later there may be."""


class Intake:
    """What writes to *spool*, which gets no larger than *limit* bytes."""

    def __init__(self, spool: Spool, limit: int) -> None:
        self._spool: Final = spool
        self._limit: Final = limit
        self._waiting: list[tuple[Sequence[bytes], asyncio.Future[None]]] = []
        self._bytes = 0
        self._news: Final = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether not even a small event has room."""
        return self._spool.size + self._bytes >= self._limit

    async def keep(self, lines: Sequence[bytes]) -> None:
        """Returns when *lines* are safe on disk.  Raises `Full`, or `OSError` where the disk does not take them."""
        size = sum(map(len, lines)) + len(lines)
        if self._spool.size + self._bytes + size > self._limit:
            raise Full
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((lines, kept))
        self._bytes += size
        self._news.set()
        try:
            await kept
        finally:
            self._bytes -= size

    async def run(self) -> None:
        """Write what waits, for ever."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as disk:
            while True:
                await self._news.wait()
                self._news.clear()
                batch, self._waiting = self._waiting, []
                lines = [line for some, _ in batch for line in some]
                error: Exception | None = None
                try:
                    await loop.run_in_executor(disk, self._spool.append, lines)
                except OSError as problem:
                    error = problem
                for _, kept in batch:
                    if not kept.done():
                        kept.set_exception(error) if error is not None else kept.set_result(None)

"""All integrations at work side by side, until they are told to stop or everything is delivered."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Final

from falcokit.deliver.counts import prometheus
from falcokit.deliver.cursor import Cursor
from falcokit.deliver.feed import Feed, Tell
from falcokit.deliver.log import LogFeed
from falcokit.deliver.spool import Spool, SpoolFeed
from falcokit.deliver.state import folder_of
from falcokit.deliver.stdin import Intake
from falcokit.deliver.worker import Worker
from falcokit.errors import ConfigError
from falcokit.forward.integration import Integration
from falcokit.record import Record

__all__ = ["Sources", "Totals", "forward"]

_MEBIBYTE: Final = 1 << 20


class Sources(Record):
    """Where events come from: ``logs`` (paths), ``stdin`` (a file's number, -1 for none), ``history`` (its path, or empty).

    With ``once`` a run ends when all is delivered; with ``wait`` standard input waits for a spool that is full.
    """

    __slots__ = ("history", "logs", "once", "stdin", "wait")

    def __init__(
        self, logs: tuple[str, ...] = (), stdin: int = -1, history: str = "", once: bool = False, wait: bool = False
    ) -> None:
        self.logs: Final = logs
        self.stdin: Final = stdin
        self.history: Final = history
        self.once: Final = once
        self.wait: Final = wait


class Totals(Record):
    """What a run did with one integration: its ``counts`` by name, and how many events are ``left`` that were read, and not delivered."""

    __slots__ = ("counts", "left", "name")

    def __init__(self, name: str, counts: dict[str, Any], left: int) -> None:
        self.name: Final = name
        self.counts: Final = counts
        self.left: Final = left


def forward(
    integrations: Sequence[Integration],
    sources: Sources,
    state: str,
    tell: Tell,
    metrics: tuple[str, int] | None = None,
    ready: Callable[[], object] = lambda: None,
) -> list[Totals]:
    """Forward what *sources* have to each of *integrations*, from where each last stopped, until SIGTERM, SIGINT or the end.

    *state* is the folder where positions are kept, *tell* is told in sentences of what goes wrong; *metrics* is where the
    numbers are served.  Raises `ConfigError`.
    """
    with ExitStack() as held:
        workers: list[Worker] = []
        spools: list[Spool] = []
        for integration in integrations:
            cursor = Cursor(folder_of(state, integration.name))
            held.callback(cursor.close)
            limit = int(integration.option("spool")) * _MEBIBYTE
            spool = Spool(os.path.join(cursor.folder, "spool"), limit, cursor.get(SpoolFeed.key))
            held.callback(spool.close)
            spools.append(spool)
            try:
                feeds = _feeds(cursor, spool, sources, _named(integration, tell))
                workers.append(Worker(integration, cursor, feeds, sources.once, tell))
            except ConfigError as error:
                said = str(error)
                raise ConfigError(
                    said if said.startswith(integration.name) else f"{integration.name}: {said}"
                ) from None
        return asyncio.run(_run(workers, spools, sources, tell, metrics, ready))


def _named(integration: Integration, tell: Tell) -> Tell:
    return lambda sentence: tell(f"{integration.name}: {sentence}")


def _feeds(cursor: Cursor, spool: Spool, sources: Sources, tell: Tell) -> list[Feed]:
    """What an integration reads: always what is left in its spool as well."""
    feeds: list[Feed] = [SpoolFeed(spool, cursor.get(SpoolFeed.key), tell)]
    feeds += [LogFeed(path, cursor.get(os.path.abspath(path)), sources.once, tell) for path in sources.logs]
    if sources.history:
        from falcokit.deliver.past import HistoryFeed

        key = HistoryFeed.key_of(sources.history)
        feeds.append(HistoryFeed(sources.history, cursor.get(key), sources.once, tell))
    return feeds


async def _run(
    workers: Sequence[Worker],
    spools: Sequence[Spool],
    sources: Sources,
    tell: Tell,
    metrics: tuple[str, int] | None,
    ready: Callable[[], object],
) -> list[Totals]:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    end: Callable[[], object] = lambda: None  # noqa: E731  # nothing is served
    if metrics is not None:
        from falcokit.deliver.metrics import serve_metrics

        end = await serve_metrics(metrics, lambda: _numbers(workers))
    intake = _intake(workers, spools, sources, loop, tell)
    ready()
    try:
        # What one of them cannot go on from is no reason for the others to stop.
        done = await asyncio.gather(*[worker.run(stop) for worker in workers], return_exceptions=True)
    finally:
        end()
        if intake is not None:
            intake.stop()
            await asyncio.to_thread(intake.join, 2.0)
    for worker, error in zip(workers, done, strict=True):
        if isinstance(error, ConfigError | OSError):
            tell(f"{worker.integration.name}: it had to stop: {error}")
        elif isinstance(error, BaseException):
            raise error
    return [Totals(one.integration.name, one.counts.data(), one.undelivered) for one in workers]


def _numbers(workers: Sequence[Worker]) -> str:
    for worker in workers:
        worker.measure()
    return prometheus([(one.integration.name, one.counts.data()) for one in workers])


def _intake(
    workers: Sequence[Worker], spools: Sequence[Spool], sources: Sources, loop: asyncio.AbstractEventLoop, tell: Tell
) -> Intake | None:
    if sources.stdin < 0:
        for spool in spools:
            spool.close()
        return None

    def refused(number: int, count: int) -> None:
        loop.call_soon_threadsafe(_dropped, workers[number], count, tell)

    def told(sentence: str) -> None:
        loop.call_soon_threadsafe(tell, sentence)

    intake = Intake(sources.stdin, spools, sources.wait or sources.once, refused, told)
    intake.start()
    return intake


def _dropped(worker: Worker, count: int, tell: Tell) -> None:
    first = not worker.counts.dropped
    worker.counts.dropped += count
    if first:
        tell(f"{worker.integration.name}: its spool is full: events are dropped, and counted, until there is room")

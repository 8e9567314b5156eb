"""All integrations at work side by side, until they are told to stop or everything is delivered."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

from falcokit.deliver.counts import Counts, prometheus
from falcokit.deliver.cursor import Cursor
from falcokit.deliver.feed import Feed, Tell
from falcokit.deliver.log import LogFeed
from falcokit.deliver.spool import Spool, SpoolFeed
from falcokit.deliver.state import folder_of, leave_status
from falcokit.deliver.stdin import Intake
from falcokit.deliver.worker import Worker
from falcokit.errors import ConfigError
from falcokit.forward.integration import Integration
from falcokit.record import Record

__all__ = ["Sources", "Totals", "forward"]

_MEBIBYTE: Final = 1 << 20


class Sources(Record):
    """Where events come from: ``logs`` (paths), ``stdin`` (a file's number, -1 for none), ``history`` (its path, or empty).

    With ``once`` a run ends when all is delivered; with ``wait`` standard input waits for a spool that is full; with ``from_end`` of a
    log that was never read only what comes is sent.
    """

    __slots__ = ("from_end", "history", "logs", "once", "stdin", "wait")

    def __init__(
        self,
        logs: tuple[str, ...] = (),
        stdin: int = -1,
        history: str = "",
        once: bool = False,
        wait: bool = False,
        from_end: bool = False,
    ) -> None:
        self.from_end: Final = from_end
        self.logs: Final = logs
        self.stdin: Final = stdin
        self.history: Final = history
        self.once: Final = once
        self.wait: Final = wait


class Totals(Record):
    """What a run did with one integration: its ``counts`` by name, how many events are ``left`` that were read, and not delivered, and
    whether it ``failed``: it could not begin, go on, or remember how far it came."""

    __slots__ = ("counts", "failed", "left", "name")

    def __init__(self, name: str, counts: dict[str, Any], left: int, failed: bool = False) -> None:
        self.failed: Final = failed
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
    numbers are served.  One that cannot begin holds up no other; raises `ConfigError` where none can.
    """
    with ExitStack() as held:
        workers: list[Worker] = []
        spools: list[Spool] = []
        failed: dict[str, str] = {}
        for integration in integrations:
            with ExitStack() as own:
                try:
                    cursor = Cursor(folder_of(state, integration.name))
                    own.callback(cursor.close)
                    limit = int(integration.option("spool")) * _MEBIBYTE
                    spool = Spool(os.path.join(cursor.folder, "spool"), limit, cursor.get(SpoolFeed.key))
                    own.callback(spool.close)
                    say = _named(integration, tell)
                    opened = partial(_feeds, cursor, spool, sources, say)
                    workers.append(Worker(integration, cursor, opened, sources.once, say))
                except ConfigError as error:
                    failed[integration.name] = str(error).removeprefix(f"{integration.name}: ")
                    continue
                spools.append(spool)
                held.push(own.pop_all())
        if not workers:
            raise ConfigError("; ".join([f"{name}: {reason}" for name, reason in failed.items()]))
        idle = [Totals(name, _idle(state, name, reason, tell), 0, True) for name, reason in failed.items()]
        return [*asyncio.run(_run(workers, spools, sources, tell, metrics, ready, idle)), *idle]


def _idle(state: str, name: str, reason: str, tell: Tell) -> dict[str, Any]:
    """The counts of an integration that cannot begin."""
    tell(f"{name}: it cannot begin: {reason}")
    counts = Counts()
    counts.up, counts.trouble = 0, f"it cannot begin: {reason}"
    leave_status(folder_of(state, name), counts.data())
    return counts.data()


def _named(integration: Integration, tell: Tell) -> Tell:
    return lambda sentence: tell(f"{integration.name}: {sentence}")


def _feeds(cursor: Cursor, spool: Spool, sources: Sources, tell: Tell) -> list[Feed]:
    """What an integration reads: always what is left in its spool as well."""
    feeds: list[Feed] = [SpoolFeed(spool, cursor.get(SpoolFeed.key), tell)]
    feeds += [LogFeed(path, cursor.places, sources.once, tell, sources.from_end) for path in sources.logs]
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
    idle: Sequence[Totals],
) -> list[Totals]:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    end: Callable[[], object] = lambda: None  # noqa: E731  # nothing is served
    if metrics is not None:
        from falcokit.deliver.metrics import serve_metrics

        end = await serve_metrics(metrics, lambda: _numbers(workers, idle))
    intake = _intake(workers, spools, sources, loop, tell)
    ready()
    try:
        well = await asyncio.gather(*[worker.run(stop) for worker in workers])
    finally:
        end()
        if intake is not None:
            intake.stop()
            await asyncio.to_thread(intake.join, 2.0)
            if intake.left:
                tell(
                    f"standard input is not read to its end: {intake.read} events of it were; from a file the next run reads them again"
                )
    cut = intake is not None and intake.left
    return [
        Totals(one.integration.name, one.counts.data(), one.undelivered, cut or not good)
        for one, good in zip(workers, well, strict=True)
    ]


def _numbers(workers: Sequence[Worker], idle: Sequence[Totals]) -> str:
    for worker in workers:
        worker.measure()
    return prometheus(
        [*[(one.integration.name, one.counts.data()) for one in workers], *[(one.name, one.counts) for one in idle]]
    )


def _intake(
    workers: Sequence[Worker], spools: Sequence[Spool], sources: Sources, loop: asyncio.AbstractEventLoop, tell: Tell
) -> Intake | None:
    if sources.stdin < 0:
        for spool in spools:
            spool.close()
        return None

    def refused(number: int, count: int) -> None:
        loop.call_soon_threadsafe(_dropped, workers[number], count, tell)

    def say(sentence: str) -> None:
        loop.call_soon_threadsafe(tell, sentence)

    def unreadable() -> None:
        for worker in workers:
            worker.counts.unreadable += 1

    def damaged() -> None:
        loop.call_soon_threadsafe(unreadable)

    def waits(number: int) -> None:
        name = workers[number].integration.name
        say(f"reading waits for {name}, and all others with it: its spool is full")

    if sources.once:
        end = ""
    elif sources.logs:
        end = "standard input has ended"
    else:
        end = "standard input has ended: the run ends when all of it is delivered"
    intake = Intake(sources.stdin, spools, sources.wait or sources.once, refused, waits, damaged, say, end)
    intake.start()
    return intake


def _dropped(worker: Worker, count: int, tell: Tell) -> None:
    first = not worker.counts.dropped
    worker.counts.dropped += count
    if first:
        tell(f"{worker.integration.name}: its spool is full: events are dropped, and counted, until there is room")

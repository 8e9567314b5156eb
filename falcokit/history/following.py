"""Logs that grow, followed into the history: from where the last run stopped, across rotations, whole lines only.

How far a log was read is kept with the events in one transaction, so that nothing is read twice or left out whatever ends a run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from threading import Event as Signal
from time import monotonic
from typing import Final

from falcokit.errors import ConfigError
from falcokit.event import Damaged, read_events
from falcokit.history.importing import HOLD, PATIENCE, PAUSE, Imported, add_all, only_events
from falcokit.history.store import Held, History, Progress, open_to_write
from falcokit.log.log import Log
from falcokit.log.mark import Mark

__all__ = ["follow"]

_CHUNK: Final = 1 << 23
"""Bytes that are read at once: about as many lines as are best put in at once."""
_GATHER: Final = 400
"""Milliseconds for which changes are gathered, and in which a line is looked for where the system tells of none."""


def follow(
    store: str, paths: Iterable[str], stop: Signal, damaged: Callable[[Damaged], object] = lambda _: None
) -> Imported:
    """Put what is in the files at *paths*, and what is written to them from now on, into the history at *store*, until *stop* is set.

    A line is there at most a second after it was written, unless another process has the history.  Raises `ConfigError`.
    """
    try:
        with open_to_write(store, PATIENCE) as history:
            logs = [_Log(path, history.marks(), damaged) for path in paths]
        return _follow(store, logs, stop)
    except OSError as error:
        raise ConfigError(f"reading ended: {(error.strerror or 'it failed').lower()}") from None


def _follow(store: str, logs: list[_Log], stop: Signal) -> Imported:
    read = new = 0
    for _ in _changes({log.folder for log in logs}, stop):
        while True in [log.look() for log in logs]:  # All of them, while another process has the history too.
            try:
                with open_to_write(store, PATIENCE if stop.is_set() else 1.0) as history:
                    end = monotonic() + HOLD
                    for log in logs:
                        some, added = log.put(history, end)
                        read, new = read + some, new + added
            except Held:
                if stop.is_set():
                    raise
            if stop.wait(PAUSE):
                break
    return Imported(read, new)


def _changes(folders: set[str], stop: Signal) -> Iterator[None]:
    """Something, and then again whenever there may be news; once more after *stop* is set."""
    yield
    with suppress(ImportError, OSError, RuntimeError):  # Without it, or with too many watches already.
        from watchfiles import watch

        for _ in watch(
            *sorted(folders),
            watch_filter=None,
            debounce=_GATHER,
            rust_timeout=_GATHER,
            yield_on_timeout=True,
            recursive=False,
            stop_event=stop,
            raise_interrupt=False,
        ):
            yield
    while not stop.wait(_GATHER / 1000):
        yield
    yield


class _Log:
    """The log at *path*, and what of it is put into the history."""

    def __init__(self, path: str, marks: Mapping[str, Mark], damaged: Callable[[Damaged], object]) -> None:
        self._name: Final = path
        self._damaged: Final = damaged
        self._log: Final = Log(path, marks, lambda sentence: damaged(Damaged(path, 0, sentence)))
        self.folder: Final = os.path.dirname(self._log.path)

    def look(self) -> bool:
        """Notice rotation; whether there is something to read."""
        return self._log.look()

    def put(self, history: History, end: float) -> tuple[int, int]:
        """Put what there is to read into *history*, until the moment *end*: how many events were read, how many were new."""
        read = new = 0
        while (piece := self._log.read(_CHUNK)) is not None:
            events = only_events(read_events((piece.data,), self._name), self._tell)
            some, added = add_all(history, events, Progress(self._log.path, piece.mark))
            self._log.advance(piece)
            read, new = read + some, new + added
            if monotonic() > end:
                break
        return read, new

    def _tell(self, place: Damaged) -> None:
        self._damaged(place.replaced(line=self._log.line_number() + place.line))

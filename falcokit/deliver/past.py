"""The history as a feed: what is put into it, in the order in which it is.

Rows have no numbers that last: where old events are deleted, the others move up.  A place therefore tells which event it is behind.
"""

from __future__ import annotations

import os
from typing import Final

from falcokit.deliver.feed import Chunk, Place, Tell
from falcokit.errors import ConfigError
from falcokit.event import Event
from falcokit.history.query import event_of
from falcokit.history.store import Held, History, open_to_read

__all__ = ["HistoryFeed"]

_ROWS: Final = 2000
_BYTES: Final = 1 << 21
_PATIENCE: Final = 1.0


class HistoryFeed:
    """The events of the history at *path*; with *once* those that are there, else also those to come."""

    slow: Final = True
    gaps: Final = 0

    def __init__(self, path: str, place: Place | None, once: bool, tell: Tell) -> None:
        """Raises `ConfigError` where there is no history."""
        self.key: Final = self.key_of(path)
        self._path: Final = path
        self._once: Final = once
        self._tell: Final = tell
        self._place: Place = place or {}
        self._size = 0
        self._seen: object = None
        self._read_all = False
        if not os.path.exists(path):
            open_to_read(path)  # Says what is missing.

    @staticmethod
    def key_of(path: str) -> str:
        """What the place in the history at *path* is kept under."""
        return f"history:{os.path.abspath(path)}"

    def read(self) -> Chunk | None:
        """The next events; None where there are none now.  Raises `ConfigError`."""
        state = self._state()
        if state == self._seen:
            return None
        try:
            with open_to_read(self._path, _PATIENCE) as history:
                start = self._start(history)
                rows = history.all(
                    "SELECT rowid, time, id, raw FROM events WHERE rowid >= ? ORDER BY rowid LIMIT ?", [start, _ROWS]
                )
        except Held:
            return None  # Its writer is soon done.
        if not rows:
            self._seen, self._read_all, self._size = state, True, 0
            return None
        events: list[Event] = []
        taken = 0
        last = rows[0]
        for last in rows:
            event = event_of(last[3])
            if event is not None:
                events.append(event)
            taken += len(last[3])
            if taken > _BYTES:
                break
        self._place = {"time": last[1], "id": last[2]}
        self._read_all = False
        self._size = 1 if len(rows) == _ROWS else 0
        return Chunk(events, self._place, taken)

    def _start(self, history: History) -> int:
        """The row behind the place."""
        if not all(isinstance(self._place.get(name), int) for name in ("time", "id")):
            return 0
        time, number = self._place["time"], self._place["id"]
        found = history.all("SELECT rowid FROM events WHERE time = ? AND id = ? ORDER BY rowid LIMIT 1", [time, number])
        if found:
            return int(found[0][0]) + 1
        if history.all("SELECT 1 FROM events LIMIT 1"):
            self._tell(
                f"{self._path}: the last event that was sent is deleted: what is there is sent, some of it perhaps again"
            )
        return 0

    def _state(self) -> object:
        """What changes when something is written."""
        try:
            found = [os.stat(path) for path in (self._path, f"{self._path}.wal") if os.path.exists(path)]
        except OSError as error:
            raise ConfigError(f"cannot read {self._path}: {(error.strerror or 'it failed').lower()}") from None
        return [(one.st_mtime_ns, one.st_size, one.st_ino) for one in found]

    def look(self) -> None:
        """Nothing happens to it."""

    def backlog(self) -> int:
        """How many bytes wait; not known but for whether any do."""
        return self._size

    @property
    def ended(self) -> bool:
        """Whether all is read and nothing more is wanted."""
        return self._once and self._read_all

    def settle(self, place: Place) -> None:
        """Nothing has to be done: the history is not ours."""

    def close(self) -> None:
        """Nothing is held open."""

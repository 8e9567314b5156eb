"""Standard input into the spools: nobody can read it twice, so that each integration gets what comes into a spool of its own."""

from __future__ import annotations

import os
import select
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from falcokit.deliver.feed import Tell
from falcokit.deliver.spool import Spool
from falcokit.event import Event
from falcokit.event.reader import read_events

__all__ = ["Intake"]

_PIECE: Final = 1 << 18
_PATIENCE: Final = 0.1
"""Seconds between two looks whether there is room, or an end."""
_MOST_TOLD: Final = 20


class Intake(threading.Thread):
    """Reads *file* until its end, or until `stop`.

    Where a spool has no room, what comes is refused for that one and *refused* is told its number and how many events; with *wait* reading
    waits for all of them instead, and with it whoever writes: *waits* is told the first time that it does for one.  *damaged* is told of
    each place that is no event, *tell* in the end *end*, where it has one.
    """

    def __init__(
        self,
        file: int,
        spools: Sequence[Spool],
        wait: bool,
        refused: Callable[[int, int], object],
        waits: Callable[[int], object],
        damaged: Callable[[], object],
        tell: Tell,
        end: str = "",
    ) -> None:
        super().__init__(name="standard input", daemon=True)
        self._file: Final = file
        self._spools: Final = spools
        # A file does not mind to wait.
        self._plain: Final = stat.S_ISREG(os.fstat(file).st_mode)
        self._wait: Final = wait or self._plain
        self._waits: Final = waits
        self._waited: Final[set[int]] = set()
        self._end: Final = end
        self._complete = False
        self._refused: Final = refused
        self._damaged: Final = damaged
        self._tell: Final = tell
        self._told = 0
        self._halt: Final = threading.Event()
        self._lines: list[bytes] = []
        self._broken = False
        self.read = 0
        """How many events were read."""

    def run(self) -> None:
        """Read; ends all spools at the end."""
        try:
            for one in read_events(self._pieces(), "<stdin>"):
                if isinstance(one, Event):
                    self.read += 1
                    self._lines.append(one.written.replace("\n", " ").encode("utf-8", "replace"))
                    if len(self._lines) >= 1000:
                        self._keep()
                elif not one.note and not self._halt.is_set():
                    self._damaged()
                    self._told += 1
                    if self._told <= _MOST_TOLD:
                        self._tell(f"{one.name}:{one.line}: {one.reason}")
            self._keep()
            if self._complete and self._end:
                self._tell(self._end)
        except OSError as error:
            self._tell(f"standard input is not read any more: {(error.strerror or 'it failed').lower()}")
        finally:
            for spool in self._spools:
                spool.close()

    def stop(self) -> None:
        """End soon; what was read is kept."""
        self._halt.set()

    @property
    def left(self) -> bool:
        """Whether it is a file that was not read to its end."""
        return self._plain and not self._complete

    def _pieces(self) -> Iterator[bytes]:
        while not self._halt.is_set():
            ready = [self._file]
            with suppress(OSError, ValueError):  # Some files cannot be waited for.
                ready, _, _ = select.select([self._file], [], [], 0)
            if not ready:
                # Nothing comes right now: what came is made safe first.
                self._keep()
                ready, _, _ = select.select([self._file], [], [], _PATIENCE)
                if not ready:
                    continue
            piece = os.read(self._file, _PIECE)
            if not piece:
                self._complete = True
                return
            yield piece

    def _keep(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            return
        for number, spool in enumerate(self._spools):
            left = lines[self._append(spool, lines) :]
            if left and self._wait and not self._broken and number not in self._waited:
                self._waited.add(number)
                self._waits(number)
            while left and (self._wait or self._broken) and not self._halt.wait(_PATIENCE):
                left = left[self._append(spool, left) :]
            if left and self._wait:
                # The last ones that were read before the end: they are few.
                left = left[self._append(spool, left, True) :]
            if left:
                self._refused(number, len(left))

    def _append(self, spool: Spool, lines: Sequence[bytes], beyond: bool = False) -> int:
        """How many of *lines* are kept; while the disk takes none, whoever writes waits."""
        try:
            count = spool.append(lines, beyond)
        except OSError as error:
            if not self._broken:
                self._broken = True
                self._tell(f"cannot write {spool.folder}: {(error.strerror or 'it failed').lower()}; trying again")
            return 0
        self._broken = False
        return count

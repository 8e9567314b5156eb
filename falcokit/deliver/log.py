"""A log, one event a line, read from where the last run stopped, across rotations."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from falcokit.deliver.feed import PIECE, Chunk, Place, Tell, parsed
from falcokit.errors import ConfigError
from falcokit.log.log import Log
from falcokit.log.mark import mark_of

__all__ = ["LogFeed"]

_MOST_TOLD: Final = 20


class LogFeed:
    """The events of the file at *path*; with *once* as far as it goes when all is read, else for as long as it grows."""

    slow: Final = False

    def __init__(self, path: str, places: Mapping[str, Place], once: bool, tell: Tell, from_end: bool = False) -> None:
        """*places* are those of all feeds there ever were, by their keys; with *from_end* what there is when none fits is left out.

        Raises `ConfigError` where the file cannot be read.
        """
        self.key: Final = os.path.abspath(path)
        self._name: Final = path
        self._once: Final = once
        self._tell: Final = tell
        self._told = 0
        self._unfinished = False
        marks = {key: mark for key, place in places.items() if (mark := mark_of(place)) is not None}
        self._log: Final = Log(path, marks, self._warn, once, from_end)
        self._begun = not from_end

    def read(self) -> Chunk | None:
        """The next events; None where there are none now.  Raises `ConfigError`."""
        try:
            if not self._begun:
                self._begun = True
                return Chunk((), self._log.here().data(), 0)  # What comes from now on is wanted, also by the next run.
            piece = self._log.read(PIECE)
        except OSError as error:
            raise ConfigError(f"cannot read {self._name}: {(error.strerror or 'it failed').lower()}") from None
        if piece is None:
            return None
        self._log.advance(piece)
        events, damaged = parsed(piece.data, self._name, (piece.device, piece.inode, piece.start))
        for one in damaged:
            self._told += 1
            if self._told <= _MOST_TOLD:
                self._warn(f"byte {piece.start}, line {one.line} from there: {one.reason}")
            if self._told == _MOST_TOLD:
                self._warn("what else is no event is not told")
        return Chunk(events, piece.mark.data(), len(piece.data), len(damaged))

    def look(self) -> None:
        """Notice rotations, so that no file is gone before it is held open."""
        with suppress(OSError):  # To be told when it is read.
            self._log.look()

    def backlog(self) -> int:
        """About how many bytes wait to be read."""
        with suppress(OSError):
            return self._log.left()
        return 0

    @property
    def gaps(self) -> int:
        """How often something was gone before it was read, or may have been."""
        return self._log.gaps

    @property
    def ended(self) -> bool:
        """Whether all is read and nothing more is wanted."""
        try:
            if not self._once or self._log.look():
                return False
        except OSError:
            return False  # To be told when it is read.
        if self.backlog() and not self._unfinished:
            self._unfinished = True
            self._warn("its last line has no end yet: it is left for the next run")
        return True

    def settle(self, place: Place) -> None:
        """Nothing has to be done: the log is not ours."""

    def close(self) -> None:
        """Let go of the files."""
        self._log.close()

    def _warn(self, sentence: str) -> None:
        self._tell(f"{self._name}: {sentence}")

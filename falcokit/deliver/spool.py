"""Events that came by a way on which they cannot wait: lines in files of a folder, with a limit to how many.

A line is safe once `Spool.append` returns.  What is there stays until it is delivered; what has no room is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Final

from falcokit.deliver.feed import PIECE, Chunk, Place, Tell, parsed
from falcokit.errors import ConfigError

__all__ = ["Spool", "SpoolFeed", "stored"]

_NAME: Final = re.compile(r"(\d{16})\.events", re.ASCII)
_SEGMENT: Final = 1 << 23
"""Bytes from which on a file gets no more lines."""
_LONGEST: Final = 1 << 27


def stored(folder: str) -> int:
    """The bytes of events that wait in the spool in *folder*."""
    with suppress(OSError), os.scandir(folder) as entries:
        return sum([entry.stat().st_size for entry in entries if _NAME.fullmatch(entry.name)])
    return 0


class Spool:
    """The spool in *folder*, of at most *limit* bytes; it was read up to *place*.  One thread appends, another reads and removes."""

    def __init__(self, folder: str, limit: int, place: Place | None = None, segment: int = _SEGMENT) -> None:
        """Raises `ConfigError`."""
        self.folder: Final = folder
        self.limit: Final = limit
        self._segment: Final = min(segment, max(limit // 4, 1))
        self._lock: Final = Lock()
        self._file = -1
        self._current = 0
        self.complete = False
        """Whether nothing more is appended."""
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            names = [found for name in os.listdir(folder) if (found := _NAME.fullmatch(name))]
            self._sizes = {int(name[1]): os.path.getsize(os.path.join(folder, name[0])) for name in names}
        except OSError as error:
            raise ConfigError(f"cannot write {folder}: {(error.strerror or 'it failed').lower()}") from None
        # A number is used once, also where its file is gone: places tell files by it.
        self._next = max((*self._sizes, int((place or {}).get("file", 0)))) + 1

    @property
    def size(self) -> int:
        """The bytes in it."""
        return sum(self._sizes.values())

    def path(self, number: int) -> str:
        """Where the file of that number is."""
        return os.path.join(self.folder, f"{number:016}.events")

    def append(self, lines: Sequence[bytes], beyond: bool = False) -> int:
        """Write as many of *lines*, which have no line breaks, as there is room for, or all with *beyond*: how many.

        They are written with one wait for the disk.  Raises `OSError`; then some may be there.
        """
        with self._lock:
            room = self.limit - self.size
            count = 0
            for line in lines:
                room -= len(line) + 1
                if room < 0 and not beyond:
                    break
                count += 1
            data = memoryview(b"".join([line + b"\n" for line in lines[:count]]))
            if not data:
                return 0
            try:
                if self._file < 0:
                    self._begin()
                while data:
                    written = os.write(self._file, data)
                    self._sizes[self._current] += written
                    data = data[written:]
                os.fsync(self._file)
            except OSError:
                # What stands in the file now is uncertain: nothing may come behind it.
                self._end()
                raise
            if self._sizes[self._current] >= self._segment:
                self._end()
            return count

    def numbers(self) -> list[tuple[int, int]]:
        """The files with their sizes, oldest first."""
        with self._lock:
            return sorted(self._sizes.items())

    def is_open(self, number: int) -> bool:
        """Whether more may be written to that file."""
        return self._file >= 0 and number == self._current

    def remove_before(self, number: int) -> None:
        """Take the files away that come before that one."""
        with self._lock:
            for old in [one for one in self._sizes if one < number]:
                with suppress(FileNotFoundError):
                    os.unlink(self.path(old))
                del self._sizes[old]

    def close(self) -> None:
        """No more is written."""
        with self._lock:
            self._end()
            self.complete = True

    def _begin(self) -> None:
        number = self._next
        self._file = os.open(
            self.path(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        self._current, self._next = number, number + 1
        self._sizes[number] = 0
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)  # Its name has to outlast a power cut too.
        finally:
            os.close(folder)

    def _end(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
        self._file = -1


class SpoolFeed:
    """The events in a spool."""

    key: Final = "spool"
    slow: Final = False
    gaps: Final = 0

    def __init__(self, spool: Spool, place: Place | None, tell: Tell) -> None:
        self._spool: Final = spool
        self._tell: Final = tell
        known = place or {}
        self._number, self._done = int(known.get("file", 0)), int(known.get("bytes", 0))
        self._settled = 0

    def read(self) -> Chunk | None:
        """The next events; None where there are none now.  Raises `ConfigError`."""
        for number, size in self._spool.numbers():
            if number < self._number:
                continue
            if number > self._number:
                self._number, self._done = number, 0
            if self._done >= size:
                continue
            data = self._lines(number, size)
            if not data:
                continue
            path, start = self._spool.path(number), self._done
            self._done += len(data)
            events, damaged = parsed(data, path)
            for one in damaged:
                self._tell(f"{path}: byte {start}: {one.reason}")
            return Chunk(events, {"file": self._number, "bytes": self._done}, len(data), len(damaged))
        return None

    def look(self) -> None:
        """Nothing happens to it."""

    def _lines(self, number: int, size: int) -> bytes:
        try:
            with open(self._spool.path(number), "rb", buffering=0) as stream:
                stream.seek(self._done)
                wanted = PIECE
                while wanted <= _LONGEST:
                    data = stream.read(min(wanted, size - self._done)) or b""
                    if (cut := data.rfind(b"\n") + 1) or len(data) < wanted:
                        # What a run that was killed left at the end nobody was promised.
                        return data[:cut]
                    stream.seek(self._done)
                    wanted *= 2
                return b""
        except OSError as error:
            raise ConfigError(f"cannot read {self._spool.folder}: {(error.strerror or 'it failed').lower()}") from None

    def backlog(self) -> int:
        """How many bytes wait."""
        return sum(
            size - (self._done if number == self._number else 0)
            for number, size in self._spool.numbers()
            if number >= self._number
        )

    @property
    def ended(self) -> bool:
        """Whether all is read and nothing more is written."""
        return self._spool.complete and self._is_read()

    def _is_read(self) -> bool:
        numbers = self._spool.numbers()
        return not numbers or (self._number >= numbers[-1][0] and self._done >= numbers[-1][1])

    def settle(self, place: Place) -> None:
        """Remove the files before *place*."""
        number = int(place.get("file", 0))
        size = dict(self._spool.numbers()).get(number)
        whole = size is not None and not self._spool.is_open(number) and int(place.get("bytes", 0)) >= size
        self._spool.remove_before(number + whole)

    def close(self) -> None:
        """Nothing is held open."""

"""A file that was packed with gzip after it was rotated away: places in it are those of what was packed."""

from __future__ import annotations

import gzip
import os
import zlib
from typing import Final

from falcokit.log.mark import SOME, Mark, sum_of
from falcokit.log.plain import LONGEST

__all__ = ["Packed"]

_BLOCK: Final = 1 << 18


class Packed:
    """The file at *path*, read up to the byte ``done`` of what was packed, which is unpacked as it is read."""

    def __init__(self, path: str) -> None:
        """Raises `OSError`."""
        self.path: Final = path
        self._file: Final = open(path, "rb", buffering=0)  # noqa: SIM115  # held until `close`
        found = os.fstat(self._file.fileno())
        self.device: Final = found.st_dev
        self.inode: Final = found.st_ino
        self._size: Final = found.st_size
        self._time: Final = found.st_mtime_ns
        self.ended = True
        self.begin_again()
        self.seen: Final = self.mark(0)

    def begin_again(self) -> None:
        """Read from the start."""
        self._file.seek(0)
        self._stream = gzip.GzipFile(fileobj=self._file)
        self._data = bytearray()
        self._complete = False
        self._head = self._tail = b""
        self._lines = 0
        self.done = 0
        self.trouble = ""
        """What is wrong with it; what comes behind that is lost."""

    @property
    def is_gone(self) -> bool:
        """Whether it has no name any more."""
        return os.fstat(self._file.fileno()).st_nlink == 0

    def left(self) -> int:
        """How many bytes are still to be read: packed ones, since nobody knows of how many."""
        return len(self._data) + (0 if self._complete else max(1, self._size - self._file.tell()))

    def mark(self, at: int) -> Mark:
        """The place *at* that byte, which is not before ``done`` and not behind what was read."""
        length = at - self.done
        head = (self._head + bytes(self._data[:SOME]))[: min(at, SOME)]
        tail = (self._tail + bytes(self._data[max(0, length - SOME) : length]))[-SOME:]
        return Mark(self.inode, at, sum_of(head), sum_of(tail), self._time)

    def fits(self) -> bool:
        """Whether it still has what it had: nobody writes to it."""
        return True

    def go_on(self, known: Mark, done: int) -> bool:
        """Read from the byte *done* where it is the file of *known*, packed; whether it is."""
        self.begin_again()
        # What begins in another way is not unpacked any further.
        if not self._skip(min(known.bytes, SOME)) or self.mark(self.done).head != known.head:
            return False
        if not self._skip(known.bytes) or self.mark(self.done).tail != known.tail:
            return False
        if done < known.bytes:
            self.begin_again()
        return self._skip(done)

    def has_news(self, once: bool = False) -> bool:
        """Whether there is something to read."""
        return bool(self._data) or self._unpack()

    def read(self, size: int, once: bool = False) -> bytes:
        """The next whole lines, about *size* bytes; the last one without an end too."""
        while True:
            while len(self._data) < size and self._unpack():
                pass
            if cut := self._data.rfind(b"\n", 0, size) + 1:
                return bytes(self._data[:cut])
            if len(self._data) < size or size >= LONGEST:
                return bytes(self._data[:size])
            size *= 2

    def advance(self, count: int) -> None:
        """So many bytes are read."""
        some = bytes(self._data[:count])
        self._head = (self._head + some[:SOME])[:SOME]
        self._tail = (self._tail + some[-SOME:])[-SOME:]
        self._lines += some.count(b"\n")
        self.done += count
        del self._data[:count]

    def line_number(self) -> int:
        """How many lines end before what is to be read."""
        return self._lines

    def close(self) -> None:
        self._file.close()

    def _skip(self, end: int) -> bool:
        """Read as far as the byte *end*; whether it goes so far."""
        while self.done < end:
            if not self.has_news():
                return False
            self.advance(min(len(self._data), end - self.done))
        return True

    def _unpack(self) -> bool:
        """Unpack some more; whether there was more."""
        block = b""
        if not self._complete:
            try:
                block = self._stream.read1(_BLOCK)
            except (OSError, EOFError, zlib.error):
                self.trouble = f"{self.path} is damaged"
            self._complete = not block
            self._data += block
        return bool(block)

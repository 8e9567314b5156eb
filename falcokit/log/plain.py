"""A file of lines that may still grow, held open, so that it can be read whatever becomes of its name."""

from __future__ import annotations

import os
from typing import Final

from falcokit.log.mark import SOME, Mark, sum_of

__all__ = ["LONGEST", "Plain"]

LONGEST: Final = 1 << 26
"""The most that a line has, in bytes; what goes on longer is read in pieces, which are no events."""
_BLOCK: Final = 1 << 20
_PACKED: Final = b"\x1f\x8b"


class Plain:
    """The file at *path*, read up to the byte ``done``; ``ended`` tells that it does not grow any more.  Every method raises `OSError`."""

    trouble: Final = ""

    def __init__(self, path: str, ended: bool = False) -> None:
        # What is no plain file by now is not waited for.
        self._stream: Final = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb", buffering=0)
        self._file: Final = self._stream.fileno()
        found = os.fstat(self._file)
        self.device: Final = found.st_dev
        self.inode: Final = found.st_ino
        self.done = 0
        self.ended = ended
        self._looked = 0
        self._counted = (0, 0)
        self.seen = self.mark(self.size())
        """How far it went when it was looked at last."""

    @property
    def is_packed(self) -> bool:
        """Whether it has compressed data."""
        return os.pread(self._file, 2, 0) == _PACKED

    @property
    def is_gone(self) -> bool:
        """Whether it has no name any more."""
        return os.fstat(self._file).st_nlink == 0

    def size(self) -> int:
        return os.fstat(self._file).st_size

    def left(self) -> int:
        """How many bytes are still to be read."""
        return max(0, self.size() - self.done)

    def mark(self, at: int) -> Mark:
        """The place *at* that byte."""
        length = min(at, SOME)
        head, tail = (sum_of(os.pread(self._file, length, start)) for start in (0, at - length))
        return Mark(self.inode, at, head, tail, os.fstat(self._file).st_mtime_ns)

    def has(self, mark: Mark) -> bool:
        """Whether it is the file of *mark*, or has all that it had: lines of one length look alike, but for what they say."""
        if self.size() < mark.bytes:
            return False
        own = self.mark(mark.bytes)
        return (own.head, own.tail) == (mark.head, mark.tail)

    def fits(self) -> bool:
        """Whether it still has what it had when it was looked at last, and was not cut off or written anew."""
        if not self.has(self.seen):
            return False
        self.seen = self.mark(self.size())
        return True

    def go_on(self, known: Mark, done: int) -> bool:
        """Read from the byte *done* where it is the file of *known*; whether it is."""
        if not self.has(known):
            return False
        self.done = done
        return True

    def go_to_end(self) -> None:
        """Read from behind the last whole line."""
        self.done = self.size()
        while self.done > 0:
            start = max(0, self.done - _BLOCK)
            if cut := os.pread(self._file, self.done - start, start).rfind(b"\n") + 1:
                self.done = start + cut
                return
            self.done = start

    def begin_again(self) -> None:
        """Read from the start."""
        self.done = self._looked = 0
        self._counted = (0, 0)
        self.seen = self.mark(self.size())

    def has_news(self, once: bool = False) -> bool:
        """Whether a whole line, or the last one of all, is to be read; with *once* also a last line that is whole without an end."""
        size = self.size()
        if self.ended:
            return self.done < size
        self._looked = max(self._looked, self.done)
        while self._looked < size:
            block = os.pread(self._file, _BLOCK, self._looked)
            if b"\n" in block or self._looked - self.done > LONGEST:
                return True
            if not block:
                break
            self._looked += len(block)
        return once and self.done < size and _is_whole(os.pread(self._file, LONGEST, self.done))

    def read(self, size: int, once: bool = False) -> bytes:
        """The next whole lines, about *size* bytes; the last one without an end too, under the conditions of `has_news`."""
        while True:
            data = os.pread(self._file, size, self.done)
            if cut := data.rfind(b"\n") + 1:
                return data[:cut]
            if len(data) < size:
                return data if self.ended or (once and _is_whole(data)) else b""
            if size >= LONGEST:
                return data
            size *= 2

    def advance(self, count: int) -> None:
        """So many bytes are read."""
        self.done += count

    def line_number(self) -> int:
        """How many lines end before what is to be read."""
        place, count = self._counted
        while place < self.done and (block := os.pread(self._file, min(_BLOCK, self.done - place), place)):
            place, count = place + len(block), count + block.count(b"\n")
        self._counted = (place, count)
        return count

    def close(self) -> None:
        self._stream.close()


def _is_whole(line: bytes) -> bool:
    """Whether a line without an end is an event by itself, and not the beginning of one."""
    import orjson

    try:
        return isinstance(orjson.loads(line), (dict, list))
    except ValueError:
        return False

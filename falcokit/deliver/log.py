"""A log, one event a line, read from where the last run stopped, across rotations.

A log is a row of parts: what is left of files that were rotated away, and the one that grows.  The parts are held open, so that what a
receiver that is down has not taken outlives a rotation that deletes it.
"""

from __future__ import annotations

import os
import re
import stat
import zlib
from contextlib import suppress
from typing import Final

from falcokit.deliver.feed import PIECE, Chunk, Place, Tell, parsed
from falcokit.errors import ConfigError

__all__ = ["LogFeed"]

_LONGEST: Final = 1 << 26
"""The most that a line has, in bytes; what goes on longer is read in pieces, which are no events."""
_BLOCK: Final = 1 << 20
_HEAD: Final = 256
"""The bytes at its beginning by which a file is known again: an inode is used again soon."""
_MOST_PARTS: Final = 200
_MOST_TOLD: Final = 20
_ROTATED: Final = re.compile(r"[.-]\d[\dTZ.-]*")
"""What rotation puts behind a name: ``.1``, ``-20261127``."""
_UNPACK: Final = b"\x1f\x8b"


class LogFeed:
    """The events of the file at *path*; with *once* as far as it goes when all is read, else for as long as it grows."""

    slow: Final = False

    def __init__(self, path: str, place: Place | None, once: bool, tell: Tell) -> None:
        """Raises `ConfigError` where the file cannot be read."""
        self.key: Final = os.path.abspath(path)
        self._name: Final = path
        self._once: Final = once
        self._tell: Final = tell
        self._told = 0
        self._unfinished = False
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise ConfigError(f"cannot follow {path}: it is no plain file; hand it over on standard input")
            current = _Part(self.key)
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise ConfigError(f"cannot read {path}: {reason}") from None
        if current.is_packed:
            current.close()
            raise ConfigError(f"cannot follow {path}: it is compressed; unpack it into standard input")
        left = self._left(current, place)
        self._parts = [*left, current]
        if left and not current.size():
            # Whoever writes may have the one before it open still.
            left[-1].ended = False
            self._parts.pop().close()

    def read(self) -> Chunk | None:
        """The next events; None where there are none now.  Raises `ConfigError`."""
        try:
            while self._look():
                part = self._parts[0]
                start, data = part.done, part.lines()
                if not data:
                    return None
                part.done += len(data)
                if not start and part.is_packed:
                    self._say(f"{self._name}: compressed data are not followed: unpack them into standard input")
                    part.done, part.ended = part.size(), True
                    continue
                events, damaged = parsed(data, self._name, (part.device, part.inode, start))
                for one in damaged:
                    self._say(f"{self._name}: byte {start}, line {one.line} from there: {one.reason}")
                return Chunk(events, part.place(), len(data))
        except OSError as error:
            raise ConfigError(f"cannot read {self._name}: {(error.strerror or 'it failed').lower()}") from None
        return None

    def backlog(self) -> int:
        """How many bytes wait to be read."""
        with suppress(OSError):
            return sum(max(0, part.size() - part.done) for part in self._parts)
        return 0

    @property
    def ended(self) -> bool:
        """Whether all is read and nothing more is wanted."""
        if not self._once or self._look():
            return False
        if self._parts[-1].done < self._parts[-1].size() and not self._unfinished:
            self._unfinished = True
            self._say(f"{self._name}: its last line has no end yet: it is left for the next run")
        return True

    def settle(self, place: Place) -> None:
        """Nothing has to be done: the log is not ours."""

    def close(self) -> None:
        """Let go of the files."""
        for part in self._parts:
            part.close()
        self._parts = []

    def _left(self, current: _Part, place: Place | None) -> list[_Part]:
        """What was written since *place* to files that were rotated away; *current* begins where the last run stopped."""
        if not place or not all(isinstance(place.get(name), int) for name in ("inode", "bytes", "length", "head")):
            return []
        if current.goes_on(place):
            current.done = place["bytes"]
            return []
        found = self._rotated(place, current.inode == place["inode"])
        if not found:
            self._say(
                f"{self._name}: it was rotated since the last run, and what it had is not beside it: events may be missing"
            )
        return found

    def _rotated(self, place: Place, truncated: bool) -> list[_Part]:
        """The files beside it that hold what came behind *place*, oldest first: renamed ones, or the copy of a truncated one."""
        folder, name = os.path.split(self.key)
        beside: list[tuple[int, str, int]] = []
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(name) and _ROTATED.fullmatch(entry.name[len(name) :]):
                    with suppress(OSError):
                        if entry.is_file(follow_symlinks=False):
                            beside.append((entry.stat().st_mtime_ns, entry.path, entry.inode()))
        beside.sort()
        own = [number for number, (_, _, inode) in enumerate(beside) if inode == place["inode"]]
        # A file that was copied and truncated keeps its inode: the newest copy that can be of it is.
        for start in range(len(beside) - 1, -1, -1) if truncated else own:
            parts: list[_Part] = []
            with suppress(OSError):
                for _, path, _ in beside[start:]:
                    parts.append(_Part(path, ended=True))
                if parts[0].goes_on(place):
                    parts[0].done = place["bytes"]
                    return parts
            for part in parts:
                part.close()
        return []

    def _look(self) -> bool:
        """Notice rotation; whether there is something to read."""
        last = self._parts[-1]
        if not last.fits():  # Truncated, or written anew.
            left = self._rotated(last.place(), True)
            if not left and last.done:
                self._say(f"{self._name}: it was cut off; what was not read of it before is gone")
            last.begin_again()
            self._parts[-1:] = [*left, last]
        with suppress(OSError):
            found = os.stat(self.key)
            if found.st_ino != last.inode and stat.S_ISREG(found.st_mode) and len(self._parts) < _MOST_PARTS:
                self._go_on(last, found.st_size > 0)
        while len(self._parts) > 1 and not self._parts[0].has_news():
            self._parts.pop(0).close()
        return self._parts[0].has_news(self._once)

    def _go_on(self, last: _Part, begun: bool) -> None:
        """Read on behind *last*, which was rotated away; *begun* tells that there is something in the new file."""
        newer = self._rotated(last.place(), False)  # It may have been rotated more than once.
        for again in newer[:1]:
            again.close()
        parts = newer[1:]
        # While there is nothing in the new file, whoever writes has the one before it open.
        if begun:
            parts.append(_Part(self.key))
        elif parts:
            parts[-1].ended = False
        last.ended = bool(parts)
        self._parts += parts

    def _say(self, sentence: str) -> None:
        self._told += 1
        if self._told <= _MOST_TOLD:
            self._tell(sentence)
        if self._told == _MOST_TOLD:
            self._tell(f"{self._name}: what else is no event is not told")


class _Part:
    """An open file, read up to the byte ``done``; ``ended`` tells that it does not grow any more."""

    def __init__(self, path: str, ended: bool = False) -> None:
        self._file: Final = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        found = os.fstat(self._file)
        self.device: Final = found.st_dev
        self.inode: Final = found.st_ino
        self.done = 0
        self.ended = ended
        self._looked = 0
        self._head = (0, 0)

    @property
    def is_packed(self) -> bool:
        return os.pread(self._file, 2, 0) == _UNPACK

    def size(self) -> int:
        return os.fstat(self._file).st_size

    def place(self) -> Place:
        """How far it was read, and how to know it again."""
        length = min(self.done, _HEAD)
        if self._head[0] < length:
            self._head = (length, self._sum(length))
        return {"inode": self.inode, "bytes": self.done, "length": self._head[0], "head": self._head[1]}

    def goes_on(self, place: Place) -> bool:
        """Whether it can be the file of which *place* was reached."""
        return self.size() >= int(place["bytes"]) and self._sum(min(int(place["length"]), _HEAD)) == int(place["head"])

    def fits(self) -> bool:
        """Whether it is still the file that was read up to here."""
        return self.goes_on(self.place()) if self.done else True

    def begin_again(self) -> None:
        self.done = self._looked = 0
        self._head = (0, 0)

    def has_news(self, once: bool = False) -> bool:
        """Whether a whole line is to be read, or the last one of all; with *once* also a last line that is whole without an end."""
        size = self.size()
        if self.ended:
            return self.done < size
        self._looked = max(self._looked, self.done)
        while self._looked < size:
            block = os.pread(self._file, _BLOCK, self._looked)
            if b"\n" in block or self._looked - self.done > _LONGEST:
                return True
            if not block:
                break
            self._looked += len(block)
        return once and self.done < size and _is_whole(os.pread(self._file, _LONGEST, self.done))

    def lines(self) -> bytes:
        """The next whole lines; the last one without an end too, where it is whole."""
        wanted = PIECE
        while True:
            data = os.pread(self._file, wanted, self.done)
            if cut := data.rfind(b"\n") + 1:
                return data[:cut]
            if len(data) < wanted or wanted >= _LONGEST:
                return data
            wanted *= 2

    def close(self) -> None:
        os.close(self._file)

    def _sum(self, length: int) -> int:
        return zlib.crc32(os.pread(self._file, length, 0))


def _is_whole(line: bytes) -> bool:
    """Whether a line without an end is an event by itself, and not the beginning of one."""
    import orjson

    try:
        return isinstance(orjson.loads(line), (dict, list))
    except ValueError:
        return False

"""Logs that grow, followed into the history: from where the last run stopped, across rotations, whole lines only.

A log is a row of parts: what is left of files that were rotated away, and the one that grows.  What was read is kept with the events
in one transaction, as the file's inode and a number of bytes, so that nothing is read twice or left out whatever ends a run.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from threading import Event as Signal
from time import monotonic
from typing import Final

from falcokit.errors import ConfigError
from falcokit.event import Damaged, Event, read_events
from falcokit.history.importing import HOLD, PATIENCE, PAUSE, Imported, add_all, only_events
from falcokit.history.store import Held, History, Progress, open_to_write

__all__ = ["follow"]

_CHUNK: Final = 1 << 23
"""Bytes that are read at once: about as many lines as are best put in at once."""
_LONGEST: Final = 1 << 26
"""The most that a line has, in bytes; what goes on longer is read in pieces, which are no events."""
_BLOCK: Final = 1 << 20
_GATHER: Final = 400
"""Milliseconds for which changes are gathered, and in which a line is looked for where the system tells of none."""
_ROTATED: Final = re.compile(r"[.-]\d[\dTZ.-]*")
"""What rotation puts behind a name: ``.1``, ``-20261127``."""
_TAIL: Final = 1024
"""By how many bytes before the last one read a file is known again."""
_UNPACK: Final = b"\x1f\x8b"


def follow(
    store: str, paths: Iterable[str], stop: Signal, damaged: Callable[[Damaged], object] = lambda _: None
) -> Imported:
    """Put what is in the files at *paths*, and what is written to them from now on, into the history at *store*, until *stop* is set.

    A line is there at most a second after it was written, unless another process has the history.  Raises `ConfigError`.
    """
    try:
        with open_to_write(store, PATIENCE) as history:
            logs = [_Log(path, history.progress(os.path.abspath(path)), damaged) for path in paths]
        return _follow(store, logs, stop)
    except OSError as error:
        raise ConfigError(f"reading ended: {(error.strerror or 'it failed').lower()}") from None


def _follow(store: str, logs: list[_Log], stop: Signal) -> Imported:
    read = new = 0
    for _ in _changes({os.path.dirname(log.path) for log in logs}, stop):
        while any(log.look() for log in logs):
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


class _Part:
    """An open file, read up to the byte ``done``; ``ended`` tells that it does not grow any more, ``tail`` what stands before ``done``."""

    def __init__(self, path: str, done: int = 0, ended: bool = False) -> None:
        self.path: Final = path
        self.file: Final = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.inode: Final = os.fstat(self.file).st_ino
        self.done = done
        self.tail = ""
        self.ended = ended
        self._looked = done
        self._counted = (0, 0)

    def size(self) -> int:
        return os.fstat(self.file).st_size

    def fits(self) -> bool:
        """Whether it is the file that was read up to here: lines of one length look alike, but for what they say."""
        return self.done == 0 or (self.size() >= self.done and self.told() == self.tail)

    def told(self) -> str:
        """What stands before ``done``, in short."""
        length = min(self.done, _TAIL)
        return blake2b(os.pread(self.file, length, self.done - length), digest_size=16).hexdigest()

    def has_news(self) -> bool:
        """Whether a whole line, or the last one of all, is to be read."""
        size = self.size()
        if self.ended:
            return self.done < size
        self._looked = max(self._looked, self.done)
        while self._looked < size:
            block = os.pread(self.file, _BLOCK, self._looked)
            if b"\n" in block or self._looked - self.done > _LONGEST:
                return True
            if not block:
                return False
            self._looked += len(block)
        return False

    def lines(self) -> bytes:
        """The next whole lines; the last one without an end too, where the file does not grow any more."""
        wanted = _CHUNK
        while True:
            data = os.pread(self.file, wanted, self.done)
            if cut := data.rfind(b"\n") + 1:
                return data[:cut]
            if len(data) < wanted:
                return data if self.ended else b""
            if wanted >= _LONGEST:
                return data
            wanted *= 2

    def line_number(self, at: int) -> int:
        """How many lines end before the byte *at*."""
        place, count = self._counted
        while place < at and (block := os.pread(self.file, min(_BLOCK, at - place), place)):
            place, count = place + len(block), count + block.count(b"\n")
        self._counted = (place, count)
        return count

    def close(self) -> None:
        os.close(self.file)


class _Log:
    """A file that grows under one name, and what was rotated away from it and is to be read first."""

    def __init__(self, path: str, progress: Progress | None, damaged: Callable[[Damaged], object]) -> None:
        self.name: Final = path
        self.path: Final = os.path.abspath(path)
        self._damaged: Final = damaged
        try:
            current = _Part(self.path)
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {(error.strerror or 'it failed').lower()}") from None
        self._parts = [*self._left(current, progress), current]

    def _left(self, current: _Part, progress: Progress | None) -> list[_Part]:
        """What was written since *progress* to files that were rotated away; *current* begins where the last run stopped."""
        if progress is None:
            return []
        current.done, current.tail = progress.bytes, progress.tail
        if current.inode == progress.inode and current.fits():
            return []
        current.done = 0
        found = self._rotated(progress, current.inode == progress.inode)
        if not found:
            reason = "it was rotated after the last run, and what it had is not beside it: import that as well"
            self._damaged(Damaged(self.name, 0, reason))
        return found

    def _rotated(self, progress: Progress, truncated: bool) -> list[_Part]:
        """The files beside it that hold what came behind *progress*, oldest first: renamed ones, or the copy of a truncated one."""
        folder, name = os.path.split(self.path)
        beside: list[tuple[int, str, int]] = []
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(name) and _ROTATED.fullmatch(entry.name[len(name) :]):
                    with suppress(OSError):
                        if entry.is_file(follow_symlinks=False):
                            beside.append((entry.stat().st_mtime_ns, entry.path, entry.inode()))
        beside.sort()
        own = [number for number, (_, _, inode) in enumerate(beside) if inode == progress.inode]
        # A file that was copied and truncated keeps its inode: the newest copy that can be of it is.
        for start in range(len(beside) - 1, -1, -1) if truncated else own:
            parts: list[_Part] = []
            with suppress(OSError):
                parts = [_Part(path, ended=True) for _, path, _ in beside[start:]]
                parts[0].done, parts[0].tail = progress.bytes, progress.tail
                if parts[0].fits():
                    return parts
            for part in parts:
                part.close()
        return []

    def look(self) -> bool:
        """Notice rotation; whether there is something to read."""
        last = self._parts[-1]
        if not last.fits():  # Truncated, or written anew.
            left = self._rotated(Progress(self.path, last.inode, last.done, last.tail), True)
            last.done = last._looked = 0
            last._counted = (0, 0)
            self._parts[-1:] = [*left, last]
        # While there is no new file, or nothing in it yet, whoever writes has the old one open.
        with suppress(OSError):
            found = os.stat(self.path)
            if found.st_ino != last.inode and found.st_size > 0 and stat.S_ISREG(found.st_mode):
                new = _Part(self.path)
                last.ended = True
                # It may have been rotated more than once.
                between = self._rotated(Progress(self.path, last.inode, last.done, last.tail), False)
                for again in between[:1]:
                    again.close()
                self._parts += [*between[1:], new]
        while len(self._parts) > 1 and not self._parts[0].has_news():
            self._parts.pop(0).close()
        return self._parts[0].has_news()

    def put(self, history: History, end: float) -> tuple[int, int]:
        """Put what there is to read into *history*, until the moment *end*: how many events were read, how many were new."""
        read = new = 0
        while self.look():
            part = self._parts[0]
            data, start, tail = part.lines(), part.done, part.tail
            part.done += len(data)
            part.tail = part.told()
            progress = Progress(self.path, part.inode, part.done, part.tail)
            try:
                some, added = add_all(history, self._events(part, data, start), progress)
            except BaseException:
                part.done, part.tail = start, tail
                raise
            read, new = read + some, new + added
            if monotonic() > end:
                break
        return read, new

    def _events(self, part: _Part, data: bytes, start: int) -> Iterator[Event]:
        if data[:2] == _UNPACK:
            self._damaged(Damaged(self.name, 0, "compressed data are not followed: import them"))
            return iter(())
        return only_events(read_events((data,), self.name), partial(self._tell, part, start))

    def _tell(self, part: _Part, start: int, place: Damaged) -> None:
        self._damaged(place.replaced(line=part.line_number(start) + place.line))

"""What was acknowledged and is not in the history yet: lines in a folder of files, each only ever appended to.

A line is safe once `Spool.append` returns.  A run that is killed leaves at most the beginning of a line that nobody was promised; it is
the end of its file, because every run begins files of its own.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import Lock
from typing import Final

from falcokit.errors import ConfigError

__all__ = ["Spool", "pieces_of"]

_NAME: Final = re.compile(r"(\d{16})\.events", re.ASCII)
_REFUSED: Final = re.compile(r"\d{16}\.events\.refused", re.ASCII)
_SEGMENT: Final = 1 << 23
"""Bytes from which on a file gets no more lines."""
_PIECE: Final = 1 << 20


class Spool:
    """The spool in a folder of its own; a folder has one at a time.  Two threads can use it: one appends, one takes away."""

    def __init__(self, folder: str, segment: int = _SEGMENT) -> None:
        """Begin or go on with the spool in *folder*.  Raises `ConfigError`."""
        self.folder: Final = folder
        self._segment: Final = segment
        self._lock: Final = Lock()
        self._file = -1
        self._path = ""
        self._written = 0
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._held: Final = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._held)
                raise ConfigError(f"another falcokit receives into {folder}") from None
            self._sizes = {path: os.path.getsize(path) for path in self._found(_NAME)}
            self._size = sum(self._sizes.values()) + sum(map(os.path.getsize, self._found(_REFUSED)))
        except OSError as error:
            raise ConfigError(f"cannot write {folder}: {(error.strerror or 'it failed').lower()}") from None
        numbers = [int(os.path.basename(path)[:16]) for path in (*self._found(_NAME), *self._found(_REFUSED))]
        self._next = max(numbers, default=0) + 1

    @property
    def size(self) -> int:
        """The bytes in it, with what was put aside; told without waiting for the disk."""
        return self._size

    @property
    def empty(self) -> bool:
        """Whether nothing is to be put into the history."""
        return not self._sizes

    def append(self, lines: Sequence[bytes]) -> None:
        """Write *lines*, which have no line breaks, all with one wait for the disk.  Raises `OSError`; then some may be there."""
        data = memoryview(b"".join([line + b"\n" for line in lines]))
        if not data:
            return
        with self._lock:
            try:
                if self._file < 0:
                    self._begin()
                while data:
                    count = os.write(self._file, data)
                    self._written += count
                    self._size += count
                    self._sizes[self._path] = self._written
                    data = data[count:]
                os.fsync(self._file)
            except OSError:
                # What stands in the file now is uncertain: nothing may come behind it.
                self._end()
                raise
            if self._written >= self._segment:
                self._end()

    def seal(self) -> list[str]:
        """The files with all that was appended so far, oldest first; what comes goes into others."""
        with self._lock:
            self._end()
            return sorted(self._sizes)

    def remove(self, path: str) -> None:
        """Take a file away whose lines are in the history.  Raises `OSError`."""
        os.unlink(path)
        with self._lock:
            self._size -= self._sizes.pop(path, 0)

    def put_aside(self, path: str) -> str:
        """Keep a file that cannot be put into the history under another name: its new path.  Raises `OSError`."""
        aside = f"{path}.refused"
        os.replace(path, aside)
        with self._lock:
            self._sizes.pop(path, 0)
        return aside

    def close(self) -> None:
        """Let another run have the folder."""
        with self._lock:
            self._end()
        os.close(self._held)

    def _found(self, form: re.Pattern[str]) -> list[str]:
        return [os.path.join(self.folder, name) for name in os.listdir(self.folder) if form.fullmatch(name)]

    def _begin(self) -> None:
        path = os.path.join(self.folder, f"{self._next:016}.events")
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._path, self._written = path, 0
        self._sizes[path] = 0
        self._next += 1
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)  # Its name has to outlast a power cut too.
        finally:
            os.close(folder)

    def _end(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
        self._file, self._path = -1, ""


def pieces_of(path: str) -> Iterator[bytes]:
    """The whole lines of a file of the spool, in pieces of any size.  Raises `OSError`."""
    rest = b""
    with open(path, "rb", buffering=0) as stream:
        while piece := stream.read(_PIECE):
            whole, newline, last = piece.rpartition(b"\n")
            if newline:
                yield rest + whole + newline
                rest = last
            else:
                rest += piece

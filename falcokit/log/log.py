"""A log that grows, read across rotations, by renaming or by copying and truncating, from any place that was reached.

It is a row of files: what is left of those that were rotated away, and the one that is written.  They are held open, so that what was
not read yet outlives a rotation that packs or deletes it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from errno import ENOENT
from typing import Final

from falcokit.errors import ConfigError
from falcokit.log.mark import Mark
from falcokit.log.packed import Packed
from falcokit.log.plain import Plain
from falcokit.log.rotation import Part, Rotated, folders, opened, rotated
from falcokit.record import Record

__all__ = ["Log", "Piece"]

_MOST_PARTS: Final = 200
_TRIES: Final = 5
"""How often files that are renamed while they are looked for are looked for again."""


class Piece(Record):
    """Whole lines, ``data``, of a file (``device``, ``inode``) from the byte ``start`` on, and the ``mark`` behind them."""

    __slots__ = ("data", "device", "inode", "mark", "start")

    def __init__(self, data: bytes, device: int, inode: int, start: int, mark: Mark) -> None:
        self.data: Final = data
        self.device: Final = device
        self.inode: Final = inode
        self.start: Final = start
        self.mark: Final = mark


class _Found(Record):
    """Open files, oldest first: with ``known`` from the one on that was looked for; ``whole`` tells that these are all."""

    __slots__ = ("known", "parts", "whole")

    def __init__(self, parts: list[Part], known: bool, whole: bool) -> None:
        self.parts: Final = parts
        self.known: Final = known
        self.whole: Final = whole


class Log:
    """The log at *path*, which was read as far as one of *marks* (by path, as all logs were); *tell* is told what may be missing.

    With *once* a last line that is whole is one without an end too.  With *from_end* one that was never read is read from its present end
    on.
    """

    def __init__(
        self,
        path: str,
        marks: Mapping[str, Mark],
        tell: Callable[[str], object],
        once: bool = False,
        from_end: bool = False,
    ) -> None:
        """Raises `ConfigError` where the file cannot be read, or has no lines."""
        self.path: Final = os.path.abspath(path)
        self.gaps = 0
        """How often something of it was gone before it was read, or may have been."""
        self._once: Final = once
        self._tell: Final = tell
        self._from_end: Final = from_end
        self._searched: object = None
        self._before: list[Part] = []
        with ExitStack() as held:
            try:
                if not stat.S_ISREG(os.stat(path).st_mode):
                    raise ConfigError(f"cannot follow {path}: it is no plain file; hand it over on standard input")
                current = Plain(self.path)
                held.callback(current.close)
                if current.is_packed:
                    raise ConfigError(f"cannot follow {path}: it is compressed; unpack it into standard input")
                self._last: Part = current
                self._start(current, marks)
            except (OSError, ValueError) as error:
                reason = (getattr(error, "strerror", None) or str(error)).lower()
                raise ConfigError(f"cannot read {path}: {reason}") from None
            held.pop_all()

    def look(self) -> bool:
        """Notice rotation; whether there is something to read.  Raises `OSError`.

        What is rotated twice and packed or deleted between two looks is gone.
        """
        if not self._last.fits():
            self._begin_again()
        elif len(self._before) < _MOST_PARTS:
            with suppress(FileNotFoundError):  # It was just rotated away.
                self._go_on(os.stat(self.path))
        while self._before and not self._before[0].has_news():
            part = self._before.pop(0)
            if part.trouble:
                self._miss(f"{part.trouble}: what it had behind line {part.line_number()} is missing")
            part.close()
        return bool(self._before) or self._last.has_news(self._once)

    def read(self, size: int) -> Piece | None:
        """The next whole lines, about *size* bytes, until `advance` goes beyond them; None where there are none.  Raises `OSError`."""
        if not self.look():
            return None
        part = self._first
        data = part.read(size, self._once)
        if not data:
            return None
        return Piece(data, part.device, part.inode, part.done, part.mark(part.done + len(data)))

    def advance(self, piece: Piece) -> None:
        """*piece* is read."""
        self._first.advance(len(piece.data))

    def here(self) -> Mark:
        """The place in front of what is to be read.  Raises `OSError`."""
        return self._first.mark(self._first.done)

    def line_number(self) -> int:
        """How many lines of its file are before what is to be read.  Raises `OSError`."""
        return self._first.line_number()

    def left(self) -> int:
        """About how many bytes are still to be read.  Raises `OSError`."""
        return sum(part.left() for part in (*self._before, self._last))

    def close(self) -> None:
        """Let go of the files."""
        for part in (*self._before, self._last):
            part.close()

    @property
    def _first(self) -> Part:
        return self._before[0] if self._before else self._last

    def _start(self, current: Plain, marks: Mapping[str, Mark]) -> None:
        """Go on where the last run stopped."""
        mark = self._reached(current, marks)
        if mark is None and self._from_end:
            current.go_to_end()
        if mark is None or ((mark.bytes or mark.inode == current.inode) and current.go_on(mark, mark.bytes)):
            return
        found = self._search(mark, mark.bytes, (current.inode,))
        if not found.known:
            self._miss("it was rotated since the last run, and what it had is not beside it: events may be missing")
        self._join(found, current)

    def _reached(self, current: Plain, marks: Mapping[str, Mark]) -> Mark | None:
        """The furthest place that was reached in it, also under another name: that of a link."""
        if marks.keys() - {self.path}:
            for one in reversed([*rotated(self.path, (current.inode,)), None]):
                inode = one.inode if one else current.inode
                same = [mark for mark in marks.values() if mark.inode == inode]
                if one is None:
                    same = [mark for mark in same if current.has(mark)]
                elif same:
                    with suppress(OSError):
                        part = opened(one)
                        same = [mark for mark in same if part.go_on(mark, mark.bytes)]
                        part.close()
                if same:
                    return max(same, key=lambda mark: mark.bytes)
        return marks.get(self.path)

    def _begin_again(self) -> None:
        """Read what was truncated, or written anew, from its start, and before that the rest of its copy."""
        last = self._last
        found = self._search(last.seen, last.done, self._held(last))
        if not found.whole or (not found.known and (found.parts or last.seen.bytes > last.done)):
            self._miss("it was cut off, and not all that it had is beside it: events may be missing")
        elif not found.known:
            self._tell("it was cut off; what it had was read before, and what comes is read from its start")
        last.begin_again()
        self._before += found.parts

    def _go_on(self, new: os.stat_result) -> None:
        """Read on in what has the name of the log now, and before that in what had it meanwhile."""
        last = self._last
        if new.st_ino == last.inode or not stat.S_ISREG(new.st_mode):
            return
        begun = new.st_size > 0
        state = (new.st_ino, begun, [os.stat(folder).st_mtime_ns for folder in folders(self.path)])
        if state == self._searched:
            return
        with ExitStack() as held:
            current = Plain(self.path)
            held.callback(current.close)
            found = self._search(last.seen, last.seen.bytes, self._held(current))
            if found.known:
                found.parts.pop(0).close()  # It is held already, with all that was not read.
            elif found.parts or (begun and last.is_gone):
                self._miss("it was rotated, and what it had is not beside it any more: events may be missing")
            if not begun and not found.parts:
                self._searched = state  # Whoever writes has the last one open still.
                return
            held.pop_all()
        last.ended = True
        self._before.append(last)
        self._join(found, current)

    def _join(self, found: _Found, current: Plain) -> None:
        """Read what was *found*, and then what has the name of the log now."""
        parts = found.parts
        if parts and (not found.whole or not current.left()):
            # Whoever writes may have the one before it open still.
            current.close()
            self._last = parts.pop()
            self._last.ended = isinstance(self._last, Packed)
        else:
            self._last = current
        self._before += parts

    def _held(self, last: Part) -> list[int]:
        """The inodes of what is held open, with *last* as the last one."""
        return [part.inode for part in (*self._before, last)]

    def _search(self, known: Mark, done: int, without: Collection[int]) -> _Found:
        """What was rotated away from the file of *known* on, that one from the byte *done*; else what was written later than that."""
        for _ in range(_TRIES):
            with suppress(FileNotFoundError):
                return self._searched_once(known, done, rotated(self.path, without))
        raise FileNotFoundError(ENOENT, "what is beside it is renamed all the time")

    def _searched_once(self, known: Mark, done: int, beside: Sequence[Rotated]) -> _Found:
        """As `_search`; raises `FileNotFoundError` where one of the files is renamed meanwhile."""
        with ExitStack() as held:
            # The file itself, else the newest one that says the same: a copy, or what it was packed into.
            newest = sorted(range(len(beside)), key=lambda number: (beside[number].inode == known.inode, number))
            for number in reversed(newest):
                if not known.bytes and beside[number].inode != known.inode:
                    continue  # Any file says nothing to begin with.
                with suppress(PermissionError):
                    part = opened(beside[number])
                    held.callback(part.close)
                    if part.go_on(known, done):
                        later = beside[number + 1 :]
                        parts = [part, *self._opened(later, held)]
                        held.pop_all()
                        return _Found(parts, True, len(later) <= _MOST_PARTS)
                    part.close()
            later = [one for one in beside if one.time >= known.time]
            parts = self._opened(later, held)
            held.pop_all()
            return _Found(parts, False, len(later) <= _MOST_PARTS)

    def _opened(self, files: Sequence[Rotated], held: ExitStack) -> list[Part]:
        parts: list[Part] = []
        for one in files[:_MOST_PARTS]:
            try:
                parts.append(opened(one))
                held.callback(parts[-1].close)
            except PermissionError:
                self._miss(f"cannot read {one.path}: permission denied")
        return parts

    def _miss(self, sentence: str) -> None:
        self.gaps += 1
        self._tell(sentence)

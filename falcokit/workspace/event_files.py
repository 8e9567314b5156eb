"""Event files on disk: opened one after the other and handed on in pieces, so that their size does not count."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from falcokit.workspace.sources import Unreadable, reason_of

if TYPE_CHECKING:
    from falcokit.event import Damaged, Event

__all__ = ["events_in", "size_of", "unreadable"]

_PIECE: Final = 1 << 17


def unreadable(path: str) -> Unreadable | None:
    """Why the file at *path*, ``-`` for standard input, cannot be read; None as far as it can.  A pipe is not opened."""
    if path == "-":
        return Unreadable("it is closed") if sys.stdin is None else None
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            return Unreadable("it is a directory")
    except OSError as error:
        return Unreadable(reason_of(path, error))
    except ValueError as error:
        return Unreadable(str(error))
    return None if os.access(path, os.R_OK) else Unreadable("permission is denied")


def size_of(path: str) -> int:
    """The bytes of a plain file, 0 where that is not known."""
    try:
        return os.path.getsize(path) if path != "-" and os.path.isfile(path) else 0
    except OSError:
        return 0


def events_in(path: str, advance: Callable[[int], object] = lambda count: None) -> Iterator[Event | Damaged]:
    """The events of the file at *path*, ``-`` for standard input, and what in it is none; *advance* is told of bytes read.

    A file that stops being readable ends with a damaged place.
    """
    from falcokit.event import Damaged, read_events

    failed: list[str] = []

    def pieces() -> Iterator[bytes]:
        try:
            with open(sys.stdin.fileno() if path == "-" else path, "rb", buffering=0, closefd=path != "-") as stream:
                while piece := stream.read(_PIECE):
                    advance(len(piece))
                    yield piece
        except OSError as error:
            failed.append(reason_of(path, error))

    name = "<stdin>" if path == "-" else path
    yield from read_events(pieces(), name)
    if failed:
        yield Damaged(name, 0, f"reading ended: {failed[0]}")

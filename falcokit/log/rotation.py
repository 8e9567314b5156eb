"""The files that were rotated away from a log and lie beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Container
from contextlib import suppress
from typing import Final, TypeAlias

from falcokit.log.packed import Packed
from falcokit.log.plain import Plain
from falcokit.record import Record

__all__ = ["Part", "Rotated", "folders", "opened", "rotated"]

Part: TypeAlias = Plain | Packed
"""One of the files that a log consists of, open."""
_BEHIND: Final = re.compile(r"[._-]\d[\dTZ._-]*(\.gz)?", re.ASCII)
"""What rotation puts behind a name: ``.1``, ``.1.gz``, ``-20261127``, ``.20261127-033432``."""
_WITHIN: Final = re.compile(r"(\.\d{1,4}|[._-]\d{4}-?\d\d[\dTZ._-]*)", re.ASCII)
"""What it puts in front of an ending: ``-20261127``, ``.1``; not ``-2``, which is rather a second log."""
_NUMBER: Final = re.compile(r"\.(\d{1,4})(?!\d)", re.ASCII)


class Rotated(Record):
    """A file that was rotated away: its ``path``, its ``inode``, when it was written to last (``time``, nanoseconds since 1970)."""

    __slots__ = ("inode", "path", "time")

    def __init__(self, path: str, inode: int, time: int) -> None:
        self.path: Final = path
        self.inode: Final = inode
        self.time: Final = time


def folders(path: str) -> list[str]:
    """Where that is which is rotated away from the log at *path*: beside a symbolic link, or beside what it links to."""
    return list(dict.fromkeys([os.path.dirname(path), os.path.dirname(os.path.realpath(path))]))


def rotated(path: str, without: Container[int] = ()) -> list[Rotated]:
    """The files that were rotated away from the log at *path*, oldest first, but for those with an inode in *without*."""
    found: dict[int, tuple[int, tuple[int, str], str]] = {}
    for one in dict.fromkeys((path, os.path.realpath(path))):
        folder, name = os.path.split(one)
        entries = []
        with suppress(OSError), os.scandir(folder) as listing:
            entries = [entry for entry in listing if _is_of(entry.name, name)]
        names = {entry.name for entry in entries}
        for entry in entries:
            if entry.name.removesuffix(".gz") in names - {entry.name}:
                continue  # It is just being packed, or was packed and kept: the plain one is whole.
            with suppress(OSError):
                if entry.is_file(follow_symlinks=False) and (inode := entry.inode()) not in without:
                    found[inode] = (entry.stat().st_mtime_ns, _order(entry.name, name), entry.path)
    return [Rotated(where, inode, time) for inode, (time, _, where) in sorted(found.items(), key=lambda one: one[1])]


def opened(one: Rotated) -> Part:
    """The file itself.  Raises `OSError`: `FileNotFoundError` where it has another name by now."""
    plain = Plain(one.path, ended=True)
    part: Part = plain
    if plain.inode == one.inode and plain.is_packed:
        plain.close()
        part = Packed(one.path)
    if part.inode != one.inode:
        part.close()
        raise FileNotFoundError(f"{one.path} was renamed")
    return part


def _is_of(name: str, log: str) -> bool:
    """Whether *name* is what rotation makes of the name of a *log*."""
    if name.startswith(log) and _BEHIND.fullmatch(name, len(log)):
        return True
    stem, ending = os.path.splitext(log)
    plain = name.removesuffix(".gz")
    return bool(
        ending
        and plain.startswith(stem)
        and plain.endswith(ending)
        and _WITHIN.fullmatch(plain, len(stem), len(plain) - len(ending))
    )


def _order(name: str, log: str) -> tuple[int, str]:
    """What tells older ones of one moment: the higher number, or the earlier date."""
    stem = os.path.splitext(log)[0]
    number = _NUMBER.match(name, len(log)) or _NUMBER.match(name, len(stem))
    return (-int(number[1]), name) if number else (0, name)

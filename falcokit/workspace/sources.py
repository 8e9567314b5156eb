"""Reading rules files: bounded, never blocking on what nobody named, each failure said in a sentence."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Final

from falcokit.record import Record

__all__ = [
    "DEFAULT_LIMIT",
    "ENDINGS",
    "Unreadable",
    "by_path",
    "found_in",
    "read_bytes",
    "real_path",
    "reason_of",
    "too_large",
]

DEFAULT_LIMIT: Final = 8 * 1024 * 1024
"""The size in bytes above which a file is refused."""
ENDINGS: Final = (".yaml", ".yml")
"""What the names of rules files end in."""
_MAX_FILES: Final = 10_000
_ATTEMPTS: Final = 3


class Unreadable(Record):
    """Why a path gave no content; ``too_large`` tells the limit from every other trouble."""

    __slots__ = ("reason", "too_large")

    def __init__(self, reason: str, too_large: bool = False) -> None:
        self.reason: Final = reason
        self.too_large: Final = too_large


def real_path(path: str) -> str:
    """The path with links resolved, for telling files apart."""
    return os.path.realpath(path)


def read_bytes(path: str, limit: int = DEFAULT_LIMIT) -> bytes | Unreadable:
    """The content of *path*, which may be a pipe; never more than *limit* bytes."""
    for _ in range(_ATTEMPTS):
        try:
            with open(path, "rb") as file:
                before = os.fstat(file.fileno())
                if stat.S_ISDIR(before.st_mode):
                    return Unreadable("it is a directory")
                regular = stat.S_ISREG(before.st_mode)
                if regular and before.st_size > limit:
                    return too_large(limit)
                data = file.read(limit + 1)
                if len(data) > limit:
                    return too_large(limit)
                after = os.fstat(file.fileno())
        except OSError as error:
            return Unreadable(reason_of(path, error))
        except ValueError as error:
            return Unreadable(str(error))
        if not regular or (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return data
    return Unreadable("it changes while it is read")


def too_large(limit: int) -> Unreadable:
    """The answer for more than *limit* bytes."""
    return Unreadable(f"it is larger than {limit:,} bytes".replace(",", " "), too_large=True)


def reason_of(path: str, error: OSError) -> str:
    """Why *path* could not be read, in a few words."""
    if error.errno == errno.ENOENT and os.path.islink(path):
        return "it is a link to a file that does not exist"
    reasons = {
        errno.ENOENT: "there is no such file",
        errno.EACCES: "permission is denied",
        errno.EISDIR: "it is a directory",
        errno.ELOOP: "its links lead in a circle",
    }
    return reasons.get(error.errno or 0, (error.strerror or "it cannot be read").lower())


def found_in(folder: str) -> list[str] | Unreadable:
    """The YAML files below *folder*, sorted by path; hidden folders, pipes and links to folders are passed over."""
    found: list[str] = []
    for path in _walk([folder]):
        if isinstance(path, Unreadable):
            if not found:
                return path
            continue
        found.append(path)
        if len(found) > _MAX_FILES:
            return Unreadable(f"it has more than {_MAX_FILES} YAML files")
    return by_path(found)


def by_path(paths: Iterable[str]) -> list[str]:
    """*paths* in the order in which Falco loads the files of a folder: by their bytes."""
    return sorted(paths, key=os.fsencode)


def _walk(folders: Iterable[str]) -> Iterator[str | Unreadable]:
    pending = list(folders)
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith("."):
                            pending.append(entry.path)
                    elif entry.name.endswith(ENDINGS) and entry.is_file():
                        yield entry.path
        except OSError as error:
            yield Unreadable(reason_of(folder, error))

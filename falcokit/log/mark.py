"""A place in a file, and how the file is known again: by its inode, and by what stands at its start and before that place."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from falcokit.record import Record

__all__ = ["SOME", "Mark", "mark_of", "sum_of"]

SOME: Final = 1024
"""By how many bytes at its start, and before the place, a file is known again."""


class Mark(Record):
    """A file was read as far as the byte ``bytes``.  It had this ``inode`` and was written to at ``time`` (nanoseconds since 1970).

    ``head`` and ``tail`` are sums of its first bytes and of the last ones before the place.  An inode is used again soon, a copy has
    another one, and files can begin alike: only what a file says tells for sure which one it is.
    """

    __slots__ = ("bytes", "head", "inode", "tail", "time")

    def __init__(self, inode: int, bytes: int, head: str, tail: str, time: int) -> None:
        self.inode: Final = inode
        self.bytes: Final = bytes
        self.head: Final = head
        self.tail: Final = tail
        self.time: Final = time

    def data(self) -> dict[str, Any]:
        """It as plain data, for `mark_of`."""
        return {name: getattr(self, name) for name in self.__slots__}


def mark_of(data: Mapping[str, Any] | None) -> Mark | None:
    """The mark that *data* is of; None where it is of none."""
    if data is None:
        return None
    numbers = [data.get(name) for name in ("inode", "bytes", "time")]
    texts = [data.get(name) for name in ("head", "tail")]
    if not all(isinstance(one, int) and one >= 0 for one in numbers) or not all(isinstance(one, str) for one in texts):
        return None
    return Mark(data["inode"], data["bytes"], data["head"], data["tail"], data["time"])


def sum_of(data: bytes) -> str:
    """What tells these bytes from others."""
    return blake2b(data, digest_size=16).hexdigest()

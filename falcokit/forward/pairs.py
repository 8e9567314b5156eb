"""Pairs of keys and values in a row of at most so many bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from falcokit.forward.text import cut

__all__ = ["row"]

_MAX_VALUE: Final = 1023


def row(pairs: Iterable[tuple[str, str]], between: str, escaped: Callable[[str], str], size: int, last: str) -> str:
    """``key=value`` for all *pairs* with a value, with *between* between them, in *size* bytes of UTF-8.

    Values are cut before they are *escaped*, to 1023 bytes, but that of the key *last*, which has all the room that is left; what has no room is left out.
    """
    parts: list[str] = []
    left = size
    for key, value in pairs:
        if not value:
            continue
        room = left - len(key) - 1 - len(between)
        # Escaping makes texts longer, few of them by much.
        for share in (room, room // 2, room // 4) if key == last else (_MAX_VALUE,):
            part = escaped(cut(value, share))
            length = len(part) if part.isascii() else len(part.encode())
            if length <= room and part:
                parts.append(f"{key}={part}")
                left = room - length
                break
    return between.join(parts)

"""How long to wait before something is tried again."""

from __future__ import annotations

import random
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["Backoff", "seconds_after"]

_FIRST: Final = 0.25
_LONGEST: Final = 60.0
_LASTING: Final = 15.0
"""The first wait where only somebody's doing will help, such as another token."""
_MOST_ASKED: Final = 600.0
"""The longest wait that a receiver can ask for, in seconds."""


class Backoff:
    """Waits that double, each somewhere in its upper half, so that not all who wait come back at once."""

    def __init__(self, pick: random.Random | None = None, first: float = _FIRST, longest: float = _LONGEST) -> None:
        self._pick: Final = pick or random.Random()
        self._first: Final = first
        self._longest: Final = longest
        self._next = first

    def wait(self, asked: float | None = None, lasting: bool = False) -> float:
        """The next wait in seconds: at least what was *asked* for."""
        base = max(self._next, min(_LASTING, self._longest)) if lasting else self._next
        self._next = min(base * 2, self._longest)
        time = base * self._pick.uniform(0.5, 1.0)
        return time if asked is None else max(time, min(asked, _MOST_ASKED) + base * self._pick.uniform(0.0, 0.5))

    def done(self) -> None:
        """It went well: the next wait is short again."""
        self._next = self._first


def seconds_after(header: str, now: float) -> float | None:
    """The seconds that a ``Retry-After`` asks for at *now* (seconds since 1970); None where it says nothing."""
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return float(min(int(text[:9]), 10**9))
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None

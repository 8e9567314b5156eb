"""What is wrong with an integration now: told when it begins, now and then while it lasts, and when it is over."""

from __future__ import annotations

from time import monotonic
from typing import Final

from falcokit.deliver.counts import Counts
from falcokit.deliver.feed import Tell
from falcokit.errors import ConfigError

__all__ = ["DISK", "FEED", "RECEIVER", "WORK", "Troubles", "told"]

RECEIVER: Final = "it delivers again"
FEED: Final = "it can be read again"
DISK: Final = "it can be written again"
WORK: Final = "it goes on"
"""What troubles are about, each as what is said when one is over."""
_REMIND: Final = 600.0
"""Seconds after which a trouble that lasts is told again."""


class Troubles:
    """The troubles of one integration, kept in its *counts*; *tell* is told of them in sentences."""

    def __init__(self, counts: Counts, tell: Tell) -> None:
        self._counts: Final = counts
        self._tell: Final = tell
        self._now: Final[dict[str, str]] = {}
        self._told: Final[dict[str, float]] = {}

    def __contains__(self, about: str) -> bool:
        """Whether there is one *about* that."""
        return about in self._now

    def add(self, about: str, reason: str, again: bool = True) -> None:
        """There is one; it is tried *again*."""
        now = monotonic()
        if reason != self._now.get(about) or now - self._told[about] > _REMIND:
            self._told[about] = now
            self._tell(f"{reason}{'; trying again' * again}")
        self._now[about] = reason
        self._count()

    def over(self, about: str) -> None:
        """There is none of that any more."""
        if self._now.pop(about, None) is not None:
            self._tell(about)
            self._count()

    def _count(self) -> None:
        self._counts.trouble = "; ".join(self._now.values())
        self._counts.up = int(RECEIVER not in self._now and WORK not in self._now)


def told(error: Exception) -> str:
    """What *error* says, for people."""
    if isinstance(error, OSError):
        return (error.strerror or "it failed").lower()
    return str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"

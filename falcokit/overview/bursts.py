"""Events that fall together: of one rule and form at one place, one soon after the other."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Final, Generic, Protocol, TypeVar

from falcokit.record import Record

__all__ = ["SPAN", "Burst", "Listed", "bursts", "singly"]

SPAN: Final = 60 * 10**9
"""Nanoseconds from the newest event of a burst to its oldest, at most."""


class Listed(Protocol):
    """What has to be known of an event to tell whether it falls together with another."""

    @property
    def time(self) -> int:
        """Nanoseconds since 1970."""

    @property
    def rank(self) -> int | None:
        """The number of its priority."""

    @property
    def rule(self) -> str | None: ...
    @property
    def policy(self) -> str | None: ...
    @property
    def tile(self) -> str: ...
    @property
    def actions(self) -> str | None: ...

    @property
    def template(self) -> int:
        """The form of its output."""


E = TypeVar("E", bound=Listed)


class Burst(Record, Generic[E]):
    """``count`` events as one line: the ``newest``, when the ``oldest`` was (nanoseconds since 1970), the ``paths`` of values along a grouping
    that they have, each once, the newest event's first; what was done about them."""

    __slots__ = ("actions", "count", "newest", "oldest", "paths")

    def __init__(
        self, newest: E, oldest: int, count: int, paths: tuple[tuple[str | None, ...], ...], actions: tuple[str, ...]
    ) -> None:
        self.newest: Final = newest
        self.oldest: Final = oldest
        self.count: Final = count
        self.paths: Final = paths
        self.actions: Final = actions


def bursts(
    events: Iterable[tuple[E, tuple[str | None, ...]]], mixed: Container[int] = frozenset()
) -> Iterator[Burst[E]]:
    """*events*, newest first with their paths, as lines: neighbours fall together that are alike and no further apart than `SPAN`.

    Alike are events of one rule, policy, priority and form whose paths differ in the last level at most; those of a form in *mixed* may be
    anything and stand alone.  The order stays.
    """
    open_one: _Open[E] | None = None
    for event, path in events:
        if open_one is None or event.template in mixed or not open_one.takes(event, path):
            if open_one is not None:
                yield open_one.closed()
            open_one = _Open(event, path)
        open_one.add(event, path)
    if open_one is not None:
        yield open_one.closed()


def singly(events: Iterable[tuple[E, tuple[str | None, ...]]]) -> Iterator[Burst[E]]:
    """*events* as lines, each by itself."""
    for event, path in events:
        alone = _Open(event, path)
        alone.add(event, path)
        yield alone.closed()


class _Open(Generic[E]):
    """A line that more events may fall into; it keeps none but the newest of them."""

    def __init__(self, newest: E, path: tuple[str | None, ...]) -> None:
        self.newest = newest
        self.kind = _kind(newest, path)
        self.oldest = newest.time
        self.count = 0
        self.paths: dict[tuple[str | None, ...], None] = {}
        self.actions: dict[str, None] = {}

    def takes(self, event: E, path: tuple[str | None, ...]) -> bool:
        return self.newest.time - event.time <= SPAN and _kind(event, path) == self.kind

    def add(self, event: E, path: tuple[str | None, ...]) -> None:
        self.oldest = event.time
        self.count += 1
        self.paths[path] = None
        if event.actions:
            self.actions |= dict.fromkeys(event.actions.split(", "))

    def closed(self) -> Burst[E]:
        return Burst(self.newest, self.oldest, self.count, tuple(self.paths), tuple(self.actions))


def _kind(event: Listed, path: tuple[str | None, ...]) -> object:
    return event.rule, event.policy, event.rank, event.tile, event.template, path[:-1]

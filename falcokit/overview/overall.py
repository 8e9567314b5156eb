"""All events at a glance."""

from __future__ import annotations

from typing import Final

from falcokit.record import Record

__all__ = ["Overall"]


class Overall(Record):
    """``events`` from ``first`` to ``last`` (nanoseconds since 1970), of so many ``containers``, ``images`` and ``hosts``; ``levels`` counts them
    by Sysdig's level, ``columns`` are equal spans of that time: their begin and the count of each level in them; ``rules``,
    ``image_counts`` and ``namespaces`` are the commonest, with their counts."""

    __slots__ = (
        "columns",
        "containers",
        "events",
        "first",
        "hosts",
        "image_counts",
        "images",
        "last",
        "levels",
        "namespaces",
        "rules",
    )

    def __init__(
        self,
        events: int,
        first: int,
        last: int,
        containers: int,
        images: int,
        hosts: int,
        levels: tuple[tuple[str, int], ...],
        columns: tuple[tuple[int, tuple[int, ...]], ...],
        rules: tuple[tuple[str, str, int], ...],
        image_counts: tuple[tuple[str, int], ...],
        namespaces: tuple[tuple[str, int], ...],
    ) -> None:
        self.events: Final = events
        self.first: Final = first
        self.last: Final = last
        self.containers: Final = containers
        self.images: Final = images
        self.hosts: Final = hosts
        self.levels: Final = levels
        self.columns: Final = columns
        self.rules: Final = rules
        self.image_counts: Final = image_counts
        self.namespaces: Final = namespaces

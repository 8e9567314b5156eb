"""Kinds of events: those of one rule with outputs of one form."""

from __future__ import annotations

from typing import Final

from falcokit.record import Record

__all__ = ["BUCKETS", "MASKS", "Group", "Summary"]

MASKS: Final = {
    "similar": "what differs each time, and what rare outputs differ in",
    "fields": "what differs each time",
    "container": "what tells of the container",
    "none": "nothing",
}
"""What is taken out of outputs before they are compared."""
BUCKETS: Final = 24


class Group(Record):
    """Events of one ``rule`` with outputs of the form ``text``: their ``count``, the ``first`` and ``last`` of them (nanoseconds since 1970),
    how many different containers, images and hosts there are, the most urgent priority, and how many there were in each of `BUCKETS`
    equal spans of the whole time (``trend``).  ``newest`` is the newest event of the commonest form, image and process of them, which
    ``image``, ``process``, ``parent``, ``user`` and ``namespace`` are of; ``likest`` tells how many are like it in these three."""

    __slots__ = (
        "containers",
        "count",
        "first",
        "hosts",
        "image",
        "images",
        "last",
        "likest",
        "namespace",
        "newest",
        "parent",
        "process",
        "rank",
        "rule",
        "text",
        "trend",
        "user",
    )

    def __init__(
        self,
        rule: str,
        text: str,
        count: int,
        first: int,
        last: int,
        containers: int,
        images: int,
        hosts: int,
        image: str | None,
        process: str | None,
        rank: int | None,
        newest: int,
        trend: tuple[int, ...],
        likest: int,
        parent: str | None = None,
        user: str | None = None,
        namespace: str | None = None,
    ) -> None:
        self.likest: Final = likest
        self.parent: Final = parent
        self.user: Final = user
        self.namespace: Final = namespace
        self.rule: Final = rule
        self.text: Final = text
        self.count: Final = count
        self.first: Final = first
        self.last: Final = last
        self.containers: Final = containers
        self.images: Final = images
        self.hosts: Final = hosts
        self.image: Final = image
        self.process: Final = process
        self.rank: Final = rank
        self.newest: Final = newest
        self.trend: Final = trend


class Summary(Record):
    """The ``groups``, the commonest first and at most as many as were asked for; ``events`` and ``kinds`` are how many there are in all."""

    __slots__ = ("events", "groups", "kinds")

    def __init__(self, groups: tuple[Group, ...], events: int, kinds: int) -> None:
        self.groups: Final = groups
        self.events: Final = events
        self.kinds: Final = kinds

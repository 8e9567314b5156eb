"""Groupings: names for labels in order, by which events are browsed, and the trees of counts along them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from falcokit.overview.labels import PROMOTED, SUGGESTED
from falcokit.overview.severity import PRIORITIES
from falcokit.record import Record

__all__ = ["DEFAULT", "MAX_LEVELS", "Grouping", "Node", "labels_in", "suggested", "told", "tree", "trouble"]

DEFAULT: Final = "hosts-and-containers"
MAX_LEVELS: Final = 10
_MAX_NAME: Final = 100
_MAX_LABEL: Final = 300


class Grouping(Record):
    """``labels`` from the widest to the narrowest, and the ``name`` they are asked for by; empty where they have none."""

    __slots__ = ("labels", "name")

    def __init__(self, name: str, labels: tuple[str, ...]) -> None:
        self.name: Final = name
        self.labels: Final = labels


class Node(Record):
    """``count`` events with this ``value`` of a label, None where they do not tell, and the ``nodes`` of the next label below."""

    __slots__ = ("count", "nodes", "value")

    def __init__(self, value: str | None, count: int, nodes: tuple[Node, ...] = ()) -> None:
        self.value: Final = value
        self.count: Final = count
        self.nodes: Final = nodes


def suggested() -> tuple[Grouping, ...]:
    """The groupings that everyone has."""
    return tuple([Grouping(name, labels) for name, labels in SUGGESTED.items()])


def labels_in(text: str) -> tuple[str, ...]:
    """The labels that *text* lists with commas between them."""
    return tuple([part.strip() for part in text.split(",")])


def trouble(grouping: Grouping) -> str:
    """Why *grouping* can be none; empty where it can."""
    name, labels = grouping.name, grouping.labels
    if len(name) > _MAX_NAME or name != name.strip() or not name.isprintable():
        return f"the name of a grouping has up to {_MAX_NAME} letters, and nothing that cannot be printed"
    if not labels or not all(labels):
        return "a label is empty: write labels with commas between them, such as host.hostName,container.name"
    if len(labels) > MAX_LEVELS:
        return f"a grouping has {MAX_LEVELS} labels at most"
    for label in labels:
        if len(label) > _MAX_LABEL or not label.isprintable():
            return f"a label has up to {_MAX_LABEL} letters, and nothing that cannot be printed"
        if labels.count(label) > 1:
            return f"the label {label} stands in it twice"
    return ""


def told(label: str, value: str | None) -> str | None:
    """A value of *label* as people say it; None where there is none."""
    if value is not None and PROMOTED.get(label) == "rank" and value.isdecimal() and int(value) < len(PRIORITIES):
        return PRIORITIES[int(value)]
    return value or None


def tree(counts: Iterable[tuple[Sequence[str | None], int]]) -> tuple[Node, ...]:
    """How many events there are below each value of the first label, of the second below it, and so on; most first."""
    by_value: dict[str | None, list[tuple[Sequence[str | None], int]]] = {}
    for path, count in counts:
        if path:
            by_value.setdefault(path[0], []).append((path[1:], count))
    nodes = [Node(value, sum(count for _, count in below), tree(below)) for value, below in by_value.items()]
    return tuple(sorted(nodes, key=lambda node: (-node.count, node.value is None, node.value or "")))

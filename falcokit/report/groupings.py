"""Groupings, and the trees of counts along them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from falcokit.overview.grouping import Grouping, Node
from falcokit.overview.labels import SUGGESTED
from falcokit.report.events import fitted
from falcokit.report.text import plain

__all__ = ["to_json", "to_text", "tree_json", "tree_text"]

_NONE: Final = "(none)"


def to_text(groupings: Sequence[Grouping], present: Collection[str] | None) -> str:
    """For people; *present* are the labels that events have, None where that is not known."""
    lines = []
    for one in groupings:
        lines.append(one.name + (" (suggested)" if one.name in SUGGESTED else ""))
        for label in one.labels:
            lines.append(f"  {label}" + ("  no event has it" if present is not None and label not in present else ""))
    if present is None:
        lines += ["", "there are no events yet to look for labels in: name files of events, or import some"]
    return "".join([plain(line) + "\n" for line in lines])


def to_json(groupings: Sequence[Grouping], present: Collection[str] | None) -> dict[str, Any]:
    """The same as data: ``present`` is null where it is not known."""
    return {
        "version": 1,
        "groupings": [
            {
                "name": one.name,
                "suggested": one.name in SUGGESTED,
                "labels": [
                    {"label": label, "present": None if present is None else label in present} for label in one.labels
                ],
            }
            for one in groupings
        ],
    }


def tree_text(nodes: Sequence[Node], labels: Sequence[str], total: int, limit: int, width: int) -> str:
    """Counts in front of values, the next level further in; at most *limit* values below each."""
    number = max(len(f"{total:,}"), 5)
    lines = [f"{total:>{number},}  {fitted(' > '.join(labels), width - number - 2)}"]

    def add(below: Sequence[Node], depth: int) -> None:
        for node in below[:limit]:
            space = "  " * depth
            value = _NONE if node.value is None else node.value
            lines.append(f"{node.count:>{number},}  {space}{fitted(value, max(width - number - 2 - 2 * depth, 10))}")
            add(node.nodes, depth + 1)
        if rest := below[limit:]:
            count = sum(node.count for node in rest)
            lines.append(f"{count:>{number},}  {'  ' * depth}in {len(rest):,} more")

    add(nodes, 1)
    return "".join([line + "\n" for line in lines])


def tree_json(nodes: Sequence[Node], labels: Sequence[str], total: int, limit: int) -> dict[str, Any]:
    """The same as data: ``value`` is null where events do not tell, ``more`` counts what *limit* left out."""
    return {"version": 1, "labels": list(labels), "count": total, **_below(nodes, limit)}


def _below(nodes: Sequence[Node], limit: int) -> dict[str, Any]:
    rest = nodes[limit:]
    return {
        "nodes": [{"value": node.value, "count": node.count, **_below(node.nodes, limit)} for node in nodes[:limit]],
        "more": {"values": len(rest), "count": sum(node.count for node in rest)},
    }

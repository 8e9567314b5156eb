"""All events at a glance: how many, when, how urgent, of which rules and images."""

from __future__ import annotations

from typing import Any, Final

from falcokit.history.query import Filter, scope
from falcokit.history.store import History
from falcokit.history.table import BOX
from falcokit.overview.overall import Overall
from falcokit.overview.severity import LEVELS, level_of

__all__ = ["overall"]

_COLUMNS: Final = 60


def overall(history: History, chosen: Filter, limit: int = 20) -> Overall:
    """The events that *chosen* lets through at a glance, with the *limit* commonest rules, images and namespaces."""
    source, values = scope(history, chosen)

    def ask(what: str, rest: str = "", more: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        return history.all(f"SELECT {what} FROM {source} {rest}", [*more, *values])

    ((events, first, last, containers, images, hosts),) = ask(
        f"count(*), min(time), max(time), count(DISTINCT {BOX}), count(DISTINCT image), count(DISTINCT host)"
    )
    if not events:
        return Overall(0, 0, 0, 0, 0, 0, (), (), (), (), ())
    names = (*LEVELS, "")
    by_level = dict.fromkeys(names, 0)
    columns = [[0] * len(names) for _ in range(_COLUMNS)]
    width = (last - first + 1) / _COLUMNS
    for rank, column, count in ask(
        "rank, CAST(floor((time - ?) / ?) AS INTEGER), count(*)", "GROUP BY ALL", (first, width)
    ):
        level = level_of(rank)
        by_level[level] += count
        columns[min(column, _COLUMNS - 1)][names.index(level)] += count
    rules = ask("coalesce(rule, policy, ''), min(rank), count(*) AS n", f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT {limit}")
    top = f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT {limit}"
    return Overall(
        events,
        first,
        last,
        containers,
        images,
        hosts,
        tuple([(name, count) for name, count in by_level.items() if count]),
        tuple([(int(first + number * width), tuple(counts)) for number, counts in enumerate(columns)]),
        tuple([(name, level_of(rank), count) for name, rank, count in rules]),
        tuple([(name, count) for name, count in ask("image, count(*) AS n", f"AND image IS NOT NULL {top}")]),
        tuple([(name, count) for name, count in ask("namespace, count(*) AS n", f"AND namespace IS NOT NULL {top}")]),
    )

"""Events newest first, as far as somebody reads on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from falcokit.history.gathering import BATCH
from falcokit.history.query import SHOWN, Entry, Filter, event_of, label_expression
from falcokit.history.search import reach
from falcokit.history.store import History
from falcokit.overview.grouping import told

__all__ = ["labelled", "newest_first", "present"]

_FIRST: Final = 128
_WINDOW: Final = 20_000
"""About how many events are looked through first for what only their texts tell."""
_NEWEST: Final = 50_000
"""How many events are asked for labels that only their texts tell."""


def newest_first(
    history: History, chosen: Filter, labels: Sequence[str] = (), skip: int = 0
) -> Iterator[tuple[Entry, tuple[str | None, ...]]]:
    """The events that *chosen* lets through with their values of *labels*, newest first, without the first *skip* of them.

    They are fetched in chunks that grow, each from where the last one ended: the newest cost little however many there are.
    """
    lazy = chosen.where is not None or chosen.search
    within = reach(history, chosen.search)
    for since, until in _windows(history, chosen) if lazy else [(chosen.since, chosen.until)]:
        window = chosen.replaced(since=since, until=until)
        found = _in_window(history, window, within, labels, 0 if lazy else skip)
        for one in found:
            if lazy and skip:
                skip -= 1
                continue
            yield one


def _windows(history: History, chosen: Filter) -> Iterator[tuple[int | None, int | None]]:
    """Spans of time, the newest first, that grow: what is rare is looked for in all of them, what is common in few."""
    ((count, first, last),) = history.all("SELECT count(*), min(time), max(time) FROM events")
    if not count:
        return
    first, last = max(first, chosen.since or first), min(last, (chosen.until or last + 1) - 1)
    width, until = (last - first) * _WINDOW // count + 1, last + 1
    while until > first:
        since = max(until - width, first)
        yield since, until
        until, width = since, width * 1024


def _in_window(
    history: History, chosen: Filter, within: str, labels: Sequence[str], skip: int
) -> Iterator[tuple[Entry, tuple[str | None, ...]]]:
    expressions = [label_expression(label) for label in labels]
    columns = ", ".join([SHOWN, *[expression for expression, _ in expressions]])
    given = [value for _, more in expressions for value in more]
    where, width = chosen.where, len(Entry._fields)
    offset, size = skip, _FIRST
    if where is not None:
        columns, size = f"{columns}, raw", BATCH
    while True:
        clause, values = chosen.clause(within)
        rows = history.all(
            # All columns, and what labels are, of the rows of the chunk only.
            f"SELECT {columns} FROM events WHERE rowid IN (SELECT rowid FROM events WHERE {clause} ORDER BY time DESC, id"
            f" LIMIT {size} OFFSET {offset}) ORDER BY time DESC, id",
            [*given, *values],
        )
        for row in rows:
            if where is not None and ((event := event_of(row[-1])) is None or not where(event)):
                continue
            path = [told(label, value) for label, value in zip(labels, row[width:], strict=False)]
            yield Entry(*row[:width]), tuple(path)
        if len(rows) < size:
            return
        last = rows[-1][0]
        if rows[0][0] == last:
            offset += len(rows)
        else:
            # From the last moment on, without those of this moment that were there already.
            chosen, offset = chosen.replaced(until=last + 1), sum(row[0] == last for row in rows)
        size = min(size * 2, BATCH)


def labelled(history: History, entry: Entry, labels: Sequence[str]) -> tuple[str | None, ...]:
    """The values of *labels* of one event."""
    moment = Filter(since=entry.time, until=entry.time + 1)
    return next(path for one, path in newest_first(history, moment, labels) if one.id == entry.id)


def present(history: History, labels: Sequence[str]) -> frozenset[str]:
    """Which of *labels* one of the events has, of the newest 50,000."""
    wanted = list(dict.fromkeys(labels))
    if not wanted:
        return frozenset()
    expressions = [label_expression(label) for label in wanted]
    given = [value for _, more in expressions for value in more]
    columns = ", ".join([f"count({expression})" for expression, _ in expressions])
    newest = f"(SELECT * FROM events ORDER BY time DESC LIMIT {_NEWEST})"
    (counts,) = history.all(f"SELECT {columns} FROM {newest}", given)
    return frozenset([label for label, count in zip(wanted, counts, strict=True) if count])

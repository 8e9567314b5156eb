"""Events newest first, as far as somebody reads on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from falcokit.history.gathering import BATCH
from falcokit.history.query import SHOWN, Entry, Filter, event_of, label_expression
from falcokit.history.search import reach
from falcokit.history.sieve import may_hold
from falcokit.history.store import History
from falcokit.overview.grouping import told

__all__ = ["labelled", "newest_first", "present"]

_FIRST: Final = 128
_FIRST_ASKED: Final = 1_024
_ORDER: Final = "ORDER BY time DESC, id"
_WINDOW: Final = 20_000
"""About how many events are looked through first for what only their texts tell."""
_WIDEST: Final = 1_000_000
"""About how many events have a condition asked of them from one window: it takes long to take the next few from a wider one."""
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
    sieve = ("true", ()) if chosen.where is None else may_hold(history, chosen.where)
    for since, until in _windows(history, chosen) if lazy else [(chosen.since, chosen.until)]:
        window = chosen.replaced(since=since, until=until)
        for one in _in_window(history, window, within, sieve, labels, 0 if lazy else skip):
            if lazy and skip:
                skip -= 1
                continue
            yield one


def _windows(history: History, chosen: Filter) -> Iterator[tuple[int | None, int | None]]:
    """Spans of time, the newest first, that grow: what is rare is looked for in all of them, what is common in few."""
    ((count, first, last),) = history.all("SELECT count(*), min(time), max(time) FROM events")
    if not count:
        return
    span = last - first
    first, last = max(first, chosen.since or first), min(last, (chosen.until or last + 1) - 1)
    # A text is looked for in all the rest at once.
    growth, widest = (1024, span) if chosen.where is None else (8, span * _WIDEST // count)
    width, until = span * _WINDOW // count + 1, last + 1
    while until > first:
        since = max(until - width, first)
        yield since, until
        until, width = since, min(width * growth, widest + 1)


def _in_window(
    history: History, chosen: Filter, within: str, sieve: tuple[str, Sequence[object]], labels: Sequence[str], skip: int
) -> Iterator[tuple[Entry, tuple[str | None, ...]]]:
    expressions = [label_expression(label) for label in labels]
    columns = ", ".join([SHOWN, *[expression for expression, _ in expressions]])
    given = [value for _, more in expressions for value in more]
    where, width = chosen.where, len(Entry._fields)
    offset, size = skip, _FIRST if where is None else _FIRST_ASKED
    while True:
        clause, values = chosen.clause(within)
        newest = f"SELECT rowid FROM events WHERE {clause} AND {sieve[0]} ORDER BY time DESC, id LIMIT {size} OFFSET {offset}"
        values += sieve[1]
        if where is not None:
            asked = history.all(f"SELECT time, rowid, raw FROM events WHERE rowid IN ({newest}) {_ORDER}", values)
            times = [row[0] for row in asked]
            kept = [number for _, number, raw in asked if (event := event_of(raw)) is not None and where(event)]
            newest, values = "SELECT unnest(?::BIGINT[])", [kept]
        # All columns, and what labels are, of the rows of the chunk only.
        rows = history.all(f"SELECT {columns} FROM events WHERE rowid IN ({newest}) {_ORDER}", [*given, *values])
        if where is None:
            times = [row[0] for row in rows]
        for row in rows:
            path = [told(label, value) for label, value in zip(labels, row[width:], strict=False)]
            yield Entry(*row[:width]), tuple(path)
        if len(times) < size:
            return
        last = times[-1]
        if times[0] == last:
            offset += len(times)
        else:
            # From the last moment on, without those of this moment that were there already.
            chosen, offset = chosen.replaced(until=last + 1), times.count(last)
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

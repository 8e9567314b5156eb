"""Events newest first, as far as somebody reads on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from falcokit.history.gathering import BATCH
from falcokit.history.query import SHOWN, Entry, Filter, event_of, label_expression
from falcokit.history.search import reach
from falcokit.history.sieve import may_hold
from falcokit.history.store import History
from falcokit.overview.grouping import told

__all__ = ["labelled", "newest_first", "present"]

_Fetch: TypeAlias = "Callable[[str, Sequence[object]], list[tuple[Any, ...]]]"

_FIRST: Final = 128
_FIRST_ASKED: Final = 1_024
_ORDER: Final = "ORDER BY time DESC, id"
_WINDOW: Final = 20_000
"""About how many events are looked through first for what only their texts tell."""
_WIDEST: Final = 1_000_000
"""About how many events are in one of the windows for a condition."""
_NEWEST: Final = 50_000
"""How many events are asked for labels that only their texts tell."""


def newest_first(
    history: History, chosen: Filter, labels: Sequence[str] = (), skip: int = 0
) -> Iterator[tuple[Entry, tuple[str | None, ...]]]:
    """The events that *chosen* lets through with their values of *labels*, newest first, without the first *skip* of them.

    They are fetched in chunks that grow, each from where the last one ended: the newest cost little however many there are.
    """
    expressions = [label_expression(label) for label in labels]
    columns = ", ".join([SHOWN, *[expression for expression, _ in expressions]])
    given = [value for _, more in expressions for value in more]

    def fetch(numbers: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        # All columns, and what labels are, of the rows of the chunk only.
        return history.all(f"SELECT {columns} FROM events WHERE rowid IN ({numbers}) {_ORDER}", [*given, *values])

    width = len(Entry._fields)
    for row in _rows(history, chosen, fetch, skip):
        path = [told(label, value) for label, value in zip(labels, row[width:], strict=False)]
        yield Entry(*row[:width]), tuple(path)


def _rows(history: History, chosen: Filter, fetch: _Fetch, skip: int) -> Iterator[tuple[Any, ...]]:
    within = reach(history, chosen.search)
    if chosen.where is None and not chosen.search:
        yield from _in_window(chosen, within, fetch, skip)
        return
    sieve = ("true", ()) if chosen.where is None else may_hold(history, chosen.where)
    for since, until in _windows(history, chosen):
        window = chosen.replaced(since=since, until=until)
        rows = (
            _in_window(window, within, fetch)
            if chosen.where is None
            else _asked_in_window(history, window, within, sieve, fetch)
        )
        for row in rows:
            if skip:
                skip -= 1
            else:
                yield row


def _windows(history: History, chosen: Filter) -> Iterator[tuple[int | None, int | None]]:
    """Spans of time, the newest first, that grow: what is rare is looked for in all of them, what is common in few."""
    ((count, first, last),) = history.all("SELECT count(*), min(time), max(time) FROM events")
    if not count:
        return
    span = last - first
    if chosen.since is not None:
        first = max(first, chosen.since)
    if chosen.until is not None:
        last = min(last, chosen.until - 1)
    # A text is looked for in all the rest at once.
    growth, widest = (1024, span) if chosen.where is None else (8, span * _WIDEST // count)
    width, until = span * _WINDOW // count + 1, last + 1
    while until > first:
        since = max(until - width, first)
        yield since, until
        until, width = since, min(width * growth, widest + 1)


def _in_window(chosen: Filter, within: str, fetch: _Fetch, skip: int = 0) -> Iterator[tuple[Any, ...]]:
    """What *fetch* gives for the events that *chosen* lets through, which has no condition."""
    offset, size = skip, _FIRST
    while True:
        clause, values = chosen.clause(within)
        rows = fetch(f"SELECT rowid FROM events WHERE {clause} {_ORDER} LIMIT {size} OFFSET {offset}", values)
        yield from rows
        if len(rows) < size:
            return
        last = rows[-1][0]
        if rows[0][0] == last:
            offset += len(rows)
        else:
            # From the last moment on, without those of this moment that were there already.
            chosen, offset = chosen.replaced(until=last + 1), sum(row[0] == last for row in rows)
        size = min(size * 2, BATCH)


def _asked_in_window(
    history: History, chosen: Filter, within: str, sieve: tuple[str, Sequence[object]], fetch: _Fetch
) -> Iterator[tuple[Any, ...]]:
    """The same where it has a condition, which only what *sieve* lets through can hold for."""
    assert chosen.where is not None
    clause, values = chosen.clause(within)
    query = f"SELECT rowid FROM events WHERE {clause} AND {sieve[0]} {_ORDER}"
    numbers = history.numbers(query, [*values, *sieve[1]])
    start, size = 0, _FIRST_ASKED
    while start < len(numbers):
        query = f"SELECT rowid, raw FROM events WHERE rowid IN (SELECT unnest(?::BIGINT[])) {_ORDER}"
        asked = history.all(query, [numbers[start : start + size].tolist()])
        kept = [number for number, raw in asked if (event := event_of(raw)) is not None and chosen.where(event)]
        if kept:
            yield from fetch("SELECT unnest(?::BIGINT[])", [kept])
        start, size = start + size, min(size * 2, BATCH)


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

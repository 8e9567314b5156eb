"""Questions to the history: which events, how many, in which groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from falcokit.event import Event
from falcokit.event.reader import read_event
from falcokit.history.rows import COLUMNS
from falcokit.history.search import looking_for, reach
from falcokit.history.sieve import may_hold
from falcokit.history.store import History, trouble_told
from falcokit.history.table import OUTPUT
from falcokit.overview.labels import PROMOTED
from falcokit.overview.template import MIXED
from falcokit.record import Record

if TYPE_CHECKING:
    from falcokit.validation import EventCondition

__all__ = [
    "SHOWN",
    "Entry",
    "Filter",
    "condition",
    "counts_by",
    "event_of",
    "events_of",
    "find",
    "label_expression",
    "mixed_forms",
    "newest",
    "scope",
    "streamed",
    "total",
]

SHOWN: Final = ", ".join(
    f"{OUTPUT} AS output" if name == "output" else f'"{name}"'
    for name in COLUMNS
    if name not in ("raw", "labels", "timed")
)
"""The fields of `Entry`, in SQL."""


class Entry(NamedTuple):
    """An event as lists show it; a text is None where the event does not tell.  ``time`` is in nanoseconds since 1970."""

    time: int
    id: int
    rank: int | None
    rule: str | None
    policy: str | None
    tile: str
    source: str | None
    host: str | None
    container: str | None
    container_id: str | None
    image: str | None
    tag: str | None
    digest: str | None
    cluster: str | None
    namespace: str | None
    deployment: str | None
    pod: str | None
    process: str | None
    parent: str | None
    user: str | None
    file: str | None
    actions: str | None
    proto: str | None
    client: str | None
    server: str | None
    port: int | None
    output: str
    template: int

    @property
    def key(self) -> str:
        """What `find` finds it by."""
        return f"{self.id:016x}"


class Filter(Record):
    """Which events: from ``since`` until before ``until`` (nanoseconds since 1970), of priority ``rank`` and more urgent, of rules, images
    and namespaces that match one of the shell patterns, with the text ``search`` in what lists show, and for which ``where`` holds."""

    __slots__ = ("images", "namespaces", "rank", "rules", "search", "since", "until", "where")

    def __init__(
        self,
        since: int | None = None,
        until: int | None = None,
        rules: tuple[str, ...] = (),
        rank: int | None = None,
        images: tuple[str, ...] = (),
        namespaces: tuple[str, ...] = (),
        search: str = "",
        where: EventCondition | None = None,
    ) -> None:
        self.since: Final = since
        self.until: Final = until
        self.rules: Final = rules
        self.rank: Final = rank
        self.images: Final = images
        self.namespaces: Final = namespaces
        self.search: Final = search
        self.where: Final = where

    def clause(self, within: str = "true") -> tuple[str, list[object]]:
        """The condition in SQL with its values, without ``where``; *within* is the `reach` of ``search``."""
        parts: list[str] = []
        values: list[object] = []

        def add(part: str, *more: object) -> None:
            parts.append(part)
            values.extend(more)

        if self.since is not None:
            add("time >= ?", self.since)
        if self.until is not None:
            add("time < ?", self.until)
        if self.rank is not None:
            add("rank <= ?", self.rank)
        if self.rules:
            one = "(coalesce(rule, '') GLOB ? OR coalesce(policy, '') GLOB ?)"
            add(f"({' OR '.join([one] * len(self.rules))})", *[rule for rule in self.rules for _ in range(2)])
        if self.images:
            one = "(image GLOB ? OR image || ':' || tag GLOB ? OR digest = ?)"
            add(f"({' OR '.join([one] * len(self.images))})", *[image for image in self.images for _ in range(3)])
        if self.namespaces:
            add(f"({' OR '.join(['namespace GLOB ?'] * len(self.namespaces))})", *self.namespaces)
        if self.search:
            add(*looking_for(self.search, within))
        return " AND ".join(parts) or "true", values


def find(history: History, key: str) -> list[tuple[Entry, str]]:
    """The events whose identifier begins with *key* (hexadecimal), with their text; at most three."""
    text = key.lower()
    if not text or len(text) > 16 or any(letter not in "0123456789abcdef" for letter in text):
        return []
    low, high = int(text.ljust(16, "0"), 16), int(text.ljust(16, "f"), 16)
    rows = history.all(f"SELECT {SHOWN}, raw FROM events WHERE id BETWEEN ? AND ? LIMIT 3", [low, high])
    return [(Entry(*row[:-1]), row[-1]) for row in rows]


def mixed_forms(history: History) -> frozenset[int]:
    """The forms of outputs that stand for many."""
    return frozenset(
        [number for (number,) in history.all("SELECT number FROM templates WHERE ends_with(text, ?)", [MIXED])]
    )


def event_of(raw: str) -> Event | None:
    """The event that was written as *raw*."""
    return read_event(raw.encode("utf-8", "surrogatepass"))


def condition(history: History, chosen: Filter) -> tuple[str, list[object]]:
    """What *chosen* asks of events but for ``where``, as a condition in SQL with its values.

    A text is looked for once, however many questions follow: no question takes longer.
    """
    clause, values = chosen.clause(reach(history, chosen.search))
    if not chosen.search:
        return clause, values
    asked = chosen.replaced(where=None)
    if history.searched != asked:
        query = f"CREATE OR REPLACE TEMP TABLE searched AS SELECT rowid AS number FROM events WHERE {clause}"
        history.all(query, values)
        history.searched = asked
    return "rowid IN (SELECT number FROM searched)", []


def scope(history: History, chosen: Filter) -> tuple[str, list[object]]:
    """The events that *chosen* lets through, as what stands behind FROM, with its values.

    A condition is asked once, however many questions follow: it takes longer than they do.
    """
    clause, values = condition(history, chosen)
    if chosen.where is None:
        return f"events WHERE {clause}", values
    again = "events WHERE rowid IN (SELECT number FROM kept)"
    if history.kept == chosen:
        return again, []
    import numpy

    sieve, more = may_hold(history, chosen.where)
    kept = []
    for number, raw in streamed(history, f"SELECT rowid, raw FROM events WHERE {clause} AND {sieve}", [*values, *more]):
        event = event_of(raw)
        if event is not None and chosen.where(event):
            kept.append(number)
    history.connection.register("found", {"number": numpy.array(kept, dtype="int64")})
    history.connection.execute("CREATE OR REPLACE TEMP TABLE kept AS SELECT number FROM found")
    history.connection.unregister("found")
    history.kept = chosen
    return again, []


def events_of(history: History, chosen: Filter) -> Iterator[Event]:
    """The events themselves, as they were read."""
    source, values = scope(history, chosen)
    for (raw,) in streamed(history, f"SELECT raw FROM {source}", values):
        event = event_of(raw)
        if event is not None:
            yield event


def total(history: History, chosen: Filter | None = None) -> int:
    """How many events there are."""
    source, values = scope(history, chosen or Filter())
    return int(history.all(f"SELECT count(*) FROM {source}", values)[0][0])


def newest(history: History, now: int) -> int | None:
    """The moment of the newest event that tells its time, of those that do not lie behind *now*."""
    return history.all("SELECT max(time) FROM events WHERE timed AND time <= ?", [now])[0][0]  # type: ignore[no-any-return]


def label_expression(label: str) -> tuple[str, list[object]]:
    """What gives the value of *label* in SQL, with its values: a column, or what the text of the event says."""
    column = PROMOTED.get(label)
    if column is not None:
        return f'CAST("{column}" AS VARCHAR)', []
    path = '$."' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'
    # The text of an event need not be JSON; and what Falco does not know it says so.
    parts = [f"nullif(nullif(TRY(json_extract_string({column}, ?)), '<NA>'), '')" for column in ("labels", "raw")]
    return f"coalesce({', '.join(parts)})", [path, "$.output_fields" + path[1:]]


def counts_by(history: History, chosen: Filter, labels: Sequence[str]) -> list[tuple[tuple[str | None, ...], int]]:
    """How many events there are of each combination of the values of *labels*, most first; None where one does not tell."""
    source, values = scope(history, chosen)
    expressions = [label_expression(label) for label in labels]
    columns = ", ".join(f"{expression} AS label{number}" for number, (expression, _) in enumerate(expressions))
    given = [value for _, more in expressions for value in more]
    groups = ", ".join(f"label{number}" for number in range(len(labels)))
    rows = history.all(
        f"SELECT {columns}, count(*) AS count FROM {source} GROUP BY {groups} ORDER BY count DESC, {groups}",
        [*given, *values],
    )
    return [(tuple(row[:-1]), row[-1]) for row in rows]


def streamed(history: History, query: str, values: Iterable[object]) -> Iterator[tuple[Any, ...]]:
    """The rows of *query*, some at a time; nothing else may be asked until the last one is there."""
    connection = history.connection  # A cursor of its own would not see the temporary tables.
    with trouble_told(history.path):
        connection.execute(query, list(values))
    while True:
        with trouble_told(history.path):
            rows = connection.fetchmany(2000)
        if not rows:
            return
        yield from rows

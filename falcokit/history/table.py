"""The table of events: how a batch is put into it, and how outputs come out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from falcokit.history.rows import COLUMNS, Columns
from falcokit.overview.severity import PRIORITIES

if TYPE_CHECKING:
    import duckdb

__all__ = ["BOX", "MOMENT", "OUTPUT", "STORED", "insert_batch", "make_batch"]

STORED: Final = {**COLUMNS, "headed": "BOOLEAN", "part": "UINTEGER"}
"""The columns of the table with their types; ``part`` is the part of the history that an event belongs to."""
MOMENT: Final = "00:00:00.000000000: "
"""The shape of the moment that Falco writes before an output."""
_LAST: Final = 2**63 - 2
"""The last moment that the database can write."""
_HEAD: Final = f"strftime(make_timestamp_ns(least(time, {_LAST})), '%H:%M:%S.%n: ') || {[*PRIORITIES]}[rank + 1] || ' '"
"""What Falco writes before an output, in SQL: moment and priority.  It is kept once, in their columns, which takes half as much room."""
OUTPUT: Final = f"CASE WHEN headed THEN {_HEAD} || output ELSE output END"
"""The whole output of an event, in SQL: with ``headed`` the column has it without what Falco writes before it."""
BOX: Final = "nullif(coalesce(container_id, container), 'host')"
"""What tells one container from another, in SQL; of the host nothing."""
_NUMBERS: Final = {"time": "int64", "template": "uint32", "timed": "bool"}


def make_batch(connection: duckdb.DuckDBPyConnection, batch: Columns, forms: dict[tuple[str, str], int]) -> None:
    """Make the table ``batch``, in memory; forms of outputs that are not there get a number in *forms*."""
    import duckdb
    import numpy

    whole = [(_whole(rule), _whole(text)) for rule, text in batch.forms]
    numbers = numpy.array([forms.setdefault(form, len(forms)) for form in whole], dtype="uint32")
    columns = {**batch.columns, "template": numbers[numpy.array(batch.columns["template"])]}
    try:
        _make_table(connection, columns)
    except duckdb.InvalidInputException:
        # JSON can have halves of surrogate pairs in its texts, and no database takes these.
        _make_table(connection, {name: [*map(_whole, column)] for name, column in columns.items()})


def _make_table(connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Sequence[Any]]) -> None:
    import numpy

    said = "concat_ws(chr(0), time, rule, output, host)"
    own = f"coalesce(own, {said})" if "own" in columns else said
    headed = f"coalesce(time BETWEEN 0 AND {_LAST} AND starts_with(output, {_HEAD}), false)"
    chosen = [
        f"('0x' || sha256({own})[:16])::UBIGINT AS id"
        if name == "id"
        else f'"{name}"'
        if name in columns
        else f'NULL::{kind} AS "{name}"'
        for name, kind in COLUMNS.items()
    ]
    arrays = {name: numpy.asarray(column, dtype=_NUMBERS.get(name, object)) for name, column in columns.items()}
    connection.register("gathered", arrays)
    try:
        connection.execute(
            "CREATE TEMP TABLE batch AS SELECT * REPLACE"
            f" (CASE WHEN headed THEN substr(output, strlen({_HEAD}) + 1) ELSE output END AS output)"
            f" FROM (SELECT {', '.join(chosen)}, {headed} AS headed FROM gathered)"
        )
    finally:
        connection.unregister("gathered")


def insert_batch(connection: duckdb.DuckDBPyConnection, part: int) -> int:
    """Put in what is in the table ``batch`` and not there yet, as of *part*; how many events these were."""
    import numpy

    keys = connection.execute("SELECT time, id, timed FROM batch").fetchnumpy()
    moments, ids = numpy.where(keys["timed"], keys["time"], 0), keys["id"]
    order = numpy.lexsort((ids, moments))
    again = order[1:][(numpy.diff(ids[order]) == 0) & (numpy.diff(moments[order]) == 0)]
    once = "" if not len(again) else f" WHERE batch.rowid NOT IN ({', '.join(map(str, again))})"
    # Those there already are of the same moments, but for events that tell none: nothing else has to be looked at.
    timeless = "" if keys["timed"].all() else " OR id IN (SELECT id FROM batch WHERE NOT timed)"
    done = connection.execute(
        f"INSERT INTO events SELECT batch.*, {part} FROM batch ANTI JOIN"
        f" (SELECT time, id FROM events WHERE time BETWEEN ? AND ?{timeless}) AS old"
        f" ON old.id = batch.id AND (old.time = batch.time OR NOT batch.timed){once}",
        [int(keys["time"].min()), int(keys["time"].max())],
    ).fetchone()
    return int(done[0]) if done else 0


def _whole(value: Any) -> Any:
    """*value*, without halves of surrogate pairs where it is a text."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value

"""Which rows a condition may hold for, by the columns of what it asks: it is then asked of their events only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from falcokit.evaluate.needed import AllOf, Has, Need, OneOf
from falcokit.history.store import History

if TYPE_CHECKING:
    from falcokit.validation import EventCondition

__all__ = ["may_hold"]

_COLUMNS: Final = {
    "container.name": "container", "container.id": "container_id", "container.image.repository": "image",
    "container.image.digest": "digest", "k8s.ns.name": "namespace", "k8s.pod.name": "pod", "proc.name": "process",
    "proc.pname": "parent", "user.name": "user", "fd.name": "file", "fd.l4proto": "proto", "fd.cip": "client", "fd.sip": "server",
}  # fmt: skip
"""The columns that have what events tell of fields, or nothing."""
_ELSEWHERE: Final = {
    "container.name": ("", "incomplete"), "container.id": ("", "incomplete"), "container.image.digest": ("", "incomplete"),
    "container.image.repository": ("", "incomplete", "sha256"), "k8s.ns.name": ("",), "k8s.pod.name": ("",), "user.name": ("",),
    "fd.sip": ("",),
}  # fmt: skip
"""What a field can be where its column has something that the event says elsewhere."""
_MANY: Final = 5_000
"""How many texts of one column are looked at one by one."""
_WORK: Final = 100_000
"""How many texts are looked at for one condition."""
_MOST_ASKED: Final = 200
"""How much is asked of the database for one condition."""


def may_hold(history: History, where: EventCondition) -> tuple[str, Sequence[object]]:
    """A condition in SQL, with its values, for the rows of all events for which *where* holds, and of some more."""

    columns: dict[str, list[str] | None] = {}
    left = _WORK

    def texts(field: str) -> list[str] | None:
        nonlocal left
        column = _COLUMNS.get(field)
        if column is None:
            return None
        if column not in columns:
            query = f'SELECT DISTINCT "{column}" FROM events WHERE "{column}" IS NOT NULL LIMIT {_MANY + 1}'
            found = [text for (text,) in history.all(query)]
            columns[column] = found if len(found) <= _MANY else None
        known = columns[column]
        left -= len(known or ())
        return known if left >= 0 else None

    need = where.needs(texts, _ELSEWHERE)
    values: list[object] = []
    clause = "true" if need is None else _sql(need, values)
    return (clause, values) if len(values) <= _MOST_ASKED else ("true", ())


def _sql(need: Need, values: list[object]) -> str:
    if isinstance(need, OneOf):
        column = f'"{_COLUMNS[need.field]}"'
        # Whatever else is told of the host, its column has this.
        values.append([*need.texts, "host"] if need.field == "container.name" else [*need.texts])
        # A question mark may stand for what no database takes.
        return f"({column} IS NULL OR list_contains(?::VARCHAR[], {column}) OR contains({column}, '?'))"
    if isinstance(need, Has):
        values.append(need.text)
        return r"(contains(raw, ?) OR contains(raw, '\u00'))"
    word = " AND " if isinstance(need, AllOf) else " OR "
    return f"({word.join([_sql(one, values) for one in need.needs])})"

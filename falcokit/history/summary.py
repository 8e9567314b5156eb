"""What makes the noise: events grouped by the form of their output, with what else they have in common."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Final

from falcokit.history.query import Filter, scope, streamed
from falcokit.history.store import History
from falcokit.history.table import BOX, OUTPUT
from falcokit.overview.kinds import BUCKETS, Group, Summary
from falcokit.overview.noise import URGENT, Cell, Proposal, Spread
from falcokit.overview.similar import Form, likenesses
from falcokit.overview.template import without_container

__all__ = ["cells", "spreads", "summary"]

_TOLD: Final = (
    "time",
    "id",
    "rank",
    "container",
    "container_id",
    "image",
    "host",
    "process",
    "parent",
    "user",
    "namespace",
)
"""The columns that summaries are made of."""
_PROCESS: Final = "CASE WHEN NOT starts_with(process, 'container:') THEN process END"
"""What a whitelist can name a process by, in SQL: the start of a container is one of its name."""


def summary(history: History, chosen: Filter, mask: str = "similar", limit: int = 20) -> Summary:
    """The commonest kinds of events that *chosen* lets through; *mask* is one of `MASKS`."""
    source, values = scope(history, chosen)
    if mask in ("similar", "fields"):
        source = f"(SELECT *, template AS form FROM {source})"
        texts = _forms(history, source, values)
        if mask == "similar":
            found = [(one.rule, one.text, one.numbers) for one in likenesses(texts)]
        else:
            found = [(form.rule, form.text, [number]) for number, form in enumerate(texts)]
        events, kinds = sum(form.count for form in texts), len(found)
        counted = sorted(found, key=lambda one: (-sum(texts[number].count for number in one[2]), one[0], one[1]))[
            :limit
        ]
    else:
        events, kinds, counted = _outputs(history, source, values, mask == "container", limit)
        source, values = "told", []
    places = [(number, place) for place, (_, _, numbers) in enumerate(counted) for number in numbers]
    if not places:
        return Summary((), events, kinds)
    _keep(history, "places", ("number", "place"), *zip(*places, strict=True))
    joined = f"{source} JOIN forms USING (form) JOIN places USING (number)"
    rows = history.all(
        f"SELECT place, count(*), min(time), max(time), count(DISTINCT {BOX}), count(DISTINCT image),"
        f" count(DISTINCT host), min(rank) FROM {joined} GROUP BY place ORDER BY place",
        values,
    )
    # What stands for a row is of what is commonest in it: the newest of all may be something else.
    likest = history.all(
        "SELECT place, max(n), arg_max(one, n) FROM (SELECT place, form, image, process, count(*) AS n, arg_max({'id': id, 'image': image,"
        " 'process': process, 'parent': parent, 'user': \"user\", 'namespace': namespace}, time) AS one"
        f" FROM {joined} GROUP BY place, form, image, process) GROUP BY place",
        values,
    )
    trends, like = _trends(history, source, values), {place: (count, one) for place, count, one in likest}
    groups = []
    for place, count, first, last, containers, images, hosts, rank in rows:
        most, one = like[place]
        groups.append(
            Group(
                counted[place][0], counted[place][1], count, first, last, containers, images, hosts, one["image"], one["process"],
                rank, one["id"], trends[place], most, one["parent"], one["user"], one["namespace"],
            )
        )  # fmt: skip
    return Summary(tuple(groups), events, kinds)


def _forms(history: History, source: str, values: Sequence[object]) -> list[Form]:
    """The forms there are; the table ``forms`` has their numbers."""
    rows = history.all(
        "SELECT form, coalesce(t.rule, ''), coalesce(t.text, ''), count FROM"
        f" (SELECT form, count(*) AS count FROM {source} GROUP BY form) LEFT JOIN templates t ON t.number = form ORDER BY form",
        values,
    )
    _keep(history, "forms", ("form", "number"), [row[0] for row in rows], range(len(rows)))
    return [Form(rule, text, count) for _, rule, text, count in rows]


def _outputs(
    history: History, source: str, values: Sequence[object], boxless: bool, limit: int
) -> tuple[int, int, list[tuple[str, str, list[int]]]]:
    """How many events there are, of how many outputs, and the commonest of these; *boxless* are those without what tells of the container.

    The table ``told`` has the events, ``forms`` the numbers of their outputs.
    """
    rule, text = "coalesce(rule, policy, '')", "output" if boxless else OUTPUT
    form = f"CAST(hash({rule}, headed, {text}) >> 1 AS BIGINT)"
    columns = ", ".join(f'"{name}"' for name in _TOLD)
    history.all(f"CREATE OR REPLACE TEMP TABLE told AS SELECT {columns}, {form} AS form FROM {source}", values)
    if boxless:
        distinct = f"SELECT {form} AS form, any_value({rule}), any_value(headed), any_value(output) FROM {source} GROUP BY form"
        forms, numbers = array("q"), array("q")
        for one, name, cut, output in streamed(history, distinct, values):
            forms.append(one)
            numbers.append(hash((name, without_container(output, headed=not cut))))
        _keep(history, "forms", ("form", "number"), forms, numbers)
    else:
        history.all("CREATE OR REPLACE TEMP TABLE forms AS SELECT DISTINCT form, form AS number FROM told")
    ((events, kinds),) = history.all("SELECT (SELECT count(*) FROM told), (SELECT count(DISTINCT number) FROM forms)")
    common = history.all(
        "SELECT number, arg_min(form, time) FROM told JOIN forms USING (form) GROUP BY number"
        f" ORDER BY count(*) DESC, min(time), arg_min(form, time) LIMIT {limit}"
    )
    examples = history.all(
        f"SELECT {form} AS form, any_value({rule}), any_value({OUTPUT}) FROM {source} AND form IN (SELECT unnest(?::BIGINT[])) GROUP BY form",
        [*values, [one for _, one in common]],
    )
    written = {one: (name, without_container(output) if boxless else output) for one, name, output in examples}
    return events, kinds, [(*written[one], [number]) for number, one in common]


def _keep(history: History, name: str, names: tuple[str, str], *columns: Iterable[int]) -> None:
    """Make the table *name* with two columns of whole numbers."""
    import numpy

    given = {key: numpy.array([*column], dtype="int64") for key, column in zip(names, columns, strict=True)}
    history.connection.register("given", given)
    history.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")
    history.connection.unregister("given")


def _trends(history: History, source: str, values: Sequence[object]) -> dict[int, tuple[int, ...]]:
    ((first, last),) = history.all(f"SELECT min(time), max(time) FROM {source}", values)
    found: dict[int, list[int]] = {}
    rows = history.all(
        f"SELECT place, CAST(floor((time - ?) / (? / {BUCKETS})) AS INTEGER) AS bucket, count(*) FROM {source} JOIN forms USING (form)"
        " JOIN places USING (number) GROUP BY ALL",
        [first, float(last - first + 1), *values],
    )
    for place, bucket, count in rows:
        found.setdefault(place, [0] * BUCKETS)[min(bucket, BUCKETS - 1)] += count
    return {place: tuple(counts) for place, counts in found.items()}


def cells(history: History, chosen: Filter) -> list[Cell]:
    """The events that *chosen* lets through, counted by what whitelists name them by."""
    source, values = scope(history, chosen)
    rows = history.all(
        f"SELECT rule, image, {_PROCESS} AS named, parent, count(*) AS count, count(*) FILTER (rank <= {URGENT}), arg_max(id, time),"
        f" coalesce(container = 'host' AND image IS NULL, false) AS on_host FROM {source} AND rule IS NOT NULL"
        " GROUP BY rule, image, named, parent, on_host ORDER BY count DESC LIMIT 50000",
        values,
    )
    return [Cell(*row) for row in rows]


def spreads(history: History, chosen: Filter, found: Sequence[Proposal]) -> list[Spread]:
    """What each of the proposals *found* covers of the events that *chosen* lets through."""
    if not found:
        return []
    columns: list[str] = []
    given: list[object] = []
    for one in found:
        parts, texts = ["rule = ?"], [one.rule]
        for test, value in (("image = ?", one.image), (f"{_PROCESS} = ?", one.process)):
            if value:
                parts.append(test)
                texts.append(value)
        if not one.image:
            parts.append("coalesce(parent, '') = ?")
            texts.append(one.parent)
        for column in ("template", BOX, "host"):
            columns.append(f"count(DISTINCT {column}) FILTER ({' AND '.join(parts)})")
            given += texts
    source, values = scope(history, chosen)
    (counts,) = history.all(f"SELECT {', '.join(columns)} FROM {source}", [*given, *values])
    return [Spread(*counts[place : place + 3]) for place in range(0, len(counts), 3)]

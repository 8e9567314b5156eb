"""What makes the noise: events grouped by the form of their output, with what else they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from falcokit.history.query import Filter, scope
from falcokit.history.store import History
from falcokit.history.table import OUTPUT
from falcokit.overview.kinds import BUCKETS, Group, Summary
from falcokit.overview.noise import URGENT, Cell
from falcokit.overview.similar import Form, likenesses
from falcokit.overview.template import without_container

__all__ = ["cells", "summary"]


def summary(history: History, chosen: Filter, mask: str = "similar", limit: int = 20) -> Summary:
    """The commonest kinds of events that *chosen* lets through; *mask* is one of `MASKS`."""
    source, values = scope(history, chosen)
    if mask in ("similar", "fields"):
        source = f"(SELECT *, template AS form FROM {source})"
        texts = _forms(history, source, values)
    else:
        texts = _outputs(history, source, values, mask)
        source, values = "told", []
    if mask == "similar":
        found = [(one.rule, one.text, one.numbers) for one in likenesses(texts)]
    else:
        found = [(form.rule, form.text, [number]) for number, form in enumerate(texts)]
    events, kinds = sum(form.count for form in texts), len(found)
    counted = sorted(found, key=lambda one: (-sum(texts[number].count for number in one[2]), one[0], one[1]))[:limit]
    places = [(number, place) for place, (_, _, numbers) in enumerate(counted) for number in numbers]
    if not places:
        return Summary((), events, kinds)
    _keep(history, "places", ("number", "place"), *zip(*places, strict=True))
    joined = f"{source} JOIN forms USING (form) JOIN places USING (number)"
    rows = history.all(
        "SELECT place, count(*), min(time), max(time), count(DISTINCT coalesce(container_id, container)), count(DISTINCT image),"
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


def _outputs(history: History, source: str, values: Sequence[object], mask: str) -> list[Form]:
    """The outputs with what *mask* says taken out; the table ``told`` has the events, ``forms`` the numbers of their outputs."""
    history.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE told AS SELECT * EXCLUDE (raw, labels, output), {OUTPUT} AS output,"
        f" CAST(hash(coalesce(rule, policy, ''), {OUTPUT}) >> 1 AS BIGINT) AS form FROM {source}",
        list(values),
    )
    known: dict[tuple[str, str], int] = {}
    counts: list[int] = []
    numbers: list[int] = []
    forms: list[int] = []
    for form, rule, output, count in history.all(
        "SELECT form, any_value(coalesce(rule, policy, '')), any_value(output), count(*) FROM told GROUP BY form"
    ):
        text = without_container(output) if mask == "container" else output
        number = known.setdefault((rule, text), len(known))
        if number == len(counts):
            counts.append(0)
        counts[number] += count
        forms.append(form)
        numbers.append(number)
    _keep(history, "forms", ("form", "number"), forms, numbers)
    return [Form(rule, text, counts[number]) for (rule, text), number in known.items()]


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
        "SELECT rule, image, process, parent, count(*) AS count, count(DISTINCT template), count(DISTINCT coalesce(container_id, container)),"
        f" count(DISTINCT host), count(*) FILTER (rank <= {URGENT}), arg_max(id, time), coalesce(container = 'host' AND image IS NULL, false) AS on_host"
        f" FROM {source} AND rule IS NOT NULL GROUP BY rule, image, process, parent, on_host ORDER BY count DESC LIMIT 50000",
        values,
    )
    return [Cell(*row) for row in rows]

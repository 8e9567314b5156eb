"""``falcokit events list``, ``show`` and ``browse``."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Any, Final, Optional

import typer

from falcokit.cli.events_common import (
    Files,
    Image,
    Last,
    Namespace,
    Priority,
    Rule,
    Search,
    Since,
    Store,
    Until,
    Where,
    chosen,
    opened,
)
from falcokit.cli.events_grouping import GroupBy, Named, grouping, grouping_of
from falcokit.cli.options import Colour, Format, fail, say, write
from falcokit.cli.screen import is_coloured, screen_width

if TYPE_CHECKING:
    from falcokit.history.query import Entry, Filter
    from falcokit.history.store import History
    from falcokit.overview.bursts import Burst

__all__ = ["browse", "grouping", "listing", "show"]

_MAX_LIMIT: Final = 1_000_000
_MAX_PAGE: Final = 1_000_000
_MAX_COUNTED: Final = 200_000
"""How many events are asked one by one whether a condition holds, only to say how many there are in all."""


class Shape(StrEnum):
    """How events are printed."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


class Tree(StrEnum):
    """How a tree is printed."""

    table = "table"
    json = "json"


def listing(
    files: Files = None,
    store: Store = None,
    since: Since = "",
    until: Until = "",
    last: Last = "",
    rule: Rule = None,
    priority: Priority = "",
    image: Image = None,
    namespace: Namespace = None,
    search: Search = "",
    where: Where = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=_MAX_LIMIT, help="Lines on a page.")] = 50,
    page: Annotated[int, typer.Option(metavar="N", min=1, max=_MAX_PAGE, help="Which page, the newest first.")] = 1,
    group_by: GroupBy = "",
    named: Named = "",
    fold: Annotated[
        Optional[bool],
        typer.Option(
            "--bursts/--no-bursts",
            help="Whether events of one rule and place within a minute share a line; tables and Markdown do.",
        ),
    ] = None,
    format: Annotated[Shape, typer.Option(help="How to print them.")] = Shape.table,
    color: Annotated[Colour, typer.Option(help="Whether to print in colours.")] = Colour.auto,
) -> None:
    """List events, newest first: when, how urgent, which rule or policy, whose, what was done, how many together.

    Whose it is follows the grouping: hosts and containers, or what --group-by or --grouping say. Times are in UTC. What stands in front
    finds the event again: falcokit events show ID. --where is a condition as in a rule, over the fields of the event:
    it lets through what it holds for without doubt.

    Exit codes: 0 listed, 2 wrong usage or an unreadable file.

    Example: falcokit events list --last 6h --priority warning --where "proc.name in (bash, sh)"
    """
    from falcokit.history.paging import newest_first
    from falcokit.history.query import Filter, mixed_forms, total
    from falcokit.overview.bursts import bursts, singly
    from falcokit.report.events import row, to_csv, to_json, to_markdown, to_table

    labels = grouping_of(group_by, named).labels
    folded = format in (Shape.table, Shape.markdown) if fold is None else fold
    with opened(files, store) as history:
        picked = chosen(
            history, files, since=since, until=until, last=last, rule=rule, priority=priority, image=image,
            namespace=namespace, search=search, where=where,
        )  # fmt: skip
        count = _count(history, picked)
        before = (page - 1) * limit
        if folded:
            lines = bursts(newest_first(history, picked, labels), mixed_forms(history))
            before = sum([line.count for line in islice(lines, before)])
        else:
            lines = singly(newest_first(history, picked, labels, before))
        tally = _Tally()
        rows = (row(line, labels) for line in tally.counted(islice(lines, limit)))
        match format:
            case Shape.table:
                pieces = to_table(rows, colour=is_coloured(color), width=screen_width())
            case Shape.json:
                pieces = to_json(rows, {"labels": list(labels), "total": count, "page": page, "limit": limit})
            case Shape.csv:
                pieces = to_csv(rows)
            case Shape.markdown:
                pieces = to_markdown(rows)
        for piece in pieces:
            if not write(piece):
                raise typer.Exit(0)
        if not tally.events:
            there = total(history, Filter())
            say(f"there is no event on page {page}" if page > 1 else f"no events of that kind, of {there:,} in all")
            return
        more = next(lines, None) is not None
        if count is None and not more:
            count = before + tally.events
        share = f" on {tally.lines:,} line{'s' * (tally.lines != 1)}" if tally.lines < tally.events else ""
        of = f"of {count:,}" if count is not None else "of more"
        rest = f"; the next ones: --page {page + 1}" if more else ""
        say(f"events {before + 1:,} to {before + tally.events:,} {of}{share}{rest}")


class _Tally:
    """How much went by."""

    def __init__(self) -> None:
        self.lines = 0
        self.events = 0

    def counted(self, lines: Iterator[Burst[Entry]]) -> Iterator[Burst[Entry]]:
        for line in lines:
            self.lines += 1
            self.events += line.count
            yield line


def _count(history: History, picked: Filter) -> int | None:
    """How many events are meant; None where it would take long to find out."""
    from falcokit.history.query import total

    lazy = picked.where is not None or picked.search
    if lazy and total(history, picked.replaced(where=None, search="")) > _MAX_COUNTED:
        return None
    return total(history, picked)


def show(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The beginning of what stands in front of it in the list.")],
    files: Files = None,
    store: Store = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print the event as it was written, and nothing else.")] = False,
    group_by: GroupBy = "",
    named: Named = "",
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.text,
    color: Annotated[Colour, typer.Option(help="Whether to print in colours.")] = Colour.auto,
) -> None:  # fmt: skip
    """Show one event with all that it tells, as it was written, and the commands to go on with.

    Exit codes: 0 shown, 2 wrong usage, or there is no such event.

    Example: falcokit events show 3fa9c1d2 --raw | falcokit whitelist --event -
    """
    from falcokit.history.paging import labelled
    from falcokit.history.query import event_of
    from falcokit.overview.bursts import singly
    from falcokit.report.event_details import details, next_steps, raw_json, to_text
    from falcokit.report.events import row

    labels = grouping_of(group_by, named).labels
    with opened(files, store) as history:
        entry, text = _found(history, identifier)
        if raw:
            write(raw_json(text) + "\n")
            return
        (line,) = singly([(entry, labelled(history, entry, labels))])
        told = row(line, labels)
        more = details(told, event_of(text))
        steps = next_steps(entry, files or [], store or "", _place(files or [], text))
        if format is Format.json:
            import json

            commands = [{"what": what, "command": command} for what, command in steps]
            write(json.dumps({"version": 1, **told, **more, "raw": text, "next": commands}, indent=2) + "\n")
        else:
            write(to_text(told, more, text, steps, colour=is_coloured(color), width=screen_width()))


def _found(history: History, identifier: str) -> tuple[Entry, str]:
    """The event that *identifier* begins the identifier of; ends the run where there is not one."""
    from falcokit.history.query import find

    found = find(history, identifier)
    if not found:
        fail(f"there is no event '{identifier}': falcokit events list tells what stands in front of each")
    if len({entry.key for entry, _ in found}) > 1:
        keys = sorted(entry.key for entry, _ in found)
        fail(f"several events begin with {identifier}: {', '.join(keys)}; give more of it")
    return found[0]


def _place(files: list[str], text: str) -> tuple[str, int] | None:
    """The file and line that the event written as *text* stands at; None where that cannot be read again."""
    import os

    from falcokit.event import Event
    from falcokit.workspace.event_files import events_in

    if not all(os.path.isfile(path) for path in files):
        return None
    for path in files:
        for one in events_in(path):
            if isinstance(one, Event) and one.written == text:
                return path, one.line
    return None


def browse(
    files: Files = None,
    store: Store = None,
    since: Since = "",
    until: Until = "",
    last: Last = "",
    rule: Rule = None,
    priority: Priority = "",
    image: Image = None,
    namespace: Namespace = None,
    search: Search = "",
    where: Where = "",
    group_by: GroupBy = "",
    named: Named = "",
    depth: Annotated[
        Optional[int], typer.Option(metavar="N", min=1, help="Only this many labels of the grouping.")
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=_MAX_LIMIT, help="Values below each value, the commonest.")
    ] = 20,
    format: Annotated[Tree, typer.Option(help="How to print it.")] = Tree.table,
) -> None:
    """Count events by the labels of a grouping, as a tree: most first, whatever does not tell as (none).

    The counts are those of the events that the options let through.

    Exit codes: 0 counted, 2 wrong usage or an unreadable file.

    Example: falcokit events browse --grouping kubernetes-deployments --last 1d --depth 2
    """
    from falcokit.catalogue import Catalogue
    from falcokit.history.query import counts_by
    from falcokit.overview.grouping import told, tree
    from falcokit.overview.labels import PROMOTED, SUGGESTED
    from falcokit.report.groupings import tree_json, tree_text
    from falcokit.ruleset.suggest import nearest

    labels = grouping_of(group_by, named).labels[:depth]
    with opened(files, store) as history:
        picked = chosen(
            history, files, since=since, until=until, last=last, rule=rule, priority=priority, image=image,
            namespace=namespace, search=search, where=where,
        )  # fmt: skip
        counts = [
            ([told(label, value) for label, value in zip(labels, path, strict=True)], count)
            for path, count in counts_by(history, picked, labels)
        ]
        nodes, total = tree(counts), sum(count for _, count in counts)
        if format is Tree.json:
            import json

            printed: dict[str, Any] = tree_json(nodes, labels, total, limit)
            write(json.dumps(printed, indent=2) + "\n")
        else:
            write(tree_text(nodes, labels, total, limit, screen_width()))
        for place, label in enumerate(labels):
            if total and all(path[place] is None for path, _ in counts):
                fields = [field.name for field in Catalogue.bundled().fields()]
                near = nearest(label, {*PROMOTED, *chain.from_iterable(SUGGESTED.values()), *fields})
                hint = f": did you mean {near[0]}?" if near and near[0] != label else ""
                say(f"none of these events tells {label}{hint}")

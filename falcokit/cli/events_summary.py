"""``falcokit events summary`` and ``noise``."""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

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
from falcokit.cli.options import Format, fail, write
from falcokit.cli.screen import screen_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from falcokit.overview.kinds import Group

__all__ = ["next_step", "noise", "summary"]

_MAX_FILES = 3


class Shape(StrEnum):
    """How a summary is printed."""

    text = "text"
    json = "json"
    csv = "csv"
    markdown = "markdown"


class Mask(StrEnum):
    """What is taken out of outputs before they are compared."""

    similar = "similar"
    fields = "fields"
    container = "container"
    none = "none"


def summary(
    files: Files = None,
    store: Store = None,
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, max=100_000, help="How many kinds to show.")] = 20,
    mask: Annotated[Mask, typer.Option(help="What is taken out of outputs: what differs each time, and rare differences (similar), only the former (fields), only the container, none.")] = Mask.similar,
    since: Since = "",
    until: Until = "",
    last: Last = "",
    rule: Rule = None,
    priority: Priority = "",
    image: Image = None,
    namespace: Namespace = None,
    search: Search = "",
    where: Where = "",
    format: Annotated[Shape, typer.Option(help="How to print it.")] = Shape.text,
) -> None:  # fmt: skip
    """Show which kinds of events are commonest: the first false positive to deal with is on top.

    Events of one rule are of one kind when their outputs are the same but for what differs each time: containers, pods, numbers of
    processes, ports of clients, identifiers, times. Rare kinds go with what they are most like; what they differ in is shown as <name>.
    Each kind has a command that proposes a whitelist for its newest event.

    Exit codes: 0 there are events, 1 there are none, 2 wrong usage.

    Example: falcokit events summary --last 7d --limit 5
    """
    from falcokit.history.summary import summary as summed
    from falcokit.report.summary import summary_csv, summary_json, summary_markdown, summary_text

    with opened(files, store) as history:
        meant = chosen(history, files, since=since, until=until, last=last, rule=rule, priority=priority, image=image, namespace=namespace, search=search, where=where)  # fmt: skip
        found = summed(history, meant, mask.value, limit)
    command = next_step(files, store)

    if format is Shape.json:
        import json

        write(json.dumps(summary_json(found, command), indent=2) + "\n")
    elif format is Shape.csv:
        write(summary_csv(found, command))
    elif format is Shape.markdown:
        write(summary_markdown(found, command))
    else:
        write(summary_text(found, command, screen_width()))
    raise typer.Exit(0 if found.events else 1)


def next_step(files: list[str] | None, store: str | None) -> Callable[[Group], str]:
    """What proposes a whitelist for a kind of events of *files*, or of the history *store*."""
    from falcokit.event.event import is_internal
    from falcokit.report.text import plain

    if files:
        few = len(files) <= _MAX_FILES and "-" not in files
        where_from = (
            shlex.join([f"./{name}" if name.startswith("-") else name for name in files]) if few else "EVENTS..."
        )
    else:
        where_from = shlex.join(["--store", store]) if store else ""

    def command(group: Group) -> str:
        if is_internal(group.rule):
            return ""
        options = []
        if group.image is None:  # On a host, or in an audit log, something else has to name it.
            named = (("--process", group.process), ("--parent", group.parent)) if group.process else (("--user", group.user), ("--namespace", group.namespace))  # fmt: skip
            options = [part for option, value in named if value for part in (option, value)]
        more = f" {shlex.join([plain(part) for part in options])}" if options else ""
        return (
            f"falcokit events show {group.newest:016x} {where_from} --raw | falcokit whitelist --event -{more}".replace(
                "  ", " "
            )
        )

    return command


def noise(
    files: Files = None,
    store: Store = None,
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, max=1000, help="How many whitelists to propose.")] = 5,
    since: Since = "",
    until: Until = "",
    last: Last = "",
    rule: Rule = None,
    priority: Priority = "",
    namespace: Namespace = None,
    where: Where = "",
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.text,
) -> None:
    """Show which few whitelists would remove most of the noise, and what else each of them covers.

    Each is as narrow as it can be for that: an image, with the process where one makes nearly all of it; on hosts a process and what
    started it. The commands propose them one by one, and prove them.

    Exit codes: 0 there is a proposal, 1 there is none, 2 wrong usage.

    Example: falcokit events noise --last 7d --limit 3
    """
    from falcokit.history.query import total
    from falcokit.history.summary import cells, spreads
    from falcokit.overview.noise import proposals
    from falcokit.report.summary import noise_json, noise_text

    with opened(files, store) as history:
        meant = chosen(history, files, since=since, until=until, last=last, rule=rule, priority=priority, namespace=namespace, where=where)  # fmt: skip
        found, events = proposals(cells(history, meant), limit), total(history, meant)
        covered = spreads(history, meant, found)
    if not events:
        fail("there are no events", 1)
    if format is Format.json:
        import json

        write(json.dumps(noise_json(found, covered, events), indent=2) + "\n")
    else:
        write(noise_text(found, covered, events, screen_width()))
    raise typer.Exit(0 if found else 1)

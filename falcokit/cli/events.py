"""``falcokit events``: what fired, how often, where, and what makes the noise."""

from __future__ import annotations

import typer

from falcokit.cli.events_list import browse, grouping, listing, show
from falcokit.cli.events_report import report
from falcokit.cli.events_store import import_, prune, receive
from falcokit.cli.events_summary import noise, summary
from falcokit.cli.events_topology import topology
from falcokit.cli.options import group, write

__all__ = ["command"]


def _events(context: typer.Context) -> None:
    """Find the first false positive to deal with: import events, summarise them, drill down, go on to falcokit whitelist.

    Every command reads files of events as well, without a history.

    Example: falcokit events summary alerts.json
    """
    if context.invoked_subcommand is None:
        write(context.get_help() + "\n")
        raise typer.Exit(2)


command = group(
    _events,
    {
        "summary": summary,
        "noise": noise,
        "list": listing,
        "show": show,
        "browse": browse,
        "topology": topology,
        "report": report,
        "import": import_,
        "receive": receive,
        "prune": prune,
    },
)
command.add_typer(grouping, name="grouping")

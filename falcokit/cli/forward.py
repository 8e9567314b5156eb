"""``falcokit forward``: events on to syslog, Splunk and other receivers."""

from __future__ import annotations

import typer

from falcokit.cli.forward_config import add, disable, edit, enable, listing, remove
from falcokit.cli.forward_run import run, status, test
from falcokit.cli.options import group, write

__all__ = ["command"]


def _forward(context: typer.Context) -> None:
    """Forward events to syslog, Splunk, Elasticsearch, a webhook or a file, at least once where the receiver acknowledges.

    Example: falcokit forward add siem syslog logs.example.com --transport tls
    """
    if context.invoked_subcommand is None:
        write(context.get_help() + "\n")
        raise typer.Exit(2)


command = group(
    _forward,
    {
        "add": add,
        "list": listing,
        "edit": edit,
        "enable": enable,
        "disable": disable,
        "remove": remove,
        "test": test,
        "run": run,
        "status": status,
    },
)

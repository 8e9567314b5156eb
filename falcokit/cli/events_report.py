"""``falcokit events report``."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from falcokit.cli.below import below, or_fail, project_of
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
from falcokit.cli.options import fail, say, write

if TYPE_CHECKING:
    from falcokit.history.query import Filter
    from falcokit.history.store import History

__all__ = ["report"]


class Kind(StrEnum):
    """What the report is written as."""

    html = "html"
    md = "md"


def report(
    files: Files = None,
    store: Store = None,
    output: Annotated[Optional[str], typer.Option("--output", "-o", metavar="FILE", help="Where it goes; else it is printed. Its ending tells the format.")] = None,
    format: Annotated[Optional[Kind], typer.Option(help="A page by itself, or markdown.")] = None,
    title: Annotated[str, typer.Option(metavar="TEXT", help="Its heading.")] = "Falco events",
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, max=1000, help="How many rules, kinds and images to show.")] = 20,
    rules: Annotated[Optional[list[str]], typer.Option("--rules", metavar="PATH", help="Custom rules: which of the events they leave out is told; repeatable.")] = None,
    defaults: Annotated[Optional[list[str]], typer.Option(metavar="PATH", help="Default rules below them; repeatable.")] = None,
    since: Since = "",
    until: Until = "",
    last: Last = "",
    rule: Rule = None,
    priority: Priority = "",
    image: Image = None,
    namespace: Namespace = None,
    search: Search = "",
    where: Where = "",
) -> None:  # fmt: skip
    """Write a report: what fired, how often, over time, what makes the noise, which images, and what whitelists leave out.

    The page needs no network and runs no script. With --rules it tells which of the events do not fire any more with these rules.

    Exit codes: 0 written, 2 wrong usage.

    Example: falcokit events report --last 7d -o report.html --rules rules.d
    """
    from falcokit.cli.events_summary import next_step
    from falcokit.history.overall import overall
    from falcokit.history.summary import summary
    from falcokit.report.events_report import to_html, to_markdown
    from falcokit.report.text import plain
    from falcokit.workspace.write import write_whole

    page = (output or "").endswith((".html", ".htm"))
    if output is not None and format is None and not page and not output.endswith((".md", ".markdown", ".txt")):
        fail(f"what {output} is to be, its ending does not tell: .html, .md, or --format")
    kind = format or (Kind.html if page else Kind.md)
    if output is None and kind is Kind.html and sys.stdout.isatty():
        fail("a page is nothing for a terminal: name a file with -o")
    with opened(files, store) as history:
        meant = chosen(history, files, since=since, until=until, last=last, rule=rule, priority=priority, image=image, namespace=namespace, search=search, where=where)  # fmt: skip
        found, kinds = overall(history, meant, limit), summary(history, meant, "similar", limit)
        silenced = None if rules is None else _silenced(history, meant, rules, defaults)
    make = to_html if kind is Kind.html else to_markdown
    text = make(
        found,
        kinds,
        silenced,
        next_step(files, store),
        plain(title),
    )
    if output is None:
        write(text)
    else:
        or_fail(lambda: write_whole(output, text))
        say(f"written: {output}")


def _silenced(
    history: History, meant: Filter, rules: list[str], defaults: list[str] | None
) -> list[tuple[tuple[str, str, str], int]]:
    """How many of the events fire, or may, with the default rules alone and not with *rules*, by rule, image and process."""
    from falcokit.cli.rule_sets import read_rules
    from falcokit.history.query import events_of
    from falcokit.whitelist.history import silenced_by
    from falcokit.whitelist.proof import Rules

    base = below(defaults, None, False, project_of(None, False))
    mine, alone = read_rules(rules, base, None), read_rules((), base, None)
    with_them, without = Rules(mine.files, mine.catalogue), Rules(alone.files, alone.catalogue)
    if with_them.errors or without.errors:
        fail("Falco would not load these rules: falcokit lint tells why")
    return silenced_by(without.matcher, with_them.matcher, events_of(history, meant))

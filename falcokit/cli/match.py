"""``falcokit match``."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from falcokit.cli.below import below, project_of
from falcokit.cli.options import Colour, fail, say, single, write
from falcokit.cli.rule_sets import read_rules, refused
from falcokit.cli.screen import is_coloured, screen_width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from falcokit.event import Damaged, Event
    from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["command"]

_MAX_DAMAGED = 100


class Shape(StrEnum):
    """How matches are printed."""

    table = "table"
    json = "json"


class Matching(StrEnum):
    """How many rules fire on one event."""

    first = "first"
    all = "all"


class World(StrEnum):
    """What it means that an event lacks a field."""

    auto = "auto"
    complete = "complete"
    partial = "partial"


def match(
    events: Annotated[
        Optional[list[str]],
        typer.Argument(metavar="[EVENTS]...", help="Files of events; - or none is standard input."),
    ] = None,
    rules: Annotated[
        Optional[list[str]],
        typer.Option("--rules", metavar="PATH", help="Custom rules files or folders, in load order; repeatable."),
    ] = None,
    defaults: Annotated[
        Optional[list[str]], typer.Option(metavar="PATH", help="Default rules below them, in load order; repeatable.")
    ] = None,
    config: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="A falco.yaml: its rules_files are loaded first.")
    ] = None,
    no_defaults: Annotated[bool, typer.Option("--no-defaults", help="Load nothing below the files.")] = False,
    fields: Annotated[
        Optional[list[str]], typer.Option(metavar="FILE", help="JSON with the fields of a plugin of your own.")
    ] = None,
    settings: Annotated[
        Optional[str],
        typer.Option(metavar="FILE", help="Settings, instead of falcokit.toml or pyproject.toml here or above."),
    ] = None,
    no_settings: Annotated[bool, typer.Option("--no-settings", help="Read no settings.")] = False,
    rule: Annotated[
        Optional[list[str]],
        typer.Option(metavar="NAME", help="Only this rule, enabled or not; shell patterns too; repeatable."),
    ] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Run disabled rules as well.")] = False,
    rule_matching: Annotated[
        Optional[Matching], typer.Option(help="The first rule that fires on an event, as in Falco by default, or all.")
    ] = None,
    source: Annotated[
        str, typer.Option(metavar="NAME", help="The source of events that do not tell theirs.")
    ] = "syscall",
    fields_are: Annotated[
        World,
        typer.Option(
            "--fields-are", help="Whether an absent field has no value (complete) or an unknown one (partial)."
        ),
    ] = World.auto,
    maybe: Annotated[
        bool,
        typer.Option(
            "--maybe", help="Of partial events: also the rules that may fire, with the fields that would decide."
        ),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the checks that decided, with value and place.")
    ] = False,
    format: Annotated[
        Shape, typer.Option(help="A table, or alerts as Falco writes them, one JSON object a line.")
    ] = Shape.table,
    color: Annotated[Colour, typer.Option(help="Whether to print in colours.")] = Colour.auto,
) -> None:
    """Say which rules fire on which events, without a Falco.

    Events are read from every form that Falco, falcosidekick and Sysdig write, from Kubernetes audit logs, and from JSON
    objects of fields ({"evt.type": "execve", "proc.name": "bash"}); gzip too.  Audit events and objects of fields are
    complete: what they lack has no value.  Alerts carry some fields only: a rule fires on one if it does whatever
    the others are; for the rule that an alert names, what would decide is told.

    Exit codes: 0 all events were read, 1 some were damaged or Falco would not load the rules, 2 wrong usage.

    Example: falcokit match --rules my_rules.yaml events.json --explain
    """
    from falcokit.evaluate import Matcher
    from falcokit.event import Event
    from falcokit.report.matches import Matches
    from falcokit.ruleset.loader import load
    from falcokit.workspace.event_files import unreadable

    paths = list(events or ("-",))
    if paths.count("-") > 1:
        fail("standard input can be read once: give - once")
    if not events and sys.stdin is not None and sys.stdin.isatty():
        fail("no events: name a file, or hand them over on standard input")
    for path in paths:
        if (trouble := unreadable(path)) is not None:
            fail(f"cannot read {path}: {trouble.reason}")
    read = read_rules(rules or (), below(defaults, config, no_defaults, project_of(settings, no_settings)), fields)
    loaded = load(read.files, read.catalogue)
    colour, width = is_coloured(color), screen_width()
    if errors := [finding for finding in loaded.diagnostics if finding.is_error]:
        write(refused(errors, colour, width))
        raise typer.Exit(1)
    assert loaded.compilation is not None
    compiled = list(loaded.compilation.rules.values())
    chosen = _chosen(compiled, rule)
    matcher = Matcher(
        compiled,
        read.catalogue,
        rule_matching=rule_matching.value if rule_matching is not None else read.rule_matching,
        runs=lambda one: one.name in chosen if chosen is not None else disabled or read.runs(one),
    )
    if not matcher.rules:
        fail(
            "no rule runs: all are disabled"
            if chosen is None
            else "no rule runs: the ones asked for cannot be evaluated"
        )
    worlds = {World.auto: None, World.complete: True, World.partial: False}
    printed = Matches(
        matcher,
        source,
        complete=worlds[fields_are],
        maybe=maybe,
        explain=explain,
        json=format is Shape.json,
        colour=colour,
        width=width,
    )
    damaged = 0
    for found in _with_progress(paths):
        if isinstance(found, Event):
            text = printed.of(found)
            if text and not write(text):
                raise typer.Exit(0)  # Nobody reads on: an endless stream would have no end.
            continue
        damaged += not found.note
        if damaged <= _MAX_DAMAGED:
            say(f"{found.name}:{found.line}: {found.reason}")
    if damaged > _MAX_DAMAGED:
        say(f"{damaged - _MAX_DAMAGED} more places could not be read")
    for sentence in matcher.wrong.values():
        say(sentence)
    say(printed.summary() + (f", {damaged} skipped" if damaged else ""))
    raise typer.Exit(1 if damaged else 0)


def _chosen(rules: list[CompiledRule], names: list[str] | None) -> set[str] | None:
    """The rules that *names* and patterns stand for, None for all."""
    if not names:
        return None
    from fnmatch import fnmatchcase

    found: set[str] = set()
    for name in names:
        fitting = {one.name for one in rules if one.name == name or fnmatchcase(one.name, name)}
        if not fitting:
            from falcokit.ruleset.suggest import nearest

            near = nearest(name, [one.name for one in rules])
            fail(f"no rule '{name}' is loaded" + (f": did you mean '{near[0]}'?" if near else ""))
        found |= fitting
    return found


def _with_progress(paths: list[str]) -> Iterator[Event | Damaged]:
    """The events of *paths*, with a bar on a terminal that nothing else is printed to."""
    from falcokit.workspace.event_files import events_in, size_of

    total = sum(size_of(path) for path in paths)
    if total < 1 << 22 or sys.stdout.isatty() or not sys.stderr.isatty():
        for path in paths:
            yield from events_in(path)
        return
    with typer.progressbar(length=total, label="events", file=sys.stderr) as bar:
        for path in paths:
            yield from events_in(path, bar.update)


command = single(match)

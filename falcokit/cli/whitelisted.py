"""``falcokit whitelist list``, ``verify`` and ``remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from falcokit.cli.below import below, project_of
from falcokit.cli.options import Format, fail, write
from falcokit.cli.rule_sets import no_default, read_rules, refused

if TYPE_CHECKING:
    from falcokit.whitelist.listing import Entry
    from falcokit.whitelist.proof import Rules
    from falcokit.workspace.project import Project

__all__ = ["hooks_of", "list_entries", "remove", "verify"]

_Paths = Annotated[
    Optional[list[str]],
    typer.Argument(metavar="[PATH]...", help="Custom rules files or folders; without any, the current folder."),
]
_Defaults = Annotated[
    Optional[list[str]], typer.Option(metavar="PATH", help="Default rules below them, in load order; repeatable.")
]
_Config = Annotated[Optional[str], typer.Option(metavar="FILE", help="A falco.yaml: its rules_files are loaded first.")]
_Format = Annotated[Format, typer.Option(help="How to print it.")]


def list_entries(
    paths: _Paths = None, defaults: _Defaults = None, config: _Config = None, format: _Format = Format.text
) -> None:
    """List what custom rules let through, where it is written, and which rules it reaches.

    Exit codes: 0 everything reaches a rule, 1 something is dead or Falco would not load the rules, 2 wrong usage.

    Example: falcokit whitelist list my_rules.yaml
    """
    _, found = _found(paths, defaults, config)
    _print([(entry, None) for entry in found], format)
    raise typer.Exit(0 if all(entry.reaches for entry in found) else 1)


def verify(
    paths: _Paths = None,
    history: Annotated[
        Optional[list[str]],
        typer.Option(metavar="FILE", help="Events there were: what silences none of them is stale; repeatable."),
    ] = None,
    defaults: _Defaults = None,
    config: _Config = None,
    format: _Format = Format.text,
) -> None:
    """Check that everything that custom rules let through still reaches its rule, and still silences something of a history.

    Exit codes: 0 all is well, 1 something is dead or stale, or Falco would not load the rules, 2 wrong usage.

    Example: falcokit whitelist verify my_rules.yaml --history events.json
    """
    rules, found = _found(paths, defaults, config)
    rows = [
        (entry, _silenced(rules, entry, history) if history and entry.reaches and entry.without else None)
        for entry in found
    ]
    _print(rows, format)
    raise typer.Exit(1 if any(not entry.reaches or count == 0 for entry, count in rows) else 0)


def remove(
    number: Annotated[int, typer.Argument(metavar="N", help="Which one: its number in the list.")],
    paths: _Paths = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change; change nothing.")] = False,
    defaults: _Defaults = None,
    config: _Config = None,
) -> None:
    """Take out one of the things that custom rules let through, and nothing else of its file.

    Exit codes: 0 it is out, 1 Falco would not load the rules then, 2 wrong usage.

    Example: falcokit whitelist remove 3 my_rules.yaml
    """
    rules, found = _found(paths, defaults, config)
    for path in paths or ():
        no_default(path, rules.files)
    if not 1 <= number <= len(found):
        fail(f"there is no number {number}: `falcokit whitelist list` shows {len(found)}")
    entry = found[number - 1]
    no_default(entry.span.file.name, rules.files)
    if not entry.without:
        place = f"{entry.span.file.name}:{entry.span.file.line_column(entry.span.start)[0] + 1}"
        fail(f"it cannot be taken out without what stands beside it: do it by hand, at {place}")
    before = entry.span.file.text
    after = _without(entry)
    loaded = rules.with_text(after, entry.span.file.name)
    if errors := [finding for finding in loaded.diagnostics if finding.is_error]:
        write(refused(errors, False, 80))
        raise typer.Exit(1)
    if diff:
        import difflib

        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
        write("".join(difflib.unified_diff(old, new, entry.span.file.name, entry.span.file.name)))
        raise typer.Exit(0)
    from falcokit.workspace.write import write_text

    if problem := write_text(entry.span.file.name, before, after):
        fail(f"cannot write to {entry.span.file.name}: {problem}")
    changed = ", ".join(rules.changed(loaded)) or "none"
    write(f"removed from {entry.kind} {entry.name}: {entry.text}\nrules that change: {changed}\n")


def _found(paths: list[str] | None, defaults: list[str] | None, config: str | None) -> tuple[Rules, tuple[Entry, ...]]:
    from falcokit.whitelist.listing import entries
    from falcokit.whitelist.proof import Rules

    project = project_of(None, False)
    read = read_rules(paths or ["."], below(defaults, config, False, project), None)
    rules = Rules(read.files, read.catalogue, hooks=hooks_of(project))
    if rules.errors:
        write(refused(rules.errors, False, 80))
        raise typer.Exit(1)
    return rules, entries(rules.ruleset)


def hooks_of(project: Project | None) -> tuple[str, ...]:
    """The patterns for the names of hooks that a project has, else the usual ones."""
    from falcokit.ruleset.ruleset import HOOK_NAMES

    return (project.settings.hooks if project is not None else ()) or HOOK_NAMES


def _without(entry: Entry) -> str:
    text = entry.span.file.text
    for edit in sorted(entry.without, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _silenced(rules: Rules, entry: Entry, paths: list[str]) -> int:
    """How many events of the files at *paths* fire without the entry, or may, and not with it."""
    from falcokit.evaluate import Matcher
    from falcokit.event import Event
    from falcokit.whitelist.history import count_silenced
    from falcokit.workspace.event_files import events_in, unreadable

    for path in paths:
        if (trouble := unreadable(path)) is not None:
            fail(f"cannot read {path}: {trouble.reason}")
    loaded = rules.with_text(_without(entry), entry.span.file.name)
    assert loaded.compilation is not None
    without = Matcher(loaded.compilation.rules.values(), loaded.catalogue, rule_matching="all", runs=lambda rule: True)
    events = (one for path in paths for one in events_in(path) if isinstance(one, Event))
    return count_silenced(without, rules.matcher, events)


def _print(rows: list[tuple[Entry, int | None]], format: Format) -> None:
    from falcokit.report.text import plain
    from falcokit.workspace.changes import last_change

    since = [
        last_change(entry.span.file.name, entry.span.file.line_column(entry.span.start)[0] + 1) for entry, _ in rows
    ]
    if format is Format.json:
        import json

        from falcokit.report.json import place_json

        data = [
            {
                "number": number,
                "kind": entry.kind,
                "name": entry.name,
                "text": entry.text,
                "place": place_json(entry.span),
                "reaches": list(entry.reaches),
                "silenced": count,
                "since": since[number - 1] or None,
            }
            for number, (entry, count) in enumerate(rows, 1)
        ]
        write(json.dumps(data, ensure_ascii=True, indent=2) + "\n")
        return
    lines = []
    for number, (entry, count) in enumerate(rows, 1):
        line, column = entry.span.file.line_column(entry.span.start)
        lines.append(f"{number:>3} {entry.kind} {entry.name}: {entry.text}")
        commit = f", since {since[number - 1]}" if since[number - 1] else ""
        lines.append(f"    at {entry.span.file.name}:{line + 1}:{column + 1}{commit}")
        reaches = (
            f"silences {', '.join(entry.reaches)}" if entry.reaches else "DEAD: no rule lets anything through by it"
        )
        lines.append(f"    {reaches}")
        if count is not None:
            lines.append(
                f"    {count} events of the history fall silent by it"
                if count
                else "    STALE: it silences none of the history"
            )
    lines.append(f"{len(rows)} let through" if rows else "nothing is let through")
    write("".join([plain(line) + "\n" for line in lines]))

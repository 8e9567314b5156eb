"""``falcokit upgrade``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from falcokit.cli.options import fail, single, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from falcokit.source import SourceFile
    from falcokit.upgrade import Upgrade

__all__ = ["command"]


class Format(StrEnum):
    """How the result is printed."""

    text = "text"
    json = "json"
    markdown = "markdown"


def upgrade(
    paths: Annotated[
        Optional[list[str]], typer.Argument(metavar="[CUSTOM]...", help="Custom rules files or folders, in load order.")
    ] = None,
    old: Annotated[
        Optional[list[str]],
        typer.Option(
            "--from",
            metavar="OLD",
            help="The default rules up to now: a path, `bundled`, or pulled ones as falco-rules:5.1.0; repeatable.",
        ),
    ] = None,
    new: Annotated[
        Optional[list[str]],
        typer.Option(
            "--to", metavar="NEW", help="Those from now on; without it those bundled with falcokit; repeatable."
        ),
    ] = None,
    apply: Annotated[
        bool,
        typer.Option("--write", help="Put into the custom files what can be: copies become overrides, the rest goes."),
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what --write would change; change nothing.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every change, and what stays as it is.")
    ] = False,
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.text,
    fields: Annotated[
        Optional[list[str]], typer.Option(metavar="FILE", help="JSON with the fields of a plugin of your own.")
    ] = None,
) -> None:
    """Tell what new default rules change, and what that means for every custom item.

    Default rules are compared by meaning: conditions with all macros and lists put in, lists as sets. A custom item is still needed,
    now part of the default, without its base, or it hides what changed; what goes into a hook that no rule asks any more is
    dead. A copy is put on top of the new default: what it adds is kept as an override, and where that cannot be done both sides are shown.

    Exit codes: 0 every custom item is still needed and hides nothing, 1 something is to be done, 2 wrong usage.

    Example: falcokit upgrade --from old/falco_rules.yaml --to new/falco_rules.yaml my_rules.yaml --diff
    """
    from falcokit.cli.below import default_files, or_fail
    from falcokit.cli.inputs import catalogue_with
    from falcokit.cli.rule_sets import no_default
    from falcokit.report.upgrade import to_json, to_markdown, to_text
    from falcokit.upgrade import upgrade as upgraded

    if not old:
        fail("--from is missing: the default rules up to now")
    custom = _custom(paths) if paths else ()
    if (apply or diff) and not custom:
        fail("there are no custom files to change")
    before, after = (
        tuple([file for name in names for file in default_files(name)]) for names in (old, new or ("bundled",))
    )
    for file in custom:
        no_default(file.name, [*before, *after])
    names = ", ".join(old), ", ".join(new or ("bundled",))
    found = or_fail(lambda: upgraded(before, after, custom, catalogue_with(fields, None)))
    if format is Format.json:
        import json

        write(json.dumps(to_json(found, names), ensure_ascii=True, indent=2) + "\n")
    elif format is Format.markdown:
        write(to_markdown(found, names))
    elif diff:
        write(_difference(custom, found.files))
    else:
        write(to_text(found, names, verbose=verbose))
    if apply:
        _write(custom, found)
    raise typer.Exit(0 if not found.problems and all(one.state == "needed" for one in found.verdicts) else 1)


def _custom(paths: Sequence[str]) -> tuple[SourceFile, ...]:
    """The rules files at *paths*, in load order."""
    from falcokit.workspace.gather import Request, gather

    gathered = gather(Request(tuple(paths), ()))
    for name, trouble, _ in gathered.unreadable:
        fail(f"cannot read {name}: {trouble.reason}")
    for path in gathered.empty:
        fail(f"no rules files found in {path}")
    return gathered.files


def _difference(before: Sequence[SourceFile], after: Sequence[SourceFile]) -> str:
    import difflib

    found: list[str] = []
    for old, new in zip(before, after, strict=True):
        rows = old.text.splitlines(keepends=True), new.text.splitlines(keepends=True)
        found += difflib.unified_diff(*rows, old.name, old.name)
    return "".join(found)


def _write(before: Sequence[SourceFile], found: Upgrade) -> None:
    """Write what has changed; a file that cannot be written keeps no other from it."""
    from falcokit.cli.options import say
    from falcokit.workspace.write import write_text

    failed = []
    for old, new in zip(before, found.files, strict=True):
        if old.text == new.text:
            continue
        if problem := write_text(old.name, old.text, new.text):
            failed.append(f"cannot write to {old.name}: {problem}")
        else:
            say(f"written: {old.name}")
    for problem in failed[:-1]:
        say(problem)
    if failed:
        fail(failed[-1])


command = single(upgrade)

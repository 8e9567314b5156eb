"""``falcokit describe``: a stand-in for ``falco -L``."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import typer

from falcokit.cli.inputs import catalogue_with, read_files
from falcokit.cli.options import Format, single, write

__all__ = ["command"]


def describe(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Rules files, in load order.")],
    rule: Annotated[Optional[str], typer.Option("-l", "--rule", metavar="RULE", help="This rule only.")] = None,
    format: Annotated[Format, typer.Option(help="Text as Falco prints it, or Falco's JSON.")] = Format.text,
    fields: Annotated[
        Optional[list[str]], typer.Option(metavar="FILE", help="JSON with the fields of a plugin of your own.")
    ] = None,
) -> None:
    """List what rules files define, as falco -L does; with --format json also conditions, fields, events, exceptions.

    Exit codes: 0 described, 1 a file is not valid or cannot be read, or there is no such rule, 2 wrong usage.

    Example: falcokit describe falco_rules.yaml -l "Terminal shell in container" --format json
    """
    from falcokit.validation import validate as run

    result = run(read_files(files, 1), catalogue=catalogue_with(fields))
    if not result.successful:
        from falcokit.report.falco import render

        typer.echo(render(result.to_falco()), err=True, nl=False)
        raise typer.Exit(1)
    found = result.describe(rule)
    if rule is not None and not found:
        from falcokit.ruleset.suggest import nearest

        near = nearest(rule, result.loaded.definitions.rules)
        typer.echo(f"falcokit: there is no rule '{rule}'" + (f"; did you mean '{near[0]}'?" if near else ""), err=True)
        raise typer.Exit(1)
    if format is Format.json:
        import json

        write(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n")
    else:
        write(_text([found] if rule is not None else found["rules"]))


def _text(rules: list[dict[str, Any]]) -> str:
    """Name and description of each rule, in two columns."""
    import textwrap

    from falcokit.report.text import plain

    lines = [f"{'Rule':50} Description", f"{'----':50} -----------"]
    for rule in rules:
        info = rule["info"]
        text = textwrap.wrap(plain(" ".join(info["description"].split())), 90) or [""]
        name = plain(info["name"])
        if len(name) > 50:
            lines.append(name)
            name = ""
        lines += [f"{name:50} {text[0]}", *(f"{'':50} {line}" for line in text[1:]), ""]
    return "\n".join(lines) + "\n"


command = single(describe)

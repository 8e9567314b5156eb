"""``falcokit validate``: a stand-in for ``falco -V``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from falcokit.cli.inputs import catalogue_with, read_files
from falcokit.cli.options import Format, single, write

__all__ = ["command"]


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Rules files, in load order.")],
    format: Annotated[Format, typer.Option(help="Text as Falco prints it, or Falco's JSON.")] = Format.text,
    fields: Annotated[
        Optional[list[str]], typer.Option(metavar="FILE", help="JSON with the fields of a plugin of your own.")
    ] = None,
) -> None:
    """Load rules files as falco -V does, and give its verdict.

    Codes and places are Falco's; with --format json so is the shape of the result.

    Exit codes: 0 all files are valid, 1 one is not or cannot be read (as with Falco), 2 wrong usage.

    Example: falcokit validate falco_rules.yaml my_rules.yaml --format json
    """
    from falcokit.validation import validate as run

    result = run(read_files(files, 1), catalogue=catalogue_with(fields))
    if format is Format.json:
        import json

        write(json.dumps(result.to_falco(), ensure_ascii=False, separators=(",", ":")) + "\n")
    else:
        from falcokit.report.falco import render

        write(render(result.to_falco()))
    raise typer.Exit(0 if result.successful else 1)


command = single(validate)

"""``falcokit fields``."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import typer

from falcokit.cli.inputs import catalogue_with
from falcokit.cli.options import Format, fail, single, write

__all__ = ["command"]


def fields(
    pattern: Annotated[
        Optional[str], typer.Argument(metavar="[PATTERN]", help="Part of a name, or a pattern with * and ?.")
    ] = None,
    source: Annotated[Optional[str], typer.Option(metavar="S", help="Only fields for rules of this source.")] = None,
    format: Annotated[Format, typer.Option(help="How to print the fields.")] = Format.text,
    own: Annotated[
        Optional[list[str]], typer.Option("--fields", metavar="FILE", help="JSON with the fields of your own plugin.")
    ] = None,
) -> None:
    """Show the fields that conditions and outputs can use: type, argument, operators, meaning.

    NAME[ARG] is a field that needs an argument, NAME[ARG]? one that may have one.

    Exit codes: 0 fields found, 1 none, 2 wrong usage.

    Example: falcokit fields "proc.a*" --source syscall
    """
    from falcokit.catalogue.types import group_of
    from falcokit.cli.matching import matches

    catalogue = catalogue_with(own)
    if source is not None and source not in catalogue.sources:
        fail(f"there is no source '{source}'; known are {', '.join(catalogue.sources)}")
    found: list[dict[str, Any]] = []
    seen = set()
    for field in catalogue.fields(source):
        if (field.hidden and field.name != pattern) or not matches(field.name, pattern):
            continue
        if (field.name, field.source) in seen:
            continue
        seen.add((field.name, field.source))
        found.append(
            {
                "name": field.name,
                "type": f"list of {field.type}" if field.is_list else field.type,
                "argument": field.argument or "none",
                "argument_kinds": list(field.argument_kinds),
                "source": "any" if field.source == "*" else field.source,
                "plugin": field.plugin or None,
                "operators": sorted(group_of(field.type, field.is_list).operators),
                "transformers": not field.no_transformer,
                "right_side": not field.no_rhs,
                "description": catalogue.describe(field.name),
            }
        )
    if format is Format.json:
        import json

        write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    elif found:
        write(_text(found))
    else:
        from falcokit.ruleset.suggest import nearest

        near = nearest(pattern or "", {f.name for f in catalogue.fields(source)}, 3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        typer.echo(f"falcokit: no field matches '{pattern}'{hint}", err=True)
    raise typer.Exit(0 if found else 1)


def _text(found: list[dict[str, Any]]) -> str:
    lines = []
    for row in found:
        argument = {"none": "", "optional": "[ARG]?", "required": "[ARG]"}[row["argument"]]
        plugin = f", plugin {row['plugin']}" if row["plugin"] else ""
        lines.append(f"{row['name']}{argument}  {row['type']} ({row['source']}{plugin})")
        if row["description"]:
            lines.append(f"    {row['description']}")
        if len(found) <= 20:
            lines.append(f"    operators: {', '.join(row['operators'])}")
    return "\n".join(lines) + "\n"


command = single(fields)

"""``falcokit event-types``."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import typer

from falcokit.cli.options import Format, single, write

__all__ = ["command"]


def event_types(
    pattern: Annotated[
        Optional[str], typer.Argument(metavar="[PATTERN]", help="Part of a name, or a pattern with * and ?.")
    ] = None,
    format: Annotated[Format, typer.Option(help="How to print the event types.")] = Format.text,
) -> None:
    """Show the names that evt.type can be compared with, and how many event codes each stands for.

    Falco warns about rules that are tried on more than 100 codes.

    Exit codes: 0 event types found, 1 none, 2 wrong usage.

    Example: falcokit event-types "open*"
    """
    from falcokit.catalogue import Catalogue
    from falcokit.cli.matching import matches

    events = Catalogue.bundled().events
    found: list[dict[str, Any]] = []
    for name in events.all_names():
        if matches(name, pattern):
            codes = events.codes(name)
            kind = "generic system call" if codes == (0, 1) else "system call" if events.is_syscall(name) else "event"
            found.append({"name": name, "kind": kind, "codes": len(codes)})
    if format is Format.json:
        import json

        write(json.dumps(found, indent=2) + "\n")
    elif found:
        write("".join([f"{row['name']:24} {row['kind']:20} {row['codes']:2} codes\n" for row in found]))
    else:
        from falcokit.ruleset.suggest import nearest

        near = nearest(pattern or "", events.all_names(), 3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        typer.echo(f"falcokit: no event type matches '{pattern}'{hint}", err=True)
    raise typer.Exit(0 if found else 1)


command = single(event_types)

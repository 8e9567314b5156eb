"""``falcokit explain``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from falcokit.cli.options import fail, single, write

__all__ = ["command"]


def explain(
    name: Annotated[
        Optional[str], typer.Argument(metavar="[CODE|NAME]", help="A finding; without one, all are listed.")
    ] = None,
) -> None:
    """Say what a finding means, why it matters, and what to write instead.

    Exit codes: 0 explained, 2 there is no such finding.

    Example: falcokit explain shadowed-default
    """
    from falcokit.checks import all_checks
    from falcokit.checks.page import plain_page
    from falcokit.settings.choice import every_kind

    if not name:
        kinds = sorted(every_kind().values(), key=lambda kind: kind.code)
        write("".join([f"{kind.code}  {kind.name:26} {kind.severity.word:8} {kind.about}\n" for kind in kinds]))
        return
    for check in all_checks():
        if name.lower() in (check.kind.name, check.kind.code.lower()):
            write(plain_page(check))
            return
    for kind in every_kind().values():
        if name.lower() in (kind.name, kind.code.lower(), kind.falco.lower()):
            falco = f"Falco itself reports it as {kind.falco}." if kind.falco else "Falco itself says nothing about it."
            write(f"{kind.code} {kind.name}\n\n{kind.severity.word}: {kind.about}\n\n{falco}\n")
            return
    from falcokit.ruleset.suggest import nearest

    near = nearest(name.lower(), every_kind())
    fail(f"there is no finding '{name}'" + (f"; did you mean '{near[0]}'?" if near else "; falcokit explain lists all"))


command = single(explain)

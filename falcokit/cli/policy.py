"""``falcokit policy``."""

from __future__ import annotations

from typing import Annotated

import typer

from falcokit.cli.options import Format, group, write

__all__ = ["command"]


def _policy(context: typer.Context) -> None:
    """Tune Sysdig policies by what they apply to.

    Example: falcokit policy scope 'kubernetes.namespace.name != "dev"'
    """
    if context.invoked_subcommand is None:
        write(context.get_help() + "\n")
        raise typer.Exit(2)


def scope(
    expression: Annotated[str, typer.Argument(metavar="SCOPE", help='Such as: kubernetes.namespace.name != "dev"')],
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.text,
) -> None:
    """Check a scope, write it in its usual form, and tell whether it can apply to hosts.

    A scope with a label of containers or of Kubernetes objects cannot apply to hosts.

    Exit codes: 0 it is well, 1 something is doubtful or wrong, 2 wrong usage.

    Example: falcokit policy scope 'kubernetes.namespace.name != "dev"'
    """
    from falcokit.policy import ScopeError, read_scope
    from falcokit.report.text import plain

    try:
        found = read_scope(expression)
    except ScopeError as error:
        write(f"{plain(expression)}\n{' ' * min(error.offset, 200)}^ {plain(str(error))}\n")
        raise typer.Exit(1) from None
    if format is Format.json:
        import json

        clauses = [
            {"label": one.label, "operator": one.operator, "values": list(one.values), "negated": one.negated}
            for one in found.clauses
        ]
        data = {"scope": found.text(), "applies_to": found.applies_to, "clauses": clauses, "notes": list(found.notes)}
        write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")
    else:
        lines = [found.text(), f"applies to {found.applies_to}", *found.notes]
        write("".join([plain(line) + "\n" for line in lines]))
    raise typer.Exit(1 if found.notes else 0)


command = group(_policy, {"scope": scope})

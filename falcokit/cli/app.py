"""The commands, by name; a module is imported when its command is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

__all__ = ["COMMANDS", "app"]

COMMANDS: Final = {
    "lint": "falcokit.cli.lint",
    "match": "falcokit.cli.match",
    "test": "falcokit.cli.test",
    "whitelist": "falcokit.cli.whitelist",
    "rule": "falcokit.cli.rule",
    "policy": "falcokit.cli.policy",
    "events": "falcokit.cli.events",
    "audit": "falcokit.cli.audit",
    "forward": "falcokit.cli.forward",
    "defaults": "falcokit.cli.defaults",
    "upgrade": "falcokit.cli.upgrade",
    "explain": "falcokit.cli.explain",
    "validate": "falcokit.cli.validate",
    "describe": "falcokit.cli.describe",
    "fields": "falcokit.cli.fields",
    "event-types": "falcokit.cli.event_types",
}


class _Commands(TyperGroup):
    """A group that imports its commands late."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        home = COMMANDS.get(cmd_name)
        if home is None:
            return None
        command = typer.main.get_command(import_module(home).command)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, 1)
            ctx.fail(f"there is no command '{name}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    name="falcokit",
    help="Author and check Falco rules: reads rules files exactly as Falco does, without a Falco.",
    epilog="Exit codes: 0 nothing found, 1 findings or failed validation, 2 wrong usage or an unreadable file.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit.", is_eager=True),
) -> None:
    if version:
        from falcokit import __version__

        typer.echo(f"falcokit {__version__}")
        raise typer.Exit

"""What several commands share: closed sets of option values, single-command apps, errors said in one line."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NoReturn

import typer

__all__ = [
    "Colour",
    "Format",
    "ReportFormat",
    "Threshold",
    "aside",
    "fail",
    "group",
    "read_input",
    "say",
    "single",
    "write",
]


class Format(StrEnum):
    """How results are printed."""

    text = "text"
    json = "json"


class ReportFormat(StrEnum):
    """How findings are printed."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"
    junit = "junit"
    gitlab = "gitlab"


class Colour(StrEnum):
    """When output is coloured."""

    auto = "auto"
    always = "always"
    never = "never"


class Threshold(StrEnum):
    """The severity from which on a run counts as failed."""

    error = "error"
    warning = "warning"
    info = "info"
    never = "never"


def single(function: Callable[..., Any]) -> typer.Typer:
    """An app with *function* as its only command."""
    command = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    command.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})(function)
    return command


def group(function: Callable[..., Any], commands: dict[str, Callable[..., Any]]) -> typer.Typer:
    """An app that does what *function* does, or one of the *commands* by name."""
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback(invoke_without_command=True, context_settings=settings)(function)
    for name, command in commands.items():
        app.command(name, context_settings=settings)(command)
    return app


def fail(message: str, code: int = 2) -> NoReturn:
    """Say what is wrong with the call or its surroundings, and exit."""
    from contextlib import suppress

    from falcokit.report.text import plain

    with suppress(OSError):
        typer.echo(f"falcokit: {plain(message)}", err=True)
    raise typer.Exit(code)


def say(sentence: str) -> None:
    """One line on standard error."""
    from contextlib import suppress

    from falcokit.report.text import plain

    with suppress(OSError):
        typer.echo(f"falcokit: {plain(sentence)}", err=True)


def aside(text: str) -> None:
    """Write *text*, made for people and safe as it is, to standard error."""
    from contextlib import suppress

    with suppress(OSError):
        typer.echo(text, err=True, nl=False)


def read_input(limit: int, code: int = 2) -> bytes:
    """Standard input up to *limit* bytes and one more; ends the run with *code* where it cannot be read."""
    import sys

    if sys.stdin is None:
        fail("cannot read standard input: it is closed", code)
    try:
        return sys.stdin.buffer.read(limit + 1)
    except OSError as error:
        fail(f"cannot read standard input: {(error.strerror or 'it failed').lower()}", code)


def write(text: str) -> bool:
    """Write *text* to standard output; a reader that has gone away is no error, but False."""
    import os
    import sys

    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return False
    return True

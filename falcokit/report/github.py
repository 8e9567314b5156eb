"""Findings as workflow commands, which GitHub shows at the lines of a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from falcokit.diagnostic import Diagnostic, Severity
from falcokit.report.text import plain
from falcokit.source import SourceFile

__all__ = ["render"]

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(findings: Sequence[Diagnostic], files: Sequence[SourceFile], stops: frozenset[int] = frozenset()) -> str:
    """One command a line."""
    return "".join([_command(d, id(d) in stops) for d in findings])


def _command(d: Diagnostic, stop: bool) -> str:
    line, column = d.file.line_column(d.span.start)
    end_line, end_column = d.file.line_column(max(d.span.end, d.span.start))
    place = {"file": d.file.name.removeprefix("./"), "line": str(line + 1), "endLine": str(end_line + 1)}
    if end_line == line:
        # GitHub shows no annotation at all that has columns on several lines.
        place |= {"col": str(column + 1), "endColumn": str(max(end_column, column + 1))}
    place["title"] = f"{d.about.code} {d.about.name}"
    parts = [d.message, f"help: {d.help}" if d.help else "", "Falco stops at this error" if stop else ""]
    message = "\n".join([plain(part) for part in parts if part])
    head = ",".join(f"{key}={_property(value)}" for key, value in place.items())
    return f"::{_COMMANDS[d.level]} {head}::{_message(message)}\n"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(plain(text)).replace(":", "%3A").replace(",", "%2C")

"""Choosing a whitelist step by step in a terminal: the event, what to name it by, what to narrow it to, where to write it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from falcokit.cli.options import fail, write

if TYPE_CHECKING:
    from falcokit.whitelist.propose import Asked

__all__ = ["ask", "ask_file", "confirmed"]


def ask(asked: list[Asked], by: str, more: dict[str, str]) -> tuple[list[Asked], str, dict[str, str]]:
    """Which of what is *asked*, by what, and what it is narrowed to."""
    from falcokit.report.text import plain

    if sys.stdin is None or not sys.stdin.isatty():
        fail("--interactive asks in a terminal: standard input is none")
    if len(asked) > 1:
        rows = []
        for one in asked:
            on_host = (one.given or {}).get("container.id") == "host"
            whose = (
                plain(one.identities[0].condition) if one.identities else "on the host" if on_host else "no container"
            )
            rows.append(f"{plain(one.rule)}: {whose} ({plain(one.place)})")
        asked = [asked[_choice("Which event shall fall silent?", rows)]]
    found, given = asked[0].identities, asked[0].given
    if found and not by:
        rows = [f"{one.kind}: {plain(one.condition)} ({one.risk}: {plain(one.reason)})" for one in found]
        by = found[_choice("What shall it be named by?", rows)].kind
    more = dict(more)
    asks = ("process", "namespace") if found else ("process", "file", "user", "namespace")
    for dimension in asks:
        value = _told(given or {}, dimension)
        if not value or dimension in more:
            continue
        if typer.confirm(f"Only the {dimension} {plain(value)}?", default=dimension in ("process", "file")):
            more[dimension] = value
    return asked, by, more


def _told(given: Mapping[str, object], dimension: str) -> str:
    """What the event tells of it."""
    from falcokit.whitelist.identity import dimensions

    fields = dict.fromkeys([dimensions(source)[dimension] for source in ("syscall", "k8s_audit")])
    found = next((value for field in fields if isinstance(value := given.get(field), str) and value), "")
    return found if dimension != "file" or found.startswith("/") else ""


def ask_file() -> str:
    """The file to write to, one that can be; nothing for none."""
    from falcokit.errors import FalcokitError
    from falcokit.workspace.target import target_at

    while True:
        answer: Any = typer.prompt(
            "Write it to which rules file of yours? (empty: to none)", default="", show_default=False
        )
        path = str(answer).strip()
        try:
            if path:
                target_at(path)
        except FalcokitError as error:
            write(f"{error}\n")
        else:
            return path


def confirmed(difference: str) -> bool:
    """Whether what would be written shall be."""
    from falcokit.report.text import plain

    write("".join([plain(line) + "\n" for line in difference.splitlines()]))
    return bool(typer.confirm("Write this?", default=True))


def _choice(question: str, rows: Sequence[str]) -> int:
    """The row that is chosen, counted from 0."""
    write("".join([f"{number:>3} {row}\n" for number, row in enumerate(rows, 1)]))
    while True:
        number = typer.prompt(question, default=1, type=int)
        if 1 <= number <= len(rows):
            return int(number) - 1

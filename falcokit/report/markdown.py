"""What events, rules and files say, in Markdown."""

from __future__ import annotations

from falcokit.report.text import plain

__all__ = ["cell"]


def cell(text: str) -> str:
    """*text* in one cell of a table, none of it markup."""
    found = plain(" ".join(text.split()))
    for letter in "\\`*_[]<>|~#!&":
        found = found.replace(letter, f"\\{letter}")
    return found

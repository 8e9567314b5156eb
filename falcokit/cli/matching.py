"""Choosing names by what a user typed."""

from __future__ import annotations

__all__ = ["matches"]


def matches(name: str, pattern: str | None) -> bool:
    """Whether *name* fits: anything without a pattern, a shell pattern with one, else a part of the name."""
    if not pattern:
        return True
    if any(c in pattern for c in "*?["):
        from fnmatch import fnmatchcase

        return fnmatchcase(name.lower(), pattern.lower())
    return pattern.lower() in name.lower()

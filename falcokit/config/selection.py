"""Which rules run: their own state, the minimum priority, and the entries of ``rules``."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

__all__ = ["Selection", "is_enabled", "matches_pattern"]


class Selection(NamedTuple):
    """One entry of ``rules``: switch on or off the rules whose name fits, and those with the tag; empty names none."""

    enable: bool
    rule: str = ""
    tag: str = ""
    where: str = ""

    def is_for(self, name: str, tags: AbstractSet[str]) -> bool:
        """Whether the entry switches the rule *name* with *tags*."""
        return (self.rule != "" and matches_pattern(self.rule, name)) or (self.tag != "" and self.tag in tags)


def matches_pattern(pattern: str, text: str) -> bool:
    """Whether *text* fits *pattern*, in which a star stands for any text, as Falco decides it.

    Falco does not try again: behind a star it goes on at the first place where the next piece occurs.  So ``*ab`` does
    not fit ``ab ab``.
    """
    first, *pieces = pattern.split("*")
    if not pieces:
        return pattern == text
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in pieces:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return pattern.endswith("*") or at == len(text)


def is_enabled(
    name: str, tags: AbstractSet[str], priority: int, enabled: bool, selection: Iterable[Selection], minimum: int = 7
) -> bool:
    """Whether the rule runs; *priority* and *minimum* count from 0, the most urgent, to 7.

    *enabled* is the rule's own state.  A rule less urgent than *minimum* cannot be switched on.
    """
    if priority > minimum:
        return False
    for entry in selection:
        if entry.enable is not enabled and entry.is_for(name, tags):
            enabled = entry.enable
    return enabled

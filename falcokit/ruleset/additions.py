"""The ``append_output`` entries of Falco's configuration: what they add to the outputs of which rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["OutputAddition", "applicable"]


class OutputAddition(NamedTuple):
    """One entry: it applies to rules of the source, with all the tags and of the name given; empty means any.

    ``extra_fields`` are pairs of a key and its format, None for a field by its own name.
    """

    source: str = ""
    tags: frozenset[str] = frozenset()
    rule: str = ""
    extra_output: str = ""
    extra_fields: tuple[tuple[str, str | None], ...] = ()
    suggested_output: bool = False


def applicable(
    additions: Iterable[OutputAddition], rule: str, source: str, tags: frozenset[str]
) -> tuple[OutputAddition, ...]:
    """The entries that apply to the rule, in order."""
    return tuple(
        [
            entry
            for entry in additions
            if (not entry.source or entry.source == source)
            and entry.tags <= tags
            and (not entry.rule or entry.rule == rule)
        ]
    )

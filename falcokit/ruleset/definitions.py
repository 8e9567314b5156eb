"""What a name stands for after all items so far: the folded values, and every item that contributed to them.

Frozen; one item more gives a new value.  Nothing is lost on the way: ``contributions`` keeps the items in load order.
"""

from __future__ import annotations

from typing import Final

from falcokit.diagnostic import Step
from falcokit.record import Record
from falcokit.ruleset.items import Entry, ListItem, MacroItem, PluginRequirement, RuleItem, Written
from falcokit.source import MappedText, SourceFile

__all__ = ["Definitions", "ListDefinition", "MacroDefinition", "RuleDefinition", "RuleException", "joined", "mapped"]


class ListDefinition(Record):
    """A list: its items, and the item that defined it (the latest definition: the one Falco reports)."""

    __slots__ = ("contributions", "item", "items", "name")

    def __init__(
        self, name: str, items: tuple[Written, ...], item: ListItem, contributions: tuple[ListItem, ...]
    ) -> None:
        self.name: Final = name
        self.items: Final = items
        self.item: Final = item
        self.contributions: Final = contributions


class MacroDefinition(Record):
    """A macro: the texts its condition is joined of; none where its definition could not be read."""

    __slots__ = ("condition", "contributions", "item", "name")

    def __init__(
        self, name: str, condition: tuple[Written, ...], item: MacroItem, contributions: tuple[MacroItem, ...]
    ) -> None:
        self.name: Final = name
        self.condition: Final = condition
        self.item: Final = item
        self.contributions: Final = contributions


class RuleException(Record):
    """One exception in effect; ``fields`` and ``comps`` are one text or several, defaults filled in."""

    __slots__ = ("comps", "fields", "file", "name", "step", "values")

    def __init__(
        self,
        name: str,
        file: SourceFile,
        step: Step,
        fields: Entry,
        comps: Entry | str | tuple[str, ...],
        values: tuple[Entry, ...],
    ) -> None:
        self.name: Final = name
        self.file: Final = file
        self.step: Final = step
        self.fields: Final = fields
        self.comps: Final = comps
        self.values: Final = values


class RuleDefinition(Record):
    """A rule; texts are kept as the pieces they are joined of.

    ``item`` is the item that Falco names in its messages; ``trimmed`` tells that the output loses the white space at
    its ends, as that of a definition does.  An unknown source leaves the rule collected but never compiled.
    ``refused_exceptions`` are the names of those left out for what is wrong with them.
    """

    __slots__ = (
        "capture",
        "capture_duration",
        "condition",
        "condition_offset",
        "contributions",
        "desc",
        "enabled",
        "exceptions",
        "item",
        "name",
        "output",
        "output_offset",
        "priority",
        "refused_exceptions",
        "skip_if_unknown_filter",
        "source",
        "tags",
        "trimmed",
        "unknown_source",
        "warn_evttypes",
    )

    def __init__(
        self,
        name: str,
        source: str,
        condition: tuple[Written, ...],
        output: tuple[Written, ...],
        desc: tuple[Written, ...],
        priority: int,
        item: RuleItem,
        contributions: tuple[RuleItem, ...],
        condition_offset: int,
        output_offset: int,
        unknown_source: bool = False,
        trimmed: bool = True,
        enabled: bool = True,
        capture: bool = False,
        capture_duration: int = 0,
        warn_evttypes: bool = True,
        skip_if_unknown_filter: bool = False,
        tags: frozenset[str] = frozenset(),
        exceptions: tuple[RuleException, ...] = (),
        refused_exceptions: frozenset[str] = frozenset(),
    ) -> None:
        self.name: Final = name
        self.source: Final = source
        self.condition: Final = condition
        self.output: Final = output
        self.desc: Final = desc
        self.priority: Final = priority
        self.item: Final = item
        self.contributions: Final = contributions
        self.condition_offset: Final = condition_offset
        self.output_offset: Final = output_offset
        self.unknown_source: Final = unknown_source
        self.trimmed: Final = trimmed
        self.enabled: Final = enabled
        self.capture: Final = capture
        self.capture_duration: Final = capture_duration
        self.warn_evttypes: Final = warn_evttypes
        self.skip_if_unknown_filter: Final = skip_if_unknown_filter
        self.tags: Final = tags
        self.exceptions: Final = exceptions
        self.refused_exceptions: Final = refused_exceptions


class Definitions:
    """Everything collected so far, each kind in the order of first definition; replaced, never changed, by a load.

    ``ranks`` holds for lists and macros the pair of first and latest touch (Falco's index and visibility).
    """

    __slots__ = ("counter", "engine", "lists", "macros", "plugins", "ranks", "rules")

    def __init__(self) -> None:
        self.lists: Final[dict[str, ListDefinition]] = {}
        self.macros: Final[dict[str, MacroDefinition]] = {}
        self.rules: Final[dict[str, RuleDefinition]] = {}
        self.ranks: Final[dict[tuple[str, str], tuple[int, int]]] = {}
        self.plugins: Final[list[PluginRequirement]] = []
        self.engine: tuple[int, int, int] = (0, 0, 0)
        self.counter = 0

    def touched(self, kind: str, name: str) -> None:
        """Count a definition, replacement or append of *name*."""
        first, _ = self.ranks.get((kind, name), (self.counter, 0))
        self.ranks[kind, name] = (first, self.counter)
        self.counter += 1


def joined(parts: tuple[Written, ...]) -> str:
    """The text that appended pieces make: joined by one blank."""
    return parts[0].text if len(parts) == 1 else " ".join([part.text for part in parts])


def mapped(parts: tuple[Written, ...]) -> MappedText:
    """The same, each character with its place."""
    from falcokit.document.offsets import origins

    pieces: list[MappedText | str] = []
    for part in parts:
        pieces += [" ", MappedText.written(part.text, origins(part.file, part.node))]
    return MappedText.joined(pieces[1:])

"""The items of rules files as written, before anything is resolved; every text keeps the node it was read from."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from falcokit.diagnostic import Diagnostic, Step
from falcokit.document import Mapping, Scalar
from falcokit.source import SourceFile

__all__ = [
    "EngineItem", "Entry", "ExceptionItem", "IgnoredItem", "Item", "ListItem", "MacroItem", "PluginRequirement",
    "PluginsItem", "RuleItem", "RuleUpdate", "Written",
]  # fmt: skip


class Written:
    """A scalar with the file it stands in.  No tuple, so that an `Entry` tells it from a list of entries."""

    __slots__ = ("file", "node")

    def __init__(self, file: SourceFile, node: Scalar) -> None:
        self.file: Final = file
        self.node: Final = node

    @property
    def text(self) -> str:
        """Its text."""
        return self.node.value


Entry: TypeAlias = "Written | tuple[Entry, ...] | None"
"""A part of an exception: a text, a list of parts, or None for what is neither."""


class ExceptionItem(NamedTuple):
    """One element of ``exceptions``.  ``fields`` and ``comps`` are None when absent or neither text nor list."""

    name: Written
    node: Mapping
    fields: Entry
    comps: Entry
    values: tuple[Entry, ...]
    has_values: bool


class RuleUpdate(NamedTuple):
    """What one rule item does to its rule in one go; None stands for a key that takes no part.

    ``operation`` is define, append, replace or enable.  ``problems`` were found reading it: Falco stops at the first.
    """

    operation: str
    problems: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    condition: Written | None = None
    output: Written | None = None
    desc: Written | None = None
    priority: int | None = None
    tags: tuple[Written, ...] | None = None
    exceptions: tuple[ExceptionItem, ...] | None = None
    enabled: bool | None = None
    capture: bool | None = None
    capture_duration: int | None = None
    warn_evttypes: bool | None = None
    skip_if_unknown_filter: bool | None = None


class ListItem(NamedTuple):
    """A ``list`` item; ``operation`` is define (also for override replace) or append."""

    file: SourceFile
    node: Mapping
    name: Written
    step: Step
    operation: str
    items: tuple[Written, ...]
    problems: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]
    late_warnings: tuple[Diagnostic, ...]


class MacroItem(NamedTuple):
    """A ``macro`` item; ``operation`` is define (also for override replace) or append."""

    file: SourceFile
    node: Mapping
    name: Written
    step: Step
    operation: str
    condition: Written | None
    problems: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]
    late_warnings: tuple[Diagnostic, ...]


class RuleItem(NamedTuple):
    """A ``rule`` item: its updates in the order Falco applies them, and what is found before and after them."""

    file: SourceFile
    node: Mapping
    name: Written
    step: Step
    source: Written | None
    updates: tuple[RuleUpdate, ...]
    problems: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]
    late_problems: tuple[Diagnostic, ...]
    late_warnings: tuple[Diagnostic, ...]


class EngineItem(NamedTuple):
    """A ``required_engine_version`` item; the version is None when it cannot be read."""

    file: SourceFile
    node: Mapping
    step: Step
    version: tuple[int, int, int] | None
    problems: tuple[Diagnostic, ...]
    late_warnings: tuple[Diagnostic, ...]


class PluginRequirement(NamedTuple):
    """One entry of ``required_plugin_versions``: what satisfies it, in the order Falco tries: name, version, place."""

    alternatives: tuple[tuple[str, tuple[int, int, int], Written], ...]


class PluginsItem(NamedTuple):
    """A ``required_plugin_versions`` item."""

    file: SourceFile
    node: Mapping
    step: Step
    requirements: tuple[PluginRequirement, ...]
    problems: tuple[Diagnostic, ...]
    late_warnings: tuple[Diagnostic, ...]


class IgnoredItem(NamedTuple):
    """An element that defines nothing: of no known kind, nameless, or not a mapping at all."""

    file: SourceFile
    problems: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]


Item: TypeAlias = ListItem | MacroItem | RuleItem | EngineItem | PluginsItem | IgnoredItem

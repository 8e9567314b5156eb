"""The items of rules files as written, before anything is resolved; every text keeps the node it was read from."""

from __future__ import annotations

from typing import Final, TypeAlias

from falcokit.diagnostic import Diagnostic, Step
from falcokit.document import Mapping, Scalar
from falcokit.record import Record
from falcokit.source import SourceFile

__all__ = [
    "EngineItem", "Entry", "ExceptionItem", "IgnoredItem", "Item", "ListItem", "MacroItem", "PluginRequirement",
    "PluginsItem", "RuleItem", "RuleUpdate", "Written",
]  # fmt: skip


class Written:
    """A scalar with the file it stands in.  No tuple, so that an `Entry` tells it from a list of entries."""

    __slots__ = ("file", "node", "text")

    def __init__(self, file: SourceFile, node: Scalar) -> None:
        self.file: Final = file
        self.node: Final = node
        self.text: Final = node.value


Entry: TypeAlias = "Written | tuple[Entry, ...] | None"
"""A part of an exception: a text, a list of parts, or None for what is neither."""


class ExceptionItem(Record):
    """One element of ``exceptions``.  ``fields`` and ``comps`` are None when absent or neither text nor list."""

    __slots__ = ("comps", "fields", "has_values", "name", "node", "values")

    def __init__(
        self, name: Written, node: Mapping, fields: Entry, comps: Entry, values: tuple[Entry, ...], has_values: bool
    ) -> None:
        self.name: Final = name
        self.node: Final = node
        self.fields: Final = fields
        self.comps: Final = comps
        self.values: Final = values
        self.has_values: Final = has_values


class RuleUpdate(Record):
    """What one rule item does to its rule in one go; None stands for a key that takes no part.

    ``operation`` is define, append, replace or enable.  ``problems`` were found reading it: Falco stops at the first.
    """

    __slots__ = (
        "capture",
        "capture_duration",
        "condition",
        "desc",
        "enabled",
        "exceptions",
        "operation",
        "output",
        "priority",
        "problems",
        "skip_if_unknown_filter",
        "tags",
        "warn_evttypes",
        "warnings",
    )

    def __init__(
        self,
        operation: str,
        problems: tuple[Diagnostic, ...] = (),
        warnings: tuple[Diagnostic, ...] = (),
        condition: Written | None = None,
        output: Written | None = None,
        desc: Written | None = None,
        priority: int | None = None,
        tags: tuple[Written, ...] | None = None,
        exceptions: tuple[ExceptionItem, ...] | None = None,
        enabled: bool | None = None,
        capture: bool | None = None,
        capture_duration: int | None = None,
        warn_evttypes: bool | None = None,
        skip_if_unknown_filter: bool | None = None,
    ) -> None:
        self.operation: Final = operation
        self.problems: Final = problems
        self.warnings: Final = warnings
        self.condition: Final = condition
        self.output: Final = output
        self.desc: Final = desc
        self.priority: Final = priority
        self.tags: Final = tags
        self.exceptions: Final = exceptions
        self.enabled: Final = enabled
        self.capture: Final = capture
        self.capture_duration: Final = capture_duration
        self.warn_evttypes: Final = warn_evttypes
        self.skip_if_unknown_filter: Final = skip_if_unknown_filter


class ListItem(Record):
    """A ``list`` item; ``operation`` is define (also for override replace) or append."""

    __slots__ = ("file", "items", "late_warnings", "name", "node", "operation", "problems", "step", "warnings")

    def __init__(
        self,
        file: SourceFile,
        node: Mapping,
        name: Written,
        step: Step,
        operation: str,
        items: tuple[Written, ...],
        problems: tuple[Diagnostic, ...],
        warnings: tuple[Diagnostic, ...],
        late_warnings: tuple[Diagnostic, ...],
    ) -> None:
        self.file: Final = file
        self.node: Final = node
        self.name: Final = name
        self.step: Final = step
        self.operation: Final = operation
        self.items: Final = items
        self.problems: Final = problems
        self.warnings: Final = warnings
        self.late_warnings: Final = late_warnings


class MacroItem(Record):
    """A ``macro`` item; ``operation`` is define (also for override replace) or append."""

    __slots__ = ("condition", "file", "late_warnings", "name", "node", "operation", "problems", "step", "warnings")

    def __init__(
        self,
        file: SourceFile,
        node: Mapping,
        name: Written,
        step: Step,
        operation: str,
        condition: Written | None,
        problems: tuple[Diagnostic, ...],
        warnings: tuple[Diagnostic, ...],
        late_warnings: tuple[Diagnostic, ...],
    ) -> None:
        self.file: Final = file
        self.node: Final = node
        self.name: Final = name
        self.step: Final = step
        self.operation: Final = operation
        self.condition: Final = condition
        self.problems: Final = problems
        self.warnings: Final = warnings
        self.late_warnings: Final = late_warnings


class RuleItem(Record):
    """A ``rule`` item: its updates in the order Falco applies them, and what is found before and after them."""

    __slots__ = (
        "file",
        "late_problems",
        "late_warnings",
        "name",
        "node",
        "problems",
        "source",
        "step",
        "updates",
        "warnings",
    )

    def __init__(
        self,
        file: SourceFile,
        node: Mapping,
        name: Written,
        step: Step,
        source: Written | None,
        updates: tuple[RuleUpdate, ...],
        problems: tuple[Diagnostic, ...],
        warnings: tuple[Diagnostic, ...],
        late_problems: tuple[Diagnostic, ...],
        late_warnings: tuple[Diagnostic, ...],
    ) -> None:
        self.file: Final = file
        self.node: Final = node
        self.name: Final = name
        self.step: Final = step
        self.source: Final = source
        self.updates: Final = updates
        self.problems: Final = problems
        self.warnings: Final = warnings
        self.late_problems: Final = late_problems
        self.late_warnings: Final = late_warnings


class EngineItem(Record):
    """A ``required_engine_version`` item; the version is None when it cannot be read."""

    __slots__ = ("file", "late_warnings", "node", "problems", "step", "version")

    def __init__(
        self,
        file: SourceFile,
        node: Mapping,
        step: Step,
        version: tuple[int, int, int] | None,
        problems: tuple[Diagnostic, ...],
        late_warnings: tuple[Diagnostic, ...],
    ) -> None:
        self.file: Final = file
        self.node: Final = node
        self.step: Final = step
        self.version: Final = version
        self.problems: Final = problems
        self.late_warnings: Final = late_warnings


class PluginRequirement(Record):
    """One entry of ``required_plugin_versions``: what satisfies it, in the order Falco tries: name, version, place."""

    __slots__ = ("alternatives",)

    def __init__(self, alternatives: tuple[tuple[str, tuple[int, int, int], Written], ...]) -> None:
        self.alternatives: Final = alternatives


class PluginsItem(Record):
    """A ``required_plugin_versions`` item."""

    __slots__ = ("file", "late_warnings", "node", "problems", "requirements", "step")

    def __init__(
        self,
        file: SourceFile,
        node: Mapping,
        step: Step,
        requirements: tuple[PluginRequirement, ...],
        problems: tuple[Diagnostic, ...],
        late_warnings: tuple[Diagnostic, ...],
    ) -> None:
        self.file: Final = file
        self.node: Final = node
        self.step: Final = step
        self.requirements: Final = requirements
        self.problems: Final = problems
        self.late_warnings: Final = late_warnings


class IgnoredItem(Record):
    """An element that defines nothing: of no known kind, nameless, or not a mapping at all."""

    __slots__ = ("file", "problems", "warnings")

    def __init__(self, file: SourceFile, problems: tuple[Diagnostic, ...], warnings: tuple[Diagnostic, ...]) -> None:
        self.file: Final = file
        self.problems: Final = problems
        self.warnings: Final = warnings


Item: TypeAlias = ListItem | MacroItem | RuleItem | EngineItem | PluginsItem | IgnoredItem

"""The rules that a command evaluates: custom files on top of default rules, loaded as Falco loads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from falcokit.cli.defaults import Below
from falcokit.cli.inputs import catalogue_with
from falcokit.cli.options import fail
from falcokit.record import Record
from falcokit.workspace.gather import Gathered, Request, gather

if TYPE_CHECKING:
    from falcokit.catalogue import Catalogue
    from falcokit.diagnostic import Diagnostic
    from falcokit.ruleset.rule_compiler import CompiledRule
    from falcokit.source import SourceFile

__all__ = ["Rules", "catalogue_of", "read_rules", "refused"]


class Rules(Record):
    """Rules files in load order, what they are loaded with, and which rules the configuration leaves on."""

    __slots__ = ("catalogue", "files", "rule_matching", "runs", "said")

    def __init__(
        self,
        files: tuple[SourceFile, ...],
        catalogue: Catalogue,
        said: str,
        rule_matching: str,
        runs: Callable[[CompiledRule], bool],
    ) -> None:
        self.files: Final = files
        self.catalogue: Final = catalogue
        self.said: Final = said
        self.rule_matching: Final = rule_matching
        self.runs: Final = runs


def read_rules(paths: Sequence[str], base: Below, fields: Sequence[str] | None) -> Rules:
    """The rules of *paths* on top of *base*; ends the run where a file cannot be read."""
    from falcokit.embedded import opened

    gathered = gather(Request(tuple(paths), base.files))
    _all_readable(gathered)
    if not gathered.files:
        fail(f"no rules files found in {', '.join(paths) or base.said}")
    files, _ = opened(gathered.files)
    setup = base.setup
    if setup is None:
        return Rules(tuple(files), catalogue_of(base, fields), base.said, "first", lambda rule: rule.enabled)
    config = setup.config

    def runs(rule: CompiledRule) -> bool:
        from falcokit.config import is_enabled

        own = rule.definition
        return is_enabled(own.name, own.tags, own.priority, own.enabled, config.selection, config.minimum_priority)

    return Rules(tuple(files), catalogue_of(base, fields), base.said, config.rule_matching, runs)


def catalogue_of(base: Below, fields: Sequence[str] | None) -> Catalogue:
    """The fields that rules may use: those of the configuration's plugins, and of *fields*."""
    return catalogue_with(fields, base.setup.catalogue if base.setup is not None else None)


def _all_readable(gathered: Gathered) -> None:
    for path, unreadable, _ in gathered.unreadable:
        fail(f"cannot read {path}: {unreadable.reason}")


def refused(errors: Sequence[Diagnostic], colour: bool, width: int) -> str:
    """What is said of rules that Falco would not load."""
    from falcokit.report.text import render

    return render(errors, colour=colour, width=width) + "Falco would not load these rules: nothing was evaluated\n"

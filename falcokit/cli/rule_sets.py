"""The rules that a command evaluates: custom files on top of default rules, loaded as Falco loads them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from falcokit.cli.below import Below
from falcokit.cli.inputs import catalogue_with
from falcokit.cli.options import fail
from falcokit.record import Record
from falcokit.source import Origin, SourceFile
from falcokit.workspace.gather import Gathered, Request, gather

if TYPE_CHECKING:
    from falcokit.catalogue import Catalogue
    from falcokit.diagnostic import Diagnostic
    from falcokit.ruleset.rule_compiler import CompiledRule
    from falcokit.workspace.target import Target

__all__ = ["Rules", "catalogue_of", "no_default", "read_rules", "refused"]


class Rules(Record):
    """Rules files in load order, what they are loaded with, and which rules the configuration leaves on.

    ``target`` is the name under which the file that is written to is among them; ``listed`` is whether it is one of those
    that were named, or was put behind them.
    """

    __slots__ = ("catalogue", "files", "listed", "rule_matching", "runs", "said", "target")

    def __init__(
        self,
        files: tuple[SourceFile, ...],
        catalogue: Catalogue,
        said: str,
        rule_matching: str,
        runs: Callable[[CompiledRule], bool],
        target: str = "",
        listed: bool = True,
    ) -> None:
        self.files: Final = files
        self.catalogue: Final = catalogue
        self.said: Final = said
        self.rule_matching: Final = rule_matching
        self.runs: Final = runs
        self.target: Final = target
        self.listed: Final = listed


def read_rules(paths: Sequence[str], base: Below, fields: Sequence[str] | None, target: Target | None = None) -> Rules:
    """The rules of *paths* on top of *base*, and the file *target* in its place; ends the run where a file cannot be read, or
    the target is a default file."""
    from falcokit.embedded import opened

    real = os.path.realpath(target.path) if target is not None else ""
    gathered = gather(Request(tuple(paths), base.files, planned=real))
    _all_readable(gathered)
    if not gathered.files:
        fail(f"no rules files found in {', '.join(paths) or base.said}")
    files, _ = opened(gathered.files)
    if target is not None:
        no_default(target.path, gathered.files)
        found = [file.name for file in files if os.path.realpath(file.name) == real]
        if not found:
            files = [*files, SourceFile(target.path, target.before or "")]
        rules = _rules(files, base, fields)
        return rules.replaced(target=found[0] if found else target.path, listed=bool(found))
    return _rules(files, base, fields)


def _rules(files: Sequence[SourceFile], base: Below, fields: Sequence[str] | None) -> Rules:
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


def no_default(path: str, files: Sequence[SourceFile]) -> None:
    """End the run where *path* is a default file, by whatever link: these are never written to."""
    from fnmatch import fnmatchcase

    from falcokit.ruleset.default_index import published_names

    real = os.path.realpath(path)
    published = any(fnmatchcase(os.path.basename(one), name) for name in published_names() for one in (path, real))
    defaults = [file.name for file in files if file.origin is Origin.DEFAULT]
    if published or any(_same(real, os.path.realpath(name)) for name in defaults):
        fail(f"{path} is a default file, which an upgrade replaces: name a file of your own, loaded after it")


def _same(path: str, other: str) -> bool:
    """Whether both are one file, by another link perhaps."""
    try:
        return path == other or os.path.samefile(path, other)
    except OSError:
        return False

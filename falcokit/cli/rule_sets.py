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

__all__ = ["Rules", "catalogue_of", "no_default", "read_rules", "refused", "text_of"]


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


def text_of(path: str, rules: list[str]) -> str | None:
    """The text of the file that is written to, which counts among the rules then; None where there is none."""
    import os

    from falcokit.workspace.sources import Unreadable, read_bytes

    if not os.path.lexists(path):
        return None
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        fail(f"cannot write to {path}: it is no plain file")
    content = read_bytes(path)
    if isinstance(content, Unreadable):
        fail(f"cannot read {path}: {content.reason}")
    if all(os.path.realpath(path) != os.path.realpath(one) for one in rules):
        rules.append(path)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        fail(f"cannot write to {path}: it is not UTF-8")


def no_default(path: str, files: Sequence[SourceFile]) -> None:
    """End the run where *path* is a default file: these are never written to."""
    import os
    from fnmatch import fnmatchcase

    from falcokit.ruleset.default_index import published_names
    from falcokit.source import Origin

    defaults = {os.path.realpath(file.name) for file in files if file.origin is Origin.DEFAULT}
    published = any(fnmatchcase(os.path.basename(path), name) for name in published_names())
    if published or os.path.realpath(path) in defaults:
        fail(f"{path} is a default file, which an upgrade replaces: name a file of your own, loaded after it")

"""Validating rules as ``falco -V`` does, and describing them as ``falco -L`` does, without a Falco."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from falcokit.catalogue import Catalogue
from falcokit.condition import parse
from falcokit.condition.ast import Check, Expression
from falcokit.condition.walk import leaves
from falcokit.diagnostic import KINDS, Problem, Severity
from falcokit.errors import ConditionError
from falcokit.ruleset.check_compiler import compile_check
from falcokit.ruleset.loader import Loaded, load
from falcokit.source import SourceFile
from falcokit.source.decode import decode

__all__ = ["Condition", "Validation", "compile_condition", "validate"]


class Validation(NamedTuple):
    """The outcome of `validate`."""

    loaded: Loaded

    @property
    def successful(self) -> bool:
        """Whether Falco would accept every file."""
        return all(result.successful for result in self.loaded.files)

    def to_falco(self) -> dict[str, Any]:
        """The shape of ``falco -V ... -o json_output=true``; codes and places are Falco's, messages are ours."""
        from falcokit.ruleset.falco_result import to_falco

        return to_falco(self.loaded)

    def describe(self, rule: str | None = None) -> dict[str, Any]:
        """The shape of ``falco -L -o json_output=true``; with *rule* that rule only, as ``falco -l``."""
        from falcokit.ruleset.describe import describe

        return describe(self.loaded, rule)


def validate(files: Iterable[tuple[str, str | bytes]], *, catalogue: Catalogue | None = None) -> Validation:
    """Load *files*, pairs of name and content, in this order, each on top of those before it.

    *catalogue* says which fields exist; by default Falco's own and those of every plugin falcokit knows.
    """
    sources = [SourceFile(name, content if isinstance(content, str) else decode(content)) for name, content in files]
    return Validation(load(sources, catalogue or Catalogue.bundled()))


class Condition(NamedTuple):
    """A condition that compiles: its text, its tree, and the source it was compiled for."""

    text: str
    tree: Expression
    source: str


def compile_condition(text: str, *, source: str = "syscall", catalogue: Catalogue | None = None) -> Condition:
    """Compile one condition, without macros and lists, for rules of *source*.

    Raises `falcokit.ConditionError` where Falco refuses it, with the byte it reports the error at.
    """
    catalogue = catalogue or Catalogue.bundled()
    tree = parse(text)
    if isinstance(tree, Problem):
        raise ConditionError(tree.message, tree.at)
    for leaf in leaves(tree):
        if not isinstance(leaf, Check):
            raise ConditionError(f"the macro `{leaf.name}` is not defined", leaf.at)
        for problem in compile_check(leaf, source, catalogue):
            if KINDS[problem.kind].severity is Severity.ERROR:
                raise ConditionError(problem.message, problem.at)
    return Condition(text, tree, source)

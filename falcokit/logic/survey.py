"""The parts of all conditions asked for that can never hold where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.condition.ast import And, Check
from falcokit.logic.claim import Claim, conjuncts
from falcokit.logic.dead import Dead, contested, dead_parts
from falcokit.logic.solver import ALL_FIELDS, Solver
from falcokit.record import Record
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.ruleset import Named, Ruleset, once

__all__ = ["Survey", "survey"]


class Survey(Record):
    """The dead parts of the condition of *named*; ``solver`` decides for its source."""

    __slots__ = ("dead", "named", "solver")

    def __init__(self, named: Named, dead: tuple[Dead, ...], solver: Solver) -> None:
        self.named: Final = named
        self.dead: Final = dead
        self.solver: Final = solver

    def clash(self, dead: Dead) -> tuple[Claim, Claim] | None:
        """Two single checks, the first of ``because``, that exclude each other, where it comes down to two."""
        mine = [part for part in conjuncts(dead.part) if isinstance(part.node, Check)]
        for claim in dead.because:
            for other in conjuncts(claim):
                for part in mine:
                    if isinstance(other.node, Check) and self.solver.assume((other, part)) is None:
                        return other, part
        return None


@once
def survey(ruleset: Ruleset) -> tuple[Survey, ...]:
    """All conditions that have dead parts, of rules and macros, in load order.  Exceptions are left out."""
    return tuple(_surveys(ruleset))


def _surveys(ruleset: Ruleset) -> Iterator[Survey]:
    solvers: dict[str, Solver] = {}
    for named, bound, exceptions in _conditions(ruleset):
        fields = contested(bound)
        if not fields or bound.tree is None:
            continue
        source = _source(ruleset, named)
        if (solver := solvers.get(source)) is None:
            solver = solvers[source] = Solver(source, ruleset.catalogue)
        # With exceptions the text is `(condition) and not exception and not exception ...`.
        tree = bound.tree.children[0] if exceptions and isinstance(bound.tree, And) else bound.tree
        if dead := tuple(dead_parts(Claim(tree, bound), solver.about(fields))):
            yield Survey(named, dead, solver.about(ALL_FIELDS))


def _conditions(ruleset: Ruleset) -> Iterator[tuple[Named, Bound, bool]]:
    compilation = ruleset.compilation
    for named in ruleset.named:
        kind, name = named
        if kind == "macro" and name in compilation.macros:
            yield named, compilation.macros[name].bound, False
        elif kind == "rule" and name in compilation.rules and (bound := compilation.rules[name].bound) is not None:
            yield named, bound, bool(compilation.rules[name].definition.exceptions)


def _source(ruleset: Ruleset, named: Named) -> str:
    rules = (named[1],) if named[0] == "rule" else ruleset.rules_using(named)
    return ruleset.definitions.rules[rules[0]].source if rules else "syscall"

"""Where a part stands in the conditions of rules, and whether something can hold there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.logic.claim import Claim, conjuncts
from falcokit.logic.solver import Facts, Solver, Undecided
from falcokit.record import Record
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["Place", "places"]

_MAX_CLAIMS: Final = 20_000


class Place(Record):
    """The *claim* of a rule, and what is known where it is asked."""

    __slots__ = ("_facts", "_solver", "claim", "context")

    def __init__(self, claim: Claim, context: tuple[Claim, ...], solver: Solver, facts: Facts) -> None:
        self.claim: Final = claim
        self.context: Final = context
        self._solver: Final = solver
        self._facts: Final = facts

    def excludes(self, claim: Claim) -> bool:
        """Whether *claim* surely never holds here, although it could elsewhere."""
        with suppress(Undecided):
            return self._solver.assume((claim,), self._facts) is None and self._solver.assume((claim,)) is not None
        return False

    def because(self, claim: Claim) -> Claim | None:
        """The one part of the rule that excludes *claim*, where one does."""
        with suppress(Undecided):
            for part in self.context:
                if self._solver.assume((part, claim)) is None:
                    return part
        return None


def places(rule: CompiledRule, wanted: Callable[[Claim], bool], catalogue: Catalogue) -> tuple[Place, ...]:
    """Where the claims that are *wanted* stand in *rule*: none at all where one of them stands inside a choice, or
    where too much would have to be looked at."""
    if rule.bound is None or rule.bound.tree is None:
        return ()
    parts = tuple(conjuncts(Claim(rule.bound.tree, rule.bound), wanted))
    solver = Solver(rule.definition.source, catalogue)
    found = [part for part in parts if wanted(part)]
    budget = [_MAX_CLAIMS]
    if any(_mentions(part, wanted, budget) for part in parts if part.is_choice and not wanted(part)) or budget[0] <= 0:
        return ()
    # What excludes says nothing for certain of a field that may be missing, and would hold claims against themselves.
    context = tuple([part for part in parts if part.holds and not wanted(part)])
    with suppress(Undecided):
        facts = solver.assume(context)
        return tuple([Place(part, context, solver, facts) for part in found]) if facts is not None else ()
    return ()


def _mentions(claim: Claim, wanted: Callable[[Claim], bool], budget: list[int]) -> bool:
    return any(wanted(part) for part in _inside(claim, budget))


def _inside(claim: Claim, budget: list[int]) -> Iterator[Claim]:
    stack = [claim]
    while stack and budget[0] > 0:
        budget[0] -= 1
        part = stack.pop()
        yield part
        stack += part.parts()

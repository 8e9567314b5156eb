"""Whether one rule catches all that another one does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import Identifier
from falcokit.condition.walk import leaves
from falcokit.logic.claim import Claim
from falcokit.logic.dead import fields_of
from falcokit.logic.solver import ALL_FIELDS, Solver, Undecided
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["Caught", "may_catch_all"]

_BUDGET: Final = 1_500
_Key: TypeAlias = tuple[int, tuple[int, ...], bool]


def may_catch_all(rule: CompiledRule, other: CompiledRule) -> bool:
    """Whether `Caught.by` is worth asking: a quick look at event types and fields."""
    mine, its = rule.bound, other.bound
    if mine is None or its is None or not (mine.whole and its.whole):
        return False
    if rule.definition.source != other.definition.source or other.codes & ~rule.codes:
        return False
    # What catches by a field of which the other says nothing catches less, and so does what asks for fewer values.
    if mine.fields[0] & ~its.fields[0] or mine.fields[1] & ~(its.fields[0] | its.fields[1]):
        return False
    asked = its.values
    return all(field not in asked or asked[field] <= values for field, values in mine.values.items())


class Caught:
    """What holds wherever one rule matches, to be asked of several others."""

    def __init__(self, rule: CompiledRule, catalogue: Catalogue) -> None:
        self._rule = rule
        self._solver = Solver(rule.definition.source, catalogue, constants=True)
        self._parts: frozenset[_Key] | None = None

    def by(self, rule: CompiledRule) -> bool:
        """Whether *rule* surely matches each event that this one does, placeholder macros taken at their word.

        False where that cannot be told, and where this rule never matches at all.
        """
        mine, its = self._rule.bound, rule.bound
        if mine is None or its is None or mine.tree is None or its.tree is None or not may_catch_all(rule, self._rule):
            return False
        whole = Claim(mine.tree, mine)
        if self._parts is None:
            self._parts = frozenset([_key(part) for part in _said(whole, frozenset())])
        try:
            for part in _said(Claim(its.tree, its), self._parts):
                if part.is_choice or not part.parts():
                    # What is said of other fields seldom helps, and costs most.
                    solver = self._solver.about(fields_of(part), _BUDGET)
                    if solver.assume((whole, part.turned())) is not None:
                        return False
            return self._solver.about(ALL_FIELDS, _BUDGET).assume((whole,)) is not None
        except Undecided:
            return False


def _said(claim: Claim, known: frozenset[_Key]) -> Iterator[Claim]:
    """All that holds where *claim* does, names and what they stand for; not what is *known*, and what it is made of."""
    stack = [claim]
    while stack:
        part = stack.pop()
        if _key(part) not in known:
            yield part
            if not part.is_choice:
                stack += reversed(part.parts())


def _key(claim: Claim) -> _Key:
    """The same for two claims about one macro, or one part of one text."""
    node, bound = claim.node, claim.bound
    inner = bound.env.get(node.name) if isinstance(node, Identifier) else None
    if inner is not None:
        return id(inner), (), claim.holds
    # Rules of one text share its tree and may see different macros: it counts with what its names stand for.
    names = [leaf for leaf in leaves(node) if isinstance(leaf, Identifier)] if bound.env else []
    return id(node), tuple([id(bound.env.get(leaf.name)) for leaf in names]), claim.holds

"""Parts of a condition that can never hold where they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Final

from falcokit.condition.ast import And, Check, Expression, Field, Identifier, Not
from falcokit.logic.claim import Claim, conjuncts, is_name
from falcokit.logic.solver import Facts, Solver, Undecided
from falcokit.record import Record
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.operands import glued

__all__ = ["Dead", "contested", "dead_parts"]


class Dead(Record):
    """A part that never holds together with all of ``because``.

    ``excluded`` where it is what a `not` excludes, ``whole`` where nothing is left of the condition.
    """

    __slots__ = ("because", "excluded", "part", "whole")

    def __init__(self, part: Claim, because: tuple[Claim, ...], excluded: bool, whole: bool) -> None:
        self.part: Final = part
        self.because: Final = because
        self.excluded: Final = excluded
        self.whole: Final = whole


def dead_parts(claim: Claim, solver: Solver) -> Iterator[Dead]:
    """The parts of *claim* that never hold, as far as its own text goes: names are taken for what they stand for, but
    what stands in them is not reported.  What takes too long to decide is left out."""
    with suppress(Undecided):
        yield from _parts(claim, solver, {}, ())


def contested(bound: Bound) -> frozenset[str]:
    """The fields of which two parts of one `and` say something that might not go together."""
    found: set[str] = set()
    if bound.tree is not None:
        _sides(bound.tree, bound, found)
    return frozenset(found)


def _sides(node: Expression, bound: Bound, found: set[str]) -> tuple[Collection[str], Collection[str]]:
    """The fields of *node* in front of `not` and behind it; those that are contested inside are put into *found*."""
    kind = node.__class__
    if kind is Check:
        left = node.left  # type: ignore[union-attr]
        return ((glued(left),) if left.__class__ is Field else ()), ()
    if kind is Identifier:
        inner = bound.env.get(node.name)  # type: ignore[union-attr]
        return inner.fields if inner is not None else ((), ())
    if kind is Not:
        front, behind = _sides(node.child, bound, found)  # type: ignore[union-attr]
        return behind, front
    fronts: set[str] = set()
    behinds: set[str] = set()
    twice: set[str] = set()
    for child in node.children:  # type: ignore[union-attr]
        front, behind = _sides(child, bound, found)
        twice.update(fronts.intersection(front), fronts.intersection(behind), behinds.intersection(front))
        fronts.update(front)
        behinds.update(behind)
    if kind is And:
        found |= twice
    return fronts, behinds


def _parts(claim: Claim, solver: Solver, facts: Facts, above: tuple[Claim, ...]) -> Iterator[Dead]:
    parts = tuple(conjuncts(claim, is_name))
    catching = tuple([part for part in parts if part.holds])
    known = solver.assume(parts, facts)
    if known is None:
        last, *others = reversed(_needed(parts, above, solver))
        yield Dead(last, tuple(reversed(others)), excluded=False, whole=not above and not facts)
        return
    excluding = tuple([part for part in parts if not part.holds])
    if excluding:
        known = solver.assume(catching, facts)
        assert known is not None
        for part in excluding:
            yield from _inside(part.turned(), solver, known, above + catching, excluded=True)
    choices = [part for part in catching if part.is_choice]
    if choices:
        rest = tuple([part for part in parts if not part.holds or not part.is_choice])
        known = solver.assume(rest, facts)
        assert known is not None
        for choice in choices:
            for part in choice.parts():
                yield from _inside(part, solver, known, above + rest, excluded=False)


def _inside(part: Claim, solver: Solver, known: Facts, above: tuple[Claim, ...], excluded: bool) -> Iterator[Dead]:
    if solver.assume((part,), known) is None:
        if solver.assume((part,)) is not None:
            yield Dead(part, _needed(above, (part,), solver), excluded, whole=False)
        elif not isinstance(part.node, Identifier):
            yield from _parts(part, solver, {}, ())
    elif not isinstance(part.node, (Check, Identifier)):
        yield from _parts(part, solver, known, above)


def _needed(parts: tuple[Claim, ...], others: tuple[Claim, ...], solver: Solver) -> tuple[Claim, ...]:
    """The *parts* without which there would be no contradiction: as few as can be found by leaving out one by one."""
    left = list(parts + others)
    for part in (*others, *parts):
        without = [other for other in left if other is not part]
        if part not in others and solver.assume(without) is None:
            left = without
    return tuple([part for part in left if part not in others])

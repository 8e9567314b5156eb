"""Parts of a condition that can never hold where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from falcokit.condition.ast import And, Check, Expression, Identifier, Not
from falcokit.logic.claim import Claim, conjuncts, is_name
from falcokit.logic.solver import Facts, Solver, Undecided
from falcokit.record import Record
from falcokit.ruleset.field_set import bit_of, field_bit
from falcokit.ruleset.macros import Bound

__all__ = ["Dead", "contested", "dead_parts", "fields_of"]


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
        yield from _parts(claim, solver, {}, (), whole=True)


def contested(bound: Bound) -> int:
    """The fields of which two parts of one `and` say something that might not go together (`field_set`)."""
    return _sides(bound.tree, bound)[2] if bound.tree is not None and bound.fields[2] else 0


def fields_of(claim: Claim) -> int:
    """The fields that *claim* is about (`field_set`)."""
    front, behind, _ = _sides(claim.node, claim.bound)
    return front | behind


def _sides(node: Expression, bound: Bound) -> tuple[int, int, int]:
    """The fields of *node* in front of `not` and behind it, and those that are contested inside."""
    kind = node.__class__
    if kind is Check:
        return bit_of(node), 0, 0  # type: ignore[arg-type]
    if kind is Identifier:
        inner = bound.env.get(node.name)  # type: ignore[union-attr]
        return (0, 0, 0) if inner is None else (*inner.fields[:2], 0)
    if kind is Not:
        front, behind, found = _sides(node.child, bound)  # type: ignore[union-attr]
        return behind, front, found
    fronts = behinds = founds = 0
    chained = kind is And
    for child in node.children:  # type: ignore[union-attr]
        # Most are checks: these are not worth a call.
        front, behind, found = (bit_of(child), 0, 0) if child.__class__ is Check else _sides(child, bound)
        if chained:
            found |= (fronts & (front | behind)) | (behinds & front)
        fronts |= front
        behinds |= behind
        founds |= found
    return fronts, behinds, founds


def _parts(claim: Claim, solver: Solver, facts: Facts, above: tuple[Claim, ...], whole: bool = False) -> Iterator[Dead]:
    parts = tuple(conjuncts(claim, is_name))
    if len(parts) == 1 and parts[0].is_choice:
        # Where all alternatives are dead, each is told.
        for part in parts[0].parts():
            yield from _inside(part, solver, facts, _mask(facts), above, excluded=False)
        return
    known = solver.assume(parts, facts)
    if known is None:
        last, *others = reversed(_needed(parts, above, solver))
        yield Dead(last, tuple(reversed(others)), excluded=False, whole=whole)
        return
    catching = tuple([part for part in parts if part.holds])
    excluding = [part.turned() for part in parts if not part.holds]
    if excluding:
        known = solver.assume(catching, facts)
        assert known is not None
        mask = _mask(known)
        for part in excluding:
            yield from _inside(part, solver, known, mask, above + catching, excluded=True)
    choices = [part for part in catching if part.is_choice]
    if choices:
        rest = tuple([part for part in parts if not part.holds or not part.is_choice])
        known = solver.assume(rest, facts)
        assert known is not None
        mask = _mask(known)
        for choice in choices:
            for part in choice.parts():
                yield from _inside(part, solver, known, mask, above + rest, excluded=False)


def _inside(
    part: Claim, solver: Solver, known: Facts, mask: int, above: tuple[Claim, ...], excluded: bool
) -> Iterator[Dead]:
    front, behind, found = _sides(part.node, part.bound)
    if not (found or mask & (front | behind)):
        return  # It says nothing that might not go with itself or with what is known.
    if solver.assume((part,), known) is None:
        if solver.assume((part,)) is not None:
            yield Dead(part, _needed(above, (part,), solver), excluded, whole=False)
        elif not isinstance(part.node, Identifier):
            yield from _parts(part, solver, {}, ())
    elif not isinstance(part.node, (Check, Identifier)):
        yield from _parts(part, solver, known, above)


def _mask(known: Facts) -> int:
    """The fields of which something is known."""
    mask = 0
    for key in known:
        mask |= field_bit(key) if key.__class__ is str else bit_of(key)  # type: ignore[arg-type]
    return mask


def _needed(parts: tuple[Claim, ...], others: tuple[Claim, ...], solver: Solver) -> tuple[Claim, ...]:
    """The *parts* without which there would be no contradiction: as few as can be found by leaving out one by one."""
    left = list(parts + others)
    for part in (*others, *parts):
        without = [other for other in left if other is not part]
        if part not in others and solver.assume(without) is None:
            left = without
    return tuple([part for part in left if part not in others])

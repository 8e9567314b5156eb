"""The chains of `and` and `or` in all conditions, each with the text it stands in."""

from __future__ import annotations

from typing import Final

from falcokit.condition.ast import And, Check, Expression, Identifier, Not, Or
from falcokit.diagnostic import Problem
from falcokit.record import Record
from falcokit.ruleset.body import Body
from falcokit.ruleset.ruleset import Ruleset, once

__all__ = ["Chain", "chains"]


class Chain(Record):
    """One chain, in the condition *body*."""

    __slots__ = ("body", "node")

    def __init__(self, body: Body, node: And | Or) -> None:
        self.body: Final = body
        self.node: Final = node


@once
def chains(ruleset: Ruleset) -> tuple[Chain, ...]:
    """Every chain in the conditions asked for, once."""
    found: list[Chain] = []
    for body in ruleset.bodies:
        tree = body.tree
        stack: list[Expression] = [] if isinstance(tree, Problem) else [tree]
        while stack:
            node = stack.pop()
            kind = node.__class__
            if kind is And or kind is Or:
                found.append(Chain(body, node))  # type: ignore[arg-type]
                # The leaves of a long chain are not worth a step each.
                stack += [c for c in node.children if c.__class__ is not Check and c.__class__ is not Identifier]  # type: ignore[union-attr]
            elif kind is Not:
                stack.append(node.child)  # type: ignore[union-attr]
    return tuple(found)

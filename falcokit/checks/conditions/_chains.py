"""The chains of `and` and `or` in all conditions, each with the text it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.condition.ast import And, Check, Expression, Identifier, Not, Or
from falcokit.diagnostic import Problem
from falcokit.record import Record
from falcokit.ruleset.body import Body
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["Chain", "chains"]


class Chain(Record):
    """One chain, in the condition *body*."""

    __slots__ = ("body", "node")

    def __init__(self, body: Body, node: And | Or) -> None:
        self.body: Final = body
        self.node: Final = node


def chains(ruleset: Ruleset) -> Iterator[Chain]:
    """Every chain in the conditions asked for, once."""
    for body in ruleset.bodies:
        stack: list[Expression] = [] if isinstance(body.tree, Problem) else [body.tree]
        while stack:
            node = stack.pop()
            if isinstance(node, Not):
                stack.append(node.child)
            elif not isinstance(node, (Check, Identifier)):
                yield Chain(body, node)
                stack += node.children

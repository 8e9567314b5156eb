"""A part of a condition that is said to hold, or not to hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from falcokit.condition.ast import And, Check, Expression, Identifier, Not, Or
from falcokit.record import Record
from falcokit.ruleset.macros import Bound
from falcokit.source import Span

__all__ = ["Claim", "conjuncts", "is_name", "is_named"]


class Claim(Record):
    """*node*, whose names stand for what *bound* says, holds; with ``holds`` False it does not."""

    __slots__ = ("bound", "holds", "node")

    def __init__(self, node: Expression, bound: Bound, holds: bool = True) -> None:
        self.node: Final = node
        self.bound: Final = bound
        self.holds: Final = holds

    def parts(self) -> tuple[Claim, ...]:
        """What this says, one step down: for a chain the claims that it is made of, for a name what it stands for.

        Nothing for a single check, and for a name that stands for nothing.
        """
        node, bound, holds = self.node, self.bound, self.holds
        if isinstance(node, Check):
            return ()
        if isinstance(node, Not):
            return (Claim(node.child, bound, not holds),)
        if isinstance(node, Identifier):
            inner = bound.env.get(node.name)
            return (Claim(inner.tree, inner, holds),) if inner is not None and inner.tree is not None else ()
        return tuple([Claim(child, bound, holds) for child in node.children])

    def turned(self) -> Claim:
        """The opposite."""
        return Claim(self.node, self.bound, not self.holds)

    def span(self) -> Span:
        """Where it is written."""
        return self.bound.body.locate(self.node.start, self.node.end)

    @property
    def is_choice(self) -> bool:
        """Whether it is enough that one of the `parts` is true."""
        return isinstance(self.node, Or if self.holds else And)


def conjuncts(claim: Claim, until: Callable[[Claim], bool] | None = None) -> Iterator[Claim]:
    """The claims that all hold where *claim* does, in the order they are written: checks, choices, and those that
    *until* says are not to be taken apart.  Names are looked through."""
    stack = [claim]
    while stack:
        part = stack.pop()
        inner = part.parts()
        if part.is_choice or not inner or (until is not None and until(part)):
            yield part
        else:
            stack += reversed(inner)


def is_name(claim: Claim) -> bool:
    """Whether the claim is about a macro: the end for `conjuncts` that stay within one text."""
    return isinstance(claim.node, Identifier)


def is_named(claim: Claim, name: str) -> bool:
    """Whether the claim is about the macro *name*."""
    return isinstance(claim.node, Identifier) and claim.node.name == name

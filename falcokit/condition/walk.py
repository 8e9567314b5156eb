"""Walking trees."""

from __future__ import annotations

from falcokit.condition.ast import Check, Expression, Identifier, Not

__all__ = ["leaves"]


def leaves(node: Expression) -> tuple[Check | Identifier, ...]:
    """The checks and names of a tree, in the order they are written."""
    found: list[Check | Identifier] = []
    stack = [node]
    while stack:
        top = stack.pop()
        if top.__class__ is Check or top.__class__ is Identifier:
            found.append(top)
        elif top.__class__ is Not:
            stack.append(top.child)
        else:
            stack.extend(reversed(top.children))  # type: ignore[union-attr]
    return tuple(found)

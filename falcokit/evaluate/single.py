"""One condition without macros, compiled for events of any type."""

from __future__ import annotations

from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import Expression
from falcokit.evaluate.expand import MAX_DEPTH, Expansion, weight
from falcokit.evaluate.generate import generate
from falcokit.evaluate.leaf import Leaves
from falcokit.evaluate.operand import Event
from falcokit.evaluate.values import WrongValues
from falcokit.evaluate.walk import Answer, Walk

__all__ = ["CompiledCondition"]


class CompiledCondition:
    """The condition *tree* of rules of *source*; ``wrong`` tells of values that had the wrong type."""

    def __init__(self, tree: Expression, source: str, catalogue: Catalogue) -> None:
        self.wrong: Final = WrongValues()
        self._tree: Final = tree
        leaves = Leaves(source, catalogue, self.wrong)
        self._walk: Final = Walk(leaves)
        self._number = 0
        expansion = Expansion(source, catalogue)
        node = expansion.node(tree, None)
        calls = [leaves.of(check).holds for check in expansion.checks]
        if weight(node)[1] > MAX_DEPTH:
            node = ("call", len(calls))
            calls.append(lambda event, number: self._walk.holds(tree, None, event, number))
        self._fired: Final = generate([(0, node)], calls, self.wrong)

    def matches(self, event: Event) -> bool:
        """Whether the condition holds for *event*, which counts as one more."""
        self._number += 1
        return bool(self._fired(event, self._number))

    def answer(self, event: Event, complete: bool) -> Answer:
        """The same with reasons; where *event* is not *complete*, what it lacks is unknown."""
        return self._walk.answer(self._tree, None, event, max(self._number, 1), complete=complete)

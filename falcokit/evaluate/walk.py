"""The reference evaluator: walks the tree of a condition, check by check, as Falco does."""

from __future__ import annotations

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import And, Check, Expression, Not, Or
from falcokit.evaluate.check import Predicate, compile_predicate
from falcokit.evaluate.operand import Event

__all__ = ["Evaluator"]


class Evaluator:
    """Evaluates a condition without names of macros, for rules of *source*; each check is compiled once."""

    def __init__(self, tree: Expression, source: str, catalogue: Catalogue) -> None:
        self._tree = tree
        self._source = source
        self._catalogue = catalogue
        self._predicates: dict[int, Predicate] = {}

    def matches(self, event: Event) -> bool:
        """Whether the condition holds for *event*: values by full field expressions; unknown keys do not count."""
        return self._holds(self._tree, event)

    def _holds(self, node: Expression, event: Event) -> bool:
        match node:
            case Check():
                predicate = self._predicates.get(id(node))
                if predicate is None:
                    predicate = compile_predicate(node, self._source, self._catalogue)
                    self._predicates[id(node)] = predicate
                return predicate(event)
            case Not():
                return not self._holds(node.child, event)
            case And():
                return all(self._holds(child, event) for child in node.children)
            case Or():
                return any(self._holds(child, event) for child in node.children)
        raise TypeError(f"{node.name} stands for a macro: put it in before")

"""The reference evaluator: walks the tree of a condition, check by check, as Falco does, and tells why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import And, Check, Expression, Identifier, Not
from falcokit.evaluate.leaf import Leaves
from falcokit.evaluate.operand import Event
from falcokit.record import Record
from falcokit.ruleset.body import Body
from falcokit.ruleset.macros import Bound
from falcokit.source import Span

__all__ = ["Answer", "Evaluator", "Reason", "Walk"]


class Reason(Record):
    """A check that took part in an answer: whether it ``holds`` (None: not decided) and what the event gives for its fields.

    ``body`` is the condition it stands in, None for one without a file; ``through`` are the macros passed on the way to it.
    """

    __slots__ = ("body", "check", "holds", "through", "values")

    def __init__(
        self,
        check: Check,
        holds: bool | None,
        values: tuple[tuple[str, object], ...],
        body: Body | None,
        through: tuple[str, ...],
    ) -> None:
        self.check: Final = check
        self.holds: Final = holds
        self.values: Final = values
        self.body: Final = body
        self.through: Final = through

    def span(self) -> Span | None:
        """Where the check is written."""
        return None if self.body is None else self.body.locate(self.check.start, self.check.end)

    def text(self) -> str:
        """The check as Falco would print it."""
        from falcokit.condition.render import render

        return render(self.check)


class Answer(Record):
    """Whether a condition ``holds`` (None: unknown), and the fewest checks that decide it; of an unknown answer the ones open."""

    __slots__ = ("holds", "reasons")

    def __init__(self, holds: bool | None, reasons: tuple[Reason, ...]) -> None:
        self.holds: Final = holds
        self.reasons: Final = reasons


class Walk:
    """Walks over conditions of rules of one source; checks are compiled when they are first met."""

    def __init__(self, leaves: Leaves) -> None:
        self._leaves: Final = leaves

    def holds(self, tree: Expression | None, bound: Bound | None, event: Event, number: int) -> bool:
        """Whether *tree*, whose names *bound* knows, holds for *event*, the one of that *number*; what is absent is missing."""
        if tree is None:
            return True
        kind = tree.__class__
        if kind is Check:
            return self._leaves.of(tree).holds(event, number)  # type: ignore[arg-type]
        if kind is Identifier:
            inner = _macro(tree, bound)  # type: ignore[arg-type]
            return self.holds(inner.tree, inner, event, number)
        if kind is Not:
            return not self.holds(tree.child, bound, event, number)  # type: ignore[union-attr]
        every = kind is And
        for child in tree.children:  # type: ignore[union-attr]
            if self.holds(child, bound, event, number) is not every:
                return not every
        return every

    def answer(
        self,
        tree: Expression | None,
        bound: Bound | None,
        event: Event,
        number: int = 1,
        *,
        complete: bool = True,
        through: tuple[str, ...] = (),
        known: dict[int, Answer] | None = None,
    ) -> Answer:
        """The same with its reasons; where *event* is not *complete*, what is absent is unknown.

        A macro that stands in several places is looked into once: *known* are the answers about macros so far.
        """
        known = {} if known is None else known
        if tree is None:
            return Answer(True, ())
        kind = tree.__class__
        if kind is Check:
            return Answer(*self._leaf(tree, bound, event, number, complete, through))  # type: ignore[arg-type]
        if kind is Identifier:
            inner = _macro(tree, bound)  # type: ignore[arg-type]
            found = known.get(id(inner))
            if found is None:
                passed = (*through, tree.name)  # type: ignore[union-attr]
                found = self.answer(inner.tree, inner, event, number, complete=complete, through=passed, known=known)
                known[id(inner)] = found
            return found
        if kind is Not:
            child = self.answer(tree.child, bound, event, number, complete=complete, through=through, known=known)  # type: ignore[union-attr]
            return Answer(None if child.holds is None else not child.holds, child.reasons)
        every = kind is And
        answers = [
            self.answer(child, bound, event, number, complete=complete, through=through, known=known)
            for child in tree.children  # type: ignore[union-attr]
        ]
        deciding = [answer for answer in answers if answer.holds is not None and answer.holds is not every]
        if deciding:
            return min(deciding, key=lambda answer: len(answer.reasons))
        still_open = [answer for answer in answers if answer.holds is None]
        holds = None if still_open else every
        reasons = [reason for answer in still_open or answers for reason in answer.reasons]
        return Answer(holds, tuple({(reason.check, id(reason.body)): reason for reason in reasons}.values()))

    def _leaf(
        self, check: Check, bound: Bound | None, event: Event, number: int, complete: bool, through: tuple[str, ...]
    ) -> tuple[bool | None, tuple[Reason, ...]]:
        leaf = self._leaves.of(check)
        holds = leaf.holds(event, number) if complete else leaf.decided(event)
        shown = leaf.deciding(event) if holds is None else leaf.fields
        values = tuple([(name, event.get(name)) for name in shown])
        return holds, (Reason(check, holds, values, bound.body if bound is not None else None, through),)


def _macro(node: Identifier, bound: Bound | None) -> Bound:
    inner = bound.env.get(node.name) if bound is not None else None
    if inner is None:
        raise TypeError(f"{node.name} stands for a macro: put it in before")
    return inner


class Evaluator:
    """Evaluates one condition of rules of *source*, without names of macros."""

    def __init__(self, tree: Expression, source: str, catalogue: Catalogue) -> None:
        self._tree = tree
        self._walk = Walk(Leaves(source, catalogue))
        self._number = 0

    def matches(self, event: Mapping[str, object]) -> bool:
        """Whether the condition holds for *event*: values by full field expressions; unknown keys do not count.

        Each call is one more event: ``evt.num`` counts them.
        """
        self._number += 1
        return self._walk.holds(self._tree, None, event, self._number)

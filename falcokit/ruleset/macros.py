"""Conditions bound to the macros they name.

Falco copies the tree of a macro into each place that names it.  Here a tree keeps its names, and `Bound` says what
each stands for: the same meaning, but a macro is looked into once, however often it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import And, Check, Expression, Field, Identifier, ListValue, Not, Or, Value
from falcokit.diagnostic import Problem
from falcokit.record import Record
from falcokit.ruleset.body import Body
from falcokit.ruleset.check_compiler import compile_check, deprecated_fields, unsafe_na
from falcokit.ruleset.definitions import MacroDefinition
from falcokit.ruleset.event_set import event_codes
from falcokit.ruleset.field_set import bit_of
from falcokit.ruleset.lists import TooLargeError
from falcokit.ruleset.operands import glued

__all__ = ["MAX_NODES", "Bound", "BrokenName", "Found", "bind"]

MAX_NODES: Final = 200_000
"""How many nodes a condition may have with all macros put in; the largest real ones have a few thousand."""


MAX_PROBLEMS: Final = 100
"""How many problems of one condition are enough."""
_MAX_LATE: Final = 1000
"""How many macros one condition may reach that are resolved only after it."""


class Found(Record):
    """A problem of one check, and the way to it: the macros passed through, outermost first, with their places."""

    __slots__ = ("problem", "trail")

    def __init__(self, problem: Problem, trail: tuple[tuple[Identifier, Bound], ...]) -> None:
        self.problem: Final = problem
        self.trail: Final = trail


class BrokenName(Record):
    """A name that cannot be resolved: ``loop`` tells a macro that leads back to itself from an undefined one."""

    __slots__ = ("identifier", "loop", "trail")

    def __init__(self, identifier: Identifier, loop: bool, trail: tuple[tuple[Identifier, Bound], ...]) -> None:
        self.identifier: Final = identifier
        self.loop: Final = loop
        self.trail: Final = trail


class Bound:
    """A condition's tree with the macros that its identifiers stand for; None for names that stand for nothing.

    ``macro`` is the definition that the tree belongs to, None for a rule's condition; ``tree`` is None where the text
    cannot be used, which makes a condition that matches anything; ``whole`` tells that neither it nor any macro below is such a one.
    ``size`` counts the leaves once all macros are in.
    """

    __slots__ = (
        "_codes",
        "_noteworthy",
        "_problems",
        "_sided",
        "_values",
        "body",
        "broken",
        "depth",
        "env",
        "leaves",
        "macro",
        "size",
        "tree",
        "whole",
    )

    def __init__(
        self, body: Body, env: dict[str, Bound | None], broken: BrokenName | None, macro: MacroDefinition | None
    ) -> None:
        tree = None if isinstance(body.tree, Problem) else body.tree
        self.body: Final = body
        self.env: Final = env
        self.broken: Final = broken
        self.macro: Final = macro
        self.leaves: Final = body.parsed.leaves
        size = len(self.leaves)
        depth = 0
        whole = broken is None
        if env:
            for leaf in self.leaves:
                if leaf.__class__ is Identifier:
                    named = env.get(leaf.name)
                    if named is not None:
                        size += named.size
                        depth = max(depth, named.depth + 1)
                        whole = whole and named.whole
        self.size: Final[int] = min(size, MAX_NODES + 1)
        self.tree: Final = tree if size <= MAX_NODES else None
        self.depth: Final[int] = depth
        self.whole: Final[bool] = whole and self.tree is not None
        self._codes: dict[bool, int] = {}
        self._noteworthy: bool | None = None
        self._values: Mapping[str, frozenset[str]] | None = None
        self._problems: dict[str, tuple[Found, ...]] = {}
        self._sided: tuple[tuple[tuple[Check | Identifier, bool], ...], tuple[int, int, int]] | None = None

    @property
    def sided(self) -> tuple[tuple[Check | Identifier, bool], ...]:
        """The leaves, each with whether it stands behind an odd number of `not`."""
        return (self._sided or self._look())[0]

    @property
    def fields(self) -> tuple[int, int, int]:
        """The fields that are compared, macros put in (`field_set`): those in front of `not`, those behind one, and
        those that two leaves share."""
        return (self._sided or self._look())[1]

    def _look(self) -> tuple[tuple[tuple[Check | Identifier, bool], ...], tuple[int, int, int]]:
        found: list[tuple[Check | Identifier, bool]] = []
        masks = [0, 0]
        shared = 0
        stack: list[tuple[Sequence[Expression], bool]] = [((self.tree,), False)] if self.tree is not None else []
        while stack:
            nodes, side = stack.pop()
            for node in nodes:
                kind = node.__class__
                if kind is Check:
                    found.append((node, side))  # type: ignore[arg-type]
                    mask = bit_of(node)  # type: ignore[arg-type]
                    shared |= (masks[0] | masks[1]) & mask
                    masks[side] |= mask
                elif kind is Identifier:
                    found.append((node, side))  # type: ignore[arg-type]
                    inner = self.env.get(node.name)  # type: ignore[union-attr]
                    if inner is not None:
                        front, behind, _ = inner.fields
                        shared |= (masks[0] | masks[1]) & (front | behind)
                        masks[side] |= front
                        masks[not side] |= behind
                elif kind is Not:
                    stack.append(((node.child,), not side))  # type: ignore[union-attr]
                else:
                    stack.append((node.children, side))  # type: ignore[union-attr]
        self._sided = (tuple(found), (masks[0], masks[1], shared))
        return self._sided

    @property
    def values(self) -> Mapping[str, frozenset[str]]:
        """What is asked of fields outright: the texts that each must be one of, macros put in."""
        if self._values is None:
            found: dict[str, frozenset[str]] = {}
            stack = [self.tree] if self.tree is not None else []
            while stack:
                node = stack.pop()
                kind = node.__class__
                asked: Mapping[str, frozenset[str]] = {}
                if kind is And:
                    stack += node.children  # type: ignore[union-attr]
                elif kind is Check:
                    asked = _asked(node)  # type: ignore[arg-type]
                elif kind is Identifier and (inner := self.env.get(node.name)) is not None:  # type: ignore[union-attr]
                    asked = inner.values
                for field, texts in asked.items():
                    found[field] = found[field] & texts if field in found else texts
            self._values = found
        return self._values

    @property
    def noteworthy(self) -> bool:
        """Whether any check compares with ``<NA>`` or uses a deprecated field, here or in a macro."""
        if self._noteworthy is None:
            text = self.body.final
            here = ("<NA>" in text or "evt.dir" in text or "latency" in text) and any(
                leaf.__class__ is Check and (unsafe_na(leaf) or bool(deprecated_fields(leaf))) for leaf in self.leaves
            )
            self._noteworthy = here or any(inner is not None and inner.noteworthy for inner in self.env.values())
        return self._noteworthy

    def settle(self, catalogue: Catalogue) -> None:
        """Answer all questions now, so that a long chain of macros is not asked through its whole length at once."""
        if self.depth and self.depth % 50 == 0:
            for source in catalogue.sources:
                self.problems(source, catalogue)
            self.codes(False, catalogue)
            self.codes(True, catalogue)
            _ = self.noteworthy, self.fields, self.values

    @property
    def too_large(self) -> bool:
        """Whether the condition outgrows `MAX_NODES`."""
        return self.size > MAX_NODES

    def problems(self, source: str, catalogue: Catalogue) -> tuple[Found, ...]:
        """What compiling each check for *source* gives, in the order of the expanded tree."""
        known = self._problems.get(source)
        if known is None:
            found: list[Found] = []
            for leaf in self.leaves if self.tree is not None else ():
                if leaf.__class__ is Check:
                    for problem in compile_check(leaf, source, catalogue):
                        found.append(Found(problem, ()))
                else:
                    inner = self.env.get(leaf.name)  # type: ignore[union-attr]
                    if inner is not None:
                        for deeper in inner.problems(source, catalogue):
                            trail = ((leaf, inner), *deeper.trail)
                            found.append(Found(deeper.problem, trail))  # type: ignore[arg-type]
                if len(found) >= MAX_PROBLEMS:
                    break
            known = self._problems[source] = tuple(found)
        return known

    def codes(self, negated: bool, catalogue: Catalogue) -> int:
        """The event codes that the condition can match, as a bit mask; *negated* below an odd number of ``not``."""
        known = self._codes.get(negated)
        if known is None:
            known = self._codes[negated] = self._code_set(self.tree, negated, catalogue)
        return known

    def _code_set(self, node: Expression | None, negated: bool, catalogue: Catalogue) -> int:
        if node.__class__ is Check:
            return event_codes(node, negated, catalogue.events)
        if node.__class__ is Identifier:
            inner = self.env.get(node.name)
            return catalogue.events.all_codes if inner is None else inner.codes(negated, catalogue)
        if node.__class__ is Not:
            return self._code_set(node.child, not negated, catalogue)
        if node is None:
            return catalogue.events.all_codes
        assert isinstance(node, (And, Or))
        union = (node.__class__ is Or) != negated
        mask = 0 if union else -1
        for child in node.children:
            codes = self._code_set(child, negated, catalogue)
            mask = mask | codes if union else mask & codes
        return mask


def _asked(check: Check) -> dict[str, frozenset[str]]:
    """The texts that the field must be one of, where that is what *check* says."""
    if check.operator not in ("=", "==", "in") or check.modifier or not isinstance(check.left, Field):
        return {}
    right = check.right
    texts = right.texts if isinstance(right, ListValue) else (right.text,) if isinstance(right, Value) else None
    return {} if texts is None else {glued(check.left): frozenset(texts)}


def bind(
    body: Body,
    macro: MacroDefinition | None,
    lookup: Callable[[str], Bound | None],
    unresolved: Callable[[str], tuple[Body, MacroDefinition] | None],
) -> Bound:
    """The tree of *body* with its names bound.

    *lookup* gives the macros that are resolved already, *unresolved* those that may be seen but come later in the
    order of resolution: these are bound here, seeing what *body* sees, as Falco's resolver does.
    """
    return _bind(body, macro, lookup, unresolved, (), {})


def _bind(
    body: Body,
    macro: MacroDefinition | None,
    lookup: Callable[[str], Bound | None],
    unresolved: Callable[[str], tuple[Body, MacroDefinition] | None],
    path: tuple[str, ...],
    ready: dict[str, Bound],
) -> Bound:
    env: dict[str, Bound | None] = {}
    undefined: BrokenName | None = None
    loop: BrokenName | None = None
    for leaf in body.parsed.leaves:
        if leaf.__class__ is Check or leaf.name in env:  # type: ignore[union-attr]
            continue
        assert isinstance(leaf, Identifier)
        name = leaf.name
        inner = lookup(name) or ready.get(name)
        if inner is None:
            later = unresolved(name)
            if later is None:
                env[name] = None
                undefined = undefined or BrokenName(leaf, False, ())
                continue
            if name in path or len(path) > 100:
                env[name] = None
                loop = loop or BrokenName(leaf, True, ())
                continue
            if len(ready) > _MAX_LATE:
                raise TooLargeError
            inner = _bind(*later, lookup, unresolved, (*path, name), ready)
            if inner.broken is not None:
                broken = BrokenName(inner.broken.identifier, inner.broken.loop, ((leaf, inner), *inner.broken.trail))
                if broken.loop:
                    loop = loop or broken
                else:
                    undefined = undefined or broken
            ready[name] = inner
        env[name] = inner
    return Bound(body, env, loop or undefined, macro)

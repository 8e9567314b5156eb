"""Whether a change lets through what it is for, and nothing else of the rule: decided on the resolved conditions, for all events.

Both answers are found by putting a truth value in: an event that is not of the identity sees a condition in which the identity is
false, one that is sees all its checks true.  What is left is compared, or is false altogether.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final, TypeAlias

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import And, Check, Expression, Field, Identifier, ListValue, Not, Or, Value
from falcokit.logic import Claim, Solver, Undecided
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.ruleset import CONSTANTS
from falcokit.whitelist.identity import Identity

__all__ = ["always_silent", "never_fires", "same_outside"]

_Said: TypeAlias = object
"""A condition as nested sets: True, False, a check, or a kind with its parts."""
_EQUAL: Final = ("=", "==", "in")


def same_outside(before: CompiledRule, after: CompiledRule, identity: Identity) -> bool:
    """Whether both conditions say the same of every event that is not of *identity*."""
    parts = _parts(identity)
    conditions = [_Reader(parts, inside=False).rule(rule) for rule in (before, after)]
    return conditions[0] is not None and conditions[0] == conditions[1]


def always_silent(rule: CompiledRule, identity: Identity, catalogue: Catalogue) -> bool:
    """Whether it is certain that *rule* never fires on an event of *identity*."""
    return _Reader(_parts(identity), inside=True).rule(rule) is False or bool(never_fires(rule, catalogue, identity))


def never_fires(rule: CompiledRule, catalogue: Catalogue, identity: Identity | None = None) -> bool | None:
    """Whether *rule* never fires, on an event of *identity* if one is given; None where too much would have to be looked at."""
    assert rule.bound is not None
    assert rule.bound.tree is not None
    solver = Solver(rule.definition.source, catalogue, constants=True)
    with suppress(Undecided, RecursionError):
        own = [Claim(identity.tree, rule.bound)] if identity is not None else []
        return solver.assume((*own, Claim(rule.bound.tree, rule.bound))) is None
    return None


def _parts(identity: Identity) -> frozenset[_Said]:
    """The checks of *identity*."""
    tree = identity.tree
    children = tree.children if isinstance(tree, And) else (tree,)
    return frozenset([_check(child) for child in children if isinstance(child, Check)])


def _check(check: Check) -> _Said:
    """A check, one value and a list of it told as the same."""
    if check.operator in _EQUAL and not check.modifier and isinstance(check.left, Field):
        if isinstance(check.right, ListValue):
            return check.left, "in", frozenset(check.right.texts)
        if isinstance(check.right, Value):
            return check.left, "in", frozenset((check.right.text,))
    right = frozenset(check.right.texts) if isinstance(check.right, ListValue) else check.right
    return check.left, check.operator, check.modifier, right


class _Reader:
    """Reads a condition as it is for events ``inside`` an identity, or outside; macros are read once."""

    def __init__(self, parts: frozenset[_Said], *, inside: bool) -> None:
        self._parts: Final = parts
        self._inside: Final = inside
        self._known: dict[int, _Said] = {}

    def rule(self, rule: CompiledRule) -> _Said:
        """What the condition of *rule* comes to; None where it cannot be read."""
        if rule.bound is None or rule.bound.tree is None:
            return None
        try:
            return self._bound(rule.bound)
        except RecursionError:
            return None

    def _bound(self, bound: Bound) -> _Said:
        if id(bound) not in self._known:
            assert bound.tree is not None
            self._known[id(bound)] = self._read(bound.tree, bound)
        return self._known[id(bound)]

    def _read(self, node: Expression, bound: Bound) -> _Said:
        if isinstance(node, Check):
            return self._of_check(node)
        if isinstance(node, Identifier):
            inner = bound.env.get(node.name)
            if node.name.endswith(CONSTANTS) or inner is None or inner.tree is None:
                return node.name.endswith("always_true") if node.name.endswith(CONSTANTS) else ("name", node.name)
            return self._bound(inner)
        if isinstance(node, Not):
            child = self._read(node.child, bound)
            return not child if isinstance(child, bool) else ("not", child)
        return self._chain(node, bound)

    def _chain(self, node: And | Or, bound: Bound) -> _Said:
        """A chain, those of its kind inside it put in, without what says nothing."""
        kind, idle = type(node), isinstance(node, And)
        found: set[_Said] = set()
        for child in node.children:
            part = self._read(child, bound)
            if part is (not idle):
                return not idle
            if isinstance(part, tuple) and part[0] is kind:
                found |= part[1]
            elif part is not idle:
                found.add(part)
        if idle and not self._inside and self._parts <= found:
            return False  # All of the identity stands in this chain.
        if not found:
            return idle
        return found.pop() if len(found) == 1 else (kind, frozenset(found))

    def _of_check(self, check: Check) -> _Said:
        if isinstance(check.left, Field) and check.left.name == "evt.num" and isinstance(check.right, Value):
            constant = {("=", "0"): False, ("==", "0"): False, ("<", "0"): False, (">=", "0"): True}
            if (check.operator, check.right.text) in constant:
                return constant[check.operator, check.right.text]
        said = _check(check)
        if self._inside:
            return said in self._parts or self._taken(said) or said
        if len(self._parts) == 1:
            return self._left(said)
        return said

    def _taken(self, said: _Said) -> bool:
        """Whether a list has the value of a check of the identity."""
        return any(
            isinstance(said, tuple) and isinstance(part, tuple) and len(part) == len(said) == 3
            and part[:2] == said[:2] and part[2] <= said[2]
            for part in self._parts
        )  # fmt: skip

    def _left(self, said: _Said) -> _Said:
        """A comparison without the one value that is not there outside."""
        (part,) = self._parts
        if said == part:
            return False
        if isinstance(said, tuple) and isinstance(part, tuple) and len(part) == len(said) == 3 and part[:2] == said[:2]:
            values = said[2] - part[2]
            return (*said[:2], values) if values else False
        return said

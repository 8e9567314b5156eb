"""What definitions say, whatever the layout: whether two of them mean the same, and in which keys they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from falcokit.condition import parse
from falcokit.condition.ast import And, Check, Expression, Identifier, ListValue, Not, Or
from falcokit.diagnostic import Problem
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition, RuleDefinition, joined
from falcokit.ruleset.items import Entry, Written
from falcokit.ruleset.macros import Bound

__all__ = ["PLAIN_KEYS", "changed_keys", "exceptions_of", "members", "resolved", "said", "same_condition"]


PLAIN_KEYS: Final = (
    "priority", "enabled", "tags", "source", "capture", "capture_duration", "warn_evttypes", "skip_if_unknown_filter",
)  # fmt: skip
"""The keys of rules that have one value, or a set of words."""


def members(definition: ListDefinition) -> set[str]:
    """The items of a list, as they are written."""
    return {item.text for item in definition.items}


def same_condition(one: MacroDefinition | RuleDefinition, other: MacroDefinition | RuleDefinition, last: bool) -> bool:
    """Whether two conditions are the same but for layout and, where they are the *last* word and no text is put behind
    them, for parentheses and the order of what stands in a chain."""
    texts = [" ".join(joined(definition.condition).split()) for definition in (one, other)]
    if texts[0] == texts[1]:
        return True
    if not last:
        return False
    trees = [parse(text) for text in texts]
    return not any(isinstance(tree, Problem) for tree in trees) and said(trees[0]) == said(trees[1])


def said(tree: Expression | Problem, stands_for: Callable[[str], object] | None = None) -> object:
    """What a condition says, whatever the order of its parts; *stands_for* gives what the names of macros say."""
    if isinstance(tree, Not):
        return "not", said(tree.child, stands_for)
    if isinstance(tree, Check):
        # An operator with two spellings; the order in a list does not count.
        operator = "=" if tree.operator == "==" else tree.operator
        if isinstance(tree.right, ListValue) and not tree.modifier:
            return tree.left, operator, frozenset(tree.right.texts)
        return tree.left, operator, tree.modifier, tree.right
    if isinstance(tree, Identifier) and stands_for is not None:
        return stands_for(tree.name)
    if not isinstance(tree, (And, Or)):
        return tree
    kind = type(tree)
    parts: set[object] = set()
    stack: list[Expression] = list(tree.children)
    while stack:
        part = stack.pop()
        if isinstance(part, (And, Or)) and type(part) is kind:
            stack += part.children
            continue
        one = said(part, stands_for)
        if isinstance(one, tuple) and one[0] is kind:
            parts |= one[1]
        else:
            parts.add(one)
    return (kind, frozenset(parts)) if len(parts) > 1 else parts.pop()


def resolved(bound: Bound, known: dict[int, object]) -> object:
    """What a condition says with all macros and lists put in; *known* keeps what macros say, by their ids."""
    if id(bound) not in known:

        def stands_for(name: str) -> object:
            inner = bound.env.get(name)
            return ("name", name) if inner is None else resolved(inner, known)

        known[id(bound)] = None if bound.tree is None else said(bound.tree, stands_for)
    return known[id(bound)]


def changed_keys(before: RuleDefinition, after: RuleDefinition, last: bool) -> Iterator[str]:
    """The keys in which two rules differ; *last* as for `same_condition`."""
    if not same_condition(before, after, last):
        yield "condition"
    for key in ("output", "desc"):
        if " ".join(joined(getattr(before, key)).split()) != " ".join(joined(getattr(after, key)).split()):
            yield key
    for key in PLAIN_KEYS:
        if getattr(before, key) != getattr(after, key):
            yield key
    if exceptions_of(before) != exceptions_of(after):
        yield "exceptions"


def exceptions_of(rule: RuleDefinition) -> frozenset[tuple[object, ...]]:
    """What the exceptions of a rule say, whatever their order and that of their values."""
    found = []
    for one in rule.exceptions:
        values = _plain(one.values)
        assert isinstance(values, tuple)
        found.append((one.name, _plain(one.fields), _plain(one.comps), frozenset(values)))
    return frozenset(found)


def _plain(entry: Entry | str | tuple[str, ...]) -> object:
    if isinstance(entry, Written):
        return entry.text
    return tuple([_plain(inner) for inner in entry]) if isinstance(entry, tuple) else entry

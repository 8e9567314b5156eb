"""What a new set of default rules says that the old one did not: by meaning, not by text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from falcokit.condition import parse
from falcokit.condition.ast import Check, ListValue
from falcokit.condition.walk import leaves
from falcokit.diagnostic import Problem
from falcokit.record import Record
from falcokit.ruleset.collector import Definition
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition, RuleDefinition, joined
from falcokit.ruleset.meaning import PLAIN_KEYS, changed_keys, exceptions_of, members, resolved, said, same_condition
from falcokit.ruleset.ruleset import Named, Ruleset

__all__ = ["Change", "Meanings", "changes"]

_BY_MEANING: Final = ("condition", "items")
"""Keys that do not tell by themselves that something else is meant: a condition may be written anew and say the same."""


class Change(Record):
    """One item of the default rules that is ``added``, ``removed`` or ``changed``.

    ``keys`` are those of its own that say something else, ``through`` the macros and lists that it uses and that do.
    ``gained`` and ``lost`` are items of a list; ``before`` and ``after`` what was and is written for it: a condition, or the items of a list.
    """

    __slots__ = ("after", "before", "gained", "how", "keys", "kind", "lost", "name", "through")

    def __init__(
        self,
        kind: str,
        name: str,
        how: str,
        keys: tuple[str, ...] = (),
        through: tuple[Named, ...] = (),
        gained: tuple[str, ...] = (),
        lost: tuple[str, ...] = (),
        before: str = "",
        after: str = "",
    ) -> None:
        self.kind: Final = kind
        self.name: Final = name
        self.how: Final = how
        self.keys: Final = keys
        self.through: Final = through
        self.gained: Final = gained
        self.lost: Final = lost
        self.before: Final = before
        self.after: Final = after


class Meanings:
    """What the items of a rule set mean with everything put in."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset: Final = ruleset
        self._known: dict[int, object] = {}

    def of(self, named: Named) -> object:
        """What *named* means: the set of a list's items, or a condition with all macros and lists put in."""
        kind, name = named
        compilation = self.ruleset.compilation
        if kind == "list":
            return (
                frozenset([item.text for item in compilation.lists[name].items]) if name in compilation.lists else None
            )
        if kind == "macro":
            return resolved(compilation.macros[name].bound, self._known) if name in compilation.macros else None
        rule = compilation.rules.get(name)
        if rule is not None and rule.bound is not None:
            return resolved(rule.bound, self._known)
        return self._of_text(named)

    def _of_text(self, named: Named) -> object:
        """What a rule means that is not compiled, such as one of a source that is not known: as far as its text tells."""
        definition = self.ruleset.definition(named)
        if not isinstance(definition, RuleDefinition):
            return None
        text = " ".join(joined(definition.condition).split())
        tree = parse(text)
        if isinstance(tree, Problem):
            return "text", text, exceptions_of(definition)
        compilation = self.ruleset.compilation

        def stands_for(name: str) -> object:
            macro = compilation.macros.get(name)
            return ("name", name) if macro is None else resolved(macro.bound, self._known)

        lists = {
            word
            for leaf in leaves(tree)
            if isinstance(leaf, Check) and isinstance(leaf.right, ListValue)
            for word in leaf.right.texts
        }
        put_in = frozenset([(name, self.of(("list", name))) for name in lists if name in compilation.lists])
        return "text", said(tree, stands_for), put_in, exceptions_of(definition)

    def whole(self, named: Named) -> object:
        """What *named* means with all its keys: two that are equal do the same."""
        definition = self.ruleset.definition(named)
        if not isinstance(definition, RuleDefinition):
            return self.of(named)
        output = " ".join(joined(definition.output).split())
        return self.of(named), output, [getattr(definition, key) for key in PLAIN_KEYS], exceptions_of(definition)

    def mentions(self, named: Named) -> tuple[str, ...]:
        """The rules that are not compiled and have the name in their text."""
        compiled = self.ruleset.compilation.rules
        word = re.compile(rf"(?<![\w.-]){re.escape(named[1])}(?![\w.-])")
        return tuple(
            [
                rule.name
                for rule in self.ruleset.rule_definitions
                if rule.name not in compiled and word.search(joined(rule.condition))
            ]
        )

    def uses(self, named: Named) -> set[Named]:
        """The macros and lists that *named* uses itself."""
        kind, name = named
        compilation = self.ruleset.compilation
        if kind == "list":
            return {("list", inner) for inner in compilation.lists[name].lists} if name in compilation.lists else set()
        if kind == "macro":
            if name not in compilation.macros:
                return set()
            macro = compilation.macros[name].bound
            inside = {("macro", inner) for inner, bound in macro.env.items() if bound is not None}
            return inside | {("list", inner) for inner in macro.body.used_lists}
        rule = compilation.rules.get(name)
        if rule is None:
            return set()
        lists = rule.body.used_lists if rule.body is not None else ()
        return {("macro", inner) for inner in rule.used_macros} | {("list", inner) for inner in lists}


def changes(old: Meanings, new: Meanings) -> tuple[Change, ...]:
    """What changed from *old* to *new*: the rules first, then macros, then lists, each in the order in which they are loaded."""
    before, after = old.ruleset.named, new.ruleset.named
    differing = {named for named in before.keys() & after.keys() if old.of(named) != new.of(named)}
    found = []
    for named in (*after, *[named for named in before if named not in after]):
        change = _change(named, before.get(named), after.get(named), old, new, differing)
        if change is not None:
            found.append(change)
    ranks = {"rule": 0, "macro": 1, "list": 2}
    return tuple(sorted(found, key=lambda change: ranks[change.kind]))


def _change(
    named: Named,
    before: Definition | None,
    after: Definition | None,
    old: Meanings,
    new: Meanings,
    differing: set[Named],
) -> Change | None:
    kind, name = named
    if before is None or after is None:
        how = "added" if before is None else "removed"
        return Change(kind, name, how, before=_written(before), after=_written(after))
    keys = tuple(_keys(before, after))
    if named not in differing:
        keys = tuple([key for key in keys if key not in _BY_MEANING])
    if named not in differing and not keys:
        return None
    through = tuple(sorted((old.uses(named) | new.uses(named)) & differing)) if named in differing else ()
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    if isinstance(before, ListDefinition) and isinstance(after, ListDefinition):
        gained, lost = _missing(after, before), _missing(before, after)
    texts = _written(before), _written(after)
    return Change(kind, name, "changed", keys, through, gained, lost, *texts)


def _keys(before: Definition, after: Definition) -> Iterable[str]:
    """The keys that say something else."""
    if isinstance(before, ListDefinition) and isinstance(after, ListDefinition):
        return () if members(before) == members(after) else ("items",)
    if isinstance(before, MacroDefinition) and isinstance(after, MacroDefinition):
        return () if same_condition(before, after, True) else ("condition",)
    if isinstance(before, RuleDefinition) and isinstance(after, RuleDefinition):
        return [key for key in changed_keys(before, after, True) if key != "desc"]
    return ("kind",)


def _missing(one: ListDefinition, other: ListDefinition) -> tuple[str, ...]:
    """The items of *one* that *other* has not."""
    known = members(other)
    return tuple(dict.fromkeys([item.text for item in one.items if item.text not in known]))


def _written(definition: Definition | None) -> str:
    """What is written for it: a condition, or the items of a list."""
    if definition is None:
        return ""
    if isinstance(definition, ListDefinition):
        return ", ".join([item.text for item in definition.items])
    return " ".join(joined(definition.condition).split())

"""A whole load as checks and whitelists look at it: what stands where, who uses what, who changed what when.

Everything is worked out when it is first asked for; nothing changes once it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from fnmatch import translate
from functools import cache, cached_property, wraps
from typing import Final, TypeAlias, TypeVar

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import Check, Expression, Identifier
from falcokit.diagnostic import Problem
from falcokit.ruleset.body import Body
from falcokit.ruleset.collector import Definition, apply
from falcokit.ruleset.compiler import Compilation
from falcokit.ruleset.definitions import Definitions, ListDefinition, MacroDefinition, RuleDefinition
from falcokit.ruleset.items import Item, ListItem, MacroItem, RuleItem
from falcokit.ruleset.loader import Loaded
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.uses import Use, all_uses, field_of
from falcokit.source import Origin, SourceFile, Span

__all__ = [
    "CONSTANTS",
    "FOR_USERS",
    "HOOK_NAMES",
    "Named",
    "NamedItem",
    "Ruleset",
    "defines",
    "is_constant",
    "name_span",
    "once",
]

T = TypeVar("T")

NamedItem: TypeAlias = ListItem | MacroItem | RuleItem
Named: TypeAlias = tuple[str, str]
"""A kind, ``list``, ``macro`` or ``rule``, and a name."""

HOOK_NAMES: Final = ("user_*", "consider_*")
"""Patterns for the names of lists and macros that are made to be overridden ([R3])."""


CONSTANTS: Final = ("never_true", "always_true")
"""How the names of the macros end that hooks are made of; the rules for audit events have a pair of their own."""


FOR_USERS: Final = re.compile(r"known|trusted|allowed|expected|exclu|condition|activit|consider")
"""Words in the names of hooks, also of those that have something in them from the start."""


class Ruleset:
    """All that was loaded; ``hook_names`` are shell patterns of hooks, ``target`` the Falco version aimed at, if any;
    ``rule_matching`` is ``first`` or ``all``, as in the configuration of Falco, and ``runs`` tells of a rule whether it does there.

    Findings are asked for in the files ``asked``: `items`, `named`, `rules`, `uses` and `bodies` are what can have
    some there.  ``loaded``, ``definitions`` and ``compilation`` are everything.
    """

    def __init__(
        self,
        loaded: Loaded,
        hook_names: tuple[str, ...] = HOOK_NAMES,
        target: str = "",
        asked: Collection[SourceFile] | None = None,
        rule_matching: str = "first",
        runs: Callable[[RuleDefinition], bool] = lambda rule: rule.enabled,
    ) -> None:
        assert loaded.compilation is not None
        self.asked: Final = frozenset([result.file for result in loaded.files] if asked is None else asked)
        self.loaded: Final = loaded
        self.definitions: Final[Definitions] = loaded.definitions
        self.compilation: Final[Compilation] = loaded.compilation
        self.catalogue: Final[Catalogue] = loaded.catalogue
        self.hook_names: Final = hook_names
        self.target: Final = target
        self.rule_matching: Final = rule_matching
        self.runs: Final = runs
        self._made: dict[object, object] = {}
        self._trees: dict[str, Expression | None] = {}
        self._states: dict[Named, tuple[tuple[NamedItem, Definition], ...]] = {}

    @cached_property
    def files(self) -> tuple[SourceFile, ...]:
        """The files in load order."""
        return tuple([result.file for result in self.loaded.files])

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The items of the files asked for, in load order."""
        return tuple([item for result in self.loaded.files if result.file in self.asked for item in result.items])

    @cached_property
    def custom_items(self) -> tuple[NamedItem, ...]:
        """The items of custom files that define or change something."""
        kinds = (ListItem, MacroItem, RuleItem)
        return tuple([i for i in self.items if isinstance(i, kinds) and i.file.origin is Origin.CUSTOM])

    @cached_property
    def named(self) -> dict[Named, Definition]:
        """The definitions to which a file asked for contributes, by kind and name."""
        names = dict.fromkeys(
            [
                (item.step.item_type, item.name.text)
                for item in self.items
                if isinstance(item, (ListItem, MacroItem, RuleItem))
            ]
        )
        found = [(named, self.definition(named)) for named in names]
        return {named: definition for named, definition in found if definition is not None}

    @cached_property
    def rule_definitions(self) -> tuple[RuleDefinition, ...]:
        """The rules to which a file asked for contributes, as defined, compiled or not."""
        return tuple([definition for definition in self.named.values() if isinstance(definition, RuleDefinition)])

    @cached_property
    def rules(self) -> tuple[CompiledRule, ...]:
        """The compiled rules to which a file asked for contributes."""
        compiled = self.compilation.rules
        return tuple([compiled[name] for kind, name in self.named if kind == "rule" and name in compiled])

    @cached_property
    def bodies(self) -> tuple[Body, ...]:
        """The conditions that are written in files asked for, or have lists put in that are."""
        compilation = self.compilation
        lists = {name for kind, name in self.named if kind == "list"}
        lists |= {name for name, outer in compilation.lists.items() if not lists.isdisjoint(outer.lists)}
        found = []
        conditions: list[tuple[Named, Body | None]] = [
            *[(("macro", name), macro.bound.body) for name, macro in compilation.macros.items()],
            *[(("rule", name), rule.body) for name, rule in compilation.rules.items()],
        ]
        for named, body in conditions:
            if body is not None and (named in self.named or not lists.isdisjoint(body.lists)):
                found.append(body)
        return tuple(found)

    def definition(self, named: Named) -> Definition | None:
        """What *named* stands for in the end."""
        kind, name = named
        if kind == "list":
            return self.definitions.lists.get(name)
        return self.definitions.macros.get(name) if kind == "macro" else self.definitions.rules.get(name)

    def states(self, named: Named) -> tuple[tuple[NamedItem, Definition], ...]:
        """Each item that defined or changed *named*, in load order, with what the name stood for after it."""
        known = self._states.get(named)
        if known is None:
            definition = self.definition(named)
            state: Definition | None = None
            found: list[tuple[NamedItem, Definition]] = []
            for item in definition.contributions if definition is not None else ():
                state = apply(state, item, self.catalogue).state
                if state is not None:
                    found.append((item, state))
            known = self._states[named] = tuple(found)
        return known

    @cached_property
    def _direct_users(self) -> dict[Named, list[Named]]:
        users: dict[Named, list[Named]] = {}
        compilation = self.compilation
        for name, compiled_list in compilation.lists.items():
            for inner in compiled_list.lists:
                users.setdefault(("list", inner), []).append(("list", name))
        for name, macro in compilation.macros.items():
            for inner, bound in macro.bound.env.items():
                if bound is not None:
                    users.setdefault(("macro", inner), []).append(("macro", name))
            for inner in compilation.bodies[name].used_lists:
                users.setdefault(("list", inner), []).append(("macro", name))
        for name, rule in compilation.rules.items():
            for inner in rule.used_macros:
                users.setdefault(("macro", inner), []).append(("rule", name))
            for inner in rule.body.used_lists if rule.body is not None else ():
                users.setdefault(("list", inner), []).append(("rule", name))
        return users

    def users_of(self, named: Named) -> Sequence[Named]:
        """The lists, macros and rules that use the list or macro *named* themselves."""
        return self._direct_users.get(named, ())

    def rules_using(self, named: Named) -> tuple[str, ...]:
        """The names of the rules that use the list or macro *named*, directly or through others, in load order."""
        seen = {named}
        pending = [named]
        while pending:
            for user in self._direct_users.get(pending.pop(), ()):
                if user not in seen:
                    seen.add(user)
                    pending.append(user)
        return tuple(sorted([name for kind, name in seen if kind == "rule"], key=self._ranks.__getitem__))

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.compilation.rules)}

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every comparison in `bodies`, with the side of `not` it stands on."""
        return all_uses(self)

    @cached_property
    def _uses_of(self) -> dict[str, list[Use]]:
        found: dict[str, list[Use]] = {}
        for use in self.uses:
            found.setdefault(field_of(use.check), []).append(use)
        return found

    def uses_of(self, field: str) -> list[Use]:
        """The comparisons with *field* on the left."""
        return self._uses_of.get(field, [])

    @cached_property
    def _is_hook_name(self) -> Callable[[str], object]:
        return cache(re.compile("|".join(map(translate, self.hook_names)) or r"(?!)").match)

    def is_hook(self, named: Named, state: Definition | None = None) -> bool:
        """Whether the list or macro *named* is made to be overridden: by its name, or as its default does nothing."""
        kind, name = named
        if kind == "rule" or name.endswith(CONSTANTS):
            return False
        if self._is_hook_name(name):
            return FOR_USERS.search(name) is not None or not self._says_something(named)
        return state is not None and self.is_idle(state)

    def _says_something(self, named: Named) -> bool:
        """Whether the default of *named* is more than a place to put something in, as in a list `user_mgmt_binaries`."""
        item, state = (*self.states(named)[:1], (None, None))[0]
        return item is not None and state is not None and item.file.origin is Origin.DEFAULT and not self.is_idle(state)

    def is_idle(self, state: Definition) -> bool:
        """Whether what *state* defines does nothing."""
        if isinstance(state, ListDefinition):
            return not state.items
        return isinstance(state, MacroDefinition) and is_constant(self.tree(state))

    def tree(self, definition: MacroDefinition | RuleDefinition) -> Expression | None:
        """The condition of *definition* parsed as it is written, lists not put in; None where it does not parse."""
        from falcokit.condition import parse
        from falcokit.ruleset.definitions import joined

        if not definition.condition:
            return None
        text = joined(definition.condition)
        if text not in self._trees:
            tree = parse(text)
            self._trees[text] = None if isinstance(tree, Problem) else tree
        return self._trees[text]


def once(work: Callable[[Ruleset], T]) -> Callable[[Ruleset], T]:
    """*work*, done once for each rule set: several checks ask for what it makes."""

    @wraps(work)
    def made(ruleset: Ruleset) -> T:
        known = ruleset._made
        if work not in known:
            known[work] = work(ruleset)
        return known[work]  # type: ignore[return-value]

    return made


def is_constant(tree: Expression | None) -> bool:
    """Whether a condition does not depend on what happened: `never_true` and its like."""
    if isinstance(tree, Identifier):
        return tree.name.endswith(CONSTANTS)
    return isinstance(tree, Check) and getattr(tree.left, "name", "") == "evt.num"


def defines(item: NamedItem) -> bool:
    """Whether *item* makes its name stand for something of its own, whatever it stood for before."""
    if isinstance(item, RuleItem):
        return any(update.operation == "define" for update in item.updates)
    return item.operation == "define"


def name_span(item: NamedItem) -> Span:
    """The key and the name of *item*."""
    key = item.node.pairs[0][0]
    start = item.name.node.start
    if key.end <= start <= key.end + 10 and item.node.pairs[0][1] is item.name.node:
        start = key.start
    return Span(item.file, start, item.name.node.end)

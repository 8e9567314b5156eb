"""What the cases of test files have tried: rules, the macros made to be overridden, and the checks of conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from falcokit.condition.ast import Check, Field, Identifier, ListValue
from falcokit.condition.render import render
from falcokit.evaluate.matcher import Matcher
from falcokit.evaluate.walk import Answer
from falcokit.record import Record
from falcokit.ruleset.collector import Definition
from falcokit.ruleset.loader import Loaded
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.operands import glued
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.ruleset import CONSTANTS, FOR_USERS, Named, Ruleset
from falcokit.source import Span

__all__ = ["Coverage", "Leaf", "RuleCoverage"]

_MAX_LEAVES: Final = 2_000


class Leaf(Record):
    """A check of a rule: its text, the macros it stands in, where it is written, and whether it was ever true or false."""

    __slots__ = ("false", "span", "text", "through", "true")

    def __init__(self, text: str, through: tuple[str, ...], span: Span, true: bool, false: bool) -> None:
        self.text: Final = text
        self.through: Final = through
        self.span: Final = span
        self.true: Final = true
        self.false: Final = false


class RuleCoverage:
    """What was tried of one rule: how often it was looked at, fired and stayed silent; its leaves and its hooks.

    ``hooks`` tells of each macro or list made to be overridden that the rule reaches whether it ever held, or had the event's value.
    """

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.fired = 0
        self.silent = 0
        self.hooks: Final[dict[str, bool]] = {}
        self._leaves: Final[dict[tuple[tuple[str, ...], str, int], tuple[str, Span, list[bool]]]] = {}
        self._known: Final[dict[tuple[int, tuple[str, ...]], tuple[Check, list[bool]]]] = {}

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The checks, in the order in which they stand."""
        found = [(through, *entry) for (through, _, _), entry in self._leaves.items()]
        return tuple([Leaf(text, through, span, seen[0], seen[1]) for through, text, span, seen in found])

    def note(self, through: tuple[str, ...], check: Check, bound: Bound, holds: bool | None) -> None:
        """Note that *check* was looked at.  One place is one check, whatever lists hold that are put in there."""
        known = self._known.get((id(check), through))
        if known is None:
            span = bound.body.locate(check.start, check.end)
            key = (through, span.file.name, span.start)
            if key not in self._leaves and len(self._leaves) >= _MAX_LEAVES:
                return
            entry = self._leaves.setdefault(key, (render(check), span, [False, False]))
            # The check is kept: its identity is its own only as long as it lives.
            known = self._known[id(check), through] = (check, entry[2])
        if holds is not None:
            known[1][0 if holds else 1] = True


class Coverage:
    """All that was tried; ``rules`` by name, those no case is about among them."""

    def __init__(self) -> None:
        self.rules: Final[dict[str, RuleCoverage]] = {}
        self._hooks: dict[str, bool] = {}
        self._lists: dict[str, bool] = {}
        self._loaded: dict[int, Loaded] = {}
        self._kept: list[Matcher] = []

    def add_rules(self, loaded: Loaded, matcher: Matcher) -> None:
        """Take note of the rules that run."""
        if id(matcher) in self._loaded:
            return
        self._loaded[id(matcher)] = loaded
        self._kept.append(matcher)  # So that its id stays its own.
        ruleset = Ruleset(loaded)
        for name, definition in loaded.definitions.macros.items():
            if name not in self._hooks:
                self._hooks[name] = _is_hook(ruleset, ("macro", name), definition)
        for name, items in loaded.definitions.lists.items():
            if name not in self._lists:
                self._lists[name] = _is_hook(ruleset, ("list", name), items)
        for rule in matcher.rules:
            if rule.name not in self.rules:
                self.rules[rule.name] = RuleCoverage(rule.name)

    def add(
        self,
        rule: CompiledRule,
        event: Mapping[str, object],
        answer: Answer,
        matcher: Matcher,
        *,
        complete: bool,
        named: bool = True,
    ) -> None:
        """Note that *rule* was asked about *event*; as one that a case is about where it is *named*."""
        about = self.rules[rule.name]
        if answer.holds is not None and named:
            about.fired += answer.holds
            about.silent += not answer.holds
        assert rule.bound is not None
        pending: list[tuple[Bound, tuple[str, ...]]] = [(rule.bound, ())]
        left = _MAX_LEAVES
        lists = self._loaded[id(matcher)].definitions.lists
        while pending and left > 0:
            bound, through = pending.pop()
            hooks = [name for name in bound.body.used_lists if self._lists.get(name)]
            for name in hooks:
                about.hooks.setdefault(name, False)
            for leaf in bound.leaves:
                left -= 1
                if isinstance(leaf, Identifier):
                    inner = bound.env.get(leaf.name)
                    if inner is None or leaf.name in through:
                        continue
                    if leaf.name.endswith(CONSTANTS):
                        continue
                    if self._hooks.get(leaf.name):
                        holds = matcher.asked(rule, inner, event, complete=complete).holds
                        about.hooks[leaf.name] = about.hooks.get(leaf.name, False) or holds is True
                        continue  # What stands in a hook is somebody else's.
                    pending.append((inner, (*through, leaf.name)))
                else:
                    holds = matcher.leaf_holds(rule, leaf, event, complete=complete)
                    about.note(through, leaf, bound, holds)
                    for name in hooks if holds else ():
                        if name in lists and _has(leaf, event, {item.text for item in lists[name].items}):
                            about.hooks[name] = True


def _is_hook(ruleset: Ruleset, named: Named, definition: Definition) -> bool:
    """Whether *named* is made to be overridden, whoever defines it."""
    return ruleset.is_hook(named, definition) and (
        ruleset.is_idle(definition) or FOR_USERS.search(named[1]) is not None
    )


def _has(check: Check, event: Mapping[str, object], items: set[str]) -> bool:
    """Whether *check* is one with a list, and the event has one of *items* in its field."""
    if not isinstance(check.right, ListValue) or items.isdisjoint(check.right.texts):
        return False
    value = event.get(glued(check.left)) if isinstance(check.left, Field) else None
    values = value if isinstance(value, (list, tuple)) else (value,)
    return any(str(one) in items for one in values)

"""All rules of a rule set against events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import Check
from falcokit.evaluate.expand import MAX_DEPTH, Expansion, Node, weight
from falcokit.evaluate.generate import Ask, Function, generate
from falcokit.evaluate.leaf import Leaves
from falcokit.evaluate.operand import Event
from falcokit.evaluate.values import WrongValues
from falcokit.evaluate.walk import Answer, Walk
from falcokit.record import Record
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["Matcher", "Verdict"]

_MAX_ATOMS: Final = 5_000
"""How large a rule may be for code to be made of it; larger ones are walked."""
_MAX_FUNCTION: Final = 40_000
"""How many atoms of all rules one function may have."""
_MAX_SIZE: Final = 100_000
_MAX_CHAIN: Final = 150
"""How many macros may lead from one to the next: the walker goes down a level for each."""


class Verdict(Record):
    """What is said of a *rule* and an event: whether it ``holds``; None where an absent field would decide."""

    __slots__ = ("answer", "rule")

    def __init__(self, rule: CompiledRule, answer: Answer) -> None:
        self.rule: Final = rule
        self.answer: Final = answer

    @property
    def holds(self) -> bool | None:
        """Whether the rule fires."""
        return self.answer.holds

    @property
    def deciding(self) -> tuple[str, ...]:
        """The fields whose values would decide, where the answer is unknown."""
        if self.answer.holds is not None:
            return ()
        return tuple(dict.fromkeys([name for reason in self.answer.reasons for name, _ in reason.values]))


class Matcher:
    """Says which of *rules*, given in load order, fire on an event.

    Rules that are disabled or that Falco would refuse are left out (``left_out`` says why), as are those that *runs* is
    False of.  With *rule_matching* ``first`` only the first of them fires, as Falco has it by default; with ``all`` all.
    ``wrong`` tells of values that had the wrong type.
    """

    def __init__(
        self,
        rules: Iterable[CompiledRule],
        catalogue: Catalogue,
        *,
        rule_matching: str = "first",
        runs: Callable[[CompiledRule], bool] = lambda rule: rule.enabled,
    ) -> None:
        self.catalogue: Final = catalogue
        self.rule_matching: Final = rule_matching
        self.wrong: Final = WrongValues()
        self.left_out: Final[list[tuple[CompiledRule, str]]] = []
        found: dict[str, list[CompiledRule]] = {}
        for rule in rules:
            reason = "" if runs(rule) else "it is disabled"
            reason = reason or _unfit(rule)
            if reason:
                self.left_out.append((rule, reason))
            else:
                found.setdefault(rule.definition.source, []).append(rule)
        self._sources: Final = {source: _Source(source, part, catalogue, self.wrong) for source, part in found.items()}

    @property
    def rules(self) -> tuple[CompiledRule, ...]:
        """The rules that run, source by source in load order."""
        return tuple([rule for source in self._sources.values() for rule in source.rules])

    def fired(self, event: Event, source: str = "syscall") -> tuple[CompiledRule, ...]:
        """The rules that fire on *event* of *source*, in load order; what the event lacks is missing, as in Falco.

        *event* maps full field expressions to values.  Each call is one more event of the source: ``evt.num`` counts them.
        """
        of_source = self._sources.get(source)
        if of_source is None:
            return ()
        numbers = of_source.fired(event)
        if not numbers:
            return ()
        if self.rule_matching == "first":
            return (of_source.rules[min(numbers)],)
        return tuple([of_source.rules[number] for number in sorted(numbers)])

    def verdicts(self, event: Event, source: str = "syscall") -> tuple[Verdict, ...]:
        """What can be said where *event* carries some fields only: the rules that fire whatever the others are, and
        those that may fire.  Each is looked at by itself, whatever *rule_matching* is."""
        of_source = self._sources.get(source)
        return of_source.verdicts(event) if of_source is not None else ()

    def certain(self, event: Event, source: str = "syscall") -> tuple[CompiledRule, ...]:
        """Of the same only the rules that fire whatever the fields are that *event* lacks; much faster."""
        of_source = self._sources.get(source)
        if of_source is None:
            return ()
        return tuple([of_source.rules[number] for number in sorted(of_source.numbers("must", event))])

    def walked(self, rule: CompiledRule, event: Event) -> bool:
        """Whether *rule*, one of `rules`, fires on *event*, as the walker finds it: slower, and the reference."""
        return self._sources[rule.definition.source].walked(rule, event)

    def why(self, rule: CompiledRule, event: Event, *, complete: bool = True) -> Answer:
        """Whether *rule*, one of `rules`, fires on *event*, and the fewest checks that decide it."""
        return self._sources[rule.definition.source].why(rule, event, complete)

    def asked(self, rule: CompiledRule, macro: Bound, event: Event, *, complete: bool = True) -> Answer:
        """The same of a *macro* that *rule* reaches."""
        return self._sources[rule.definition.source].asked(macro, event, complete)

    def leaf_holds(self, rule: CompiledRule, check: Check, event: Event, *, complete: bool = True) -> bool | None:
        """Whether one *check* of *rule* holds."""
        return self._sources[rule.definition.source].leaf_holds(check, event, complete)


def _unfit(rule: CompiledRule) -> str:
    """Why *rule* cannot be evaluated, empty if it can."""
    if rule.skipped:
        return "Falco skips it: it uses an unknown field"
    if rule.bound is None or any(diagnostic.is_error for diagnostic in rule.diagnostics):
        return "Falco refuses it"
    if not rule.bound.whole:
        return "it uses what cannot be compiled"
    if rule.bound.size > _MAX_SIZE or rule.bound.depth > _MAX_CHAIN:
        return "its condition is too large to evaluate"
    return ""


class _Source:
    """The rules of one source."""

    def __init__(self, source: str, rules: list[CompiledRule], catalogue: Catalogue, wrong: WrongValues) -> None:
        self.rules: Final = tuple(rules)
        self._catalogue: Final = catalogue
        self._syscall: Final = source == "syscall"
        self._wrong: Final = wrong
        self._leaves: Final = Leaves(source, catalogue, wrong)
        self._walk: Final = Walk(self._leaves)
        self._expansion: Final = Expansion(source, catalogue)
        self._nodes: list[Node] | None = None
        self._calls: Final[list[Ask]] = []
        self._functions: Final[dict[object, Function]] = {}
        self._open: Final[dict[tuple[str, object], Function]] = {}
        self._open_calls: Final[dict[tuple[int, bool], int]] = {}
        self._walked_rules: Final[dict[int, Bound]] = {}
        self._walked_calls: Final[dict[int, int]] = {}
        self._number = 0

    def fired(self, event: Event) -> tuple[int, ...]:
        self._number += 1
        name = event.get("evt.type")
        function = self._functions.get(name if name.__class__ is str else None)
        if function is None:
            function = self._made(name)
        return function(event, self._number)

    def numbers(self, way: str, event: Event) -> tuple[int, ...]:
        """The rules that ``may`` or ``must`` fire whatever the fields are that *event* lacks."""
        name = event.get("evt.type")
        key = name if self._mask(name) != -1 else None
        function = self._open.get((way, key))
        if function is None:
            cache: dict[int, Node] = {}
            nodes = [
                (number, node if key is None else self._expansion.of_type(node, str(key), cache))
                for number, node in enumerate(self._all_nodes())
                if self._asks(self.rules[number], self._mask(name))
                and not (way == "must" and key is None and self._of_some_types(self.rules[number]))
            ]
            opened: dict[tuple[int, bool], Node] = {}
            nodes = [
                (number, self._expansion.opened(node, way == "may", self._opened_call, opened))
                for number, node in self._bounded(nodes)
            ]
            function = self._open[way, key] = generate(nodes, self._calls, self._wrong)
        return function(event, max(self._number, 1))

    def _of_some_types(self, rule: CompiledRule) -> bool:
        """Whether Falco asks *rule* about events of some types only."""
        return self._syscall and rule.codes != self._catalogue.events.all_codes

    def _opened_call(self, number: int, opened: bool) -> int:
        """The number of the call that asks the same as call *number* where fields may be absent."""
        key = (number, opened)
        known = self._open_calls.get(key)
        if known is None:
            checks = self._expansion.checks
            if number < len(checks):
                decided = self._leaves.of(checks[number]).decided
                ask: Ask = (
                    (lambda event, _: decided(event) is not False)
                    if opened
                    else (lambda event, _: decided(event) is True)
                )
            else:
                bound = self._walked_rules[number]
                answer = self._walk.answer
                if opened:
                    ask = lambda event, _: answer(bound.tree, bound, event, complete=False).holds is not False  # noqa: E731
                else:
                    ask = lambda event, _: answer(bound.tree, bound, event, complete=False).holds is True  # noqa: E731
            known = self._open_calls[key] = len(self._calls)
            self._calls.append(ask)
        return known

    def verdicts(self, event: Event) -> tuple[Verdict, ...]:
        certain = frozenset(self.numbers("must", event))
        found = []
        for number in sorted(self.numbers("may", event)):
            rule = self.rules[number]
            answer = self.why(rule, event, complete=False)
            if number in certain and answer.holds is None:
                answer = Answer(True, answer.reasons)  # Checks that go together tell more than each by itself.
            if answer.holds is not False:
                found.append(Verdict(rule, answer))
        return tuple(found)

    def walked(self, rule: CompiledRule, event: Event) -> bool:
        assert rule.bound is not None
        return self._walk.holds(rule.bound.tree, rule.bound, event, max(self._number, 1))

    def why(self, rule: CompiledRule, event: Event, complete: bool) -> Answer:
        assert rule.bound is not None
        answer = self.asked(rule.bound, event, complete)
        mask = self._mask(event.get("evt.type"))
        if answer.holds is not False and not self._asks(rule, mask):
            return Answer(False, ())
        if answer.holds and not complete and mask == -1 and self._of_some_types(rule):
            return Answer(None, answer.reasons)  # Whether Falco asks the rule at all is not known.
        return answer

    def asked(self, bound: Bound, event: Event, complete: bool) -> Answer:
        return self._walk.answer(bound.tree, bound, event, max(self._number, 1), complete=complete)

    def leaf_holds(self, check: Check, event: Event, complete: bool) -> bool | None:
        leaf = self._leaves.of(check)
        return leaf.holds(event, max(self._number, 1)) if complete else leaf.decided(event)

    def _mask(self, name: object) -> int:
        """The event codes of the type *name*, all of them where that says nothing."""
        if self._syscall and isinstance(name, str) and self._catalogue.events.is_known(name):
            return self._catalogue.events.names((name,)) or -1
        return -1

    def _asks(self, rule: CompiledRule, mask: int) -> bool:
        """Whether Falco asks *rule* about events of the codes *mask*; only rules of system calls are told apart by them."""
        return not self._syscall or mask & rule.codes != 0

    def _made(self, name: object) -> Function:
        """The function of the events of type *name*; one for all that are of no known type."""
        mask = self._mask(name)
        key = name if mask != -1 else None
        made = self._functions.get(key)
        if made is None:
            nodes = [
                (number, node) for number, node in enumerate(self._all_nodes()) if self._asks(self.rules[number], mask)
            ]
            if key is not None:
                assert isinstance(name, str)
                cache: dict[int, Node] = {}
                nodes = [(number, self._expansion.of_type(node, name, cache)) for number, node in nodes]
            made = self._functions[key] = generate(self._bounded(nodes), self._calls, self._wrong)
        return made

    def _bounded(self, nodes: list[tuple[int, Node]]) -> list[tuple[int, Node]]:
        """*nodes* with those walked that come after too many atoms: code takes time and room to make."""
        left = _MAX_FUNCTION
        found: list[tuple[int, Node]] = []
        for number, node in nodes:
            left -= weight(node)[0]
            found.append((number, node if left >= 0 else ("call", self._walked_call(number))))
        return found

    def _walked_call(self, number: int) -> int:
        """The number of the call that walks the rule of that *number*."""
        known = self._walked_calls.get(number)
        if known is None:
            rule = self.rules[number]
            assert rule.bound is not None
            known = self._walked_calls[number] = len(self._calls)
            self._walked_rules[known] = rule.bound
            self._calls.append(self._walked(rule))
        return known

    def _all_nodes(self) -> list[Node]:
        if self._nodes is None:
            made = [self._node(rule) for rule in self.rules]
            checks = [self._leaves.of(check).holds for check in self._expansion.checks]
            # Rules that are walked are calls, too, behind those of the checks.
            self._calls.extend(checks)
            self._nodes = []
            for number, node in enumerate(made):
                self._nodes.append(("call", self._walked_call(number)) if node is None else node)
        return self._nodes

    def _node(self, rule: CompiledRule) -> Node | None:
        assert rule.bound is not None
        if rule.bound.size > _MAX_ATOMS:
            return None
        node = self._expansion.node(rule.bound.tree, rule.bound)
        atoms, depth = weight(node)
        return None if atoms > _MAX_ATOMS or depth > MAX_DEPTH else node

    def _walked(self, rule: CompiledRule) -> Ask:
        bound = rule.bound
        assert bound is not None
        return lambda event, number: self._walk.holds(bound.tree, bound, event, number)

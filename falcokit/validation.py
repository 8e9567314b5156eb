"""Validating rules as ``falco -V`` does, and describing them as ``falco -L`` does, without a Falco."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from falcokit.catalogue import Catalogue
from falcokit.condition import parse
from falcokit.condition.ast import Check, Expression
from falcokit.condition.walk import leaves
from falcokit.diagnostic import KINDS, Problem, Severity
from falcokit.errors import ConditionError, RulesError
from falcokit.ruleset.check_compiler import compile_check
from falcokit.ruleset.loader import Loaded, load
from falcokit.source import SourceFile
from falcokit.source.decode import decode

if TYPE_CHECKING:
    from falcokit.evaluate import Matcher
    from falcokit.evaluate.needed import Need
    from falcokit.evaluate.single import CompiledCondition
    from falcokit.evaluate.walk import Answer
    from falcokit.event import Event

__all__ = ["Condition", "EventCondition", "Validation", "compile_condition", "holds_for", "validate"]


class Validation(NamedTuple):
    """The outcome of `validate`."""

    loaded: Loaded

    @property
    def successful(self) -> bool:
        """Whether Falco would accept every file."""
        return all(result.successful for result in self.loaded.files)

    def to_falco(self) -> dict[str, Any]:
        """The shape of ``falco -V ... -o json_output=true``; codes and places are Falco's, messages are ours."""
        from falcokit.ruleset.falco_result import to_falco

        return to_falco(self.loaded)

    def describe(self, rule: str | None = None) -> dict[str, Any]:
        """The shape of ``falco -L -o json_output=true``; with *rule* that rule only, as ``falco -l``."""
        from falcokit.ruleset.describe import describe

        return describe(self.loaded, rule)

    def matcher(self, *, rule_matching: str = "first", disabled: bool = False) -> Matcher:
        """What says which of the rules fire on events; with *disabled* those that are switched off, too.

        *rule_matching* is ``first`` or ``all``, as in the configuration of Falco.  Raises `falcokit.RulesError` where Falco would
        not load the files.
        """
        from falcokit.evaluate import Matcher

        errors = [finding for finding in self.loaded.diagnostics if finding.is_error]
        if errors or self.loaded.compilation is None:
            raise RulesError(errors[0].message if errors else "there are no rules")
        rules = self.loaded.compilation.rules.values()
        return Matcher(
            rules, self.loaded.catalogue, rule_matching=rule_matching, runs=lambda rule: rule.enabled or disabled
        )


def validate(files: Iterable[tuple[str, str | bytes]], *, catalogue: Catalogue | None = None) -> Validation:
    """Load *files*, pairs of name and content, in this order, each on top of those before it.

    *catalogue* says which fields exist; by default Falco's own and those of every plugin falcokit knows.
    """
    sources = [SourceFile(name, content if isinstance(content, str) else decode(content)) for name, content in files]
    return Validation(load(sources, catalogue or Catalogue.bundled()))


class Condition:
    """A condition that compiles: its ``text``, its ``tree``, and the ``source`` it was compiled for."""

    def __init__(self, text: str, tree: Expression, source: str, catalogue: Catalogue) -> None:
        self.text: Final = text
        self.tree: Final = tree
        self.source: Final = source
        self._catalogue = catalogue

    @cached_property
    def _evaluator(self) -> CompiledCondition:
        from falcokit.evaluate.single import CompiledCondition

        return CompiledCondition(self.tree, self.source, self._catalogue)

    def matches(self, event: Mapping[str, object]) -> bool:
        """Whether Falco's engine would find that it holds for *event*.

        *event* maps full field expressions, such as ``proc.aname[2]``, to values: texts, whole numbers, truth values, addresses
        as text, and sequences of these for list fields.  A key that is absent, or whose value is of another type, has no value.
        Each call is one more event: ``evt.num`` counts them.
        """
        return self._evaluator.matches(event)

    def answer(self, event: Mapping[str, object], *, complete: bool = True) -> Answer:
        """Whether it holds for *event*, with the fewest checks that decide it.

        Where *event* is not *complete*, as the fields of an alert are not, what it lacks is unknown: the answer is True, False or
        None, and for None its reasons are the checks whose fields would decide.
        """
        return self._evaluator.answer(event, complete)

    @property
    def wrong_values(self) -> Mapping[str, str]:
        """What was wrong with the values of events so far, a sentence for each field of which one had the wrong type."""
        return self._evaluator.wrong


def compile_condition(text: str, *, source: str = "syscall", catalogue: Catalogue | None = None) -> Condition:
    """Compile one condition, without macros and lists, for rules of *source*.

    Raises `falcokit.ConditionError` where Falco refuses it, with the byte it reports the error at.
    """
    catalogue = catalogue or Catalogue.bundled()
    tree = parse(text)
    if isinstance(tree, Problem):
        raise ConditionError(tree.message, tree.at)
    for leaf in leaves(tree):
        if not isinstance(leaf, Check):
            raise ConditionError(f"the macro `{leaf.name}` is not defined", leaf.at)
        for problem in compile_check(leaf, source, catalogue):
            if KINDS[problem.kind].severity is Severity.ERROR:
                raise ConditionError(problem.message, problem.at)
    return Condition(text, tree, source, catalogue)


class EventCondition:
    """A condition that is asked of events of any source, by the source of each: whether it holds for sure."""

    def __init__(self, conditions: Mapping[str, Condition], catalogue: Catalogue) -> None:
        self._conditions: Final = conditions
        self._catalogue: Final = catalogue

    def __call__(self, event: Event) -> bool:
        """Whether it holds for *event*; what an event does not tell decides nothing."""
        from falcokit.evaluate.partial import typed_fields

        source = event.source or "syscall"
        compiled = self._conditions.get(source)
        if compiled is None:
            return False
        complete = event.form.complete
        fields = event.fields if complete else typed_fields(event.fields, source, self._catalogue)
        return compiled.answer(fields, complete=complete).holds is True

    def needs(self, texts: Callable[[str], Sequence[str] | None], others: Mapping[str, Sequence[str]]) -> Need | None:
        """What events need for it to hold, as `falcokit.evaluate.needed.needed` tells it."""
        from falcokit.evaluate.leaf import Leaves
        from falcokit.evaluate.needed import AnyOf, needed

        needs = []
        for source, one in self._conditions.items():
            need = needed(one.tree, Leaves(source, self._catalogue), texts, others)
            if need is None:
                return None
            needs.append(need)
        return AnyOf(tuple(needs))


def holds_for(text: str) -> EventCondition:
    """The condition *text* for events of every source that it is a condition for.

    Raises `ConditionError` where it is one for none.
    """
    catalogue = Catalogue.bundled()
    found: dict[str, Condition] = {}
    problems: list[ConditionError] = []
    for source in catalogue.sources:
        try:
            found[source] = compile_condition(text, source=source, catalogue=catalogue)
        except ConditionError as error:
            problems.append(error)
    if not found:
        raise problems[0]
    return EventCondition(found, catalogue)

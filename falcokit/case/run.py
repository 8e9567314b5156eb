"""Running the cases of a test file on a rule set."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from falcokit.case.coverage import Coverage
from falcokit.case.model import Case, Expected, Named, Setup, TestFile
from falcokit.case.values import read_fields
from falcokit.case.write import yaml_text
from falcokit.catalogue import Catalogue, FieldUse
from falcokit.diagnostic import Diagnostic, Label
from falcokit.evaluate.matcher import Matcher
from falcokit.evaluate.output import OutputFormat
from falcokit.evaluate.partial import told_fields
from falcokit.evaluate.read_back import ReadBack
from falcokit.evaluate.tell import told
from falcokit.evaluate.walk import Answer, Reason
from falcokit.record import Record
from falcokit.ruleset.loader import Loaded, Memo, load
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.suggest import nearest
from falcokit.source import SourceFile, Span

if TYPE_CHECKING:
    from falcokit.event import Event

__all__ = ["Outcome", "run"]

_MAX_REASONS: Final = 6
_MAX_FINDINGS: Final = 50


class Outcome(Record):
    """How a *case* went: ``findings`` are what was against expectation, none if it passed."""

    __slots__ = ("case", "findings")

    def __init__(self, case: Case, findings: tuple[Diagnostic, ...]) -> None:
        self.case: Final = case
        self.findings: Final = findings


def run(
    test: TestFile,
    files: Sequence[SourceFile],
    events_of: Callable[[Named], tuple[Sequence[Event], str]],
    catalogue: Catalogue,
    coverage: Coverage,
) -> tuple[tuple[Outcome, ...], tuple[Diagnostic, ...]]:
    """The outcomes of the cases of *test*, and what keeps its rules from loading: then no case is run.

    *files* are the rules files in load order; *events_of* gives the events of a file that a case names, or why there are none.
    What was tried is added to *coverage*.
    """
    running = _Running(test, files, catalogue)
    if errors := tuple([d for d in running.plain.diagnostics if d.is_error]):
        return (), errors
    if running.plain.compilation is None:
        return (), (
            Diagnostic(
                "invalid-test", "there are no rules to test", Span(test.file, 0, 0), "name rules files with `rules:`"
            ),
        )
    outcomes = []
    read_back: ReadBack | None = None
    for case in test.cases:
        findings: list[Diagnostic] = []
        ready = running.ready(case.setup, findings)
        if ready is not None:
            loaded, matcher = ready
            coverage.add_rules(loaded, matcher)
            if read_back is None:
                read_back = ReadBack(matcher.rules, catalogue)
            judging = _Judging(case, loaded, matcher, test, catalogue, findings, coverage, read_back)
            left = 0
            for event in _events(case, events_of, findings):
                if len(findings) < _MAX_FINDINGS:
                    judging.judge(event)
                else:
                    left += 1
            if left:
                message = f"{left} more events are not looked at: {_MAX_FINDINGS} findings of one case are enough"
                findings.append(Diagnostic("test-mismatch", message, case.span))
        outcomes.append(Outcome(case, tuple(findings)))
    return tuple(outcomes), ()


def _events(
    case: Case, events_of: Callable[[Named], tuple[Sequence[Event], str]], findings: list[Diagnostic]
) -> Sequence[Event | None]:
    """The events of the file that *case* names; None stands for an event of its fields alone."""
    if case.path is None:
        return (None,)
    events, problem = events_of(case.path)
    if case.line is not None and not problem:
        events = [event for event in events if event.line == case.line]
        problem = "" if events else f"no event begins at line {case.line} of {case.path.text}"
    elif not case.every and not problem and len(events) > 1:
        problem = (
            f"{case.path.text} has {len(events)} events: pick one with `line`, or expect the same of all with `events`"
        )
    if problem or not events:
        findings.append(Diagnostic("invalid-test", problem or f"{case.path.text} has no event", case.path.span))
        return ()
    return events


class _Running:
    """The rule set of a test file as its cases change it."""

    def __init__(self, test: TestFile, files: Sequence[SourceFile], catalogue: Catalogue) -> None:
        self._test = test
        self._files = tuple(files)
        self._catalogue = catalogue
        self._memo = Memo()
        self.plain: Final = load(files, catalogue, self._memo)
        self._known: dict[str, tuple[Loaded, dict[object, Matcher]]] = {"": (self.plain, {})}

    def ready(self, setup: Setup, findings: list[Diagnostic]) -> tuple[Loaded, Matcher] | None:
        """The rules as *setup* wants them."""
        text = self._on_top(setup, findings)
        if findings:
            return None
        known = self._known.get(text)
        if known is None:
            if len(self._known) > 500:
                self._known = {"": self._known[""]}
            overlay = SourceFile(f"{self._test.file.name} (macros and lists)", text)
            loaded = load((*self._files, overlay), self._catalogue, self._memo)
            if errors := [d for d in loaded.diagnostics if d.is_error]:
                changed = (*setup.macros, *setup.lists)
                findings.append(
                    Diagnostic(
                        "invalid-test",
                        f"with these macros and lists the rules do not load: {errors[0].message}",
                        changed[0][0].span,
                        errors[0].help,
                    )
                )
                return None
            known = self._known[text] = (loaded, {})
        loaded, matchers = known
        enabled = frozenset([name.text for name in setup.enable])
        for name in setup.enable:
            if name.text not in loaded.definitions.rules:
                findings.append(_no_rule(name, loaded))
        key = (enabled, setup.enable_all)
        matcher = matchers.get(key)
        if matcher is None:
            assert loaded.compilation is not None
            matcher = matchers[key] = Matcher(
                loaded.compilation.rules.values(),
                self._catalogue,
                rule_matching=self._test.rule_matching,
                runs=lambda rule: rule.enabled or setup.enable_all or rule.name in enabled,
            )
        return None if findings else (loaded, matcher)

    def _on_top(self, setup: Setup, findings: list[Diagnostic]) -> str:
        """The rules file that puts the macros and lists of *setup* in the place of those that are loaded."""
        lines = []
        definitions = self.plain.definitions
        for name, condition in setup.macros:
            if name.text not in definitions.macros:
                findings.append(_unknown("macro", name, definitions.macros))
            quoted = (yaml_text(name.text), yaml_text(condition.text))
            lines.append(f"- macro: {quoted[0]}\n  condition: {quoted[1]}\n  override: {{condition: replace}}\n")
        for name, items in setup.lists:
            if name.text not in definitions.lists:
                findings.append(_unknown("list", name, definitions.lists))
            texts = ", ".join([yaml_text(item.text) for item in items])
            lines.append(f"- list: {yaml_text(name.text)}\n  items: [{texts}]\n  override: {{items: replace}}\n")
        return "".join(lines)


def _unknown(kind: str, name: Named, known: Mapping[str, object]) -> Diagnostic:
    near = nearest(name.text, known)
    message = f"no {kind} `{name.text}` is loaded, so nothing changes"
    return Diagnostic("invalid-test", message, name.span, f"did you mean `{near[0]}`?" if near else "")


def _no_rule(name: Named, loaded: Loaded) -> Diagnostic:
    near = nearest(name.text, loaded.definitions.rules)
    message = f"no rule `{name.text}` is loaded"
    return Diagnostic("invalid-test", message, name.span, f"did you mean `{near[0]}`?" if near else "")


class _Judging:
    """One case and the rules it runs on."""

    def __init__(
        self,
        case: Case,
        loaded: Loaded,
        matcher: Matcher,
        test: TestFile,
        catalogue: Catalogue,
        findings: list[Diagnostic],
        coverage: Coverage,
        read_back: ReadBack,
    ) -> None:
        self._case = case
        self._loaded = loaded
        self._matcher = matcher
        self._test = test
        self._catalogue = catalogue
        self._findings = findings
        self._coverage = coverage
        self._by_name = {rule.name: rule for rule in matcher.rules}
        self._read_back = read_back

    def judge(self, event: Event | None) -> None:
        """Compare what *event* (None: the case's fields alone) does with what is expected."""
        case, expected = self._case, self._case.expected
        source = self._source(event)
        fields, problems = read_fields(case.fields, source, self._catalogue, self._test.file)
        if problems:
            self._findings.extend(problems)
            return
        complete = case.complete if case.complete is not None else event is None or event.form.complete
        # Not one dictionary: audit events have fields without end, worked out when asked for.
        given: Mapping[str, object] = fields
        if event is not None:
            told, _ = told_fields(event, source, self._catalogue, self._read_back)
            given = ChainMap(fields, told)  # type: ignore[arg-type]
        where = f" (event at line {event.line})" if event is not None and case.every else ""
        fired = {rule.name for rule in self._matcher.fired(given, source)} if complete else set()
        answers: dict[str, Answer] = {}
        for wanted, names in ((True, expected.fires), (False, expected.silent), (None, expected.unknown)):
            for name in names:
                rule = self._rule(name)
                if rule is None:
                    continue
                if rule.definition.source != source:
                    message = f"the event is of source `{source}`, the rule `{name.text}` of `{rule.definition.source}`"
                    self._findings.append(
                        Diagnostic("test-mismatch", message, name.span, "say `source:`, or leave the rule out")
                    )
                    continue
                answer = answers[name.text] = self._matcher.why(rule, given, complete=complete)
                self._coverage.add(rule, given, answer, self._matcher, complete=complete)
                holds = answer.holds
                if holds and complete and name.text not in fired:
                    message = f"`{name.text}` does not fire{where}: with `rule_matching: first` `{next(iter(fired))}` takes the event"
                    if wanted:
                        self._findings.append(Diagnostic("test-mismatch", message, name.span))
                elif holds is not wanted:
                    self._mismatch(name, rule, answer, wanted, where)
        if expected.nothing is not None:
            self._nothing(expected, given, source, complete, fired, where)
        self._outputs(expected, given, answers, source, complete)
        self._reasons(expected, answers)

    def _source(self, event: Event | None) -> str:
        """What the case says, else what the event does, else the first source of the rules it is about that has its fields."""
        if self._case.setup.source is not None:
            return self._case.setup.source.text
        if event is not None and event.source:
            return event.source
        expected = self._case.expected
        rules = [
            self._loaded.definitions.rules.get(name.text)
            for name in (*expected.fires, *expected.silent, *expected.unknown)
        ]
        sources = list(dict.fromkeys([*[rule.source for rule in rules if rule is not None], "syscall"]))
        names = [name.text for name, _ in self._case.fields]
        fitting = [
            source
            for source in sources
            if all(isinstance(self._catalogue.resolve(name, source), FieldUse) for name in names)
        ]
        return (fitting or sources)[0]

    def _rule(self, name: Named) -> CompiledRule | None:
        rule = self._by_name.get(name.text)
        if rule is not None:
            return rule
        reason = next((why for rule, why in self._matcher.left_out if rule.name == name.text), "")
        if not reason and name.text in self._loaded.definitions.rules:
            reason = "no loaded plugin has its source"
        if not reason:
            self._findings.append(_no_rule(name, self._loaded))
        else:
            # Not even silence is shown by a rule that is not run.
            help_text = f"switch it on with `enable: [{name.text}]`" if "disabled" in reason else ""
            self._findings.append(
                Diagnostic("test-mismatch", f"`{name.text}` does not run: {reason}", name.span, help_text)
            )
        return None

    def _mismatch(self, name: Named, rule: CompiledRule, answer: Answer, wanted: bool | None, where: str) -> None:
        help_text = ""
        if answer.holds is None:
            absent = ", ".join(dict.fromkeys([field for reason in answer.reasons for field, _ in reason.values]))
            message = f"`{name.text}` may fire or not{where}: the event does not tell {absent}"
            help_text = "give these under `fields`, or `complete: true` if they have no value"
        else:
            message = f"`{name.text}` {'fires' if answer.holds else 'does not fire'}{where}"
        labels = [label for reason in answer.reasons[:_MAX_REASONS] if (label := _label(reason)) is not None]
        if len(answer.reasons) > _MAX_REASONS:
            message += f" ({len(answer.reasons)} checks decide it, {_MAX_REASONS} are shown)"
        self._findings.append(Diagnostic("test-mismatch", message, name.span, help_text, tuple(labels)))

    def _nothing(
        self, expected: Expected, given: Mapping[str, object], source: str, complete: bool, fired: set[str], where: str
    ) -> None:
        assert expected.nothing is not None
        if complete:
            for rule in self._matcher.rules:
                if rule.definition.source == source:
                    answer = self._matcher.why(rule, given)
                    self._coverage.add(rule, given, answer, self._matcher, complete=True, named=False)
            for name in sorted(fired):
                answer = self._matcher.why(self._by_name[name], given)
                self._mismatch(Named(name, expected.nothing), self._by_name[name], answer, False, where)
            return
        for verdict in self._matcher.verdicts(given, source):
            self._mismatch(Named(verdict.rule.name, expected.nothing), verdict.rule, verdict.answer, False, where)

    def _outputs(
        self,
        expected: Expected,
        given: Mapping[str, object],
        answers: Mapping[str, Answer],
        source: str,
        complete: bool,
    ) -> None:
        for about, text in expected.output:
            name = about or (expected.fires[0] if expected.fires else None)
            if name is None:
                message = "an output needs a rule that fires"
                self._findings.append(Diagnostic("invalid-test", message, text.span, "name it under `fires`"))
                continue
            rule = self._rule(name) if about is not None else self._by_name.get(name.text)
            if rule is None:
                continue
            answer = answers.get(rule.name) or self._matcher.why(rule, given, complete=complete)
            if not answer.holds or rule.definition.source != source:
                message = f"`{rule.name}` does not fire, so it prints nothing"
                self._findings.append(Diagnostic("test-mismatch", message, text.span))
                continue
            printed = OutputFormat(rule.output, rule.definition.source, self._catalogue).render(given)
            if printed != text.text:
                self._findings.append(
                    Diagnostic("test-mismatch", f"the output of `{rule.name}` is: {printed}", text.span)
                )

    def _reasons(self, expected: Expected, answers: Mapping[str, Answer]) -> None:
        if not expected.reason:
            return
        first = next(iter((*expected.fires, *expected.silent, *expected.unknown)), None)
        if first is None or first.text not in answers:
            message = (
                "a reason is one of a rule under `fires`, `silent` or `unknown`, and there is no answer about the first"
            )
            self._findings.append(Diagnostic("test-mismatch", message, expected.reason[0].span))
            return
        name, answer = first.text, answers[first.text]
        known = {word for reason in answer.reasons for word in _words(reason)}
        for reason in expected.reason:
            if reason.text not in known:
                decided = (
                    "; ".join([told(one) for one in answer.reasons[:_MAX_REASONS]])
                    or "nothing: its condition is constant"
                )
                message = f"`{reason.text}` is not what decides about `{name}`: {decided}"
                self._findings.append(
                    Diagnostic("test-mismatch", message, reason.span, "name a field, a check or a macro of these")
                )


def _words(reason: Reason) -> tuple[str, ...]:
    """By what a case can name *reason*: its check, its fields, the macros it stands in."""
    return (reason.text(), *[field for field, _ in reason.values], *reason.through)


def _label(reason: Reason) -> Label | None:
    span = reason.span()
    return Label(span, told(reason)) if span is not None else None

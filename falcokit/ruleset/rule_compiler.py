"""Compiling one rule: exceptions into the condition, output, lists, macros, checks, event types, in Falco's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import Check, Identifier, byte_to_char
from falcokit.diagnostic import Diagnostic, FalcoPlace, Problem, Step
from falcokit.record import Record
from falcokit.ruleset.body import Body, Part, Texts, make_body
from falcokit.ruleset.check_compiler import deprecated_fields, unsafe_na
from falcokit.ruleset.definitions import RuleDefinition, joined, mapped
from falcokit.ruleset.lists import MAX_TEXT, CompiledList, TooLargeError
from falcokit.ruleset.macros import MAX_NODES, Bound, BrokenName, Found, bind
from falcokit.ruleset.output_compiler import OutputResult, compile_output
from falcokit.source import MappedText, Span

if TYPE_CHECKING:
    from falcokit.ruleset.additions import OutputAddition
    from falcokit.ruleset.compiler import CompiledMacro

__all__ = ["MAX_EVENT_CODES", "CompiledRule", "compile_rule", "too_large"]

MAX_EVENT_CODES: Final = 100
"""More event codes than this make Falco warn (event-types, warning)."""
CONTAINER_INFO: Final = "%container.info"


class CompiledRule(Record):
    """A rule ready to be matched, and all that was found on the way, in Falco's order.

    ``bound`` is None where there is nothing to match; ``skipped`` says that Falco leaves the rule out without an
    error.  ``names`` are all words whose definition could change the outcome.
    """

    __slots__ = (
        "body",
        "bound",
        "codes",
        "definition",
        "diagnostics",
        "names",
        "output",
        "output_result",
        "skipped",
        "used_macros",
    )

    def __init__(
        self,
        definition: RuleDefinition,
        body: Body | None,
        bound: Bound | None,
        output: str,
        output_result: OutputResult | None,
        codes: int,
        diagnostics: tuple[Diagnostic, ...],
        skipped: bool,
        used_macros: tuple[str, ...],
        names: frozenset[str],
    ) -> None:
        self.definition: Final = definition
        self.body: Final = body
        self.bound: Final = bound
        self.output: Final = output
        self.output_result: Final = output_result
        self.codes: Final = codes
        self.diagnostics: Final = diagnostics
        self.skipped: Final = skipped
        self.used_macros: Final = used_macros
        self.names: Final = names

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.definition.name

    @property
    def enabled(self) -> bool:
        """Whether the rules files leave the rule on."""
        return self.definition.enabled


class _Compiling:
    """One rule being compiled: what was found, and whether Falco has stopped."""

    def __init__(self, rule: RuleDefinition) -> None:
        self.rule = rule
        self.found: list[Diagnostic] = []
        self.skipped = False

    @property
    def step(self) -> Step:
        return self.rule.item.step

    def place(self, *steps: Step, condition: str | None = None, at: int | None = None) -> FalcoPlace:
        return FalcoPlace(self.rule.item.file, (self.step, *steps), condition, at)

    def name_span(self) -> Span:
        node = self.rule.item.name.node
        return Span(self.rule.item.file, node.start, node.end)

    def add(self, diagnostic: Diagnostic, *, unknown_filter: bool = False) -> None:
        if unknown_filter and self.rule.skip_if_unknown_filter:
            if self.skipped:
                return
            self.skipped = True
            diagnostic = diagnostic.replaced(kind="unknown-filter", falco_code="LOAD_UNKNOWN_FILTER")
        self.found.append(diagnostic)


def compile_rule(
    rule: RuleDefinition,
    lists: Mapping[str, CompiledList],
    odd_lists: frozenset[str],
    macros: Mapping[str, CompiledMacro],
    catalogue: Catalogue,
    texts: Texts,
    additions: Sequence[OutputAddition],
) -> CompiledRule:
    """Compile *rule*; *texts* remembers parsed texts, *additions* are the ``append_output`` entries of a configuration."""
    work = _Compiling(rule)
    parts: list[Part] = []
    unfit: list[Diagnostic] = []
    if rule.exceptions:
        from falcokit.ruleset.exception_text import exception_parts

        try:
            parts, unfit = exception_parts(rule)
        except TooLargeError:
            work.add(too_large(work.name_span(), "the condition with its exceptions", work.place()))
    for diagnostic in unfit:
        work.add(diagnostic)
    output, result = _output(work, catalogue, additions) if rule.output else ("", None)
    body: Body | None = None
    bound: Bound | None = None
    codes = 0
    if rule.condition:
        body = make_body(rule.condition, parts, lists, odd_lists, texts)
        if isinstance(body.tree, Problem):
            _syntax(work, body, body.tree)
        else:
            bound = bind(body, None, lambda name: m.bound if (m := macros.get(name)) else None, lambda _: None)
            codes = _condition(work, body, bound, catalogue, macros)
    names = body.names if body is not None else frozenset()
    used: tuple[str, ...] = ()
    if bound is not None:
        used = tuple([name for name, inner in bound.env.items() if inner is not None])
        names = names.union(bound.env)
    return CompiledRule(rule, body, bound, output, result, codes, tuple(work.found), work.skipped, used, names)


def _output(
    work: _Compiling, catalogue: Catalogue, additions: Sequence[OutputAddition]
) -> tuple[str, OutputResult | None]:
    """The output as Falco compiles it."""
    rule = work.rule
    text = joined(rule.output)
    start = 0
    if rule.trimmed and (text[:1] in _SPACE or text[-1:] in _SPACE):
        start = len(text) - len(text.lstrip(" \t\n\v\f\r"))
        text = text.strip(" \t\n\v\f\r")
    extra: list[tuple[str, str | None]] = []
    written = text
    for addition in _additions(rule, additions) if additions else ():
        if addition.extra_output:
            text = f"{text} {addition.extra_output}"
        extra += addition.extra_fields
    step = Step("rule output", "", rule.output_offset)

    def located(begin: int, end: int) -> Span:
        begin, end = byte_to_char(text, begin), byte_to_char(text, end)
        found = _removed(mapped(rule.output)[start:], written).locate(begin, end)
        part = rule.output[0]
        return found or Span(part.file, part.node.start, part.node.end)

    if CONTAINER_INFO in text:
        at = text.find(CONTAINER_INFO)
        span = mapped(rule.output)[start:].locate(at, at + len(CONTAINER_INFO)) or work.name_span()
        help_text = (
            "remove it: Falco's own configuration adds the fields of containers since 0.41; before, name those you want"
        )
        message = "`%container.info` is deprecated: Falco removes it from the output"
        work.add(
            Diagnostic("deprecated-container-info", message, span, help_text, (), work.place(), "", CONTAINER_INFO)
        )
        text = text.replace(CONTAINER_INFO, "")
    result = compile_output(text, rule.source, catalogue, tuple(extra))
    for problem in result.problems:
        span = located(problem.start, problem.end)
        work.add(
            Diagnostic(problem.kind, problem.message, span, problem.help, (), work.place(step)),
            unknown_filter=problem.unknown_filter,
        )
        if work.skipped:
            return text, result
    for name in result.deprecated:
        at = text.find(name)
        message = f"the field `{name}` is deprecated"
        span = located(len(text[:at].encode()), len(text[: at + len(name)].encode()))
        work.add(Diagnostic("deprecated-field", message, span, _DEPRECATED[name], (), work.place(step), "", name))
    return text, result


def _additions(rule: RuleDefinition, additions: Sequence[OutputAddition]) -> tuple[OutputAddition, ...]:
    from falcokit.ruleset.additions import applicable

    return applicable(additions, rule.name, rule.source, rule.tags)


_SPACE: Final = frozenset(" \t\n\v\f\r")


def _removed(text: MappedText, written: str) -> MappedText:
    """The mapped output without ``%container.info``, as it was compiled."""
    text = text[: len(written)]
    while (at := text.text.find(CONTAINER_INFO)) >= 0:
        text = text[:at] + text[at + len(CONTAINER_INFO) :]
    return text


_DEPRECATED: Final = {
    "evt.dir": "take it out: Falco has no enter events any more, every event is an exit event",
    "evt.latency": "take it out: without enter events it is always 0",
    "evt.latency.s": "take it out: without enter events it is always 0",
    "evt.latency.ns": "take it out: without enter events it is always 0",
    "evt.latency.human": "take it out: without enter events it is always 0",
    "evt.wait_latency": "take it out: without enter events it is always 0",
}


def _syntax(work: _Compiling, body: Body, problem: Problem) -> None:
    if problem.kind == "too-large":
        work.add(too_large(work.name_span(), "the condition with its lists", work.place()))
        return
    step = Step("rule condition", "", work.rule.condition_offset)
    place = work.place(step, condition=body.final, at=problem.at)
    span = body.locate(problem.start, problem.end)
    from falcokit.ruleset.provenance import help_for_inserted

    help_text = help_for_inserted(body, problem.start, span, work.rule.exceptions) or problem.help
    work.add(Diagnostic(problem.kind, problem.message, span, help_text, (), place))


def _condition(
    work: _Compiling, body: Body, bound: Bound, catalogue: Catalogue, macros: Mapping[str, CompiledMacro]
) -> int:
    rule = work.rule
    if bound.broken is not None:
        _unresolved(work, body, bound, catalogue, macros)
        return 0
    if bound.too_large:
        work.add(too_large(work.name_span(), "the condition with its macros", work.place()))
        return 0
    step = Step("rule condition", "", rule.condition_offset)
    _tree_warnings(work, body, bound, step)
    problems = bound.problems(rule.source, catalogue)
    if problems:
        _problems(work, body, bound, problems, step)
        if any(_is_error(found.problem) for found in problems):
            return 0
    if rule.source != "syscall":
        return 0
    codes = bound.codes(False, catalogue)
    count = catalogue.events.count(codes)
    if rule.warn_evttypes and count > MAX_EVENT_CODES and bound.whole:
        message = f"the rule is tried on {count} kinds of events, Falco warns above {MAX_EVENT_CODES}"
        help_text = "restrict the condition by `evt.type in (...)`, or set `warn_evttypes: false` if it must be so"
        work.add(
            Diagnostic("too-many-event-types", message, work.name_span(), help_text, (), work.place(), "", rule.name)
        )
    return codes


def _unresolved(
    work: _Compiling, body: Body, bound: Bound, catalogue: Catalogue, macros: Mapping[str, CompiledMacro]
) -> None:
    """Names that stand for nothing: the one that Falco stops at, then what it would have found after it."""
    from falcokit.ruleset.compiler import broken_name

    assert bound.broken is not None
    definitions = {name: macro.definition for name, macro in macros.items()}
    lists = {name: compiled.definition for name, compiled in body.lists.items()}
    first = bound.broken
    others = [
        BrokenName(leaf, False, ())
        for leaf in bound.leaves
        if isinstance(leaf, Identifier) and bound.env.get(leaf.name) is None and leaf is not first.identifier
    ]
    for broken in (first, *others):
        place = work.place(condition=body.text, at=broken.identifier.at)
        work.add(broken_name(bound, broken, place, definitions, lists))
    step = Step("rule condition", "", work.rule.condition_offset)
    errors = tuple([found for found in bound.problems(work.rule.source, catalogue) if _is_error(found.problem)])
    _problems(work, body, bound, errors, step)


def too_large(span: Span, what: str, place: FalcoPlace) -> Diagnostic:
    """The finding where falcokit gives up: Falco itself would go on for as long as there is memory."""
    message = f"{what} is larger than falcokit takes: {MAX_TEXT:,} characters, {MAX_NODES:,} checks"
    help_text = "keep addresses and hashes by the thousand out of conditions: a plugin can look them up"
    return Diagnostic("too-large", message, span, help_text, (), place)


def _is_error(problem: Problem) -> bool:
    from falcokit.diagnostic import KINDS, Severity

    return KINDS[problem.kind].severity is Severity.ERROR


def _problems(work: _Compiling, body: Body, bound: Bound, problems: tuple[Found, ...], step: Step) -> None:
    """Falco has the warnings only when there is no error, and of several errors the first."""
    from falcokit.ruleset.compiler import trail_labels

    errors = [found for found in problems if _is_error(found.problem)]
    for found in errors or problems:
        problem, trail = found.problem, found.trail
        holder = trail[-1][1] if trail else bound
        span = holder.body.locate(problem.start, problem.end)
        place = work.place(step, condition=body.text, at=problem.at)
        diagnostic = Diagnostic(problem.kind, problem.message, span, problem.help, trail_labels(bound, trail), place)
        work.add(diagnostic, unknown_filter=problem.unknown_filter)


def _tree_warnings(work: _Compiling, body: Body, bound: Bound, step: Step) -> None:
    """Deprecated fields and comparisons with ``<NA>``: once a rule, with no place inside the condition."""
    if not bound.noteworthy:
        return
    unsafe, deprecated = tree_notes(bound)
    place = work.place(step, condition=body.text)
    if unsafe is not None:
        holder, check = unsafe
        span = holder.body.locate(check.start, check.end)
        message = "a comparison with `<NA>` says nothing about a missing value"
        help_text = "a missing field makes every comparison false: write `FIELD exists` or `not FIELD exists`"
        work.add(Diagnostic("unsafe-na", message, span, help_text, (), place))
    for name, (holder, check) in deprecated.items():
        span = holder.body.locate(check.start, check.end)
        message, help_text = f"the field `{name}` is deprecated", _DEPRECATED[name]
        if name == "evt.dir" and check.operator in ("=", "==") and getattr(check.right, "text", "") == ">":
            message += ", and this never holds"
        work.add(Diagnostic("deprecated-field", message, span, help_text, (), place, "", name))


Place = tuple[Bound, Check]


def tree_notes(bound: Bound) -> tuple[Place | None, dict[str, Place]]:
    """The first check that compares with ``<NA>``, and the first use of each deprecated field, in Falco's order."""
    unsafe: Place | None = None
    deprecated: dict[str, Place] = {}
    seen: set[int] = set()
    stack = [bound]
    while stack:
        holder = stack.pop()
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        for leaf in holder.leaves:
            if not isinstance(leaf, Check):
                inner = holder.env.get(leaf.name)
                if inner is not None and id(inner) not in seen:
                    stack.append(inner)
                continue
            if unsafe is None and unsafe_na(leaf):
                unsafe = (holder, leaf)
            for name in deprecated_fields(leaf):
                deprecated.setdefault(name, (holder, leaf))
    ordered = {name: deprecated[name] for name in _DEPRECATED if name in deprecated} if deprecated else deprecated
    return unsafe, ordered

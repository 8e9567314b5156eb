"""One lint: both loads, and their findings put together, sorted and told apart by whose file they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from falcokit.catalogue import Catalogue
from falcokit.checks import Check, run_checks
from falcokit.diagnostic import KINDS, Diagnostic
from falcokit.embedded import opened
from falcokit.record import Record
from falcokit.ruleset.definitions import RuleDefinition
from falcokit.ruleset.items import IgnoredItem
from falcokit.ruleset.loader import Loaded, Memo, load, load_all
from falcokit.ruleset.rule_reader import TALON
from falcokit.ruleset.ruleset import HOOK_NAMES, Ruleset
from falcokit.settings.options import Options
from falcokit.source import Origin, SourceFile, Span
from falcokit.source.decode import first_invalid

if TYPE_CHECKING:
    from falcokit.ruleset.additions import OutputAddition

__all__ = ["LintResult", "Options", "lint", "relint"]


class LintResult(Record):
    """The findings in file and text order; ``stops`` are those at which Falco would stop reading their file.

    ``loaded`` is the rule set as loaded without stopping; ``hidden`` counts the findings in default files that were
    left out, ``silenced`` those that comments in the files took away.
    """

    __slots__ = ("files", "findings", "hidden", "loaded", "options", "silenced", "stops")

    def __init__(
        self,
        files: tuple[SourceFile, ...],
        findings: tuple[Diagnostic, ...],
        stops: frozenset[int],
        hidden: int,
        loaded: Loaded,
        silenced: int,
        options: Options,
    ) -> None:
        self.files: Final = files
        self.findings: Final = findings
        self.stops: Final = stops
        self.hidden: Final = hidden
        self.loaded: Final = loaded
        self.silenced: Final = silenced
        self.options: Final = options

    def stops_at(self, finding: Diagnostic) -> bool:
        """Whether Falco stops at *finding*."""
        return id(finding) in self.stops


def lint(
    files: Sequence[SourceFile],
    catalogue: Catalogue,
    *,
    include_defaults: bool = False,
    additions: Sequence[OutputAddition] = (),
    memo: Memo | None = None,
    options: Options | None = None,
) -> LintResult:
    """Lint *files*, in load order, default files first; findings in default files only with *include_defaults*."""
    options = Options() if options is None else options
    memo = Memo(lasting=False) if memo is None else memo
    given = tuple(files)
    files, notes = opened(files)
    loaded = load_all(files, catalogue, memo, additions)
    failed = [result for result in loaded.files if not result.successful]
    found = _unique(loaded, failed != [])
    found += _invalid_text(files)
    checks = options.choice.checks()
    if loaded.compilation is not None:
        asked = [file for file in files if include_defaults or file.origin is Origin.CUSTOM]
        ruleset = _ruleset(loaded, options, asked)
        found = _without_repeats(found, run_checks(ruleset, checks, strict=options.strict))
    found = options.choice.applied([*notes, *(d for d in found if not (d.file.holes and _in_hole(d)))])
    silenced = 0
    if any("falcokit:" in file.text for file in files):
        found, silenced = _suppressed(found, loaded, checks, options)
    everything = found
    shown = [d for d in found if include_defaults or d.file.origin is Origin.CUSTOM]
    # A default file that does not load is never a detail: without it nothing else can be believed.
    shown += [d for d in found if not include_defaults and d.file.origin is Origin.DEFAULT and d.is_error]
    if options.changed is not None:
        shown = _touched(shown, loaded, options.changed)
    # Files inside one file have its name and its places.
    order = {file.name: number for number, file in reversed(list(enumerate(files)))}
    shown.sort(key=lambda d: (order.get(d.file.name, len(order)), d.span.start, d.span.end, d.kind, d.message))
    shown = _with_expected(shown)
    stops: frozenset[int] = frozenset()
    if failed:
        stops = _stops(files, catalogue, additions, shown, memo)
    return LintResult(given, tuple(shown), stops, len(everything) - len(shown), loaded, silenced, options)


def _ruleset(loaded: Loaded, options: Options, asked: Sequence[SourceFile]) -> Ruleset:
    hooks, config = options.hook_names or HOOK_NAMES, options.config
    if config is None:
        return Ruleset(loaded, hooks, options.target, asked)
    from falcokit.config import is_enabled

    def runs(rule: RuleDefinition) -> bool:
        return is_enabled(rule.name, rule.tags, rule.priority, rule.enabled, config.selection, config.minimum_priority)

    return Ruleset(loaded, hooks, options.target, asked, config.rule_matching, runs)


def _touched(
    findings: list[Diagnostic], loaded: Loaded, changed: Mapping[str, tuple[tuple[int, int], ...]]
) -> list[Diagnostic]:
    """The findings in items with a changed line, and the errors that keep Falco from loading a file, wherever."""
    places: dict[SourceFile, list[tuple[int, int]]] = {}
    for result in loaded.files:
        lines = changed.get(result.file.name, ())
        for item in result.items if lines else ():
            if not isinstance(item, IgnoredItem):
                first = result.file.line_column(item.node.start)[0]
                last = result.file.line_column(max(item.node.end - 1, item.node.start))[0]
                if any(start <= last and first < end for start, end in lines):
                    places.setdefault(result.file, []).append((item.node.start, item.node.end))
    found = []
    for d in findings:
        line = d.file.line_column(d.span.start)[0]
        if (
            (d.check is None and d.is_error)
            or any(start <= d.span.start <= end for start, end in places.get(d.file, ()))
            or any(start <= line < end for start, end in changed.get(d.file.name, ()))
        ):
            found.append(d)
    return found


def _suppressed(
    found: list[Diagnostic], loaded: Loaded, checks: Sequence[Check], options: Options
) -> tuple[list[Diagnostic], int]:
    from falcokit.settings.choice import every_kind
    from falcokit.suppress import suppress

    kinds = every_kind()
    known = frozenset([*kinds, *(kind.code for kind in kinds.values())])
    run = [check.kind for check in checks] + list(KINDS.values())
    looked_for = frozenset([word for kind in run for word in (kind.name, kind.code)])
    result = suppress(found, loaded.files, known, looked_for, options.today)
    return result.findings, result.count


_SAID_BETTER = {"unused-macro": "dead-hook", "unused-list": "dead-hook"}
"""Findings of the loader that a check says more about."""


def _without_repeats(found: list[Diagnostic], checked: list[Diagnostic]) -> list[Diagnostic]:
    """All findings, without those of the loader that a check repeats with more to say."""
    if not checked:
        return found
    places = {(d.kind, d.span.file, d.span.end) for d in checked}
    return [d for d in found if (_SAID_BETTER.get(d.kind), d.span.file, d.span.end) not in places] + checked


_OF_THE_WHOLE = frozenset(
    (
        "taken-by-earlier-rule", "never-true", "dead-exclusion", "always-true-hook", "dead-hook", "duplicate-name",
        "unused-macro", "unused-list", "undefined-list",
    )
)  # fmt: skip
"""Findings that hold only where nothing more is said elsewhere: what a template prints can say it."""


def _in_hole(d: Diagnostic) -> bool:
    """Whether the finding is about text that a template will fill in, or may be answered by such."""
    return d.kind in _OF_THE_WHOLE or any(
        start < max(d.span.end, d.span.start + 1) and d.span.start < end for start, end in d.file.holes
    )


def relint(before: LintResult, changed: SourceFile, memo: Memo, *, include_defaults: bool = False) -> LintResult:
    """Lint again with *changed* in the place of the file of the same name; *memo* is the one of the first lint."""
    files = [changed if file.name == changed.name else file for file in before.files]
    return lint(files, before.loaded.catalogue, include_defaults=include_defaults, memo=memo, options=before.options)


def _unique(loaded: Loaded, failed: bool) -> list[Diagnostic]:
    """Each finding once.  Falco compiles after every file: of warnings only the last compile's count, as an item may
    be used by a later file; an error counts whenever it occurs, as Falco would not come to the later file."""
    seen: set[tuple[object, ...]] = set()
    found: list[Diagnostic] = []
    last = len(loaded.files) - 1
    for number, result in enumerate(loaded.files):
        for d in result.diagnostics:
            if d.kind in _LAST_ONLY and number != last:
                continue
            if failed and d.kind in ("unused-macro", "unused-list"):
                continue
            key: tuple[object, ...] = (d.kind, d.message, d.span.file.name, d.span.start, d.span.end, d.detail)
            if d.help == TALON:
                key = (d.kind, d.help, d.span.file.name)  # What file this is is said once of each kind.
            if key not in seen:
                seen.add(key)
                found.append(d)
    return found


_LAST_ONLY = frozenset(
    (
        "unused-macro", "unused-list", "too-many-event-types", "deprecated-field", "deprecated-container-info",
        "unsafe-na", "needless-regex", "field-as-text", "transformer-as-text", "unknown-filter",
    )
)  # fmt: skip


_MAX_EXPECTED = 20
"""How many findings are told what could have stood at their place: asking the grammar takes a while."""


def _with_expected(findings: list[Diagnostic]) -> list[Diagnostic]:
    """Syntax problems that nobody has advice for, with what could stand at their place."""
    asked = 0
    for number, d in enumerate(findings):
        if (
            d.kind != "condition-syntax"
            or d.help
            or d.falco is None
            or d.falco.condition is None
            or asked >= _MAX_EXPECTED
        ):
            continue
        from falcokit.condition.ast import byte_to_char
        from falcokit.condition.expected import expected

        asked += 1
        text = d.falco.condition
        words = expected(text, byte_to_char(text, d.falco.at or 0))
        if words:
            findings[number] = d.replaced(help=f"here can stand {', '.join(words)}")
    return findings


def _invalid_text(files: Sequence[SourceFile]) -> list[Diagnostic]:
    found = []
    for file in files:
        at = first_invalid(file.text)
        if at is not None:
            byte = ord(file.text[at]) - 0xDC00
            message = f"the byte 0x{byte:02x} is no UTF-8"
            span = Span(file, at, at + 1)
            found.append(Diagnostic("invalid-utf8", message, span, "save the file as UTF-8"))
    return found


def _stops(
    files: Sequence[SourceFile],
    catalogue: Catalogue,
    additions: Sequence[OutputAddition],
    shown: list[Diagnostic],
    memo: Memo,
) -> frozenset[int]:
    """The findings that are the one error Falco would give for a file, told apart by identity."""
    at = set()
    for result in load(files, catalogue, memo, additions).files:
        for d in result.diagnostics:
            if d.is_error and d.kind != "too-large":
                at.add((d.kind, d.span.file.name, d.span.start, d.message))
    return frozenset(id(d) for d in shown if (d.kind, d.span.file.name, d.span.start, d.message) in at)

"""One run of ``falcokit lint``: from the files gathered to the report, perhaps by way of the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from falcokit.cli.below import BUNDLED
from falcokit.cli.options import ReportFormat, fail
from falcokit.record import Record
from falcokit.workspace.gather import Gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from falcokit.diagnostic import Diagnostic
    from falcokit.lint import LintResult
    from falcokit.settings import Options
    from falcokit.source import SourceFile
    from falcokit.workspace.falco_config import LintSetup
    from falcokit.workspace.project import Project

__all__ = ["Run", "anything", "cached_report", "linter", "options_of", "report_of"]

_OTHERS: Final = (ReportFormat.sarif, ReportFormat.github, ReportFormat.junit, ReportFormat.gitlab)


class Run(Record):
    """Everything a report depends on beside the files themselves."""

    __slots__ = ("colour", "defaults", "format", "include_defaults", "known", "options", "own_fields", "setup", "width")

    def __init__(
        self,
        defaults: str,
        setup: LintSetup | None,
        own_fields: tuple[tuple[str, str], ...],
        include_defaults: bool,
        format: ReportFormat,
        colour: bool,
        width: int,
        options: Options,
        known: tuple[str, ...] = (),
    ) -> None:
        self.defaults: Final = defaults
        self.setup: Final = setup
        self.own_fields: Final = own_fields
        self.include_defaults: Final = include_defaults
        self.format: Final = format
        self.colour: Final = colour
        self.width: Final = width
        self.options: Final = options
        self.known: Final = known


def anything(gathered: Gathered, wanted: tuple[str, ...]) -> bool:
    """Whether what the user named led to any file at all."""
    from falcokit.source import Origin

    if not wanted:
        return bool(gathered.files or gathered.unreadable)
    custom = any(file.origin is Origin.CUSTOM for file in gathered.files)
    return bool(custom or gathered.unreadable or gathered.skipped or gathered.defaults_named)


def options_of(
    project: Project | None,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    pedantic: bool = False,
) -> Options:
    """What the project and the command line want; a name given here counts more than one given there."""
    import time

    from falcokit.settings import Choice, Options, parse_names

    choice = project.settings.choice if project is not None else Choice()
    for key, given in (("select", select), ("ignore", ignore)):
        names, problem = parse_names(given or ())
        if problem:
            fail(f"--{key}: {problem}")
        if names:
            choice = choice.replaced(**{key: names if key == "select" else choice.ignore + names})
    if select:
        choice = choice.replaced(ignore=tuple([name for name in choice.ignore if name not in choice.select]))
    hooks = project.settings.hooks if project is not None else ()
    target = project.settings.target if project is not None else ""
    options = Options(
        choice.replaced(pedantic=choice.pedantic or pedantic), target=target, today=time.strftime("%Y-%m-%d")
    )
    return options.replaced(hook_names=hooks) if hooks else options


def cached_report(gathered: Gathered, run: Run) -> tuple[str, int]:
    """The report, from an earlier run where nothing it depends on has changed."""
    from falcokit.workspace.cache import Cache

    store = Cache.of_user()
    setup = run.setup.key if run.setup is not None else ""
    about = (
        run.replaced(setup=None, format=ReportFormat(run.format)),
        run.format.value,
        setup,
        gathered.replaced(files=()),
    )
    parts = [repr(about).encode("utf-8", "surrogateescape")]
    for file in gathered.files:
        parts.append(f"{file.name}\0{file.origin.value}".encode("utf-8", "surrogateescape"))
        parts.append(file.text.encode("utf-8", "surrogatepass"))
    key = store.key(parts)
    kept = store.get(key)
    if kept is None:
        text, worst = _findings(gathered, run)
        store.put(key, f"{worst}\n{text}")
        return text, worst
    level, _, text = kept.partition("\n")
    return text, int(level)


def linter(run: Run) -> Callable[[Sequence[SourceFile]], LintResult]:
    """The lint of files as the run wants it."""
    from falcokit.catalogue import Catalogue
    from falcokit.errors import CatalogueError
    from falcokit.lint import lint

    catalogue = run.setup.catalogue if run.setup is not None else Catalogue.bundled()
    for path, text in run.own_fields:
        try:
            catalogue = catalogue.extended(text)
        except CatalogueError as error:
            fail(f"{path}: {error}")
    additions = run.setup.additions if run.setup is not None else ()

    def linted(files: Sequence[SourceFile]) -> LintResult:
        return lint(files, catalogue, include_defaults=run.include_defaults, additions=additions, options=run.options)

    return linted


def _findings(gathered: Gathered, run: Run) -> tuple[str, int]:
    return report_of(gathered, run, linter(run)(gathered.files))


def report_of(gathered: Gathered, run: Run, result: LintResult) -> tuple[str, int]:
    """The report of a lint, and the level of its worst finding."""
    from falcokit.diagnostic import Diagnostic
    from falcokit.source import SourceFile, Span

    findings = list(result.findings)
    if run.known:
        from falcokit.workspace.baseline import without

        findings = without(findings, run.known)
    for path, unreadable, origin in gathered.unreadable:
        kind = "file-too-large" if unreadable.too_large else "unreadable-file"
        help_text = "raise the limit with --max-file-size" if unreadable.too_large else ""
        span = Span(SourceFile(path, "", origin), 0, 0)
        message = "the file is not read" if unreadable.too_large else "the file cannot be read"
        findings.append(Diagnostic(kind, f"{message}: {unreadable.reason}", span, help_text))
    worst = int(max((d.level for d in findings), default=0))
    if run.format in _OTHERS:
        from importlib import import_module

        render = import_module(f"falcokit.report.{run.format.value}").render
        return render(findings, result.files, result.stops), worst
    if run.format is ReportFormat.json:
        from falcokit.report.json import render as render_json

        return render_json(findings, result.files, result.stops, defaults=run.defaults, skipped=gathered.skipped), worst
    return _text(gathered, run, findings, result), worst


def _text(gathered: Gathered, run: Run, findings: list[Diagnostic], result: LintResult) -> str:
    from falcokit.report.text import plain, render, summary
    from falcokit.source import Origin

    lines = [f"default rules: {plain(run.defaults)}\n"]
    if gathered.defaults_named and not run.include_defaults:
        names = ", ".join(map(plain, gathered.defaults_named))
        lines.append(f"{names}: a default file; --include-defaults shows what is found in it\n")
    lines.append("\n" + render(findings, result.stops, colour=run.colour, width=run.width))
    if run.defaults == BUNDLED and any(d.help.startswith("define it") or d.kind == "undefined-list" for d in findings):
        lines.append("the default rules are falcokit's own, not Falco's: give yours with --defaults FILE\n")
    if result.silenced:
        lines.append(f"{_counted(result.silenced)} silenced by comments\n")
    if result.hidden and not run.include_defaults:
        lines.append(f"{_counted(result.hidden)} in default files not shown; --include-defaults shows them\n")
    checked = sum(run.include_defaults or file.origin is Origin.CUSTOM for file in gathered.files)
    lines.append(summary(findings, checked, len(gathered.skipped)) + "\n")
    return "".join(lines)


def _counted(count: int) -> str:
    return f"{count} finding{'' if count == 1 else 's'}"

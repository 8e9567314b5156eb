"""``falcokit lint``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Final, Optional

import typer

from falcokit.cli.options import Colour, Format, Threshold, fail, read_input, single, write
from falcokit.record import Record
from falcokit.workspace.gather import Gathered, Request, gather
from falcokit.workspace.sources import DEFAULT_LIMIT, Unreadable, read_bytes

if TYPE_CHECKING:
    from falcokit.workspace.falco_config import LintSetup

__all__ = ["command"]

_SYSTEM_CONFIG = "/etc/falco/falco.yaml"
BUNDLED: Final = "bundled with falcokit"
_LEVELS = {Threshold.info: 1, Threshold.warning: 2, Threshold.error: 3, Threshold.never: 4}


class _Run(Record):
    """Everything a report depends on beside the files themselves."""

    __slots__ = ("colour", "defaults", "format", "include_defaults", "own_fields", "setup", "width")

    def __init__(
        self,
        defaults: str,
        setup: LintSetup | None,
        own_fields: tuple[tuple[str, str], ...],
        include_defaults: bool,
        format: Format,
        colour: bool,
        width: int,
    ) -> None:
        self.defaults: Final = defaults
        self.setup: Final = setup
        self.own_fields: Final = own_fields
        self.include_defaults: Final = include_defaults
        self.format: Final = format
        self.colour: Final = colour
        self.width: Final = width


def lint(
    paths: Annotated[
        Optional[list[str]],
        typer.Argument(
            metavar="[PATH]...", help="Rules files or folders; - is standard input; without any, the current folder."
        ),
    ] = None,
    defaults: Annotated[
        Optional[list[str]], typer.Option(metavar="PATH", help="Default rules below them, in load order; repeatable.")
    ] = None,
    config: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="A falco.yaml: its rules_files are loaded first.")
    ] = None,
    no_defaults: Annotated[bool, typer.Option("--no-defaults", help="Load nothing below the files.")] = False,
    default_names: Annotated[
        Optional[list[str]],
        typer.Option(metavar="GLOB", help="Files of --config that are defaults, instead of the well-known names."),
    ] = None,
    include_defaults: Annotated[
        bool, typer.Option("--include-defaults", help="Show not only errors in default files.")
    ] = False,
    fields: Annotated[
        Optional[list[str]], typer.Option(metavar="FILE", help="JSON with the fields of a plugin of your own.")
    ] = None,
    stdin_filename: Annotated[str, typer.Option(metavar="NAME", help="What standard input is called.")] = "",
    format: Annotated[Format, typer.Option(help="How to print the findings.")] = Format.text,
    fail_on: Annotated[Threshold, typer.Option(help="The severity that makes the exit code 1.")] = Threshold.warning,
    max_file_size: Annotated[int, typer.Option(metavar="BYTES", min=1, help="Refuse larger files.")] = DEFAULT_LIMIT,
    color: Annotated[Colour, typer.Option(help="Whether to print in colours.")] = Colour.auto,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Use results of earlier runs, kept in ~/.cache/falcokit.")
    ] = True,
) -> None:
    """Say everything that Falco would say of rules files, and what to write instead.

    Custom files are loaded on top of default rules: those of --defaults, else of --config, else of
    /etc/falco/falco.yaml if it exists, else the ones falcokit brings.

    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong usage or an unreadable file.

    Example: falcokit lint my_rules.yaml --defaults falco_rules.yaml
    """
    if no_defaults and (defaults or config):
        fail("--no-defaults excludes --defaults and --config")
    if defaults and config:
        fail("give either --defaults or --config")
    if not defaults and not config and not no_defaults and os.path.exists(_SYSTEM_CONFIG):
        config = _SYSTEM_CONFIG
    wanted = tuple(paths or ())
    if wanted.count("-") > 1:
        fail("standard input can be read once: give - once")
    setup = _from_config(config, default_names, max_file_size) if config else None
    if default_names and setup is None:
        fail("--default-names tells of files of a configuration: give one with --config")
    below: tuple[tuple[str, bool], ...] | None = ()
    if setup is not None:
        below, said = setup.files, f"rules_files of {config}"
    elif defaults:
        below, said = tuple((path, True) for path in defaults), ", ".join(defaults)
    elif no_defaults:
        said = "none"
    else:
        below, said = None, BUNDLED
    if not wanted and setup is None and not defaults:
        wanted = (".",)
    own_fields = tuple((path, _read_fields(path)) for path in fields or ())
    gathered = gather(Request(wanted, below, read_input, stdin_filename, max_file_size))
    if missing := [path for path in defaults or () if path in gathered.empty]:
        fail(f"no rules files found in {', '.join(missing)}")
    if not _anything(gathered, wanted):
        fail(f"no rules files found in {', '.join(wanted) or said}")
    terminal = sys.stdout.isatty()
    colour = color is Colour.always or (color is Colour.auto and terminal and not os.environ.get("NO_COLOR"))
    run = _Run(said, setup, own_fields, include_defaults, format, colour, _width(terminal))
    text, worst = _cached(gathered, run) if cache else _findings(gathered, run)
    write(text)
    if any(not unreadable.too_large for _, unreadable, _ in gathered.unreadable):
        raise typer.Exit(2)
    raise typer.Exit(1 if worst >= _LEVELS[fail_on] else 0)


def _anything(gathered: Gathered, wanted: tuple[str, ...]) -> bool:
    """Whether what the user named led to any file at all."""
    from falcokit.source import Origin

    if not wanted:
        return bool(gathered.files or gathered.unreadable)
    custom = any(file.origin is Origin.CUSTOM for file in gathered.files)
    return bool(custom or gathered.unreadable or gathered.skipped or gathered.defaults_named)


def _read_fields(path: str) -> str:
    content = read_bytes(path)
    if isinstance(content, Unreadable):
        fail(f"cannot read {path}: {content.reason}")
    return content.decode("utf-8", "replace")


def _from_config(path: str, names: list[str] | None, limit: int) -> LintSetup:
    from falcokit.errors import ConfigError
    from falcokit.workspace.falco_config import lint_setup

    try:
        return lint_setup(path, names, limit)
    except ConfigError as error:
        fail(str(error))


def _width(terminal: bool) -> int:
    if not terminal:
        return 80
    try:
        return max(os.get_terminal_size(sys.stdout.fileno()).columns, 60)
    except OSError:
        return 80


def _cached(gathered: Gathered, run: _Run) -> tuple[str, int]:
    """The report, from an earlier run where nothing it depends on has changed."""
    from falcokit.workspace.cache import Cache

    store = Cache.of_user()
    setup = run.setup.key if run.setup is not None else ""
    about = (run.replaced(setup=None, format=Format(run.format)), run.format.value, setup, gathered.replaced(files=()))
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


def _findings(gathered: Gathered, run: _Run) -> tuple[str, int]:
    """The report, and the level of its worst finding."""
    from falcokit.catalogue import Catalogue
    from falcokit.diagnostic import Diagnostic
    from falcokit.errors import CatalogueError
    from falcokit.lint import lint as lint_files
    from falcokit.source import SourceFile, Span

    catalogue = run.setup.catalogue if run.setup is not None else Catalogue.bundled()
    for path, text in run.own_fields:
        try:
            catalogue = catalogue.extended(text)
        except CatalogueError as error:
            fail(f"{path}: {error}")
    additions = run.setup.additions if run.setup is not None else ()
    result = lint_files(gathered.files, catalogue, include_defaults=run.include_defaults, additions=additions)
    findings = list(result.findings)
    for path, unreadable, origin in gathered.unreadable:
        kind = "file-too-large" if unreadable.too_large else "unreadable-file"
        help_text = "raise the limit with --max-file-size" if unreadable.too_large else ""
        span = Span(SourceFile(path, "", origin), 0, 0)
        message = "the file is not read" if unreadable.too_large else "the file cannot be read"
        findings.append(Diagnostic(kind, f"{message}: {unreadable.reason}", span, help_text))
    worst = int(max((d.level for d in findings), default=0))
    if run.format is Format.json:
        from falcokit.report.json import render as render_json

        return render_json(findings, result.files, result.stops, defaults=run.defaults, skipped=gathered.skipped), worst
    return _text(gathered, run, findings, result.stops, result.hidden), worst


def _text(gathered: Gathered, run: _Run, findings: list[Diagnostic], stops: frozenset[int], hidden: int) -> str:
    from falcokit.report.text import plain, render, summary
    from falcokit.source import Origin

    lines = [f"default rules: {plain(run.defaults)}\n"]
    if gathered.defaults_named and not run.include_defaults:
        names = ", ".join(map(plain, gathered.defaults_named))
        lines.append(f"{names}: a default file; --include-defaults shows what is found in it\n")
    lines.append("\n" + render(findings, stops, colour=run.colour, width=run.width))
    if run.defaults == BUNDLED and any(d.help.startswith("define it") for d in findings):
        lines.append("names of Falco's own rules are known with --defaults FILE: falcokit brings a few of them only\n")
    if hidden and not run.include_defaults:
        lines.append(f"{hidden} findings in default files not shown; --include-defaults shows them\n")
    checked = sum(run.include_defaults or file.origin is Origin.CUSTOM for file in gathered.files)
    lines.append(summary(findings, checked, len(gathered.skipped)) + "\n")
    return "".join(lines)


command = single(lint)

if TYPE_CHECKING:
    from falcokit.diagnostic import Diagnostic

"""``falcokit lint``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from falcokit.cli.below import below, or_fail, project_of
from falcokit.cli.linting import Run, anything, cached_report, linter, options_of, report_of
from falcokit.cli.options import Colour, ReportFormat, Threshold, fail, read_input, single, write
from falcokit.cli.screen import is_coloured, screen_width
from falcokit.settings.read import is_release
from falcokit.workspace.gather import Request, gather
from falcokit.workspace.sources import DEFAULT_LIMIT, Unreadable, read_bytes

if TYPE_CHECKING:
    from falcokit.lint import LintResult

__all__ = ["command"]

_LEVELS = {Threshold.info: 1, Threshold.warning: 2, Threshold.error: 3, Threshold.never: 4}


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
    select: Annotated[
        Optional[list[str]],
        typer.Option(metavar="NAMES", help="Only these findings: names, codes, FK3, families; with commas."),
    ] = None,
    ignore: Annotated[
        Optional[list[str]], typer.Option(metavar="NAMES", help="Not these findings; as --select.")
    ] = None,
    pedantic: Annotated[bool, typer.Option("--pedantic", help="Check conventions as well.")] = False,
    target_falco: Annotated[
        str, typer.Option(metavar="VERSION", help="Report what this release of Falco cannot read, such as 0.37.")
    ] = "",
    changed_since: Annotated[
        str, typer.Option(metavar="REV", help="Report only items that changed since this git revision, and errors.")
    ] = "",
    baseline: Annotated[str, typer.Option(metavar="FILE", help="Do not report the findings that this file has.")] = "",
    new_baseline: Annotated[
        str, typer.Option("--write-baseline", metavar="FILE", help="Write the findings there are to a baseline.")
    ] = "",
    settings: Annotated[
        Optional[str],
        typer.Option(metavar="FILE", help="Settings, instead of falcokit.toml or pyproject.toml here or above."),
    ] = None,
    no_settings: Annotated[bool, typer.Option("--no-settings", help="Read no settings.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Mend in custom files what can be mended safely.")] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="With --fix or --diff: also what may change meaning.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what --fix would change; change nothing.")] = False,
    format: Annotated[ReportFormat, typer.Option(help="How to print the findings.")] = ReportFormat.text,
    fail_on: Annotated[Threshold, typer.Option(help="The severity that makes the exit code 1.")] = Threshold.warning,
    max_file_size: Annotated[int, typer.Option(metavar="BYTES", min=1, help="Refuse larger files.")] = DEFAULT_LIMIT,
    color: Annotated[Colour, typer.Option(help="Whether to print in colours.")] = Colour.auto,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Use results of earlier runs, kept in ~/.cache/falcokit.")
    ] = True,
) -> None:
    """Say everything that Falco would say of rules files, and what to write instead.

    Custom files are loaded on top of default rules: those of --defaults, else of --config, else of the settings, else of
    /etc/falco/falco.yaml if it exists, else the ones falcokit brings.

    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong usage or an unreadable file.

    Example: falcokit lint my_rules.yaml --defaults falco_rules.yaml
    """
    project = project_of(settings, no_settings)
    options = options_of(project, select, ignore, pedantic)
    if target_falco:
        if not is_release(target_falco):
            fail(f"--target-falco takes a version of Falco such as 0.37, not '{target_falco}'")
        options = options.replaced(target=target_falco)
    wanted = tuple(paths or ())
    if wanted.count("-") > 1:
        fail("standard input can be read once: give - once")
    base = below(defaults, config, no_defaults, project, default_names, max_file_size)
    setup, said = base.setup, base.said
    if setup is not None:
        options = options.replaced(config=setup.config)
    if fix and "-" in wanted:
        fail("standard input cannot be mended: --diff shows the changes")
    if unsafe and not (fix or diff):
        fail("--unsafe goes with --fix or --diff")
    if not wanted and setup is None and not base.files:
        wanted = (".",)
    own_fields = tuple((path, _read_fields(path)) for path in fields or ())
    gathered = gather(Request(wanted, base.files, read_input, stdin_filename, max_file_size))
    if setup is None and (missing := [path for path, _ in base.files or () if path in gathered.empty]):
        fail(f"no rules files found in {', '.join(missing)}")
    if not anything(gathered, wanted):
        fail(f"no rules files found in {', '.join(wanted) or said}")
    if changed_since:
        from falcokit.workspace.changes import changed_lines

        options = options.replaced(changed=or_fail(lambda: changed_lines(gathered.files, changed_since)))
    run = Run(said, setup, own_fields, include_defaults, format, is_coloured(color), screen_width(), options)
    if baseline:
        from falcokit.workspace.baseline import read_baseline

        run = run.replaced(known=or_fail(lambda: read_baseline(baseline)))
    if new_baseline:
        if baseline or fix or diff:
            fail("--write-baseline stands alone, without --baseline, --fix and --diff")
        _write_baseline(new_baseline, linter(run)(gathered.files))
        raise typer.Exit(0)
    if fix or diff:
        from falcokit.cli.fixing import fixed_report

        text, worst = fixed_report(gathered, run, unsafe=unsafe, diff=diff)
    else:
        text, worst = cached_report(gathered, run) if cache else report_of(gathered, run, linter(run)(gathered.files))
    write(text)
    if any(not unreadable.too_large for _, unreadable, _ in gathered.unreadable):
        raise typer.Exit(2)
    raise typer.Exit(1 if worst >= _LEVELS[fail_on] else 0)


def _write_baseline(path: str, result: LintResult) -> None:
    from falcokit.workspace.baseline import write_baseline

    # What keeps Falco from loading a file is no debt to live with.
    findings = [d for d in result.findings if d.check is not None or not d.is_error]
    or_fail(lambda: write_baseline(path, findings))
    write(f"{len(findings)} findings written to {path}\n")
    if left := len(result.findings) - len(findings):
        write(f"{left} errors that keep Falco from loading the rules are not among them\n")


def _read_fields(path: str) -> str:
    content = read_bytes(path)
    if isinstance(content, Unreadable):
        fail(f"cannot read {path}: {content.reason}")
    return content.decode("utf-8", "replace")


command = single(lint)

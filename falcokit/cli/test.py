"""``falcokit test``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from falcokit.cli.below import Below, below, or_fail, project_of
from falcokit.cli.options import Colour, Format, fail, single, write
from falcokit.cli.rule_sets import catalogue_of
from falcokit.cli.screen import is_coloured, screen_width

if TYPE_CHECKING:
    from falcokit.case.coverage import Coverage
    from falcokit.catalogue import Catalogue
    from falcokit.report.cases import FileOutcome
    from falcokit.source import SourceFile

__all__ = ["command"]


def run_tests(
    paths: Annotated[
        Optional[list[str]],
        typer.Argument(
            metavar="[PATH]...",
            help="Test files, or folders with files called test_*.yaml, *_test.yaml, *-test.yaml, *.test.yaml; without any, the current folder.",
        ),
    ] = None,
    rules: Annotated[
        Optional[list[str]],
        typer.Option("--rules", metavar="PATH", help="Rules files on top of those the test files name; repeatable."),
    ] = None,
    defaults: Annotated[
        Optional[list[str]], typer.Option(metavar="PATH", help="Default rules below them, in load order; repeatable.")
    ] = None,
    config: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="A falco.yaml: its rules_files are loaded first.")
    ] = None,
    no_defaults: Annotated[bool, typer.Option("--no-defaults", help="Load nothing below the files.")] = False,
    fields: Annotated[
        Optional[list[str]], typer.Option(metavar="FILE", help="JSON with the fields of a plugin of your own.")
    ] = None,
    settings: Annotated[
        Optional[str],
        typer.Option(metavar="FILE", help="Settings, instead of falcokit.toml or pyproject.toml here or above."),
    ] = None,
    no_settings: Annotated[bool, typer.Option("--no-settings", help="Read no settings.")] = False,
    case: Annotated[
        str,
        typer.Option(metavar="TEXT", help="Only cases whose name has this text in it, or fits it as a shell pattern."),
    ] = "",
    coverage: Annotated[
        bool,
        typer.Option(
            "--coverage", help="Tell what the cases leave untried: rules, hooks, checks never true or never false."
        ),
    ] = False,
    format: Annotated[Format, typer.Option(help="How to print the outcome.")] = Format.text,
    junit: Annotated[str, typer.Option(metavar="FILE", help="Write the outcome as JUnit, too.")] = "",
    watch: Annotated[
        bool, typer.Option("--watch", help="Run again whenever a file changes; ends with Ctrl-C.")
    ] = False,
    new_from_event: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Print a test file with a case for each event of FILE (- is standard input), and end."
        ),
    ] = "",
    new_from_rule: Annotated[
        Optional[list[str]],
        typer.Option(
            metavar="NAME", help="Print a test file with an event made up for this rule, and end; repeatable."
        ),
    ] = None,
    color: Annotated[Colour, typer.Option(help="Whether to print in colours.")] = Colour.auto,
) -> None:
    """Run test files: events, and which rules fire on them, stay silent, print and for what reason.

    A test file is YAML: `rules:` (paths), `cases:` each with a `name`, an event (`fields:`, or a file as `event:` or `events:`) and
    `expect:` with `fires`, `silent`, `output`, `reason`; see docs/testing.md. Without `rules:`, my_rules_test.yaml tests the file
    my_rules.yaml beside it, on top of the default rules.

    Exit codes: 0 all cases passed, 1 some failed or could not be run, 2 wrong usage or an unreadable file.

    Example: falcokit test tests/ --coverage --junit report.xml
    """
    base = below(defaults, config, no_defaults, project_of(settings, no_settings))
    catalogue = catalogue_of(base, fields)
    if new_from_event:
        from falcokit.cli.new_case import print_new_cases

        print_new_cases(new_from_event, rules or (), base, catalogue)
        raise typer.Exit(0)
    if new_from_rule:
        from falcokit.cli.new_case import print_cases_of_rules

        print_cases_of_rules(new_from_rule, rules or (), base, catalogue)
        raise typer.Exit(0)
    wanted = tuple(paths or (".",))
    colour, width = is_coloured(color), screen_width()

    def once() -> int:
        outcomes, covered = _run(wanted, tuple(rules or ()), base, catalogue, case)
        from falcokit.report.cases import to_json, to_junit, to_text

        if format is Format.json:
            write(json.dumps(to_json(outcomes, covered), ensure_ascii=False, indent=2) + "\n")
        else:
            write(to_text(outcomes, covered, detailed=coverage, colour=colour, width=width))
        if junit:
            from falcokit.workspace.write import write_whole

            _keep_other_files(junit)
            or_fail(lambda: write_whole(junit, to_junit(outcomes)))
        return 1 if any(outcome.failed or outcome.findings for outcome in outcomes) else 0

    if watch:
        from falcokit.workspace.watch import watched

        def again() -> None:
            with suppress(typer.Exit):  # What is wrong now may be mended by the next change.
                once()

        once()
        watched((*wanted, *(rules or ()), *[path for path, _ in base.files or ()]), again)
        raise typer.Exit(0)
    raise typer.Exit(once())


def _keep_other_files(path: str) -> None:
    """End the run where the report would take the place of something that is no report."""
    from falcokit.workspace.sources import read_bytes

    if os.path.isfile(path) and os.path.getsize(path):
        content = read_bytes(path, 1 << 30)
        if not isinstance(content, bytes) or not content.lstrip().startswith(b"<"):
            fail(f"{path} is there already and is no report: name another file")


def _run(
    paths: Sequence[str], extra: Sequence[str], base: Below, catalogue: Catalogue, wanted: str
) -> tuple[list[FileOutcome], Coverage]:
    """All test files at *paths*, and what their cases have tried."""
    from falcokit.case.coverage import Coverage
    from falcokit.workspace.test_files import find_test_files

    found = find_test_files(paths)
    for path, trouble in found.unreadable:
        fail(f"cannot read {path}: {trouble.reason}")
    if not found.files:
        fail(
            f"no test files found in {', '.join(paths)}: they are called test_*.yaml, *_test.yaml, *-test.yaml or *.test.yaml"
        )
    covered = Coverage()
    outcomes = [_run_file(file, extra, base, catalogue, wanted, covered) for file in found.files]
    if wanted and not any(outcome.outcomes or outcome.findings for outcome in outcomes):
        fail(f"no case is called '{wanted}'")
    return outcomes, covered


def _run_file(
    file: SourceFile, extra: Sequence[str], base: Below, catalogue: Catalogue, wanted: str, covered: Coverage
) -> FileOutcome:
    from falcokit.case.read import read_test_file
    from falcokit.case.run import run
    from falcokit.cli.matching import matches
    from falcokit.embedded import opened
    from falcokit.report.cases import FileOutcome
    from falcokit.workspace.test_files import events_of, rules_of

    test, findings = read_test_file(file)
    if test is None or findings:
        # Half a test file is none: what was left out of it might be what fails.
        return FileOutcome(file, findings, ())
    test = test.replaced(cases=tuple([case for case in test.cases if matches(case.name, wanted)]))
    if not test.cases:
        return FileOutcome(file, findings, ())
    files, problems = rules_of(test, extra, base.files)
    findings += problems
    if problems:
        return FileOutcome(file, findings, ())
    outcomes, refused = run(test, opened(files)[0], events_of(test), catalogue, covered)
    return FileOutcome(file, findings + refused, outcomes)


command = single(run_tests)

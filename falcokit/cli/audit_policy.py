"""``falcokit audit policy``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from falcokit.cli.options import aside, fail, say, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from falcokit.audit.policy_file import Policy
    from falcokit.audit.volume import Volume
    from falcokit.cli.rule_sets import Rules
    from falcokit.event import Event
    from falcokit.ruleset.rule_compiler import CompiledRule
    from falcokit.source import SourceFile

__all__ = ["policy"]

_MAX_DAMAGED = 20


class Format(StrEnum):
    """How the result is printed."""

    text = "text"
    json = "json"
    markdown = "markdown"


def policy(
    check: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="Judge this policy instead; - is standard input.")
    ] = None,
    output: Annotated[
        Optional[str],
        typer.Option("--output", "-o", metavar="FILE", help="Write the policy, or the report, to a file."),
    ] = None,
    sample: Annotated[
        Optional[list[str]],
        typer.Option(metavar="LOG", help="An audit log: estimate how much the policy records of it; repeatable."),
    ] = None,
    rules: Annotated[
        Optional[list[str]],
        typer.Option("--rules", metavar="PATH", help="Custom rules files or folders, in load order; repeatable."),
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
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.text,
) -> None:
    """Make the smallest audit policy for the rules in use, or say which of them can fire with the policy that is there.

    What a rule needs is worked out from its condition, with all macros and lists put in: requests, stages, and whether it
    looks at what was sent or answered. Fields that are only printed need nothing. With --check each enabled rule can fire,
    cannot, or fires blind: where the body of a request is not recorded, `not` holds for what it would have told.

    Exit codes: 0 every enabled rule can fire, 1 some cannot or fire blind, 2 wrong usage or a policy that is refused.

    Example: falcokit audit policy --check /etc/kubernetes/audit-policy.yaml
    """
    if check == "-" and sample and "-" in sample:
        fail("standard input can be read once: give - once")
    read, enabled = _rules(rules, defaults, config, no_defaults, fields)
    if check is None:
        _make(read, enabled, rules, output, sample, format)
    _judge(check, read, enabled, output, sample, format)


def _rules(
    rules: list[str] | None, defaults: list[str] | None, config: str | None, no_defaults: bool, fields: list[str] | None
) -> tuple[Rules, list[CompiledRule]]:
    """What was loaded, and the enabled rules for audit events among it."""
    from falcokit.audit.needs import SOURCE
    from falcokit.cli.below import below, project_of
    from falcokit.cli.rule_sets import read_rules, refused
    from falcokit.cli.screen import screen_width
    from falcokit.ruleset.loader import load

    read = read_rules(rules or (), below(defaults, config, no_defaults, project_of(None, False)), fields)
    loaded = load(read.files, read.catalogue)
    if errors := [finding for finding in loaded.diagnostics if finding.is_error]:
        aside(refused(errors, False, screen_width()))
        raise typer.Exit(2)
    assert loaded.compilation is not None
    found = [rule for rule in loaded.compilation.rules.values() if rule.definition.source == SOURCE and read.runs(rule)]
    if not found:
        fail(f"no enabled rule of the source {SOURCE} is loaded: name a rules file with --rules or --defaults")
    return read, found


def _make(
    read: Rules,
    enabled: list[CompiledRule],
    rules: list[str] | None,
    output: str | None,
    sample: list[str] | None,
    format: Format,
) -> None:
    from falcokit.audit.generate import generated, policy_text
    from falcokit.audit.needs import needs
    from falcokit.report.audit_policy import made_json, made_markdown, volume_text

    made = generated(needs(enabled, read.catalogue))
    loaded = ", ".join([*([] if read.said == "none" else [read.said]), *(rules or ())])
    head = [
        f"Audit policy for the rules in use ({loaded}), made by falcokit audit policy: nothing but what they need is recorded."
    ]
    text = policy_text(made, head)
    estimate = _estimate(sample, made.policy)
    if format is Format.json:
        text = _dumped(made_json(made, text, estimate))
    elif format is Format.markdown:
        text = made_markdown(made, text, estimate)
    _put(text, output)
    if format is Format.text and estimate is not None:
        if output is None:
            aside(volume_text(estimate))  # Standard output is the policy.
        else:
            write(volume_text(estimate))
    raise typer.Exit(0)


def _judge(
    name: str | None,
    read: Rules,
    enabled: list[CompiledRule],
    output: str | None,
    sample: list[str] | None,
    format: Format,
) -> None:
    from falcokit.audit.policy_file import read_policy
    from falcokit.audit.verdicts import judged
    from falcokit.cli.screen import screen_width
    from falcokit.report.audit_policy import check_json, check_markdown, check_text, findings_text

    file = _source(name or "-")
    found, findings = read_policy(file)
    if found is None:
        aside(findings_text(findings))
        fail(f"the API server would not start with {file.name}")
    verdicts = judged(enabled, read.catalogue, found)
    estimate = _estimate(sample, found)
    if format is Format.json:
        text = _dumped(check_json(verdicts, found, file.name, findings, estimate))
    elif format is Format.markdown:
        text = check_markdown(verdicts, found, file.name, findings, estimate)
    else:
        text = check_text(verdicts, found, file.name, findings, estimate, screen_width())
    _put(text, output)
    raise typer.Exit(0 if all(verdict.works for verdict in verdicts) else 1)


def _source(name: str) -> SourceFile:
    from falcokit.cli.inputs import read_files
    from falcokit.source import SourceFile
    from falcokit.source.decode import decode

    ((shown, content),) = read_files([name])
    return SourceFile(shown, decode(content))


def _dumped(document: dict[str, Any]) -> str:
    import json

    return json.dumps(document, ensure_ascii=True, indent=2) + "\n"


def _put(text: str, output: str | None) -> None:
    from falcokit.cli.below import or_fail
    from falcokit.workspace.write import write_whole

    if output is None or output == "-":
        write(text)
        return
    or_fail(lambda: write_whole(output, text))
    say(f"written: {output}")


def _estimate(sample: Sequence[str] | None, found: Policy) -> Volume | None:
    """How much of the logs *sample* the policy *found* records; ends the run where one cannot be read."""
    if not sample:
        return None
    from falcokit.audit.volume import volume
    from falcokit.workspace.event_files import unreadable

    for path in sample:
        if (trouble := unreadable(path)) is not None:
            fail(f"cannot read {path}: {trouble.reason}")
    estimate = volume(_events(sample), found)
    if not estimate.total.events:
        fail(f"no audit events found in {', '.join(sample)}")
    return estimate


def _events(paths: Sequence[str]) -> Iterator[Event]:
    from falcokit.event import Event
    from falcokit.workspace.event_files import events_in

    damaged = 0
    for path in paths:
        for found in events_in(path):
            if isinstance(found, Event):
                yield found
                continue
            damaged += 1
            if damaged <= _MAX_DAMAGED:
                say(f"{found.name}:{found.line}: {found.reason}")
    if damaged > _MAX_DAMAGED:
        say(f"{damaged - _MAX_DAMAGED} more places could not be read")

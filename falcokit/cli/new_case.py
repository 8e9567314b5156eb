"""``falcokit test --new-from-event``: test cases from events that happened."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

import typer

from falcokit.cli.below import Below
from falcokit.cli.options import fail, say, write
from falcokit.cli.rule_sets import read_rules, refused

if TYPE_CHECKING:
    from falcokit.catalogue import Catalogue
    from falcokit.evaluate import Matcher
    from falcokit.evaluate.read_back import ReadBack
    from falcokit.event import Event

__all__ = ["print_cases_of_rules", "print_new_cases"]

_MAX_EVENTS: Final = 1_000


def print_new_cases(path: str, rules: Sequence[str], base: Below, catalogue: Catalogue) -> None:
    """Print a test file with a case for each event of the file at *path*."""
    from falcokit.case.write import yaml_text
    from falcokit.evaluate import Matcher
    from falcokit.evaluate.read_back import ReadBack
    from falcokit.event import Event
    from falcokit.ruleset.loader import load
    from falcokit.workspace.event_files import events_in, unreadable

    if (trouble := unreadable(path)) is not None:
        fail(f"cannot read {path}: {trouble.reason}")
    read = read_rules(rules, base, None)
    loaded = load(read.files, catalogue)
    if errors := [finding for finding in loaded.diagnostics if finding.is_error]:
        write(refused(errors, False, 80))
        raise typer.Exit(1)
    compiled = loaded.compilation.rules.values() if loaded.compilation is not None else ()
    matcher = Matcher(compiled, catalogue, rule_matching="all", runs=lambda rule: True)
    read_back = ReadBack(matcher.rules, catalogue)
    cases: list[str] = []
    damaged = 0
    for found in islice(events_in(path), _MAX_EVENTS + 1):
        if not isinstance(found, Event):
            damaged += not found.note
            say(f"{found.name}:{found.line}: {found.reason}")
        elif len(cases) < _MAX_EVENTS:
            cases.append(_case(found, matcher, catalogue, read_back))
        else:
            say(f"{path} has more events: cases of the first {_MAX_EVENTS} are made")
    if not cases:
        fail(f"{path} has no event")
    lines = ["# Cases made from events: look at what is assumed, and add what must stay silent.\n"]
    if rules:
        lines.append(f"rules: [{', '.join(map(yaml_text, rules))}]  # relative to this file\n")
    write("".join([*lines, "cases:\n", *cases]))
    if damaged:
        raise typer.Exit(1)


def print_cases_of_rules(names: Sequence[str], rules: Sequence[str], base: Below, catalogue: Catalogue) -> None:
    """Print a test file with a case for each of the rules *names*, with an event made up from its condition."""
    from falcokit.case.synthesise import matching_event
    from falcokit.case.write import Completed, case_text, yaml_text
    from falcokit.evaluate import Matcher
    from falcokit.ruleset.loader import load
    from falcokit.ruleset.suggest import nearest

    read = read_rules(rules, base, None)
    loaded = load(read.files, catalogue)
    if errors := [finding for finding in loaded.diagnostics if finding.is_error]:
        write(refused(errors, False, 80))
        raise typer.Exit(1)
    compiled = loaded.compilation.rules if loaded.compilation is not None else {}
    matcher = Matcher(compiled.values(), catalogue, rule_matching="all", runs=lambda rule: True)
    by_name = {rule.name: rule for rule in matcher.rules}
    cases: list[str] = []
    for name in names:
        rule = by_name.get(name)
        if rule is None:
            near = nearest(name, by_name)
            fail(f"no rule '{name}' is loaded" + (f": did you mean '{near[0]}'?" if near else ""))
        event = matching_event(rule, matcher)
        if event is None:
            say(f"no event was found that fires '{name}': perhaps its condition never holds")
            continue
        source = rule.definition.source
        cases.append(
            case_text(name, "made up from the condition", (name,), Completed(event, {}, ()), source, catalogue)
        )
    if not cases:
        raise typer.Exit(1)
    lines = ["# Cases made up from the conditions of rules: make the values such as you expect to see.\n"]
    if rules:
        lines.append(f"rules: [{', '.join(map(yaml_text, rules))}]  # relative to this file\n")
    disabled = [name for name in names if name in by_name and not by_name[name].enabled]
    if disabled:
        lines.append(f"enable: [{', '.join(map(yaml_text, disabled))}]\n")
    write("".join([*lines, "cases:\n", *cases]))


def _case(event: Event, matcher: Matcher, catalogue: Catalogue, read_back: ReadBack) -> str:
    from falcokit.case.write import Completed, case_text, complete
    from falcokit.evaluate.partial import told_fields
    from falcokit.evaluate.tell import told

    source = event.source or next((one.definition.source for one in matcher.rules if one.name == event.rule), "syscall")
    fields, rules = told_fields(event, source, catalogue, read_back)
    known = {name: value for name, value in fields.items() if value is not None}
    name = rules[0] if rules else "an event"
    about = fields.get("proc.cmdline") or fields.get("fd.name") or fields.get("ka.target.name") or ""
    if isinstance(about, str) and about:
        name += f": {about[:60]}"
    place = f"{event.name}:{event.line}"
    if event.form.complete:
        fires = tuple([one.name for one in matcher.fired(event.fields, source)])
        return case_text(name, place, fires, Completed(known, {}, ()), source, catalogue)
    rule = next((one for one in matcher.rules if one.name in rules), None)
    if rule is None:
        said = ("no rule of this name is loaded: say which rules to test with --rules",) if rules else ()
        return case_text(name, place, rules[:1], Completed(known, {}, ()), source, catalogue, said)
    completed = complete(fields, rule, matcher) if rule.definition.source == source else Completed(known, {}, ())
    notes = tuple([f"the rule does not fire yet: {told(reason)}" for reason in completed.missing[:3]])
    return case_text(name, place, (rule.name,), completed, source, catalogue, notes)

"""``falcokit test --new-from-event``: test cases from events that happened."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from falcokit.cli.defaults import Below
from falcokit.cli.options import fail, write
from falcokit.cli.rule_sets import read_rules

if TYPE_CHECKING:
    from falcokit.catalogue import Catalogue
    from falcokit.evaluate import Matcher
    from falcokit.event import Event

__all__ = ["print_new_cases"]

_MAX_EVENTS: Final = 1_000


def print_new_cases(path: str, rules: Sequence[str], base: Below, catalogue: Catalogue) -> None:
    """Print a test file with a case for each event of the file at *path*."""
    from falcokit.case.write import yaml_text
    from falcokit.evaluate import Matcher
    from falcokit.event import Event
    from falcokit.ruleset.loader import load
    from falcokit.workspace.event_files import events_in, unreadable

    if (trouble := unreadable(path)) is not None:
        fail(f"cannot read {path}: {trouble.reason}")
    read = read_rules(rules, base, None)
    loaded = load(read.files, catalogue)
    compiled = loaded.compilation.rules.values() if loaded.compilation is not None else ()
    matcher = Matcher(compiled, catalogue, rule_matching="all", runs=lambda rule: True)
    cases: list[str] = []
    for found in islice(events_in(path), _MAX_EVENTS):
        if isinstance(found, Event):
            cases.append(_case(found, matcher, catalogue))
        elif not cases:
            fail(f"{found.name}:{found.line}: {found.reason}")
    if not cases:
        fail(f"{path} has no event")
    lines = ["# Cases made from events: look at what is assumed, and add what must stay silent.\n"]
    if rules:
        lines.append(f"rules: [{', '.join(map(yaml_text, rules))}]  # relative to this file\n")
    write("".join([*lines, "cases:\n", *cases]))


def _case(event: Event, matcher: Matcher, catalogue: Catalogue) -> str:
    from falcokit.case.write import Completed, case_text, complete
    from falcokit.evaluate.partial import typed_fields
    from falcokit.evaluate.tell import told

    rule = next((rule for rule in matcher.rules if rule.name == event.rule), None)
    source = event.source or (rule.definition.source if rule is not None else "syscall")
    fields = typed_fields(event.fields, source, catalogue)
    name = event.rule or "an event"
    about = fields.get("proc.cmdline") or fields.get("fd.name") or fields.get("ka.target.name") or ""
    if isinstance(about, str) and about:
        name += f": {about[:60]}"
    notes: tuple[str, ...] = ()
    completed = Completed({key: value for key, value in fields.items() if value is not None}, {}, ())
    if rule is None:
        notes = ("no rule of this name is loaded: say which rules to test with --rules",) if event.rule else ()
    elif rule.definition.source == source:
        completed = complete(fields, rule, matcher)
        notes = tuple([f"the rule does not fire yet: {told(reason)}" for reason in completed.missing[:3]])
    fires: tuple[str, ...] = (event.rule,) if event.rule else ()
    if event.form.complete:
        fires = tuple([one.name for one in matcher.fired(event.fields, source)])
    return case_text(name, f"{event.name}:{event.line}", fires, completed, source, catalogue, notes)

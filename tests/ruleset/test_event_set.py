"""Which events a condition can match."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from falcokit.catalogue import Catalogue
from falcokit.condition import parse
from falcokit.condition.ast import And, Check, Expression, Identifier, Not, Or
from falcokit.diagnostic import Problem
from falcokit.ruleset.event_set import combined, event_codes, event_names

SHARED = Path(__file__).parents[2].parent / "shared"
EVENTS = Catalogue.bundled().events
EVERYTHING = EVENTS.all_codes
OPEN = EVENTS.names(["open"])


def codes(node: Expression, negated: bool = False) -> int:
    if isinstance(node, Check):
        return event_codes(node, negated, EVENTS)
    if isinstance(node, Not):
        return codes(node.child, not negated)
    assert isinstance(node, (And, Or)), node
    masks = [codes(child, negated) for child in node.children]
    return combined(masks, conjunction=isinstance(node, And), negated=negated, events=EVENTS)


def codes_of(text: str) -> int:
    tree = parse(text)
    assert not isinstance(tree, (Problem, Identifier))
    return codes(tree)


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("evt.type = open", OPEN),
        ("evt.type != open", EVERYTHING & ~OPEN),
        ("not evt.type != open", OPEN),
        ("not evt.type = open", EVERYTHING & ~OPEN),
        ("evt.type in ()", 0),
        ("not evt.type in ()", EVERYTHING),
        ("evt.type in open", OPEN),
        ("syscall.type = open", OPEN),
        ("evt.type exists", EVERYTHING),
        ("not evt.type exists", 0),
        ("evt.type contains open", EVERYTHING),
        ("evt.type = anyof (open)", EVERYTHING),
        ("proc.name = x", EVERYTHING),
        ("not proc.name = x", EVERYTHING),
        ("not (evt.type = open or proc.name = x)", EVERYTHING & ~OPEN),
        ("not (evt.type = open and proc.name = x)", EVERYTHING),
        ("proc.name = x and evt.type = open", OPEN),
        ("evt.type = open and evt.type = close", 0),
        ("evt.num = 0", 0),
        ("not evt.num = 0", EVERYTHING),
        ("evt.num = 00000000000000000000000000000000000000", 0),
        ("evt.num < 1", 0),
        ("evt.num <= 0", 0),
        ("evt.num > 0", EVERYTHING),
        ("not evt.num > 0", 0),
        ("not evt.num >= 1", 0),
        ("evt.num = 1", EVERYTHING),
        ("not evt.num = 1", EVERYTHING),
        ("evt.num in (0, 00)", 0),
        ("evt.num in (0, 1)", EVERYTHING),
        ("evt.num in ()", 0),
        ("evt.num = anyof (0)", EVERYTHING),
    ],
)
def test_the_set_of_a_condition(text: str, mask: int) -> None:
    assert codes_of(text) == mask


def test_system_calls_without_an_event_of_their_own_share_two_codes() -> None:
    mask = codes_of("evt.type in (getpid, getppid)")
    assert EVENTS.count(mask) == 2
    assert event_names(mask, "syscall", EVENTS) == ("asyncevent", "getpid", "getppid")


def test_other_sources_have_their_two_events() -> None:
    assert event_names(EVERYTHING, "k8s_audit", EVENTS) == ("asyncevent", "pluginevent")


def test_the_events_of_the_conformance_cases() -> None:
    folder = SHARED / "conformance"
    if not folder.exists():
        pytest.skip("the conformance cases are not here")
    tried = 0
    for topic in ("event-types", "field-to-field", "transformers", "value-parsing", "warnings"):
        path = folder / "describe" / f"{topic}.json"
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"].values():
            for rule in case.get("rules", ()) if isinstance(case.get("rules"), list) else ():
                details = rule.get("details", {})
                if "events" not in details or details["macros"] or details["lists"] or details["exception_names"]:
                    continue
                mask = codes_of(rule["info"]["condition"])
                assert list(event_names(mask, rule["info"]["source"], EVENTS)) == sorted(details["events"]), rule[
                    "info"
                ]
                tried += 1
    assert tried > 100

"""Every measured verdict on a condition and an event: what fires in Falco fires here, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from falcokit import Catalogue, compile_condition

CORPUS = Path(__file__).parents[3] / "shared" / "evaluation"

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="needs the measured verdicts in ../shared")


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text(encoding="utf-8").splitlines() if line]


def fields(event: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """The values of an event by full field expressions, as the folder's README tells."""
    for key, value in event.items():
        name = f"t.{key}"
        if isinstance(value, dict):
            yield from ((f"{name}[{member}]", inner) for member, inner in value.items())
            if "default" in value:
                yield name, value["default"]
        elif key.startswith("idx") or key == "any":
            yield from ((f"{name}[{at}]", inner) for at, inner in enumerate(value))
            if value:
                yield name, value[-1]
        else:
            yield name, value


def test_all_verdicts() -> None:
    catalogue = Catalogue.from_json((CORPUS / "catalogue.json").read_text(encoding="utf-8"))
    events = [(event["id"], dict(fields(event))) for event in lines("events.jsonl")]
    wanted = {verdict["id"]: set(verdict["matches"]) for verdict in lines("verdicts.jsonl")}
    conditions = [c for c in lines("conditions.jsonl") if c["id"] in wanted and "caution" not in c]
    assert len(conditions) > 2000
    wrong = []
    for case in conditions:
        condition = compile_condition(case["condition"], source="eval", catalogue=catalogue)
        if {name for name, event in events if condition.matches(event)} != wanted[case["id"]]:
            wrong.append(case["condition"])
    assert wrong == []


def test_what_ends_falco_ends_nothing_here() -> None:
    catalogue = Catalogue.from_json((CORPUS / "catalogue.json").read_text(encoding="utf-8"))
    events = [(event["id"], dict(fields(event))) for event in lines("events.jsonl")]
    for case in lines("crashes.jsonl"):
        condition = compile_condition(case["condition"], source="eval", catalogue=catalogue)
        ends = set(case["ends_on"])
        found = {name for name, event in events if name not in ends and condition.matches(event)}
        assert found == set(case["matches"]), case["condition"]
        assert all(condition.matches(event) in (True, False) for name, event in events if name in ends)

"""Kubernetes audit events as the real plugins extract them: every measured value, and the forms that a line can have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from falcokit import audit_events

CORPUS = Path(__file__).parents[3] / "shared" / "evaluation" / "k8s_audit"

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="needs the measured values in ../shared")


def lines(name: str) -> list[dict[str, Any]]:
    text = (CORPUS / name).read_text(encoding="utf-8", errors="surrogatepass")
    return [json.loads(line) for line in text.split("\n") if line]


def test_every_value() -> None:
    spec = json.loads((CORPUS / "expressions.json").read_text(encoding="utf-8"))
    expressions = sorted({*spec["fields"], *spec["always_written"]} - {"evt.rawtime"})
    wanted = {row["id"]: row for row in lines("values.jsonl")}
    assert len(wanted) > 250
    wrong = []
    for row in lines("events.jsonl"):
        record = wanted[row["id"]]
        found = audit_events(row.get("raw") or json.dumps(row["event"], ensure_ascii=False, separators=(",", ":")))
        assert len(found) == (0 if record.get("dropped") else 1), row["id"]
        for expression in set(expressions) - set(record.get("crash", ())) if found else ():
            if found[0].get(expression) != record["values"].get(expression):
                wrong.append((row["id"], expression))
    assert wrong == []


def test_the_forms_of_a_line() -> None:
    wrong = []
    for row in lines("forms.jsonl"):
        # Where the plugin gives up at a long line, falcokit goes on.
        if row["line"] is None or "\n" in row["line"] or row["line_length"] > 65000:
            continue
        found = [(event.get("json.value[/auditID]"), event.get("evt.rawtime")) for event in audit_events(row["line"])]
        # What Falco says of the years before 1970 is not to be used, as the folder's README tells.
        expected = [(event["json.auditID"], event["evt.rawtime"]) for event in row["events"]]
        if found != expected and not any(time is None or not 0 < time < 1 << 63 for _, time in [*expected, *found]):
            wrong.append((row["id"], found, expected))
    assert wrong == []

"""falcokit against every verdict measured from the real Falco."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import falcokit

SHARED = Path(__file__).parents[2].parent / "shared"
CASES = SHARED / "conformance"
CORPUS = SHARED / "corpus"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="needs the measured cases in ../shared")

NO_VERDICT = {"exceptions/replace-list-no-comps"}
"""Falco crashes on these, so that there is nothing to agree with."""


def topics() -> list[str]:
    found = []
    for path in sorted((CASES / "cases").glob("*.json")):
        if "mode" not in json.loads(path.read_text(encoding="utf-8")):
            found.append(path.stem)
    return found


def read(kind: str, topic: str) -> dict[str, Any]:
    path = CASES / kind / f"{topic}.json"
    cases: Any = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return cases if isinstance(cases, dict) else {case["id"]: case for case in cases}


def validated(case: dict[str, Any]) -> falcokit.Validation:
    return falcokit.validate([(f"r{number}.yaml", text) for number, text in enumerate(case["files"], 1)])


def places(entry: dict[str, Any]) -> tuple[str, list[tuple[Any, ...]]]:
    if "locations" in entry:
        return entry["code"], [tuple(x[:5]) for x in entry["locations"]]
    return entry["code"], [
        (x["item_type"], x["item_name"], x["position"]["name"], x["position"]["line"], x["position"]["column"])
        for x in entry["context"]["locations"]
    ]


@pytest.mark.parametrize("topic", topics() if CASES.exists() else [])
def test_verdicts_codes_and_places(topic: str) -> None:
    expected = read("expected", topic)
    wrong = []
    for name, case in read("cases", topic).items():
        want = expected[name]
        got = validated(case).to_falco()["falco_load_results"]
        if want.get("fatal") or not want.get("files"):
            if all(file["successful"] for file in got) and f"{topic}/{name}" not in NO_VERDICT:
                wrong.append(name)
            continue
        for w, g in zip(want["files"], got, strict=True):
            same = (
                w["ok"] == g["successful"]
                and sorted(map(places, w["errors"])) == sorted(map(places, g["errors"]))
                and sorted(map(places, w["warnings"])) == sorted(map(places, g["warnings"]))
                and w.get("schema_valid") == g.get("schema_valid")
                and {e.get("codedesc") for e in w["errors"] if "codedesc" in e} <= {e["codedesc"] for e in g["errors"]}
            )
            if not same:
                wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize("topic", topics() if CASES.exists() else [])
def test_compiled_conditions_and_outputs(topic: str) -> None:
    if not (CASES / "describe" / f"{topic}.json").exists():
        pytest.skip("nothing measured")
    cases = read("cases", topic)
    wrong = []
    for name, want in read("describe", topic).items():
        rules = {rule["info"]["name"]: rule for rule in validated(cases[name]).describe()["rules"]}
        if isinstance(want["rules"], dict):  # the short form: rule -> compiled condition
            if want["rules"] != {n: rule["details"]["condition_compiled"] for n, rule in rules.items()}:
                wrong.append(name)
            continue
        for rule in want["rules"]:
            got = rules[rule["info"]["name"]]
            keys = ("condition_compiled", "output_compiled", "condition_fields", "output_fields", "exception_names")
            if rule["info"] != got["info"] or any(rule["details"][k] != got["details"][k] for k in keys):
                wrong.append(name)
    assert wrong == []


def test_the_published_rules_have_no_finding() -> None:
    upstream = CORPUS / "upstream"
    files = [
        upstream / "falco-rules/5.1.0/falco_rules.yaml",
        upstream / "falco-incubating-rules/6.0.1/falco-incubating_rules.yaml",
        upstream / "falco-sandbox-rules/6.1.0/falco-sandbox_rules.yaml",
        upstream / "plugins/k8saudit/k8s_audit_rules.yaml",
    ]
    together = falcokit.validate([(str(path), path.read_bytes()) for path in files]).to_falco()
    alone = [falcokit.validate([(str(path), path.read_bytes())]).to_falco() for path in files]
    for result in [together, *alone]:
        for file in result["falco_load_results"]:
            assert (file["successful"], file["warnings"], file["schema_valid"]) == (True, [], True)


@pytest.mark.parametrize("mode", ["alone", "after_stable", "after_all"])
def test_custom_files_of_all_ages(mode: str) -> None:
    upstream = CORPUS / "upstream"
    before = {
        "alone": [],
        "after_stable": ["falco-rules/5.1.0/falco_rules.yaml"],
        "after_all": [
            "falco-rules/5.1.0/falco_rules.yaml",
            "falco-incubating-rules/6.0.1/falco-incubating_rules.yaml",
            "falco-sandbox-rules/6.1.0/falco-sandbox_rules.yaml",
            "plugins/k8saudit/k8s_audit_rules.yaml",
        ],
    }[mode]
    first = [(name, (upstream / name).read_bytes()) for name in before]
    wrong = []
    for name, verdicts in json.loads((CORPUS / "custom" / "verdicts.json").read_text(encoding="utf-8")).items():
        want = verdicts[mode]
        content = (CORPUS / "custom" / name).read_bytes()
        got = falcokit.validate([*first, ("custom", content)]).to_falco()["falco_load_results"][-1]
        if "fatal" in want:
            if got["successful"]:
                wrong.append(name)
            continue
        for key in ("errors", "warnings"):
            innermost = [(code, chain[-1]) for code, chain in map(places, got[key])]
            found = sorted([code, x[0], x[1], x[3], x[4]] for code, x in innermost)
            if found != sorted(want[key]) or want["ok"] != got["successful"]:
                wrong.append(name)
                break
    assert wrong == []

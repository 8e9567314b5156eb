"""The schema of test files says what the reader says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from falcokit.case.read import CASE_KEYS, EXPECT_KEYS, FILE_KEYS, read_test_file
from falcokit.source import SourceFile

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "test-file.schema.json").read_text(encoding="utf-8"))
CASE = {"name": "a", "fields": {"proc.name": "x", "user.uid": 0, "proc.pname": None}, "expect": {"fires": "R"}}


def test_the_keys_are_the_same() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]) == set(FILE_KEYS)
    assert set(SCHEMA["$defs"]["case"]["properties"]) == set(CASE_KEYS)
    assert set(SCHEMA["$defs"]["expect"]["properties"]) == set(EXPECT_KEYS)
    assert set(SCHEMA["$defs"]["row"]["properties"]) == {"name", *EXPECT_KEYS}


@pytest.mark.parametrize(
    ("document", "good"),
    [
        ({"cases": [CASE]}, True),
        ({"cases": [CASE], "rules": ["a.yaml"], "defaults": False, "rule_matching": "first", "enable": "all"}, True),
        ({"cases": [CASE], "macros": {"m": "proc.name = x"}, "lists": {"l": ["x", "y"]}, "source": "k8s_audit"}, True),
        ({"cases": [CASE | {"table": [{"proc.name": "y", "silent": ["R"], "name": "row"}]}]}, True),
        ({"cases": [CASE | {"expect": {"fires": []}}]}, True),
        ({"cases": [CASE | {"expect": {"fires": "R", "output": {"R": "text"}, "reason": ["proc.name"]}}]}, True),
        ({"cases": [{"name": "a", "event": "e.json", "line": 3, "complete": True, "expect": {"unknown": "R"}}]}, True),
        ({"cases": [{"name": "a", "events": "e.json", "expect": {"silent": "R"}}]}, True),
        ({}, False),
        ({"cases": []}, False),
        ({"cases": {}}, False),
        ({"cases": [{}]}, False),
        ({"cases": [CASE], "case": 1}, False),
        ({"cases": [CASE], "rule_matching": "some"}, False),
        ({"cases": [CASE | {"expects": {}}]}, False),
        ({"cases": [CASE | {"expect": {"fire": "R"}}]}, False),
        ({"cases": [CASE | {"expect": {}}]}, False),
        ({"cases": [CASE | {"expect": {"fires": {"a": 1}}}]}, False),
        ({"cases": [CASE | {"line": "x"}]}, False),
        ({"cases": [CASE | {"complete": "maybe"}]}, False),
        ({"cases": [CASE | {"table": []}]}, False),
        ({"cases": [CASE | {"table": [{"fire": "R"}]}]}, False),
        ({"cases": [{"name": "a", "fields": {}}]}, False),
        ({"cases": [{"name": "a", "expect": {"fires": "R"}}]}, False),
        ({"cases": [{"fields": {}, "expect": {"fires": "R"}}]}, False),
        ({"cases": [CASE | {"event": "a", "events": "b"}]}, False),
        ({"cases": [CASE | {"macros": {"m": ""}}]}, False),
    ],
)
def test_schema_and_reader_agree(document: Any, good: bool) -> None:
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(document) is good
    _, findings = read_test_file(SourceFile("t.yaml", json.dumps(document)))
    assert (findings == ()) is good, findings


def test_the_cases_of_the_default_rules_fit_the_schema() -> None:
    from ruamel.yaml import YAML

    text = (ROOT / "tests" / "default_rules" / "falco_rules_test.yaml").read_text(encoding="utf-8")
    jsonschema.validate(YAML(typ="safe", pure=True).load(text), SCHEMA)

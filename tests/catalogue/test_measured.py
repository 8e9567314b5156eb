"""The catalogue against the facts it was taken from and verdicts measured from Falco, where they are at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from falcokit.catalogue import Catalogue, FieldError, FieldUse
from falcokit.catalogue.types import LIST_OPERATORS, TYPES, group_of

SHARED = Path(__file__).parents[2].parent / "shared"
FACTS = SHARED / "spec" / "falco" / "facts"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared facts and cases are not here")
CATALOGUE = Catalogue.bundled()


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_falcos_own_fields() -> None:
    fields = {field.name: field for field in CATALOGUE.fields() if not field.plugin}
    facts = read(FACTS / "builtin_fields.json")["fields"]
    assert set(fields) == {fact["name"] for fact in facts}
    for fact in facts:
        field = fields[fact["name"]]
        for flag in ("no_rhs", "no_transformer", "filter_only", "hidden", "deprecated", "print_format"):
            assert getattr(field, flag) == fact[flag], (field.name, flag)
        assert (field.type, field.is_list, field.argument) == (fact["type"], fact["list"], fact["arg"] or "")
        assert field.source == ("*" if fact["sources"] == "all sources" else "syscall")


@pytest.mark.parametrize("name", ["container", "k8s_audit", "json", "cloudtrail", "okta", "github", "gcpaudit"])
def test_plugin_fields(name: str) -> None:
    data = read(FACTS / f"{name}_fields.json")
    plugin = {"k8s_audit": "k8saudit"}.get(name, name)
    fields = {field.name: field for field in CATALOGUE.fields() if field.plugin == plugin}
    assert set(fields) == {fact["name"] for fact in data["fields"]}
    for fact in data["fields"]:
        field = fields[fact["name"]]
        assert (field.type, field.is_list, field.argument) == (fact["type"], fact["list"], fact["arg"] or "")
        assert field.argument_kinds == tuple(fact["arg_kind"])
        assert (field.deprecated, field.suggested_output) == (
            fact.get("deprecated", False),
            fact.get("suggested_output", False),
        )
        assert field.source == ("*" if name == "json" else data["source"])


def test_types_and_operators() -> None:
    facts = read(FACTS / "field_types.json")["types"]
    assert set(facts) == set(TYPES)
    for name, fact in facts.items():
        assert TYPES[name].operators == set(fact["operators"])
        assert TYPES[name].with_modifier == set(fact["operators_with_modifier"])
        assert (group_of(name, True).operators == LIST_OPERATORS) is fact["list_allowed"]


def test_events_and_parameters() -> None:
    facts = read(FACTS / "event_types.json")
    events = CATALOGUE.events
    for name, codes in facts["codes_per_name"].items():
        assert events.codes(name) == tuple(codes)
    assert all(events.codes(name) == (0, 1) for name in facts["generic_syscall_names"])
    assert all(events.is_syscall(name) for name in facts["syscall_names"])
    assert dict(CATALOGUE.parameters) == {p["name"]: p["type"] for p in read(FACTS / "event_params.json")["params"]}


FIELD_ARGUMENT = re.compile(
    r"unknown event argument|filter syntax error|requires an argument|unbalanced argument|does not allow nor require"
    r"|invalid index argument|is not a valid number|must be expressed explicitly"
)
CONDITION = re.compile(r"(?:(?:evt\.type=open and |^))([a-z0-9_]+(?:\.[A-Za-z0-9_]+)+(?:\[[^]\"' ]+\]|\['[^']*'\])?)")


def measured() -> Iterator[tuple[str, str, str]]:
    """Case, the field it is about with its argument, the message of the one file's first error."""
    cases = read(SHARED / "conformance" / "cases" / "field-arguments.json")["cases"]
    expected = read(SHARED / "conformance" / "expected" / "field-arguments.json")["cases"]
    for case in cases:
        field = CONDITION.match(case["about"])
        files = expected[case["id"]].get("files") or []
        if (
            field is None
            or not files
            or not re.match(r" ?(?:[=<>]|in |contains|exists|intersects)", case["about"][field.end() :])
        ):
            continue
        message = files[0]["errors"][0]["message"] if files[0]["errors"] else ""
        if "not supported" not in message and "expected a" not in message:
            yield case["id"], re.sub(r"\['(.*)'\]", r"[\1]", field[1]), message


def test_field_arguments_as_measured() -> None:
    total = 0
    for case, text, message in measured():
        use = CATALOGUE.resolve(text, "k8s_audit" if case.startswith("ka-") else "syscall")
        if isinstance(use, FieldUse):
            assert message == "", (case, text)
        elif use.unknown_filter:
            assert "nonexistent field" in message, (case, text)
        else:
            assert FIELD_ARGUMENT.search(message), (case, text, message)
        total += 1
    assert total > 80


def test_every_nonexistent_field_that_falco_names_is_unknown() -> None:
    total = 0
    for path in sorted((SHARED / "conformance" / "expected").glob("*.json")):
        for case in read(path)["cases"].values():
            for error in (error for file in case.get("files") or [] for error in file["errors"]):
                if name := re.fullmatch(r"filter_check called with nonexistent field (.*)", error["message"]):
                    # Cases do not say their source here: a field of another source is unknown for theirs only.
                    known = [s for s in CATALOGUE.sources if isinstance(CATALOGUE.resolve(name[1], s), FieldUse)]
                    assert len(known) < len(CATALOGUE.sources), name[1]
                    total += 1
    assert total > 30


def test_every_measured_audit_expression_is_a_field() -> None:
    expressions = read(SHARED / "evaluation" / "k8s_audit" / "expressions.json")["fields"]
    wrong = [e for e in expressions if isinstance(CATALOGUE.resolve(e.replace('"', ""), "k8s_audit"), FieldError)]
    assert wrong == []


@pytest.mark.parametrize("path", ["evaluation/catalogue.json", "conformance/evaluation-fields.json"])
def test_catalogues_of_the_evaluation(path: str) -> None:
    text = (SHARED / path).read_text(encoding="utf-8")
    catalogue = Catalogue.from_json(text)
    for fact in json.loads(text)["fields"]:
        argument = "" if fact["arg"] is None else "[0]"
        use = catalogue.resolve(fact["name"] + argument, "eval")
        assert isinstance(use, FieldUse)
        assert (use.type, use.is_list) == (fact["type"], fact["list"])
        bare = catalogue.resolve(fact["name"], "eval")
        assert isinstance(bare, FieldError) is (fact["arg"] == "required")

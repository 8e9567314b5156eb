"""What other programs read: parseable whatever stands in the rules, with the right places."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic, Label
from falcokit.lint import lint
from falcokit.report import github, gitlab, junit, sarif
from falcokit.report.fingerprint import fingerprints
from falcokit.source import SourceFile, Span

# What falcokit writes of SARIF 2.1.0, from the specification: nothing else may be there.


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    """An object with these properties only."""
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


NUMBER = {"type": "integer", "minimum": 1}
TEXT = {"type": "string"}
MESSAGE = closed(["text"], text={"type": "string", "minLength": 1})
URI = {"type": "string", "pattern": r"^[A-Za-z0-9._~/%:@-]*$"}
REGION = closed(["startLine"], startLine=NUMBER, startColumn=NUMBER, endLine=NUMBER, endColumn=NUMBER)
PHYSICAL = closed(["artifactLocation"], artifactLocation=closed(["uri"], uri=URI), region=REGION)
LEVEL = {"enum": ["none", "note", "warning", "error"]}
SARIF_RULE = closed(
    ["id"], id=TEXT, name=TEXT, shortDescription=MESSAGE, defaultConfiguration=closed([], level=LEVEL),
    properties={"type": "object", "properties": {"tags": {"type": "array", "items": TEXT, "uniqueItems": True}}},
)  # fmt: skip
RELATED = closed(["id"], id={"type": "integer", "minimum": -1}, message=MESSAGE, physicalLocation=PHYSICAL)
RESULT = closed(
    ["message"], ruleId=TEXT, ruleIndex={"type": "integer", "minimum": -1}, level=LEVEL, message=MESSAGE,
    locations={"type": "array", "items": closed([], physicalLocation=PHYSICAL)},
    relatedLocations={"type": "array", "uniqueItems": True, "items": RELATED},
    partialFingerprints={"type": "object", "additionalProperties": TEXT}, properties={"type": "object"},
)  # fmt: skip
DRIVER = closed(
    ["name"], name=TEXT, version={"type": "string"}, semanticVersion=TEXT,
    rules={"type": "array", "uniqueItems": True, "items": SARIF_RULE},
)  # fmt: skip
RUN = closed(
    ["tool"], tool=closed(["driver"], driver=DRIVER), columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    artifacts={"type": "array", "uniqueItems": True, "items": closed([], location=closed([], uri=URI))},
    results={"type": ["array", "null"], "items": RESULT},
)  # fmt: skip
SCHEMA = closed(
    ["version", "runs"],
    **{"$schema": TEXT},
    version={"enum": ["2.1.0"]},
    runs={"type": ["array", "null"], "items": RUN},
)

RULE = "- rule: T\n  desc: d\n  condition: evt.type = open and proc.nme = x\n  output: o %fd.nmae\n  priority: INFO\n"


def findings(text: str = RULE, name: str = "rules.d/my rules.yaml") -> tuple[tuple[Diagnostic, ...], list[SourceFile]]:
    files = [SourceFile("clean.yaml", ""), SourceFile(name, text)]
    return lint(files, Catalogue.bundled()).findings, files


def test_sarif_is_as_the_standard_wants_it() -> None:
    found, files = findings()
    report = json.loads(sarif.render(found, files, frozenset([id(found[0])])))
    jsonschema.validate(report, SCHEMA)
    (run,) = report["runs"]
    first = run["results"][0]
    assert first["ruleId"] == run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == "FK402"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "rules.d/my%20rules.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 34, "endLine": 3, "endColumn": 42}
    assert first["properties"] == {"falcoCode": "LOAD_ERR_COMPILE_CONDITION", "stopsFalco": True}
    assert first["level"] == "error"


def test_fingerprints_stay_when_lines_move_and_differ_otherwise() -> None:
    before, _ = findings(RULE + "- list: a\n  items: []\n- list: a\n  items: []\n")
    after, _ = findings(
        "# moved\n\n- list: first\n  items: []\n" + RULE + "- list: a\n  items: []\n- list: a\n  items: []\n"
    )
    assert set(fingerprints(before)) <= set(fingerprints(after))
    assert len(set(fingerprints(after))) == len(after)


def test_github_commands() -> None:
    found, files = findings()
    lines = github.render(found, files).splitlines()
    assert lines[0].startswith(
        "::error file=rules.d/my rules.yaml,line=3,endLine=3,col=34,endColumn=41,title=FK402 unknown-field::"
    )
    assert "%0Ahelp: did you mean" in lines[0]


def test_github_columns_are_absent_on_several_lines() -> None:
    file = SourceFile("f.yaml", "a\nb\n")
    d = Diagnostic("unused-list", "m", Span(file, 0, 3))
    assert github.render([d], [file]) == "::warning file=f.yaml,line=1,endLine=2,title=FK204 unused-list::m\n"


def test_junit_counts_and_says_what_passed() -> None:
    found, files = findings(RULE + "- list: idle\n  items: []\n")
    root = ElementTree.fromstring(junit.render(found, files))
    assert root.get("tests") == str(len(found) + 1)
    assert root.get("failures") == str(len(found)) == str(len(root.findall(".//failure")))
    assert [suite.get("name") for suite in root] == ["clean.yaml", "rules.d/my rules.yaml"]
    assert root[0][0].find("failure") is None


def test_gitlab_report() -> None:
    found, files = findings()
    report = json.loads(gitlab.render(found, files, frozenset([id(found[1])])))
    assert [entry["severity"] for entry in report] == ["critical", "blocker"]
    assert report[0]["location"] == {"path": "rules.d/my rules.yaml", "lines": {"begin": 3, "end": 3}}
    assert report[0]["check_name"] == "unknown-field"
    assert len({entry["fingerprint"] for entry in report}) == len(report)


@pytest.mark.parametrize("render", [sarif.render, github.render, junit.render, gitlab.render])
def test_nothing_found_is_a_report_too(render: object) -> None:
    text = render([], [SourceFile("a.yaml", "")])  # type: ignore[operator]
    assert text == "" or text.endswith("\n")


HOSTILE = st.text(st.characters(exclude_categories=[])) | st.sampled_from(
    ["a\n::error::x", "%0A::set-output name=x::y", "]]>", "\x1b[2J", "\ud800", "\x00", "a,b:c", "\u202e"]
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_text_breaks_no_format(name: str, message: str, text: str) -> None:
    file = SourceFile(name, text)
    span = Span(file, 0, len(text))
    found = [Diagnostic("unused-list", message, span, message, (Label(span, message),))] * 2
    report = json.loads(sarif.render(found, [file]))
    if message:
        jsonschema.validate(report, SCHEMA)
    assert len(json.loads(gitlab.render(found, [file]))) == 2
    ElementTree.fromstring(junit.render(found, [file]))
    lines = github.render(found, [file])
    assert lines.count("\n") == 2
    assert all(re.fullmatch(r"::warning [^\r\n]*", line) for line in lines.split("\n")[:2])
    for written in (sarif.render(found, [file]), lines, junit.render(found, [file])):
        written.encode("utf-8")

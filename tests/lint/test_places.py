"""Carets stand under exactly the wrong words, however far they travelled before Falco looked at them."""

from __future__ import annotations

import pytest

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic
from falcokit.lint import LintResult, lint
from falcokit.settings import Choice, Options
from falcokit.source import Origin, SourceFile

RULE = "- rule: R\n  desc: d\n  output: o\n  priority: INFO\n  condition: "

LOADING = Options(Choice(ignore=("outputs",)))
"""What loading itself finds: the rules here have outputs of a word."""


def run(*texts: str, defaults: int = 0) -> LintResult:
    files = [
        SourceFile(f"f{number}.yaml", text, Origin.DEFAULT if number < defaults else Origin.CUSTOM)
        for number, text in enumerate(texts)
    ]
    return lint(files, Catalogue.bundled(), options=LOADING)


def only(kind: str, *texts: str) -> Diagnostic:
    found = [d for d in run(*texts).findings if d.kind == kind]
    assert len(found) == 1, [d.kind for d in run(*texts).findings]
    return found[0]


def test_inside_a_folded_condition() -> None:
    found = only("unknown-field", RULE + ">\n    evt.type = open\n    and proc.nme = cat\n")
    assert found.span.text == "proc.nme"
    assert found.span.file.line_column(found.span.start) == (6, 8)


def test_inside_an_appended_condition_of_another_file() -> None:
    append = "- rule: R\n  condition: and proc.nme = x\n  override: {condition: append}\n"
    found = only("unknown-field", RULE + "evt.type = open\n", append)
    assert (found.span.file.name, found.span.text) == ("f1.yaml", "proc.nme")


def test_a_missing_connective_in_appended_text() -> None:
    append = "- rule: R\n  condition: proc.name = x\n  override: {condition: append}\n"
    found = only("condition-syntax", RULE + "evt.type = open\n", append)
    assert (found.span.file.name, found.span.text) == ("f1.yaml", "proc.name")


def test_inside_the_items_of_a_list() -> None:
    lists = "- list: ports\n  items: [80, nosuch, 443]\n"
    found = only("wrong-literal", lists + RULE + "evt.type = connect and fd.sport in (ports)\n")
    assert found.span.text == "nosuch"
    assert found.span.file.line_column(found.span.start)[0] == 1


def test_inside_a_macro_with_the_way_to_it() -> None:
    macros = "- macro: inner\n  condition: proc.nme = x\n- macro: outer\n  condition: inner or inner\n"
    found = run(macros + RULE + "evt.type = open and outer\n").findings
    first = next(d for d in found if d.kind == "unknown-field")
    assert first.span.text == "proc.nme"
    assert [label.span.text for label in first.labels] == ["outer", "inner"]


def test_inside_the_values_of_an_exception() -> None:
    text = (
        RULE
        + "evt.type = open\n  exceptions:\n  - name: e\n    fields: [proc.pid]\n    comps: [=]\n    values: [[12x]]\n"
    )
    assert only("wrong-literal", text).span.text == "12x"


def test_inside_an_output_that_was_trimmed_and_lost_container_info() -> None:
    text = "- rule: R\n  desc: d\n  condition: evt.type = open\n  priority: INFO\n"
    text += "  output: '  a %container.info b %proc.nme c'\n"
    found = {d.kind: d.span.text for d in run(text).findings}
    assert found == {"unknown-output-field": "%proc.nme", "deprecated-container-info": "%container.info"}


def test_inside_an_output_beyond_ascii() -> None:
    text = "- rule: R\n  desc: d\n  condition: evt.type = open\n  priority: INFO\n"
    text += "  output: >\n    → ünïcode — %container.info\n    日本 %proc.nme c %evt.dir\n"
    found = [d.span.text for d in run(text).findings]
    assert found == ["%container.info", "%proc.nme"]
    found = [d.span.text for d in run(text.replace("nme", "name")).findings]
    assert found == ["%container.info", "evt.dir"]


@pytest.mark.parametrize("text", ["évt = 'ü' and proc.nme = x", "proc.name = 'ü日本' and proc.nme = x"])
def test_beyond_ascii(text: str) -> None:
    wanted = "condition-syntax" if text.startswith("é") else "unknown-field"
    found = only(wanted, RULE + f'"{text}"\n')
    assert found.span.text == ("é" if wanted == "condition-syntax" else "proc.nme") or found.span.text.startswith("év")


def test_all_errors_of_all_files_in_one_run() -> None:
    first = "- macro: m\n  condition: proc.name = (\n- rule: A\n  desc: d\n- list: l\n"
    second = (
        "- rule: B\n  desc: d\n  condition: nosuch and evt.typ = open and alsonot\n  output: '%x'\n  priority: WARN\n"
    )
    kinds = [(d.file.name, d.kind) for d in run(first, second).findings if d.is_error]
    assert kinds == [
        ("f0.yaml", "condition-syntax"),
        ("f0.yaml", "missing-key"),
        ("f0.yaml", "missing-key"),
        ("f0.yaml", "missing-key"),
        ("f0.yaml", "missing-key"),
        ("f1.yaml", "undefined-macro"),
        ("f1.yaml", "unknown-field"),
        ("f1.yaml", "undefined-macro"),
        ("f1.yaml", "unknown-output-field"),
        ("f1.yaml", "invalid-value"),
    ]


def test_one_finding_a_file_is_where_falco_stops() -> None:
    result = run(RULE + "evt.typ = open\n- rule: S\n  desc: d\n- list: l\n")
    stops = [d.kind for d in result.findings if result.stops_at(d)]
    assert stops == ["missing-key"]


def test_a_macro_of_a_later_file_is_no_use_to_an_earlier_one() -> None:
    found = only(
        "undefined-macro", RULE + "evt.type = open and later\n", "- macro: later\n  condition: proc.name = x\n"
    )
    assert found.file.name == "f0.yaml"


def test_an_item_used_by_a_later_file_is_used() -> None:
    result = run("- list: l\n  items: [a]\n", RULE + "evt.type = open and proc.name in (l)\n")
    assert [d.kind for d in result.findings] == []


def test_findings_of_default_files_are_hidden_and_counted() -> None:
    result = run("- list: l\n  items: [a]\n", RULE + "evt.type = open\n", defaults=1)
    assert (result.findings, result.hidden) == ((), 1)


@pytest.mark.parametrize(
    ("text", "help_text"),
    [
        ("- rule: r\n  desc: d\n  condition: evt.type=open\n  outptu: x\n", "did you mean `output`?"),
        ("- mcro: r\n  condition: evt.type=open\n", "did you mean `macro`"),
        (RULE.replace("INFO", "WARN") + "evt.type=open\n", "did you mean WARNING?"),
        (RULE + "evt.type=opn\n", "did you mean `open`?"),
        (RULE + "spawned_proces\n- macro: spawned_process\n  condition: evt.type=execve\n", "`spawned_process`"),
        (RULE + "evt.type=open and proc.name contain x\n", "did you mean `contains`?"),
        (RULE + "evt.type=open\n- rule: r\n  condition: and proc.name=x\n  override: {condition: append}\n", "`R`"),
    ],
)
def test_what_was_meant(text: str, help_text: str) -> None:
    assert any(help_text in d.help for d in run(text).findings)

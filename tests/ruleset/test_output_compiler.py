"""Outputs: which fields they print, what is wrong with them, and how long hostile ones take."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from falcokit.catalogue import Catalogue
from falcokit.ruleset.output_compiler import compile_output, output_tokens

SHARED = Path(__file__).parents[2].parent / "shared"
BUNDLED = Catalogue.bundled()


def fields(text: str, source: str = "syscall") -> tuple[str, ...]:
    result = compile_output(text, source, BUNDLED)
    assert result.problems == (), result.problems
    return result.fields


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("plain text", ()),
        ("*%proc.name", ("proc.name",)),
        ("a %proc.name. %proc.exe, (%user.name)", ("proc.name", "proc.exe", "user.name")),
        ("%proc.name%proc.name", ("proc.name", "proc.name")),
        ("%proc.nameless", ("proc.name",)),
        ("%proc.nameé", ("proc.name",)),
        ("%05proc.name", ("proc.name",)),
        ("%proc.name[0] %proc.name[", ("proc.name", "proc.name")),
        ("%proc.aname[2] %proc.aname[x] %proc.aname[2", ("proc.aname[2]", "proc.aname", "proc.aname")),
        ("%proc.env['A B'] %proc.env['A\\x41'] %proc.env['A]B']", ('proc.env["A B"]', "proc.env[AA]", "proc.env")),
        ("%evt.arg.namex %evt.argsx %evt.type.is.openx", ("evt.arg.name", "evt.args", "evt.type.is.open")),
        ("%fd.ip %fd.types[0]x", ("fd.ip", "fd.types[0]")),
        ("%toupper(tolower(proc.name))", ("proc.name", "toupper(tolower(proc.name))")),
        ("%tolower( proc.name )x", ("proc.name", "tolower(proc.name)")),
        ("é%tolower(proc.name)[0] %proc.exe", ("proc.name", "tolower(proc.name)", "proc.exe")),
        ("%tolower(proc.name)[x", ("proc.name", "tolower(proc.name)")),
        ("%concat(proc.name, '-é-', proc.exe)é", ("proc.name", "proc.exe", "concat(proc.name,-é-,proc.exe)")),
        ("%getopt(fd.types, 'n')[nn]", ("fd.types", "getopt(fd.types,n)")),
    ],
)
def test_fields_are_the_longest_texts_that_work(text: str, printed: tuple[str, ...]) -> None:
    assert fields(text) == printed
    assert fields(text) == printed


def test_a_plugin_field_without_its_argument_is_the_shorter_field() -> None:
    assert fields("%ka.uri.param", "k8s_audit") == ("ka.uri",)


@pytest.mark.parametrize(
    ("text", "kind", "words", "help_text"),
    [
        ("", "empty-output", "", ""),
        ("100%", "output-syntax", "%", "percent"),
        ("é 100% sure", "output-syntax", "% ", "percent"),
        ("%5", "output-syntax", "%5", "percent"),
        ("a %proc.nmae b", "unknown-output-field", "%proc.nmae", "`%proc.name`"),
        ("%ka.verb", "unknown-output-field", "%ka.verb", "`k8s_audit`"),
        ("%proc", "unknown-output-field", "%proc", ""),
        ("%evt.arg", "unknown-output-field", "%evt.arg", "evt.arg.NAME"),
        ("%lower(proc.name)", "unknown-output-field", "%lower", "tolower"),
        ("%tolower(proc.name", "unknown-output-field", "%tolower", "`)`"),
        ("é %tolower(proc.pid)", "unknown-output-field", "proc.pid", ""),
    ],
)
def test_problems_cover_the_wrong_characters(text: str, kind: str, words: str, help_text: str) -> None:
    problem = compile_output(text, "syscall", BUNDLED).problems[0]
    assert problem is not None
    assert (problem.kind, text.encode()[problem.start : problem.end].decode()) == (kind, words)
    assert help_text in problem.help


def test_whatever_begins_no_field_is_an_unknown_filter() -> None:
    for text, unknown in (("%no.such", True), ("100% sure", True), ("100%", False), ("%5", False), ("", False)):
        problem = compile_output(text, "syscall", BUNDLED).problems[0]
        assert problem is not None
        assert problem.unknown_filter is unknown


def test_deprecated_fields_are_found_anywhere_in_the_text() -> None:
    assert compile_output("%evt.latency.ns", "syscall", BUNDLED).deprecated == ("evt.latency", "evt.latency.ns")
    assert compile_output("text evt.dirty", "syscall", BUNDLED).deprecated == ("evt.dir",)


def test_extra_fields_come_first_and_are_checked_too() -> None:
    result = compile_output("%proc.name", "syscall", BUNDLED, (("user.name", None), ("k", "%fd.name %proc.exe")))
    assert result.fields == ("user.name", "fd.name", "proc.exe", "proc.name")
    problem = compile_output("o", "syscall", BUNDLED, (("no.such", None),)).problems[0]
    assert problem is not None
    assert (problem.start, problem.end) == (0, 0)


def test_tokens_tell_text_and_operands_apart() -> None:
    text = "é %5proc.name x %tolower(proc.exe)"
    tokens = output_tokens(text, "syscall", BUNDLED)
    assert [(text[t.start : t.end], t.width) for t in tokens] == [("%5proc.name", "5"), ("%tolower(proc.exe)", "")]
    assert output_tokens("%no.such", "syscall", BUNDLED) == ()


@pytest.mark.parametrize(
    "piece",
    [
        "%", "%proc.name", "%proc.name" + "x" * 290 + " ", "%evt.arg.name" + "x" * 290 + " ", "é%tolower(proc.name) ",
        '%proc.name["', "%proc.name[a", "%tolower(proc.name)[x ", '%concat(proc.name, ")[', "%proc.name" + "y" * 100_000,
        "%" + "tolower(" * 300,
    ],
)  # fmt: skip
def test_hostile_outputs_take_linear_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    start = time.process_time()
    compile_output(text, "syscall", BUNDLED)
    assert time.process_time() - start < 3


def test_outputs_of_the_conformance_cases() -> None:
    folder = SHARED / "conformance"
    if not folder.exists():
        pytest.skip("the conformance cases are not here")
    from ruamel.yaml import YAML

    read = {
        part: json.loads((folder / part / "output-format.json").read_text("utf-8"))["cases"]
        for part in ("cases", "expected", "describe")
    }
    for case in read["cases"]:
        (rule,) = YAML(typ="safe", pure=True).load(case["files"][0])
        text, source = rule["output"].strip().replace("%container.info", ""), rule.get("source", "syscall")
        result = compile_output(text, source, BUNDLED)
        (wanted,) = read["expected"][case["id"]]["files"]
        codes = [entry["code"] for entry in wanted["errors"]]
        assert (["LOAD_ERR_COMPILE_OUTPUT"] if result.problems else []) == codes, text
        if case["id"] in read["describe"] and result.problems == ():
            (described,) = read["describe"][case["id"]]["rules"]
            assert list(result.fields) == described["details"]["output_fields"], text

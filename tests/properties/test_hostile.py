"""Whatever the files hold: nothing raises, every place is inside its file, and shortcuts change nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import falcokit
from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic
from falcokit.lint import LintResult, lint
from falcokit.ruleset.body import Texts
from falcokit.ruleset.compiler import compile_definitions
from falcokit.ruleset.loader import Memo, load
from falcokit.source import Origin, SourceFile
from falcokit.source.decode import decode

SHARED = Path(__file__).parents[2].parent / "shared"
CATALOGUE = Catalogue.bundled()
ITEMS = st.sampled_from(
    [
        "- list: l\n  items: [a, b]\n",
        "- list: l\n  items: [m, '(', x y]\n  append: true\n",
        "- list: k\n  items: [l, l, c]\n",
        "- macro: m\n  condition: proc.name in (l) or n\n",
        "- macro: n\n  condition: fd.name startswith /etc and not m\n",
        "- macro: n\n  condition: proc.pname in (k)\n",
        "- macro: m\n  condition: or evt.dir = <\n  override: {condition: append}\n",
        "- rule: r\n  desc: d\n  condition: evt.type = open and m\n  output: o %proc.name\n  priority: INFO\n",
        "- rule: r\n  condition: and n\n  override: {condition: append}\n",
        "- rule: r\n  exceptions:\n  - {name: e, fields: [proc.name], values: [[a], [l]]}\n  override: {exceptions: append}\n",
        "- rule: r\n  exceptions:\n  - {name: e, values: [[q w]]}\n  append: true\n",
        "- rule: r\n  enabled: false\n",
        "- rule: s\n  desc: d\n  condition: ka.verb = <NA>\n  output: '%ka.verb %'\n  priority: debug\n  source: k8s_audit\n",
        "- rule: r\n  output: x %nosuch.field\n  override: {output: replace}\n",
        "- required_engine_version: 0.99.0\n",
        "- {}\n",
        "- [x]\n",
        "---\n",
        "- macro: m\n  condition: (\n",
    ]
)
FILES = st.lists(st.lists(ITEMS, max_size=6).map("".join), min_size=1, max_size=4)


def sources(texts: list[str]) -> list[SourceFile]:
    return [SourceFile(f"f{number}", text) for number, text in enumerate(texts)]


def shown(found: tuple[Diagnostic, ...]) -> list[tuple[object, ...]]:
    return [(d.kind, d.message, d.help, d.span.file.name, d.span.start, d.span.end, d.code) for d in found]


def check(result: LintResult) -> None:
    for d in result.findings:
        for span in (d.span, *(label.span for label in d.labels)):
            assert 0 <= span.start <= span.end <= len(span.file.text)
        assert d.message


@settings(max_examples=150, deadline=None)
@given(FILES)
def test_generated_files_are_read_alike_with_and_without_what_is_remembered(texts: list[str]) -> None:
    files = sources(texts)
    loaded = load(files, CATALOGUE)
    if loaded.compilation is not None and loaded.files[-1].parsed:
        fresh = compile_definitions(loaded.definitions, CATALOGUE, Texts())
        again = compile_definitions(loaded.definitions, CATALOGUE, Texts(), loaded.compilation)
        assert shown(again.diagnostics) == shown(fresh.diagnostics)
        assert (again.used_lists, again.used_macros) == (fresh.used_lists, fresh.used_macros)
    check(lint(files, CATALOGUE))


@settings(max_examples=80, deadline=None)
@given(FILES, st.integers(0, 3), st.lists(ITEMS, max_size=4).map("".join))
def test_linting_again_after_a_change_is_linting(texts: list[str], which: int, changed: str) -> None:
    memo = Memo()
    files = sources(texts)
    lint(files, CATALOGUE, memo=memo)
    files[which % len(files)] = SourceFile(files[which % len(files)].name, changed)
    again, fresh = lint(files, CATALOGUE, memo=memo), lint(files, CATALOGUE)
    assert shown(again.findings) == shown(fresh.findings)
    assert again.hidden == fresh.hidden


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    result = falcokit.validate([("x", data)])
    result.to_falco()
    result.describe()
    check(lint([SourceFile("x", decode(data), Origin.CUSTOM)], CATALOGUE))


@pytest.mark.skipif(not SHARED.exists(), reason="needs the corpus in ../shared")
@pytest.mark.parametrize("seed", range(60))
def test_damaged_real_files(seed: int) -> None:
    chance = random.Random(seed)
    paths = sorted((SHARED / "corpus" / "custom").glob("*.yaml"))
    text = decode(chance.choice(paths).read_bytes())[:6000]
    for _ in range(chance.randint(1, 12)):
        at, size = chance.randrange(len(text) + 1), chance.randrange(12)
        piece = chance.choice(
            ["", " ", "\n", ": ", "- ", "[", "{", "'", '"', "&a ", "*a", "%", "(", ")", "\t", "\0", "é"]
        )
        text = text[:at] + piece + text[at + size :]
    result = falcokit.validate([("x", text)])
    result.to_falco()
    result.describe()
    check(lint([SourceFile("x", text)], CATALOGUE))

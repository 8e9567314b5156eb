"""The index of the default rules' releases: made from the releases, and what it answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from falcokit.catalogue import Catalogue
from falcokit.lint import lint
from falcokit.maintain.index import build, text_of
from falcokit.ruleset.default_index import askers, dated, fingerprint, left
from falcokit.ruleset.loader import load_all
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Origin, SourceFile

ROOT = Path(__file__).parents[2]
UPSTREAM = ROOT.parent / "shared" / "corpus" / "upstream"
there = pytest.mark.skipif(not UPSTREAM.exists(), reason="the releases are not here")


def ruleset(text: str) -> Ruleset:
    return Ruleset(load_all([SourceFile("f.yaml", text)], Catalogue.bundled()))


@there
def test_the_packaged_index_is_that_of_the_releases() -> None:
    assert text_of(build([str(UPSTREAM)])) == (ROOT / "schemas" / "default_index.json").read_text("utf-8")


def test_the_index_has_names_and_hashes_only() -> None:
    index = json.loads((ROOT / "schemas" / "default_index.json").read_text("utf-8"))
    for kind in ("list", "macro", "rule"):
        marks = [mark for spans in index[kind].values() for span in spans.values() for _, mark in span]
        assert all(mark is None or re.fullmatch(r"[0-9a-f]{8}|[0-9a-f]{16}", mark) for mark in marks)


def test_fingerprints_are_about_meaning() -> None:
    one = ruleset("- list: l\n  items: [a, b]\n- macro: m\n  condition: (proc.name = a and fd.name = b)\n")
    two = ruleset("- list: l\n  items: [b, a, a]\n- macro: m\n  condition: >\n    proc.name=a\n    and (fd.name='b')\n")
    other = ruleset("- list: l\n  items: [a]\n- macro: m\n  condition: proc.name = a or fd.name = b\n")
    for named in (("list", "l"), ("macro", "m")):
        first, second, third = (r.definition(named) for r in (one, two, other))
        assert first is not None
        assert second is not None
        assert third is not None
        assert fingerprint(first) == fingerprint(second) != fingerprint(third)


def test_a_hook_that_left() -> None:
    gone = left(("macro", "user_trusted_containers"))
    assert gone is not None
    assert (gone.file, gone.version) == ("falco_rules.yaml", "2.0.0")
    assert "Launch Privileged Container" in askers(("macro", "user_trusted_containers"))["falco-incubating_rules.yaml"]
    assert left(("macro", "spawned_process")) is None
    assert left(("macro", "never_heard_of")) is None
    assert askers(("macro", "never_heard_of")) == {}


@there
def test_copies_are_dated() -> None:
    old = (UPSTREAM / "falco-rules" / "3.0.0" / "falco_rules.yaml").read_text("utf-8")
    new = (UPSTREAM / "falco-rules" / "5.1.0" / "falco_rules.yaml").read_text("utf-8")
    definition = ruleset(old).definition(("macro", "spawned_process"))
    assert definition is not None
    found = dated(("macro", "spawned_process"), definition)
    assert found is not None
    assert found.changed
    current = ruleset(new).definition(("macro", "spawned_process"))
    assert current is not None
    assert dated(("macro", "spawned_process"), current) is None
    files = [SourceFile("falco_rules.yaml", new, Origin.DEFAULT), SourceFile("mine.yaml", old)]
    messages = [d.message for d in lint(files, Catalogue.bundled()).findings if d.kind == "shadowed-default"]
    assert any(f"{found.last}, which changed in {', '.join(found.changed)}" in message for message in messages)


def test_wrong_calls_are_said(tmp_path: Path) -> None:
    (tmp_path / "family" / "1.0.0").mkdir(parents=True)
    for args in ([], [str(tmp_path / "nosuch")], [str(tmp_path)]):
        command = [sys.executable, "-m", "falcokit.maintain.index", *args]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr

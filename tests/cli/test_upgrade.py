"""`falcokit upgrade` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD = "- list: shells\n  items: [sh]\n- rule: Shell\n  desc: d\n  condition: evt.type = execve and proc.name in (shells)\n  output: o\n  priority: INFO\n"
NEW = OLD.replace("[sh]", "[sh, zsh]")
MINE = "# mine\n- list: shells # copied\n  items: [sh, fish]\n- list: shells\n  items: [sh, fish]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "old.yaml").write_text(OLD, encoding="utf-8")
    (tmp_path / "new.yaml").write_text(NEW, encoding="utf-8")
    (tmp_path / "my.yaml").write_text("# mine\n- list: shells\n  items: [sh, fish]\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", "upgrade", *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


STEP = ("--from", "old.yaml", "--to", "new.yaml")


def test_what_changed_and_what_it_means(folder: Path) -> None:
    code, out, err = run(folder, *STEP, "my.yaml")
    assert (code, err) == (1, "")
    assert (
        out
        == """\
default rules: old.yaml -> new.yaml

rules   1 changed
lists   1 changed

custom items
my.yaml:2:3: list shells: hides changes
    it hides what changed in the default: items
    the default changed: + zsh
    = instead:
      - list: shells
        items: [fish]
        override:
          items: append

1 custom item: 1 hides changes
"""
    )
    code, out, _ = run(folder, *STEP)
    assert (code, out.splitlines()[-2:]) == (0, ["changed  list  shells", "           + zsh"])


def test_it_is_written_where_it_stands_and_once(folder: Path) -> None:
    before = (folder / "my.yaml").read_text(encoding="utf-8")
    code, out, _ = run(folder, *STEP, "my.yaml", "--diff")
    assert (code, (folder / "my.yaml").read_text(encoding="utf-8")) == (1, before)
    assert "-  items: [sh, fish]\n+  items: [fish]\n" in out
    code, _, err = run(folder, *STEP, "my.yaml", "--write")
    assert (code, err) == (1, "falcokit: written: my.yaml\n")
    text = (folder / "my.yaml").read_text(encoding="utf-8")
    assert text == "# mine\n- list: shells\n  items: [fish]\n  override:\n    items: append\n"
    code, out, err = run(folder, *STEP, "my.yaml", "--write")
    assert (code, err) == (0, "")
    assert "1 custom item: 1 still needed" in out


def test_forms_for_programs_and_pull_requests(folder: Path) -> None:
    code, out, _ = run(folder, *STEP, "my.yaml", "--format", "json")
    report = json.loads(out)
    assert code == 1
    assert report["changes"][1] | {"before": "", "after": ""} == {
        "how": "changed", "kind": "list", "name": "shells", "keys": ["items"], "through": [], "gained": ["zsh"], "lost": [], "before": "", "after": "",
    }  # fmt: skip
    (item,) = report["items"]
    assert (item["state"], item["place"]["line"], item["written"]) == ("hides", 2, True)
    _, out, _ = run(folder, *STEP, "my.yaml", "--format", "markdown")
    assert (
        "| my.yaml:2 | list shells | hides changes | it hides what changed in the default: items; the default changed: + zsh |"
        in out
    )
    (folder / "my.yaml").write_text('- list: shells\n  items: ["a|<b>`", fish]\n', encoding="utf-8")
    _, out, _ = run(folder, *STEP, "my.yaml", "--format", "markdown")
    assert "| sh | a\\|\\<b\\>\\`, fish | sh, zsh |" in out


def test_the_bundled_rules_are_what_they_are(folder: Path) -> None:
    code, out, _ = run(folder, "--from", "bundled")
    assert (code, out) == (0, "default rules: bundled -> bundled\n\nnothing in them means anything else\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("my.yaml",), "--from is missing"),
        (("--from", "none.yaml"), "cannot read none.yaml"),
        (("--from", "old.yaml", "--to", "none.yaml"), "cannot read none.yaml"),
        (("--from", "old.yaml", "none.yaml"), "cannot read none.yaml"),
        (("--from", "old.yaml", "--write"), "there are no custom files to change"),
        (("--from", "empty"), "no rules files found in empty"),
    ],
)
def test_wrong_calls(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    (folder / "empty").mkdir()
    code, out, err = run(folder, *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_a_default_file_among_the_custom_ones_is_refused(folder: Path) -> None:
    (folder / "link.yaml").symlink_to("new.yaml")
    for path in ("new.yaml", "link.yaml"):
        code, _, err = run(folder, *STEP, path, "--write")
        assert (code, "is a default file" in err) == (2, True)
    assert (folder / "new.yaml").read_text(encoding="utf-8") == NEW

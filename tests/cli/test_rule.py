"""`falcokit rule` as a user runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import falcokit

ROOT = Path(__file__).parents[2]


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", "rule", *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_a_rule_is_switched_off_and_on_by_an_override(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("# mine\n- list: a\n  items: [b]\n", encoding="utf-8")
    code, out, _ = run(tmp_path, "disable", "Write below root", "Write below etc", "--write", "mine.yaml")
    assert (code, out) == (0, "Write below root, Write below etc: off in mine.yaml\n")
    text = (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    assert text.startswith("# mine\n- list: a\n  items: [b]\n\n- rule: Write below root\n  enabled: false\n")
    default = (ROOT / "default_rules" / "falco_rules.yaml").read_text(encoding="utf-8")
    loaded = falcokit.validate([("falco_rules.yaml", default), ("mine.yaml", text)]).loaded
    assert {name for name, rule in loaded.definitions.rules.items() if not rule.enabled} == {
        "Write below root",
        "Write below etc",
    }
    code, out, err = run(tmp_path, "disable", "Write below root", "--write", "mine.yaml")
    assert (code, out, err) == (0, "", "falcokit: 'Write below root' is off already\n")
    assert run(tmp_path, "enable", "Write below root", "--write", "mine.yaml")[0] == 0
    loaded = falcokit.validate(
        [("falco_rules.yaml", default), ("mine.yaml", (tmp_path / "mine.yaml").read_text(encoding="utf-8"))]
    ).loaded
    assert loaded.definitions.rules["Write below root"].enabled


def test_the_selection_of_a_configuration_and_what_goes(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "examples" / "noise.json", tmp_path)
    code, out, err = run(tmp_path, "disable", "Write below root", "--form", "config", "--history", "noise.json")
    assert (code, out) == (0, "rules:\n  - disable:\n      rule: Write below root\n")
    assert "'Write below root' is 3 of 3 events" in err


def test_wrong_calls(tmp_path: Path) -> None:
    assert "did you mean 'Write below root'?" in run(tmp_path, "disable", "Write belo root")[2]
    assert run(tmp_path, "disable", "Write belo root")[0] == 2
    code, _, err = run(tmp_path, "disable", "Write below root", "--write", "falco_rules.yaml")
    assert (code, "is a default file" in err) == (2, True)
    assert run(tmp_path)[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_the_selection_of_the_configuration_has_the_last_word(tmp_path: Path) -> None:
    default = ROOT / "default_rules" / "falco_rules.yaml"
    off = f"rules_files: [{default}]\nrules:\n  - disable: {{rule: Write below root}}\n"
    (tmp_path / "falco.yaml").write_text(off, encoding="utf-8")
    code, _, err = run(tmp_path, "enable", "Write below root", "--config", "falco.yaml")
    assert (code, "has the last word (--form config)" in err) == (2, True)
    code, _, err = run(tmp_path, "disable", "Write below root", "--config", "falco.yaml")
    assert (code, "is off already" in err) == (0, True)
    code, out, _ = run(tmp_path, "enable", "Write below root", "--config", "falco.yaml", "--form", "config")
    assert (code, out) == (0, "rules:\n  - enable:\n      rule: Write below root\n")


def test_line_ends_stay(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_bytes(b"# mine\r\n")
    assert run(tmp_path, "disable", "Write below root", "Write below root", "--write", "my.yaml")[0] == 0
    assert (tmp_path / "my.yaml").read_bytes() == (
        b"# mine\r\n\r\n- rule: Write below root\r\n  enabled: false\r\n  override:\r\n    enabled: replace\r\n"
    )

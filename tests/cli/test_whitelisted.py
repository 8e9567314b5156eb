"""`falcokit whitelist list` and `remove` on items that hold more than one thing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", "whitelist", *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


SEVERAL = """\
- rule: Write below root
  condition: and not proc.name = a and not proc.name = b
  priority: CRITICAL
  exceptions:
    - name: one
      fields: [proc.name]
      comps: [in]
      values: [[[a]]]
    - name: two
      fields: [proc.name]
      comps: [in]
      values: [[[b]]]
  tags: [mine]
  override:
    condition: append
    priority: replace
    exceptions: append
    tags: append
- rule: Write below etc
  condition: and proc.name != c
  override: {condition: append}
"""


@pytest.mark.parametrize(
    ("number", "before", "after"),
    [
        (1, "and not proc.name = a and not", "and not"),
        (2, " and not proc.name = b", ""),
        (3, "    - name: one\n      fields: [proc.name]\n      comps: [in]\n      values: [[[a]]]\n", ""),
        (4, "    - name: two\n      fields: [proc.name]\n      comps: [in]\n      values: [[[b]]]\n", ""),
        (5, "- rule: Write below etc\n  condition: and proc.name != c\n  override: {condition: append}\n", ""),
    ],
)
def test_nothing_beside_it_is_taken_out(tmp_path: Path, number: int, before: str, after: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(SEVERAL, encoding="utf-8")
    code, out, err = run(tmp_path, "remove", str(number), "my.yaml")
    assert code == 0, out + err
    assert path.read_text(encoding="utf-8") == SEVERAL.replace(before, after)


def test_the_last_exception_takes_its_keys_along(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    text = "- rule: Write below root\n  exceptions:\n    - {name: one, fields: [proc.name], comps: [in], values: [[[a]]]}\n  priority: CRITICAL\n  override: {exceptions: append, priority: replace}\n"
    path.write_text(text, encoding="utf-8")
    assert run(tmp_path, "remove", "1", "my.yaml")[0] == 0
    assert path.read_text(encoding="utf-8") == (
        "- rule: Write below root\n  priority: CRITICAL\n  override: {priority: replace}\n"
    )


FLOW = """\
[{macro: user_known_write_root_conditions, condition: (proc.name = a)}, {rule: Mine, desc: d, condition: evt.type = open and fd.name = /x, output: o, priority: INFO}]
"""


def test_what_shares_its_line_is_left_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(FLOW, encoding="utf-8")
    code, _, err = run(tmp_path, "remove", "1", "my.yaml")
    assert (code, "do it by hand, at my.yaml:1" in err) == (2, True)
    assert path.read_text(encoding="utf-8") == FLOW


def test_what_is_looked_for_is_no_whitelist(tmp_path: Path) -> None:
    text = """\
- list: user_blocked
  items: [nc, xmrig]
- macro: user_bad_thing
  condition: (proc.name = bad)
- rule: Mine
  desc: d
  condition: evt.type = execve and (proc.name in (user_blocked) or user_bad_thing)
  output: o
  priority: INFO
"""
    (tmp_path / "my.yaml").write_text(text, encoding="utf-8")
    code, out, _ = run(tmp_path, "list", "my.yaml", "--format", "json")
    assert (code, json.loads(out)) == (0, [])


def test_default_files_stay(tmp_path: Path) -> None:
    (tmp_path / "falco_rules.yaml").write_text(SEVERAL, encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to("falco_rules.yaml")
    for path in ("falco_rules.yaml", "link.yaml"):
        code, _, err = run(tmp_path, "remove", "1", path)
        assert (code, "is a default file" in err) == (2, True)
    assert (tmp_path / "falco_rules.yaml").read_text(encoding="utf-8") == SEVERAL

"""`falcokit events topology` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    rows = []
    for number, (host, name, priority, connection) in enumerate([
        ("web-1", "web", "Critical", "10.0.0.1:40000->8.8.8.8:53"), ("web-1", "web", "Notice", "10.0.0.1:40001->8.8.8.8:53"),
        ("web-2", "db", "Warning", "/etc/shadow"),
    ]):  # fmt: skip
        fields = {"container.id": f"{name}-0123456789", "container.name": name, "container.image.repository": "img", "fd.name": connection}  # fmt: skip
        rows.append({"time": f"2026-11-27T10:00:00.{number + 1:09}Z", "rule": "R", "priority": priority, "output": "o", "source": "syscall", "hostname": host, "output_fields": fields})  # fmt: skip
    (tmp_path / "events.json").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "falcokit", "events", "topology", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "XDG_DATA_HOME": str(tmp_path / "data")}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def test_tree(run: Run) -> None:
    assert run("events.json") == (0, """\
3 events on 2 hosts, 2 services, 2 containers, 1 address

web-1  2, Critical
└─ img  2, Critical
   └─ web (web-01234567)  2, Critical
      └─ → 8.8.8.8 port 53  2, Critical

web-2  1, Warning
└─ img  1, Warning
   └─ db (db-012345678)  1, Warning

network  2, Critical
└─ 8.8.8.8  2, Critical, internet
""", "")  # fmt: skip


def test_every_form_to_a_file_or_not(run: Run, tmp_path: Path) -> None:
    for form, begin in (("dot", "digraph topology {"), ("mermaid", "flowchart LR"), ("json", "{"), ("html", "<!doctype html>")):  # fmt: skip
        code, out, err = run("events.json", "--format", form)
        assert (code, err, out.startswith(begin)) == (0, "", True)
        assert run("events.json", "--format", form, "-o", "out") == (0, "", "falcokit: written: out\n")
        assert (tmp_path / "out").read_text(encoding="utf-8") == out
    code, out, _ = run("events.json", "--format", "json", "--priority", "warning")
    data = json.loads(out)
    assert (code, data["events"], data["counts"]["addresses"]) == (0, 2, 1)
    assert [edge["events"] for edge in data["edges"]] == [1]


def test_wrong_use_is_one_line(run: Run, tmp_path: Path) -> None:
    assert run("none.json") == (2, "", "falcokit: cannot read none.json: there is no such file\n")
    code, out, err = run("--store", "none.duckdb")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert run("events.json", "-o", "no/where") == (2, "", "falcokit: cannot write no/where: no such file or directory\n")  # fmt: skip
    assert run("events.json", "--rule", "Other") == (0, "0 events\n", "falcokit: there are no such events\n")


def test_no_page_for_a_terminal(tmp_path: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", "events", "topology", "--format", "html", "events.json"], stdout=follower,
        stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(follower)
    os.close(leader)
    assert done.returncode == 2
    assert done.stderr == "falcokit: a page is no text for a terminal: name a file with -o\n"

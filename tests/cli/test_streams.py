"""What a run does when its standard input or outputs are closed, full or gone."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = """\
- rule: Shell
  desc: a shell
  condition: evt.type = execve and proc.name = sh
  output: shell %proc.name
  priority: INFO
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="closes descriptors by a POSIX shell")
full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(GOOD.replace("proc.name = sh", "proc.nam = sh"), encoding="utf-8")
    return tmp_path


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    program = f"{shlex.quote(sys.executable)} -m falcokit"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / ".cache")}
    return subprocess.run(
        ["sh", "-c", f"{program} {command}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("command", "code"), [("lint good.yaml", 0), ("lint bad.yaml", 1), ("lint none.yaml", 2)])
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_the_exit_code_does_not_depend_on_closed_outputs(folder: Path, command: str, code: int, closed: str) -> None:
    run = shell(folder, f"{command} {closed}")
    assert run.returncode == code, run.stderr
    assert run.stderr == ""


@pytest.mark.parametrize("command", ["--version", "fields proc.name", "validate good.yaml", "describe good.yaml"])
def test_a_closed_standard_error_does_not_fail_a_run(folder: Path, command: str) -> None:
    run = shell(folder, f"{command} 2>&-")
    assert run.returncode == 0
    assert run.stdout != ""


@full
@pytest.mark.parametrize("command", ["lint good.yaml", "lint bad.yaml", "fields", "validate good.yaml", "--version"])
def test_an_output_that_cannot_be_written_is_said_in_one_line(folder: Path, command: str) -> None:
    run = shell(folder, f"{command} > /dev/full")
    assert run.returncode == 2
    assert run.stderr == "falcokit: cannot write the output: no space left on device\n"


@full
def test_wrong_usage_keeps_its_exit_code_where_it_cannot_be_said(folder: Path) -> None:
    assert shell(folder, "lint --bogus 2> /dev/full").returncode == 2
    assert shell(folder, "lint --color pink 2> /dev/full").returncode == 2


@pytest.mark.parametrize(("command", "code"), [("lint", 2), ("validate", 1), ("describe", 1)])
def test_a_closed_standard_input_is_said_in_one_line(folder: Path, command: str, code: int) -> None:
    run = shell(folder, f"{command} - <&-")
    assert run.returncode == code
    assert run.stderr == "falcokit: cannot read standard input: it is closed\n"


@pytest.mark.parametrize("command", ["validate -", "describe -"])
def test_standard_input_has_a_limit(folder: Path, command: str) -> None:
    run = shell(folder, f"{command} < /dev/zero")
    assert run.returncode == 1
    assert "standard input" in run.stderr
    assert "larger than" in run.stderr


def test_lint_does_not_read_an_endless_standard_input(folder: Path) -> None:
    run = shell(folder, "lint - < /dev/zero")
    assert run.returncode == 1
    assert "file-too-large" in run.stdout


def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    run = shell(folder, "fields | head -n 1")
    assert run.stdout.count("\n") == 1
    assert run.stderr == ""


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("lint empty", "no rules files found in empty"),
        ("lint empty --format json", "no rules files found in empty"),
        ("lint good.yaml --defaults empty", "no rules files found in empty"),
        ("lint good.yaml --default-names 'x*'", "give one with --config"),
        ("lint good.yaml --config good.yaml", "give the path of a falco.yaml"),
    ],
)
def test_a_call_that_leads_nowhere_is_refused_on_standard_error(folder: Path, command: str, said: str) -> None:
    (folder / "empty").mkdir()
    run = shell(folder, command)
    assert run.returncode == 2
    assert run.stdout == ""
    assert said in run.stderr
    assert run.stderr.count("\n") == 1

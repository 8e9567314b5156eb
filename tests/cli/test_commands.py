"""The commands as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from falcokit.cli.app import COMMANDS

ROOT = Path(__file__).parents[2]
GOOD = "- rule: Good\n  desc: d\n  condition: evt.type = open\n  output: o %proc.name\n  priority: INFO\n"
BAD = GOOD.replace("proc.name", "proc.nme").replace("Good", "Bad")
WARNED = "- list: idle\n  items: [a]\n"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def falcokit(*args: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / ".cache"), **more}
        command = [sys.executable, "-m", "falcokit", *args]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        assert "Traceback" not in done.stderr
        return done

    return falcokit


def test_exit_codes_follow_the_worst_finding(run: Run, tmp_path: Path) -> None:
    for name, text in (("good", GOOD), ("bad", BAD), ("warned", WARNED)):
        (tmp_path / f"{name}.yaml").write_text(text)
    assert run("lint", "good.yaml").returncode == 0
    assert run("lint", "bad.yaml").returncode == 1
    assert run("lint", "warned.yaml").returncode == 1
    assert run("lint", "warned.yaml", "--fail-on", "error").returncode == 0
    assert run("lint", "bad.yaml", "--fail-on", "never").returncode == 0
    assert run("lint", "nosuch.yaml").returncode == 2
    assert run("lint", "--format", "xml", "good.yaml").returncode == 2
    assert run("lint", "--no-defaults", "--defaults", "good.yaml").returncode == 2
    assert run("lint", "--format", "json", "bad.yaml").returncode == 1
    assert run("nosuch").returncode == 2


def test_text_names_place_code_and_help(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    out = run("lint", "bad.yaml").stdout
    assert out.startswith("default rules: bundled with falcokit\n")
    assert "bad.yaml:4:13: error[FK602 unknown-output-field]" in out
    assert "(LOAD_ERR_COMPILE_OUTPUT)" in out
    assert "4 |   output: o %proc.nme\n  |             ^^^^^^^^^\n" in out
    assert "did you mean `%proc.name`" in out
    assert out.splitlines()[-1] == "1 error; 1 file checked"
    assert "\x1b" not in out


def test_colour_only_where_it_is_wanted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    assert "\x1b[" in run("lint", "bad.yaml", "--color", "always").stdout
    assert "\x1b[" not in run("lint", "bad.yaml").stdout
    assert run("lint", "bad.yaml", "--color", "green").returncode == 2


def test_json_follows_its_schema(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD + WARNED)
    report = json.loads(run("lint", "bad.yaml", "--format", "json").stdout)
    jsonschema.validate(report, json.loads((ROOT / "schemas" / "lint-report.schema.json").read_text()))
    assert report["summary"] == {"errors": 1, "warnings": 0, "infos": 0}
    finding = report["findings"][0]
    assert (finding["name"], finding["item"]["name"], finding["stops_falco"]) == ("unknown-output-field", "Bad", True)
    assert finding["place"] == {"path": "bad.yaml", "line": 4, "column": 13, "end_line": 4, "end_column": 22}


def test_the_same_from_the_cache_as_without(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    first, second, without = run("lint", "bad.yaml"), run("lint", "bad.yaml"), run("lint", "bad.yaml", "--no-cache")
    assert first.stdout == second.stdout == without.stdout
    assert list((tmp_path / ".cache" / "falcokit").iterdir())
    (tmp_path / "bad.yaml").write_text(GOOD)
    assert run("lint", "bad.yaml").returncode == 0
    blocked = tmp_path / "blocked"
    blocked.write_text("no folder")
    assert run("lint", "bad.yaml", XDG_CACHE_HOME=str(blocked)).returncode == 0


def test_defaults_in_order_and_a_default_is_no_copy_of_itself(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- macro: m\n  condition: evt.type = open\n")
    (tmp_path / "b.yaml").write_text(GOOD.replace("evt.type = open", "m"))
    (tmp_path / "custom.yaml").write_text("- rule: Good\n  condition: and m\n  override: {condition: append}\n")
    done = run("lint", "custom.yaml", "--defaults", "a.yaml", "--defaults", "b.yaml")
    assert done.returncode == 0, done.stdout
    assert "default rules: a.yaml, b.yaml" in done.stdout
    done = run("lint", "custom.yaml", "--defaults", "b.yaml", "--defaults", "a.yaml")
    assert done.returncode == 1
    assert "b.yaml:3:14: error[FK201 undefined-macro]" in done.stdout
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    done = run("lint", "link.yaml", "--defaults", "a.yaml", "--format", "json")
    assert [file["origin"] for file in json.loads(done.stdout)["files"]] == ["default"]


def test_a_configuration_says_what_is_loaded(run: Run, tmp_path: Path) -> None:
    (tmp_path / "falco_rules.yaml").write_text(WARNED)
    (tmp_path / "mine.yaml").write_text(BAD)
    (tmp_path / "falco.yaml").write_text("rules_files: [falco_rules.yaml, mine.yaml]\n")
    done = run("lint", "--config", "falco.yaml", "--format", "json")
    report = json.loads(done.stdout)
    assert [(Path(f["path"]).name, f["origin"]) for f in report["files"]] == [
        ("falco_rules.yaml", "default"),
        ("mine.yaml", "custom"),
    ]
    assert run("lint", "--config", "nosuch.yaml").returncode == 2


def test_folders_hold_other_files_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    (tmp_path / "rules" / "deep" / "bad.yml").write_text(BAD)
    (tmp_path / "rules" / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "rules" / "notes.txt").write_text("- rule: x\n")
    os.mkfifo(tmp_path / "rules" / "pipe.yaml")
    (tmp_path / "rules" / "dangling.yaml").symlink_to("nosuch")
    done = run("lint", "rules")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "1 error; 1 file checked, 1 without rules skipped"
    (tmp_path / "empty").mkdir()
    assert run("lint", "empty").returncode == 2
    # A file named by the user is read whatever it is called and holds.
    assert run("lint", "rules/compose.yaml").returncode == 1
    assert run("lint", "rules/dangling.yaml").returncode == 2


def test_a_pipe_named_by_the_user_is_read(run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(BAD))
    writer.start()
    done = run("lint", "pipe")
    writer.join()
    assert "pipe:4:13: error" in done.stdout


def test_standard_input_has_a_name(run: Run, tmp_path: Path) -> None:
    done = run("lint", "-", "--stdin-filename", "unsaved.yaml", stdin=BAD)
    assert "unsaved.yaml:4:13: error" in done.stdout
    (tmp_path / "saved.yaml").write_text(GOOD)
    done = run("lint", "saved.yaml", "-", "--stdin-filename", "saved.yaml", stdin=BAD)
    assert "1 error; 1 file checked" in done.stdout


@pytest.mark.parametrize(
    "content",
    [b"\0\1\2", b"- list: \xff\n", b"[" * 100_000, b"\xef\xbb\xbf", b"\r", bytes(range(256)), b"", b"'", b"- *a\n"],
)
def test_any_file_gets_an_answer(run: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    assert run("lint", "x.yaml", "--no-defaults").returncode in (0, 1)
    assert run("validate", "x.yaml").returncode in (0, 1)


def test_large_files_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(GOOD * 10)
    done = run("lint", "x.yaml", "--max-file-size", "100")
    assert done.returncode == 1
    assert "error[FK003 file-too-large]" in done.stdout


def test_files_cannot_write_to_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        '- rule: "a\\e[2Jb"\n  desc: \x1b[31m\n  condition: nosuch\n  output: o %proc.name\n'
    )
    done = run("lint", "x.yaml")
    assert "\x1b" not in done.stdout
    done = run("validate", "x.yaml")
    assert "\x1b" not in done.stdout


def test_validate_stands_in_for_falco(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    assert run("validate", "good.yaml").stdout == "good.yaml: Ok\n"
    done = run("validate", "good.yaml", "bad.yaml", "--format", "json")
    assert done.returncode == 1
    results = json.loads(done.stdout)["falco_load_results"]
    assert [(r["name"], r["successful"]) for r in results] == [("good.yaml", True), ("bad.yaml", False)]
    assert run("validate", "nosuch.yaml").returncode == 1  # as Falco


def test_describe_lists_rules(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    assert "Good" in run("describe", "good.yaml").stdout
    rule = json.loads(run("describe", "good.yaml", "-l", "Good", "--format", "json").stdout)
    assert rule["details"]["condition_compiled"] == "evt.type = open"
    done = run("describe", "good.yaml", "-l", "good")
    assert (done.returncode, "did you mean 'Good'" in done.stderr) == (1, True)


def test_fields_and_event_types_can_be_looked_up(run: Run, tmp_path: Path) -> None:
    out = run("fields", "proc.pname").stdout
    assert "proc.pname  CHARBUF (syscall)" in out
    rows = json.loads(run("fields", "ka.*", "--source", "k8s_audit", "--format", "json").stdout)
    assert all(row["name"].startswith("ka.") and row["description"] for row in rows)
    assert run("fields", "nosuch").returncode == 1
    assert run("fields", "--source", "nosuch").returncode == 2
    assert "openat2" in run("event-types", "open*").stdout
    (tmp_path / "own.json").write_text('{"source": "mine", "fields": [{"name": "my.field", "type": "CHARBUF"}]}')
    rule = GOOD.replace("evt.type = open", "my.field = x\n  source: mine").replace("%proc.name", "%my.field")
    (tmp_path / "own.yaml").write_text(rule)
    assert run("lint", "own.yaml", "--fields", "own.json").returncode == 0
    assert run("lint", "own.yaml").returncode == 1
    (tmp_path / "own.json").write_text("{}")
    assert run("lint", "own.yaml", "--fields", "own.json").returncode == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(run: Run, command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert "Example: falcokit " + command in done.stdout


def test_shell_completion_is_offered(run: Run) -> None:
    assert "complete" in run("--show-completion", "bash").stdout
    assert run("--version").stdout.startswith("falcokit ")

"""Settings, selection, fixing and changes, as real processes in real folders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULE = "- rule: T\n  desc: d\n  condition: evt.type = open\n  output: o %proc.name\n  priority: INFO\n"
OLD = "# ours\n- rule: T\n  condition: and proc.name = x   # as ever\n  append: true\n"
IDLE = "- list: {}\n  items: [a]\n"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def falcokit(*args: str, folder: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / ".cache")}
        done = subprocess.run(
            [sys.executable, "-m", "falcokit", *args],
            cwd=folder or tmp_path, env=environment, input=stdin, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done

    return falcokit


def test_settings_are_found_here_and_above(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "mine.yaml").write_text(IDLE.format("idle"))
    assert "FK204" in run("lint", "rules").stdout
    (tmp_path / "falcokit.toml").write_text('ignore = ["unused-list"]\n')
    assert run("lint", "rules").returncode == 0
    assert run("lint", "mine.yaml", folder=tmp_path / "rules").returncode == 0
    assert run("lint", "--no-settings", "rules").returncode == 1
    assert run("lint", "--select", "unused-list", "rules").returncode == 1
    (tmp_path / "other.toml").write_text("[severity]\nunused-list = 'info'\n")
    assert run("lint", "--settings", "other.toml", "rules").returncode == 0
    assert run("lint", "--settings", "nosuch.toml", "rules").returncode == 2


def test_settings_name_the_default_rules(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "base.yaml").write_text(RULE)
    (tmp_path / "mine.yaml").write_text(RULE.replace("= open", "= close"))
    (tmp_path / "pyproject.toml").write_text('[tool.falcokit]\ndefaults = ["rules/base.yaml"]\n')
    done = run("lint", "mine.yaml")
    assert done.stdout.startswith("default rules: rules/base.yaml\n")
    assert "FK350 shadowed-default" in done.stdout


def test_rule_matching_of_a_configuration_counts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "falco_rules.yaml").write_text(RULE)
    (tmp_path / "mine.yaml").write_text(RULE.replace("rule: T", "rule: U").replace("= open", "= open and fd.name = /x"))
    (tmp_path / "falco.yaml").write_text("rules_files: [falco_rules.yaml, mine.yaml]\n")
    assert "FK359 taken-by-earlier-rule" in run("lint", "--config", "falco.yaml").stdout
    for more in (
        "rule_matching: all",
        "rules: [{disable: {rule: T}}]",
        "rules: [{disable: {rule: U}}]",
        "priority: error",
    ):
        (tmp_path / "falco.yaml").write_text(f"rules_files: [falco_rules.yaml, mine.yaml]\n{more}\n")
        assert run("lint", "--config", "falco.yaml").returncode == 0, more


def test_wrong_settings_are_one_line_with_a_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "falcokit.toml").write_text("\nignor = []\n")
    done = run("lint", ".")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "falcokit: falcokit.toml:2:1: there is no setting `ignor`; did you mean `ignore`?\n"


def test_fix_changes_what_it_mends_and_nothing_else(run: Run, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(RULE)
    mine = tmp_path / "mine.yaml"
    mine.write_bytes(OLD.encode())
    mine.chmod(0o640)
    shown = run("lint", "--defaults", "base.yaml", "mine.yaml", "--diff")
    assert shown.returncode == 1
    assert "-  append: true\n+  override:\n+    condition: append\n" in shown.stdout
    assert mine.read_text() == OLD
    done = run("lint", "--defaults", "base.yaml", "mine.yaml", "--fix")
    assert done.returncode == 0, done.stdout
    assert "mine.yaml: mended\n1 finding mended\n" in done.stdout
    assert mine.read_text() == OLD.replace("  append: true\n", "  override:\n    condition: append\n")
    assert mine.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "base.yaml").read_text() == RULE
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".cache")) == [
        "base.yaml",
        "mine.yaml",
    ]


def test_fix_leaves_default_files_and_what_is_not_utf8_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(RULE + "- rule: T\n  enabled: false\n")
    (tmp_path / "mine.yaml").write_bytes(OLD.encode("utf-16"))
    done = run("lint", "--defaults", "base.yaml", "mine.yaml", "--fix")
    assert "not written" in done.stdout
    assert (tmp_path / "mine.yaml").read_bytes() == OLD.encode("utf-16")
    assert (tmp_path / "base.yaml").read_text() == RULE + "- rule: T\n  enabled: false\n"


def test_fix_follows_a_link(run: Run, tmp_path: Path) -> None:
    (tmp_path / "real").write_text(RULE + OLD)
    (tmp_path / "mine.yaml").symlink_to("real")
    run("lint", "--no-defaults", "mine.yaml", "--fix")
    assert (tmp_path / "mine.yaml").is_symlink()
    assert "override:" in (tmp_path / "real").read_text()


def test_what_makes_no_sense_together(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(RULE)
    for wrong in (
        ["--unsafe"],
        ["--target-falco", "latest"],
        ["--select", "nosuch"],
        ["--settings", "a", "--no-settings"],
        ["--changed-since", "-x"],
        ["--changed-since", "HEAD"],
    ):
        done = run("lint", "mine.yaml", *wrong)
        assert (done.returncode, done.stdout) == (2, ""), wrong
        assert done.stderr.startswith("falcokit: ")


def test_a_target_tells_what_an_older_falco_cannot_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(RULE + OLD.replace("  append: true", "  override: {condition: append}"))
    assert run("lint", "mine.yaml").returncode == 0
    done = run("lint", "mine.yaml", "--target-falco", "0.36")
    assert "error[FK850 newer-falco-needed]" in done.stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="needs the package git")
def test_only_what_changed_is_reported(run: Run, tmp_path: Path) -> None:
    def git(*args: str) -> None:
        settings = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *settings, *args], cwd=tmp_path, check=True, capture_output=True)

    mine = tmp_path / "mine.yaml"
    mine.write_text(IDLE.format("one") + IDLE.format("two"))
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "m")
    assert run("lint", "mine.yaml").stdout.count("FK204") == 2
    assert run("lint", "mine.yaml", "--changed-since", "HEAD").returncode == 0
    mine.write_text(IDLE.format("one") + IDLE.format("two").replace("[a]", "[b]"))
    (tmp_path / "new.yaml").write_text(IDLE.format("three"))
    out = run("lint", "mine.yaml", "new.yaml", "--changed-since", "HEAD").stdout
    assert [name for name in ("`one`", "`two`", "`three`") if name in out] == ["`two`", "`three`"]
    (tmp_path / "new.yaml").write_text("- macro: m\n  condition: nosuch\n")
    assert "FK201" in run("lint", "mine.yaml", "new.yaml", "--changed-since", "HEAD").stdout
    assert "git cannot tell" in run("lint", "mine.yaml", "--changed-since", "nosuch").stderr


def test_explain(run: Run) -> None:
    page = run("explain", "FK350").stdout
    assert page.startswith("# FK350 shadowed-default\n")
    assert "# ^^^" in page
    assert "```" not in page
    assert run("explain", "shadowed-default").stdout == page
    assert "LOAD_UNUSED_LIST" in run("explain", "unused-list").stdout
    assert "unused-list" in run("explain", "LOAD_UNUSED_LIST").stdout
    everything = run("explain").stdout
    assert "FK350" in everything
    assert "FK001" in everything
    wrong = run("explain", "shadowd-default")
    assert wrong.returncode == 2
    assert "did you mean 'shadowed-default'?" in wrong.stderr


@pytest.mark.parametrize("format_name", ["sarif", "github", "junit", "gitlab"])
def test_formats_for_other_programs(run: Run, tmp_path: Path, format_name: str) -> None:
    (tmp_path / "mine.yaml").write_text(IDLE.format("idle"))
    done = run("lint", "mine.yaml", "--format", format_name)
    assert done.returncode == 1
    assert "mine.yaml" in done.stdout
    assert "FK204" in done.stdout or "unused-list" in done.stdout
    assert run("lint", "mine.yaml", "--format", format_name).stdout == done.stdout


def test_a_baseline_holds_what_was_there(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(IDLE.format("one"))
    assert run("lint", "mine.yaml", "--write-baseline", "base.json").returncode == 0
    mine.write_text("# moved\n\n" + IDLE.format("one") + IDLE.format("two"))
    done = run("lint", "mine.yaml", "--baseline", "base.json")
    assert "`two`" in done.stdout
    assert "`one`" not in done.stdout
    mine.write_text(IDLE.format("one"))
    assert run("lint", "mine.yaml", "--baseline", "base.json").returncode == 0
    assert run("lint", "mine.yaml").returncode == 1
    (tmp_path / "bad.json").write_text("[]")
    assert "is no baseline" in run("lint", "mine.yaml", "--baseline", "bad.json").stderr
    assert run("lint", "mine.yaml", "--baseline", "nosuch.json").returncode == 2
    assert run("lint", "mine.yaml", "--baseline", "base.json", "--write-baseline", "x").returncode == 2
    before = (tmp_path / "mine.yaml").read_text()
    assert run("lint", "mine.yaml", "--write-baseline", "mine.yaml").returncode == 2
    assert (tmp_path / "mine.yaml").read_text() == before


def test_a_baseline_has_no_errors_that_falco_stops_at(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("- macro: m\n  condition: nosuch\n")
    done = run("lint", "mine.yaml", "--write-baseline", "base.json")
    assert "1 errors that keep Falco" in done.stdout or "1 error" in done.stdout
    assert run("lint", "mine.yaml", "--baseline", "base.json").returncode == 1

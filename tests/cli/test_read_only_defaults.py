"""No command changes a default file, however it is named ([R1]): neither bundled, nor pulled, nor given ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "a" * 64
DEFAULT = """\
- list: shells
  items: [sh]
- macro: user_known_shell
  condition: (never_true)
- macro: never_true
  condition: (evt.num = 0)
- rule: Shell
  desc: d
  condition: evt.type = execve and proc.name in (shells) and container.id != host and not user_known_shell
  output: o %container.image.repository %container.name
  priority: INFO
- rule: Quiet
  desc: d
  condition: evt.type = execve and proc.name = quiet
  output: o
  priority: INFO
  enabled: false
- list: shells
  items: [ash]
  append: true
- macro: user_known_shell
  condition: or container.name = gone
  append: true
"""
EVENT = {
    "rule": "Shell",
    "priority": "Informational",
    "time": "2026-01-01T00:00:00.000000000Z",
    "output": "o",
    "output_fields": {"container.image.repository": "docker.io/a/b", "container.name": "web", "proc.name": "sh"},
}
COMMANDS = {
    "fix": ("lint", "--no-cache", "--fix", "--unsafe", "{}"),
    "fix alone": ("lint", "--no-cache", "--no-defaults", "--fix", "--unsafe", "{}"),
    "baseline": ("lint", "--no-cache", "mine.yaml", "--write-baseline", "{}"),
    "whitelist": ("whitelist", "--event", "event.json", "--write", "{}"),
    "remove": ("whitelist", "remove", "1", "{}"),
    "disable": ("rule", "disable", "Shell", "--write", "{}"),
    "enable": ("rule", "enable", "Quiet", "--write", "{}"),
    "upgrade": ("upgrade", "--from", "old.yaml", "--write", "{}"),
    "junit": ("test", "cases_test.yaml", "--junit", "{}"),
    "pull": ("defaults", "pull", "--lock", "{}", "--plain-http", "127.0.0.1:1/x"),
}


class Place:
    """falcokit with default rules of the test's own, and a store of pulled ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "package"
        for name in ("falcokit", "schemas"):
            shutil.copytree(ROOT / name, self.package / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.bundled = self.package / "default_rules" / "falco_rules.yaml"
        self.pulled = folder / f"data/falcokit/defaults/example.org/x@{DIGEST}/falco_rules.yaml"
        self.given = folder / "given" / "base.yaml"
        for path in (self.bundled, self.pulled, self.given):
            path.parent.mkdir(parents=True)
            path.write_text(DEFAULT, encoding="utf-8")
        self.work = folder / "work"
        self.work.mkdir()
        (self.work / "new.yaml").write_text(DEFAULT.replace("[sh]", "[sh, zsh]"), encoding="utf-8")
        (self.work / "old.yaml").write_text(DEFAULT, encoding="utf-8")
        (self.work / "event.json").write_text(json.dumps(EVENT) + "\n", encoding="utf-8")
        (self.work / "mine.yaml").write_text("- list: mine\n  items: []\n", encoding="utf-8")
        (self.work / "cases_test.yaml").write_text(
            "rules: [mine.yaml]\ncases:\n- events: [{evt.type: execve}]\n  silent: [Shell]\n", encoding="utf-8"
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "falcokit", *arguments], cwd=self.work, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(self.package), "XDG_DATA_HOME": str(self.folder / "data"), "XDG_CACHE_HOME": str(self.folder / "cache")},
        )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("place"))


def named(place: Place, path: Path, way: str) -> str:
    """*path* as a user may write it."""
    if way == "relative":
        return os.path.relpath(path, place.work)
    link = place.work / "link.yaml"
    link.unlink(missing_ok=True)
    if way == "link":
        link.symlink_to(path)
        return "link.yaml"
    if way == "folder":
        folder = place.work / "linked"
        folder.unlink(missing_ok=True)
        folder.symlink_to(path.parent)
        return f"linked/{path.name}"
    return str(path)


def test_what_is_no_default_file_is_written(place: Place) -> None:
    """The commands do write: else the property below would hold for nothing."""
    for command, arguments in COMMANDS.items():
        mine = place.work / "own.yaml"
        mine.write_text(DEFAULT, encoding="utf-8")
        if command == "remove":
            mine.write_text("- macro: user_known_shell\n  condition: container.name = web\n", encoding="utf-8")
        if command == "upgrade":
            mine.write_text("- list: shells\n  items: [sh, ash, fish]\n", encoding="utf-8")
        if command in ("whitelist", "disable", "enable", "pull", "junit", "baseline"):
            mine.unlink()
        before = mine.read_bytes() if mine.exists() else None
        more = ("--to", "new.yaml") if command == "upgrade" else ()
        done = place.run(*[part.format("own.yaml") for part in arguments], *more)
        after = mine.read_bytes() if mine.exists() else None
        assert (before != after) == (command != "pull"), (command, done.stdout, done.stderr)
        mine.unlink(missing_ok=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    command=st.sampled_from(sorted(COMMANDS)),
    kind=st.sampled_from(["bundled", "pulled", "given"]),
    way=st.sampled_from(["whole", "relative", "link", "folder"]),
)
def test_no_command_changes_a_default_file(place: Place, command: str, kind: str, way: str) -> None:
    path: Path = getattr(place, kind)
    text = named(place, path, way)
    arguments = [part.format(text) for part in COMMANDS[command]]
    if kind == "given" and command not in ("fix alone", "upgrade", "junit", "pull"):
        arguments += ["--defaults", str(path)]
    if command == "upgrade":
        arguments += ["--to", str(path)]
    before = path.read_bytes(), path.stat().st_mtime_ns, sorted(os.listdir(path.parent))
    done = place.run(*arguments)
    if kind == "given" and command in ("fix alone", "baseline", "junit", "pull"):
        return  # Nobody said that it is one.
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(os.listdir(path.parent))) == before
    assert "Traceback" not in done.stderr
    assert done.returncode != 0 or "not written: it is" in done.stdout, (arguments, done.stdout)
    if command not in ("pull", "junit", "baseline"):  # They write only over what is a lock file, report or baseline.
        assert "default file" in done.stdout + done.stderr, done.stdout + done.stderr
        assert "own" in done.stdout + done.stderr

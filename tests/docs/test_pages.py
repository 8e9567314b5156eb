"""Pages made from the code are up to date, and what the README shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import falcokit
from falcokit.cli.reference import check_pages, cli_page, findings_page
from falcokit.diagnostic import KINDS

ROOT = Path(__file__).parents[2]


def test_generated_pages_are_up_to_date() -> None:
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == cli_page()
    assert (ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == findings_page()
    pages = check_pages()
    for name, text in pages.items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, name
    assert {f"checks/{path.name}" for path in (ROOT / "docs" / "checks").iterdir()} == set(pages)


def test_codes_and_names_of_findings_are_unique() -> None:
    kinds = list(KINDS.values())
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(re.fullmatch(r"FK\d{3}", kind.code) for kind in kinds)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in KINDS)


def test_the_readme_shows_what_the_command_prints() -> None:
    shown = re.search(r"\$ falcokit (lint \S+)\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    assert shown is not None
    command = [sys.executable, "-m", "falcokit", *shown[1].split(), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == shown[2].strip()


def test_the_public_names_can_be_imported() -> None:
    assert sorted(falcokit.__all__) == dir(falcokit)
    for name in falcokit.__all__:
        assert getattr(falcokit, name) is not None

"""The walk-through of docs/whitelisting.md, command by command, with the output that stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_walk_through_runs_as_it_is_told(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "whitelisting.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n\$ falcokit (.*?)\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 8
    shutil.copy(ROOT / "tests" / "examples" / "noise.json", tmp_path)
    for command, expected in blocks:
        done = subprocess.run(
            [sys.executable, "-m", "falcokit", *shlex.split(command)],
            cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "80", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert (done.stdout + done.stderr).rstrip("\n") == expected.rstrip("\n"), command

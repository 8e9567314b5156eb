"""The cases of the default rules, run as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_every_default_rule_has_cases_that_fire_stay_silent_and_try_each_hook() -> None:
    command = [sys.executable, "-m", "falcokit", "test", str(HERE), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["cases"] > 1700
    assert len(report["coverage"]) == 108
    for rule in report["coverage"]:
        assert rule["fired"], rule["rule"]
        assert rule["silent"], rule["rule"]
        assert all(rule["hooks"].values()), rule
        assert (rule["never_true"], rule["never_false"]) == ([], []), rule["rule"]

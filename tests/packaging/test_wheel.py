"""The built wheel carries its data and works from any folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CUSTOM = (
    "- rule: Sh\n  desc: d\n  condition: spawned_process and proc.nme = sh\n  output: o %proc.name\n  priority: INFO\n"
)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_schemas_and_default_rules(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "falcokit/default_rules/falco_rules.yaml" in names
    assert "falcokit/schemas/lint-report.schema.json" in names
    assert "falcokit/schemas/catalogue/falco.json" in names
    assert "falcokit/condition/grammar.lark" in names
    assert "falcokit/py.typed" in names


def test_the_main_job_runs_from_a_fresh_environment_in_another_folder(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    # What falcokit needs is there already; a second download would test the network.
    site = next((home / "lib").glob("python*/site-packages"))
    (site / "outer.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")) + "\n")
    install = [str(python), "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--force-reinstall", str(wheel)]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(install, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "custom.yaml").write_text(CUSTOM)
    command = [str(home / "bin" / "falcokit"), "lint", "--no-cache", "--format", "json", "custom.yaml"]
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert [(f["name"], f["place"]["line"], f["place"]["column"]) for f in report["findings"]] == [
        ("unknown-field", 3, 34)
    ]
    assert any(str(home) in file["path"] for file in report["files"])

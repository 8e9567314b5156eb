"""The report about events in a browser of the real kind, and as markdown."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>document.title='x'</script><img src=http://127.0.0.1:1/x onerror=alert(1)>\u202e|`\x1b[31m"


def alert(number: int, rule: str, priority: str, image: str) -> dict[str, Any]:
    return {"rule": rule, "priority": priority, "output": f"{rule} happened (process=sh)", "hostname": "node", "source": "syscall",
            "time": f"2026-09-21T14:13:{number % 60:02d}.{number:09d}Z", "output_fields": {"proc.name": "sh", "container.id": f"{number:012x}", "container.name": "c", "container.image.repository": image, "k8s.ns.name": "dev"}}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = [alert(number, "Shell <b>", "Warning", "nginx") for number in range(1, 31)]
    documents += [alert(number, HOSTILE, "Error", HOSTILE) for number in range(31, 41)]
    (tmp_path / "e.json").write_text("".join(json.dumps(one) + "\n" for one in documents), encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", "events", "report", *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs chromium (Debian: apt install chromium)")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


def test_the_page_in_a_browser(folder: Path, browser: Any) -> None:
    assert run(folder, "e.json", "-o", "r.html", "--title", HOSTILE)[0] == 0
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "r.html").as_uri())
    assert (
        page.locator("#summary")
        .inner_text()
        .startswith("40 events from 2026-09-21 14:13:01 to 2026-09-21 14:13:40 (UTC)")
    )
    rows = page.locator("#rules tbody tr")
    assert (rows.count(), rows.nth(0).locator("td").nth(0).inner_text()) == (2, "30")
    assert rows.nth(0).locator("td").nth(2).inner_text() == "Shell <b>"
    assert page.locator("script, img").count() == 0
    assert page.title().startswith("<script>")
    heights = page.locator("#time rect").evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    assert len(heights) > 10
    assert min(heights) > 0
    assert "falcokit events show" in page.locator("#kinds code").nth(0).inner_text()
    page.set_viewport_size({"width": 380, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    assert said == []
    assert asked == [(folder / "r.html").as_uri()]


def test_markdown_and_what_rules_leave_out(folder: Path) -> None:
    code, out, _ = run(folder, "e.json")
    assert code == 0
    assert "| 30 | medium | Shell \\<b\\> |" in out
    assert "\x1b" not in out
    assert "<script" not in out.replace("\\<script", "")
    (folder / "base.yaml").write_text(
        "- rule: Shell <b>\n  desc: d\n  condition: evt.type = execve and proc.name = sh and container\n  output: x\n  priority: WARNING\n- macro: container\n  condition: (container.id != host)\n".replace(" and container\n", " and container.id != host\n"),
        encoding="utf-8",
    )  # fmt: skip
    (folder / "mine.yaml").write_text(
        "- rule: Shell <b>\n  condition: and not container.image.repository = nginx\n  override: {condition: append}\n",
        encoding="utf-8",
    )
    code, out, _ = run(folder, "e.json", "--rules", "mine.yaml", "--defaults", "base.yaml")
    assert code == 0
    assert "30 of these events." in out
    assert "| 30 | Shell \\<b\\> | nginx | sh |" in out
    code, out, _ = run(folder, "e.json", "--priority", "emergency")
    assert (code, "There are no events." in out) == (0, True)
    assert run(folder, "e.json", "-o", "gone/r.html")[0] == 2

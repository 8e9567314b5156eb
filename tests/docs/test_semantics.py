"""Every case that docs/semantics.md names is a measured one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = ROOT.parent / "shared" / "conformance" / "cases"


@pytest.mark.skipif(not CASES.exists(), reason="needs the measured cases in ../shared")
def test_the_named_cases_exist() -> None:
    known = set()
    for path in CASES.glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        known |= {f"{document['topic']}/{case['id']}" for case in document["cases"]}
    named = re.findall(r"`([a-z-]+/[a-z0-9-]+)`", (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8"))
    assert len(named) > 20
    assert sorted(set(named) - known) == []

"""All steps of the public releases, counted a second time by code that knows nothing of falcokit's."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from falcokit.catalogue import Catalogue
from falcokit.source import Origin, SourceFile
from falcokit.upgrade import Upgrade, upgrade

UPSTREAM = Path(__file__).parents[3] / "shared" / "corpus" / "upstream"
pytestmark = pytest.mark.skipif(not UPSTREAM.exists(), reason="the releases are not here")

_TOKEN = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|[()=,]|[^\s()=,"']+""")


def steps() -> list[tuple[Path, Path]]:
    found = []
    for family in (*sorted(UPSTREAM.glob("falco-*-rules")), UPSTREAM / "falco-rules"):
        versions = sorted(
            family.iterdir() if family.exists() else (), key=lambda one: tuple(map(int, one.name.split(".")))
        )
        found += list(pairwise(versions))
    return found


def files(folder: Path) -> list[SourceFile]:
    return [SourceFile(path.name, path.read_text("utf-8"), Origin.DEFAULT) for path in sorted(folder.glob("*.yaml"))]


class Plain:
    """A release as its YAML says it, macros and lists put in by replacing words."""

    def __init__(self, folder: Path) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        for path in sorted(folder.glob("*.yaml")):
            for item in YAML(typ="safe", pure=True).load(path.read_text("utf-8")):
                for kind in ("rule", "macro", "list"):
                    if kind in item:
                        assert "append" not in item
                        assert "override" not in item
                        self.items[kind, item[kind]] = item

    def members(self, name: str) -> frozenset[str]:
        found: set[str] = set()
        for item in map(str, self.items["list", name]["items"]):
            found |= self.members(item) if ("list", item) in self.items else {item.strip("\"'")}
        return frozenset(found)

    def words(self, text: str) -> frozenset[tuple[str, int]]:
        """How often each word stands in a condition, all put in; a list counts once with its members."""
        found: Counter[str] = Counter()
        words = _TOKEN.findall(text)
        values = False  # Between the parentheses of a list.
        for before, word in zip(["", *words], words, strict=False):
            if word in ("(", ")", ","):
                values = word != ")" and (values or before in ("in", "pmatch", "intersects"))
            elif values and ("list", word) in self.items:
                found.update(self.members(word))
            elif not values and ("macro", word) in self.items and before in ("", "(", "and", "or", "not"):
                found.update(dict(self.words(self.items["macro", word]["condition"])))
            else:
                found[word.strip("\"'")] += 1
        return frozenset(found.items())

    def meaning(self, named: tuple[str, str]) -> object:
        kind, name = named
        item = self.items[named]
        if kind == "list":
            return self.members(name)
        if kind == "macro":
            return self.words(item["condition"])
        texts = " ".join(item["output"].split()), item["priority"].upper(), item.get("source", "syscall")
        rest = frozenset(item.get("tags", ())), item.get("enabled", True), str(item.get("exceptions", ""))
        return self.words(item["condition"]), *texts, *rest


@pytest.mark.parametrize(("old", "new"), steps(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_changed_is_what_a_plain_count_says(old: Path, new: Path) -> None:
    before, after = Plain(old), Plain(new)
    expected = {(kind, name, "added") for kind, name in after.items.keys() - before.items.keys()}
    expected |= {(kind, name, "removed") for kind, name in before.items.keys() - after.items.keys()}
    for named in before.items.keys() & after.items.keys():
        if before.meaning(named) != after.meaning(named):
            expected.add((*named, "changed"))
    if (old.name, new.name) == ("1.0.2", "2.0.0"):
        expected.add(("macro", "sensitive_files", "changed"))  # The same words, put in parentheses another way.
    found = upgrade(files(old), files(new), (), Catalogue.bundled())
    assert {(change.kind, change.name, change.how) for change in found.changes} == expected


def step(old: str, new: str, custom: str) -> Upgrade:
    family = UPSTREAM / "falco-rules"
    return upgrade(files(family / old), files(family / new), [SourceFile("my.yaml", custom)], Catalogue.bundled())


def test_the_step_in_which_342_items_left_the_file() -> None:
    found = step("1.0.2", "2.0.0", "- macro: user_known_write_root_conditions\n  condition: (proc.name = agent)\n")
    assert Counter(change.how for change in found.changes)["removed"] == 342
    (verdict,) = found.verdicts
    assert (verdict.state, verdict.reason) == (
        "dead", "these whitelists are dead: `Write below root` is gone, look in falco-sandbox_rules.yaml",
    )  # fmt: skip


def test_every_custom_file_of_the_corpus_goes_through_the_steps() -> None:
    custom = sorted((UPSTREAM.parent / "custom").iterdir())
    assert len(custom) > 100
    catalogue = Catalogue.bundled()
    for path in custom:
        text = path.read_text("utf-8", "replace")
        old, new = files(UPSTREAM / "falco-rules" / "4.0.0"), files(UPSTREAM / "falco-rules" / "5.0.0")
        found = upgrade(old, new, [SourceFile(path.name, text)], catalogue)
        again = upgrade(old, new, found.files, catalogue)
        # What was written is at rest: a second run has nothing to change.
        assert [file.text for file in again.files] == [file.text for file in found.files], path.name

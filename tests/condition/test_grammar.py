"""The published grammar and the parser that decides agree, apart from a list of Falco's oddities."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark.exceptions import LarkError

from falcokit.condition import parse
from falcokit.condition.expected import expected, grammar
from falcokit.condition.render import to_source
from falcokit.diagnostic import Problem
from falcokit.document import Mapping, Scalar, Sequence, compose
from falcokit.source import SourceFile

SHARED = Path(__file__).parents[2].parent / "shared"

ODDITIES = {
    "depth: parentheses": ("(" * 199 + "proc.name=a" + ")" * 199, False, True),
    "depth: negations": ("not(" * 249 + "proc.name=a" + ")" * 249, False, True),
    "a group behind or( is one operand": ("a or(b)and c", False, True),
    "an unreadable head of a list is skipped": (r"proc.name in ('a\q')", True, False),
    "a form feed ends the word not and nothing else": ("not\x0cproc.pid=1", True, False),
}
"""Condition, whether Falco accepts it, whether the grammar does."""


def in_falco(text: str) -> bool:
    return not isinstance(parse(text), Problem)


def in_grammar(text: str) -> bool:
    try:
        grammar().parse(text)
    except LarkError:
        return False
    return True


@pytest.mark.parametrize("name", ODDITIES)
def test_oddities_are_as_listed(name: str) -> None:
    text, falco, written = ODDITIES[name]
    assert (in_falco(text), in_grammar(text)) == (falco, written)


@cache
def measured() -> frozenset[str]:
    found: set[str] = set()
    for name in ("conditions.jsonl", "rejected.jsonl"):
        for line in (SHARED / "evaluation" / name).read_text(encoding="utf-8").splitlines():
            found.add(json.loads(line)["condition"])
    for path in (SHARED / "conformance" / "cases").glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        for case in document["cases"]:
            if document.get("mode") == "evaluation":
                found.add(case["condition"])
            elif "mode" not in document:
                for text in case["files"]:
                    found.update(conditions(text))
    for path in [*(SHARED / "corpus" / "upstream").rglob("*.yaml"), *(SHARED / "corpus" / "custom").iterdir()]:
        found.update(conditions(path.read_text(encoding="utf-8", errors="surrogateescape")))
    return frozenset(found)


def conditions(text: str) -> Iterator[str]:
    for document in compose(SourceFile("x.yaml", text))[0]:
        for item in document.root.items if isinstance(document.root, Sequence) else ():
            condition = item.get("condition") if isinstance(item, Mapping) else None
            if isinstance(condition, Scalar):
                yield condition.value


def odd(text: str) -> bool:
    return text.count("(") > 190 or "or(" in text or "\x0c" in text or r"\q" in text


@pytest.mark.skipif(not SHARED.exists(), reason="needs the measured cases in ../shared")
def test_both_agree_on_every_measured_condition() -> None:
    texts = [text for text in measured() if not odd(text)]
    assert len(texts) > 6000
    assert [text for text in texts if in_falco(text) != in_grammar(text)] == []


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(from_lark(grammar(), start="start"))
@example('A.A=="\x08"')
def test_generated_conditions_parse_and_survive_a_round_trip(text: str) -> None:
    tree = parse(text)
    if isinstance(tree, Problem):
        # The generator ignores what terminals need around them; what it makes of that, both refuse.
        assert odd(text) or not in_grammar(text)
        return
    assert parse(to_source(tree)) == tree


@pytest.mark.skipif(not SHARED.exists(), reason="needs the measured cases in ../shared")
def test_measured_conditions_survive_a_round_trip() -> None:
    trees = [(text, tree) for text in measured() if not isinstance(tree := parse(text), Problem)]
    assert [text for text, tree in trees if parse(to_source(tree)) != tree] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a field"),
        ("a and ", "a macro name"),
        ("a ", "`and`"),
        ("proc.name ", "`exists`"),
        ("proc.name = ", "a value"),
        ("proc.name in (a", "`)`"),
        ("tolower(", "a quoted text"),
    ],
)
def test_what_can_stand_at_a_place(text: str, words: str) -> None:
    assert words in expected(text, len(text))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.integers(0, 60))
def test_asking_what_can_stand_somewhere_never_fails(text: str, offset: int) -> None:
    assert isinstance(expected(text, min(offset, len(text))), tuple)

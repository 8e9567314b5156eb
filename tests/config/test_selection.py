"""Which rules run: patterns without backtracking, order of entries, minimum priority."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.config import Selection, is_enabled, matches_pattern

PIECES = st.text("ab*", max_size=8)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("Alpha", "Alpha", True),
        ("alpha", "Alpha", False),
        ("Alph", "Alpha", False),
        ("Alph?", "Alpha", False),
        ("Alpha*", "Alphabet soup", True),
        ("*bet*", "Alphabet soup", True),
        ("*", "anything", True),
        ("**", "", True),
        ("*a*a", "aa", True),
        ("x*a", "xa ya", False),
        ("*ab", "ab ab", False),
        ("*.yaml", "a.yaml.yaml", False),
        ("a*b*c", "a-b-c", True),
        ("ab*", "a", False),
    ],
)
def test_patterns(pattern: str, text: str, fits: bool) -> None:
    assert matches_pattern(pattern, text) is fits


def as_falco_does(pattern: str, text: str) -> bool:
    """The rule of the specification, word by word: behind a star, the first occurrence of the next piece."""
    if "*" not in pattern:
        return pattern == text
    head, star, tail = pattern.partition("*")
    if head:
        return text.startswith(head) and as_falco_does(star + tail, text[len(head) :])
    tail = tail.lstrip("*")
    if not tail:
        return True
    piece = tail.partition("*")[0]
    found = text.find(piece)
    return found >= 0 and as_falco_does(tail[len(piece) :], text[found + len(piece) :])


@given(PIECES, st.text("ab", max_size=10))
def test_patterns_as_specified(pattern: str, text: str) -> None:
    assert matches_pattern(pattern, text) is as_falco_does(pattern, text)


@given(PIECES, st.text("ab", max_size=10))
def test_what_fits_also_fits_with_backtracking(pattern: str, text: str) -> None:
    if matches_pattern(pattern, text):
        assert re.fullmatch(pattern.replace("*", ".*"), text)


def test_later_entries_win() -> None:
    off, on = Selection(False, rule="*"), Selection(True, tag="x")
    assert is_enabled("R", {"x"}, 6, True, [off, on])
    assert not is_enabled("R", {"x"}, 6, True, [on, off])
    assert not is_enabled("R", {"y"}, 6, True, [off, on])


def test_name_and_tag_of_one_entry_act_independently() -> None:
    entry = Selection(False, rule="A", tag="t")
    assert not is_enabled("A", set(), 6, True, [entry])
    assert not is_enabled("B", {"t"}, 6, True, [entry])
    assert is_enabled("B", {"*"}, 6, True, [entry])


def test_a_rule_below_the_minimum_cannot_be_switched_on() -> None:
    assert not is_enabled("R", set(), 7, True, [Selection(True, rule="*")], minimum=6)
    assert is_enabled("R", set(), 6, True, [], minimum=6)


def test_without_entries_the_rules_own_state_counts() -> None:
    assert is_enabled("R", set(), 7, True, [])
    assert not is_enabled("R", set(), 7, False, [])

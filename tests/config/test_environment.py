"""Variables in configuration files."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.config.environment import expanded

VARIABLES = {"A": "one", "B": "two", "NESTED": "<${A}>", "CUT": "${A", "DOLLAR": "5$", "SELF": "${SELF}"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("${A}", "one"),
        ("x${A}y${B}z", "xoneytwoz"),
        ("${MISSING}", ""),
        ("${}", ""),
        ("$${A}", "${A}"),
        ("$${A}${B}", "${A}two"),
        ("${A", "${A"),
        ("$${A", "$${A"),
        ("${NESTED}", "<one>"),
        ("${CUT}}", "one"),
        # A dollar sign of any other kind ends the search.
        ("$5 ${A}", "$5 ${A}"),
        ("${A} $B ${B}", "one $B ${B}"),
        ("${DOLLAR} ${A}", "5$ ${A}"),
        ("$$${A}", "$$${A}"),
    ],
)
def test_expansion(text: str, result: str) -> None:
    assert expanded(text, VARIABLES) == result


def test_what_never_ends_is_told() -> None:
    assert expanded("${SELF}", VARIABLES) is None


def test_growth_is_bounded() -> None:
    grow = {"A": "x" * 100_000, "B": "${A}" * 100}
    assert expanded("${B}" * 100, grow) is None


@pytest.mark.parametrize("text", ["${A}" * 200_000, "$${" * 300_000 + "}", "${" * 500_000, "$" * 500_000])
def test_long_texts_take_time_in_proportion(text: str) -> None:
    begin = time.perf_counter()
    expanded(text, {"A": "b"})
    assert time.perf_counter() - begin < 2


@given(st.text("${}A B", max_size=20))
def test_text_without_a_complete_variable_stays(text: str) -> None:
    if "}" not in text or "${" not in text:
        assert expanded(text, VARIABLES) == text

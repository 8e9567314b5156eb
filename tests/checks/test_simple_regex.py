"""What is written instead of a pattern holds for the values that the pattern matches, and for no others."""

from __future__ import annotations

import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.checks.conditions.simple_regex import _simpler
from falcokit.condition.ast import Check, Field, ListValue, Value

FIELD = Field("proc.name")
PIECES = st.sampled_from(
    ["a", "b", "/", ".", r"\.", "[.]", ".*", "(.*)", "(", ")", "|", "^", "$", "^", "+", "?", r"\$"]
)
EDGES = st.sampled_from(["", "^", "$", ".*", "^.*", ".*^", ".*$", "$.*", "(", ")", "^(", ")$"])
PATTERNS = st.tuples(EDGES, st.lists(PIECES, max_size=5).map("".join), EDGES).map("".join)
VALUES = st.text("ab/.$^", max_size=6)


def matches(pattern: str, value: str) -> bool | None:
    """As Falco has it: POSIX syntax, the whole value."""
    options = re2.Options()
    options.posix_syntax = True
    options.longest_match = True
    options.log_errors = False
    try:
        return re2.fullmatch(pattern, value, options) is not None
    except re2.error:
        return None


def holds(check: Check, value: str) -> bool:
    if isinstance(check.right, ListValue):
        return value in check.right.texts
    assert isinstance(check.right, Value)
    text = check.right.text
    compare = {"=": value == text, "contains": text in value, "startswith": value.startswith(text)}
    return compare.get(check.operator, value.endswith(text))


@given(PATTERNS, st.lists(VALUES, min_size=1, max_size=20))
@settings(max_examples=1000)
def test_the_comparison_holds_where_the_pattern_matches(pattern: str, values: list[str]) -> None:
    simpler = _simpler(FIELD, pattern)
    if simpler is None:
        return
    texts = simpler.right.texts if isinstance(simpler.right, ListValue) else (getattr(simpler.right, "text", ""),)
    around = [before + text + after for text in texts for before in ("", "a", "/") for after in ("", "b", ".")]
    for value in [*values, *around]:
        assert matches(pattern, value) is holds(simpler, value)


def test_what_is_simpler() -> None:
    def written(pattern: str) -> str:
        from falcokit.condition.render import to_source

        simpler = _simpler(FIELD, pattern)
        return "" if simpler is None else to_source(simpler).removeprefix("proc.name ")

    assert written("^/etc/.*") == "startswith /etc/"
    assert written(r"(.*)\.sh$") == "endswith .sh"
    assert written("^(a b|c)$") == 'in ("a b", c)'
    assert written("^a$|^b$") == "in (a, b)"
    assert written("/bin/(sh|bash)") == "in (/bin/sh, /bin/bash)"
    assert written("a/(^b|c)") == ""
    assert written("evil.com") == ""
    assert written("a|b.*") == ""
    assert written("(a|)") == ""

"""Reading conditions: places of problems, and what to write instead."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.condition import parse
from falcokit.diagnostic import Problem

PIECES = st.lists(
    st.sampled_from(
        ["proc.name", "a", " ", "=", "in", "(", ")", "'x'", '"', "\\", "not", "and", "or", ",", "val(", "len(", "[", "]",
         "\n", "é", "oneof ", "1", "exists", "\x00"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.one_of(PIECES, st.text(max_size=80)))
def test_any_text_gives_a_tree_or_a_problem_inside_the_text(text: str) -> None:
    result = parse(text)
    if isinstance(result, Problem):
        size = len(text.encode("utf-8", "surrogatepass"))
        assert 0 <= result.start <= result.end <= size
        assert 0 <= result.at <= size
        assert result.message


@pytest.mark.parametrize(
    "text",
    ["(" * 10_000, "[" * 200_000, "not " * 100_000 + "a", "proc.name in (a = b", "tolower(" * 5_000, "'" * 10_001,
     "a and " * 20_000, "proc.name in (" + "a," * 50_000],
)  # fmt: skip
def test_hostile_texts_are_refused_or_read(text: str) -> None:
    result = parse(text)
    assert isinstance(result, Problem) == (text != "not " * 100_000 + "a")


@pytest.mark.parametrize(
    ("text", "wrong", "said"),
    [
        ("fd.sport not in (80)", "not", "`not` stands before the field"),
        ("a and and b", "and", ""),
        ("a && b", "&", "write `and`"),
        ("a || b", "|", "write `or`"),
        ("a AND b", "AND", "lower case"),
        ("proc.name = a proc.exe = b", "proc.exe", "between two checks"),
        ("procname = x", "=", "names of fields have a dot"),
        ("proc.name = 'a", "'", ""),
        ("proc.name in (a", "(", ""),
        ("(a and b", "(", ""),
        ("a # no comments here", "#", "comment"),
        (r"proc.name = 'a\d'", r"\d", "backslash"),
    ],
)
def test_mistakes_are_shown_at_the_wrong_characters_with_help(text: str, wrong: str, said: str) -> None:
    result = parse(text)
    if wrong == "and":  # the second `and` reads as the name of a macro
        assert isinstance(result, Problem)
        return
    assert isinstance(result, Problem)
    assert text[result.start : result.end].startswith(wrong)
    assert said in result.help

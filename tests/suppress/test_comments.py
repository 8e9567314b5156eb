"""Comments that silence findings, and what is said of those that do not."""

from __future__ import annotations

import pytest

from falcokit.catalogue import Catalogue
from falcokit.lint import LintResult, lint
from falcokit.settings import Options
from falcokit.source import SourceFile

LIST = "- list: idle\n  items: [a]\n"
RULE = "- rule: T\n  desc: d\n  condition: evt.type = open\n  output: o %proc.name\n  priority: INFO\n"


def run(text: str, today: str = "") -> LintResult:
    return lint([SourceFile("f.yaml", text)], Catalogue.bundled(), options=Options(today=today))


def kinds(text: str, today: str = "") -> list[str]:
    return [d.kind for d in run(text, today).findings]


@pytest.mark.parametrize(
    "text",
    [
        "# falcokit: ignore[unused-list] the next team uses it\n" + LIST,
        "#falcokit:ignore[FK204]\n" + LIST,
        "- list: idle # falcokit: ignore[unused-list] why\n  items: [a]\n",
        RULE + "\n# falcokit: ignore[unused-macro, unused-list] why\n# another comment\n\n" + LIST,
        "# falcokit: snooze[unused-list] until 2026-12-31 why\n" + LIST,
        "- # falcokit: ignore[unused-list]\n  list: idle\n  items: [a]\n",
    ],
)
def test_comments_silence(text: str) -> None:
    result = run(text, "2026-12-31")
    assert [d.kind for d in result.findings if d.kind == "unused-list"] == []
    assert result.silenced == 1


def test_a_comment_is_about_the_item_below_it_only() -> None:
    other = LIST.replace("idle", "other")
    result = run("# falcokit: ignore[unused-list]\n" + LIST + other)
    assert [(d.kind, d.span.text) for d in result.findings] == [("unused-list", "other")]


def test_a_comment_inside_an_item_is_about_the_key_below_it() -> None:
    text = "- list: idle\n  # falcokit: ignore[unused-list]\n  items: [a]\n"
    assert sorted(kinds(text)) == ["unused-list", "unused-suppression"]


def test_a_snooze_ends() -> None:
    text = "# falcokit: snooze[unused-list] until 2026-12-31 why\n" + LIST
    assert sorted(kinds(text, "2027-01-01")) == ["expired-snooze", "unused-list"]
    assert kinds(text) == []


@pytest.mark.parametrize(
    ("comment", "help_text"),
    [
        ("# falcokit: ignore[unused-lst]", "did you mean `unused-list`?"),
        ("# falcokit: ignore[]", "names no finding"),
        ("# falcokit: ignore unused-list", "cannot be read"),
        ("# falcokit: snooze[unused-list] why", "needs a date"),
        ("# falcokit: snooze[unused-list] until 2026-13-01 why", "no date"),
        ("# falcokit: ignore[unused-list] until 2026-12-01 why", "belongs to `snooze`"),
    ],
)
def test_a_comment_that_cannot_be_read_is_said(comment: str, help_text: str) -> None:
    found = [d for d in run(f"{comment}\n{LIST}").findings if d.kind == "invalid-suppression"]
    assert len(found) == 1
    assert help_text in found[0].message
    assert found[0].span.text == comment


def test_a_comment_that_silences_nothing_is_said() -> None:
    (found,) = run("# falcokit: ignore[unused-list]\n" + RULE).findings
    assert (found.kind, found.span.text) == ("unused-suppression", "# falcokit: ignore[unused-list]")


def test_text_that_looks_like_a_comment_is_none() -> None:
    text = "- rule: T\n  desc: >\n    d # falcokit: ignore[nothing]\n  condition: evt.type = open\n  output: o %proc.name\n  priority: INFO\n"
    assert kinds(text) == []
    assert kinds(text.replace("ignore[nothing]", "whatever")) == []


def test_what_falco_refuses_cannot_be_silenced() -> None:
    text = "# falcokit: ignore[unknown-field]\n" + RULE.replace("evt.type = open", "evt.typ = open")
    assert "unknown-field" in kinds(text)


def test_a_comment_behind_the_head_of_a_block_is_about_the_block() -> None:
    text = RULE.replace(
        "evt.type = open", "> # falcokit: ignore[glob-in-compare] why\n    evt.type = open and\n    proc.name = x*"
    )
    assert kinds(text) == []
    assert kinds(text.replace("x*", "x")) == ["unused-suppression"]


def test_a_comment_takes_whole_names() -> None:
    [found] = [d for d in run("# falcokit: ignore[FK2] why\n" + LIST).findings if d.kind == "invalid-suppression"]
    assert found.message == "comments take whole names or codes, not `FK2`"

"""Mending findings: only what is wrong changes, nothing gets worse, default files never change."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Edit
from falcokit.fix import Fixed, apply_edits, fix_files
from falcokit.lint import LintResult, lint
from falcokit.source import Origin, SourceFile, Span

RULE = "- rule: T\n  desc: d\n  condition: evt.type = open\n  output: o %proc.name\n  priority: INFO\n  exceptions: [{name: e, fields: [proc.name]}]\n"


def mend(*texts: str, default: str = "", unsafe: bool = False) -> Fixed:
    files = [SourceFile("default.yaml", default, Origin.DEFAULT)] if default else []
    files += [SourceFile(f"f{number}.yaml", text) for number, text in enumerate(texts)]

    def run(files: Sequence[SourceFile]) -> LintResult:
        return lint(files, Catalogue.bundled())

    return fix_files(files, run, unsafe=unsafe)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "- rule: T\n  # why\n  condition: and proc.name = x\n  append: true  # as ever\n",
            "- rule: T\n  # why\n  condition: and proc.name = x\n  override:\n    condition: append  # as ever\n",
        ),
        (
            "- {rule: T, condition: and proc.name = x, append: true}\n",
            "- {rule: T, condition: and proc.name = x, override: {condition: append}}\n",
        ),
        (
            "-   rule: T\n    exceptions:\n    - name: e\n      values: [[x]]\n    append: true",
            "-   rule: T\n    exceptions:\n    - name: e\n      values: [[x]]\n    override:\n      exceptions: append",
        ),
        ("- rule: T\n  enabled: false\n", "- rule: T\n  enabled: false\n  override:\n    enabled: replace\n"),
        (
            "- rule: T\r\n  enabled: false\r\n",
            "- rule: T\r\n  enabled: false\r\n  override:\r\n    enabled: replace\r\n",
        ),
        ("- {rule: T, enabled: false}\n", "- {rule: T, enabled: false, override: {enabled: replace}}\n"),
    ],
)
def test_deprecated_forms_get_the_new_form(before: str, after: str) -> None:
    fixed = mend(before, default=RULE)
    assert fixed.files[1].text == after
    assert [d.kind for d in fixed.result.findings if d.is_error] == []
    assert not {"deprecated-append", "deprecated-enabled"} & {d.kind for d in fixed.result.findings}


@pytest.mark.parametrize(
    "text",
    [
        "- rule: T\n  enabled: &f false\n- rule: U\n  enabled: *f\n",
        "- rule: U\n  condition: and proc.name = x\n  append: &t true\n- rule: T\n  condition: and proc.name = x\n  append: *t\n",
    ],
)
def test_what_stands_in_another_item_is_left_alone(text: str) -> None:
    fixed = mend(text, default=RULE + RULE.replace("rule: T", "rule: U"))
    assert fixed.files[1].text.count("override") <= 1
    assert fixed.files[1].text.endswith(text[text.rindex("- rule") :])
    assert [d.kind for d in fixed.result.findings if d.is_error] == []


@pytest.mark.parametrize(
    "text",
    [
        "[{list: l, items: [a, b]}, {list: m, items: [c]}]\n",
        "- list: l   # ours\n  items: [a, b]\n- list: m\n  items: [c]\n",
        "- list: l\n  # inside\n  items: [a, b]\n",
        "-\n  list: l\n  items: [a, b]\n- list: m\n  items: [c]\n",
        "---\n- list: l\n  items: [a, b]\n---\n- list: m\n  items: [c]\n",
    ],
)
def test_a_copy_that_cannot_go_alone_stays(text: str) -> None:
    assert mend(text, default="- list: l\n  items: [a, b]\n" + RULE).files[1].text == text


def test_a_copy_with_comments_is_left_alone() -> None:
    text = "- list: l\n  items: [a, b, # as ever\n    c]\n"
    assert mend(text, default="- list: l\n  items: [a, b]\n" + RULE, unsafe=True).files[1].text == text
    assert (
        "append"
        in mend(text.replace("# as ever", ""), default="- list: l\n  items: [a, b]\n" + RULE, unsafe=True).files[1].text
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("evt.type = open && proc.name = a", "evt.type = open and proc.name = a"),
        (
            "evt.type in (open)&&proc.name in (a)||!fd.name = b",
            "evt.type in (open) and proc.name in (a) or not fd.name = b",
        ),
        ("(!evt.type = open)", "(not evt.type = open)"),
        ("evt.type = open AND NOT proc.name = a", "evt.type = open and not proc.name = a"),
        ("evt.type = open and !(proc.name = a)", "evt.type = open and not (proc.name = a)"),
        ("evt.type = open and proc.name not in (a, b)", "evt.type = open and not proc.name in (a, b)"),
        ("evt.type = open and proc.name NOT IN (a, b)", "evt.type = open and not proc.name in (a, b)"),
        ("evt.type = open and proc.name !in (a, b)", "evt.type = open and not proc.name in (a, b)"),
        ("evt.type = open and proc.name IN (a, b)", "evt.type = open and proc.name in (a, b)"),
        ("evt.type = open and proc.name <> a", "evt.type = open and proc.name != a"),
        ("evt.type = open and proc.name in (a, b, )", "evt.type = open and proc.name in (a, b )"),
    ],
)
def test_operators_of_other_languages_are_written_in_falcos_words(before: str, after: str) -> None:
    for form in ("{}", "'{}'", ">\n    {}"):
        fixed = mend(RULE.replace("evt.type = open", form.format(before)))
        assert fixed.files[0].text == RULE.replace("evt.type = open", form.format(after))
        assert [d.kind for d in fixed.result.findings if d.is_error] == []


@pytest.mark.parametrize(
    "condition",
    [
        "proc.name = a not in (b)",
        "fd.name=a.b not in (c)",
        "proc.name startswith a.b not in (c)",
        "proc.name in (a.b not in (c))",
    ],
)
def test_a_value_is_not_taken_for_a_field(condition: str) -> None:
    text = RULE.replace("evt.type = open", condition)
    assert mend(text, unsafe=True).files[0].text == text


def test_what_is_meant_most_likely_is_written_where_asked_for() -> None:
    text = RULE.replace("output:", "outpu:").replace("priority: INFO", "prioriy: WARN")
    text += "- rule: T\n  condition: proc.name = x\n  override: {condition: append}\n"
    assert mend(text).files[0].text == text
    wanted = text.replace("outpu:", "output:").replace("prioriy: WARN", "priority: WARNING")
    fixed = mend(text, unsafe=True)
    assert fixed.files[0].text == wanted.replace("condition: proc.name", "condition: and proc.name")
    assert [d.kind for d in fixed.result.findings if d.is_error] == []


def test_what_the_new_form_would_refuse_is_left_alone() -> None:
    text = "- rule: T\n  condition: and proc.name = x\n  priority: ERROR\n  append: true\n"
    assert mend(text, default=RULE, unsafe=True).files[1].text == text


def test_lists_and_macros() -> None:
    default = "- list: l\n  items: [a]\n- macro: m\n  condition: proc.name in (l)\n" + RULE.replace(
        "= open", "= open and m"
    )
    text = "- list: l\n  items: [b]\n  append: true\n\n- macro: m\n  condition: or proc.name = c\n  append: true\n"
    fixed = mend(text, default=default)
    assert fixed.files[1].text == (
        "- list: l\n  items: [b]\n  override:\n    items: append\n\n"
        "- macro: m\n  condition: or proc.name = c\n  override:\n    condition: append\n"
    )
    assert len(fixed.mended) == 2


def test_a_file_with_nothing_to_mend_is_the_same() -> None:
    fixed = mend(RULE)
    assert fixed.mended == ()
    assert fixed.files[0].text == RULE


def test_default_files_are_never_changed() -> None:
    default = SourceFile("default.yaml", "- rule: T\n", Origin.DEFAULT)
    with pytest.raises(ValueError, match="never changed"):
        apply_edits([default], [Edit(Span(default, 0, 1), "x")])
    fixed = mend(default=RULE + "- rule: T\n  enabled: false\n")
    assert fixed.files[0].text == RULE + "- rule: T\n  enabled: false\n"


def test_no_key_is_written_twice() -> None:
    text = RULE + "  prioritiy: WARNING\n  tag: [a]\n  Tags: [b]\n"
    fixed = mend(text, unsafe=True).files[0].text
    assert fixed.count("priority:") == 1
    assert fixed.count("tags:") == 1

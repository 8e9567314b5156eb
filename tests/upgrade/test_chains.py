"""Several custom items of one name, and what an edit may change: by what everything means before and after."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.catalogue import Catalogue
from falcokit.errors import RulesError
from falcokit.ruleset.loader import load_all
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Origin, SourceFile
from falcokit.upgrade import Upgrade, upgrade
from falcokit.upgrade.changes import Meanings, changes

CATALOGUE = Catalogue.bundled()
OLD = """\
- list: shells
  items: [ash, bash]
- list: user_known
  items: [a]
- macro: m
  condition: proc.name in (shells)
- macro: either
  condition: (fd.name startswith /etc or fd.name startswith /root)
- macro: quiet
  condition: proc.name in (user_known)
- rule: R
  desc: d
  condition: evt.type = execve and m and not quiet
  output: x %proc.name
  priority: NOTICE
  tags: [t]
  exceptions:
  - name: e
    fields: [proc.name]
    comps: [in]
    values: [[[a, b]]]
- rule: S
  desc: d
  condition: evt.type = open and either
  output: x
  priority: NOTICE
"""
NEW = OLD.replace("[ash, bash]", "[ash, bash, csh]")
RULE = "- rule: R\n  desc: d\n  condition: evt.type = execve and m and not quiet{}\n  output: x %proc.name\n  priority: NOTICE\n  tags: [t]\n  exceptions:\n  - {{name: e, fields: [proc.name], comps: [in], values: [[[a, b]]]}}\n"


def default(text: str) -> list[SourceFile]:
    return [SourceFile("d.yaml", text, Origin.DEFAULT)]


def run(custom: str | list[str], old: str = OLD, new: str = NEW) -> Upgrade:
    texts = [custom] if isinstance(custom, str) else custom
    files = [SourceFile(f"c{number}.yaml", text) for number, text in enumerate(texts)]
    return upgrade(default(old), default(new), files, CATALOGUE)


def meanings(new: str, files: list[SourceFile] | tuple[SourceFile, ...]) -> Meanings:
    return Meanings(Ruleset(load_all([*default(new), *files], CATALOGUE)))


def changed(new: str, custom: list[str], found: Upgrade) -> set[str]:
    before = meanings(new, [SourceFile(f"c{number}.yaml", text) for number, text in enumerate(custom)])
    return {change.name for change in changes(before, meanings(new, found.files))}


@pytest.mark.parametrize(
    "items",
    [
        ["- rule: R\n  enabled: false\n", "- rule: R\n  enabled: true\n  override: {enabled: replace}\n"],
        ["- rule: R\n  priority: ERROR\n  override: {priority: replace}\n", "- rule: R\n  priority: NOTICE\n  override: {priority: replace}\n"],
        ["- list: shells\n  items: [fish]\n  override: {items: append}\n", "- list: shells\n  items: [ash, bash, csh]\n"],
        ["- list: shells\n  items: [ash]\n", "- list: shells\n  items: [bash]\n  override: {items: append}\n"],
        ["- list: first\n  items: &s [q]\n- list: shells\n  items: &s [ash, bash, csh]\n- list: third\n  items: *s\n"],
        ["- rule: R\n  enabled: false\n", RULE.format(" and not proc.pname = mine")],
        ["- macro: m\n  condition: proc.name in (shells, fish)\n- macro: m\n  condition: and not proc.name=x\n  append: true\n"],
        ["- macro: either\n  condition: (fd.name startswith /etc or fd.name startswith /root)\n", "- macro: either\n  condition: and not proc.name = backup\n  override: {condition: append}\n"],
        [RULE.format("").replace("  tags", "  capture: true\n  tags")],
    ],
)  # fmt: skip
def test_items_that_count_together_stay(items: list[str]) -> None:
    found = run(items)
    assert not changed(NEW, items, found)
    assert not any(verdict.state == "broken" for verdict in found.verdicts)


def test_what_follows_a_redundant_item_keeps_its_meaning() -> None:
    """A macro in parentheses and one without are the same, but not for what is put behind them."""
    bare = OLD.replace(
        "(fd.name startswith /etc or fd.name startswith /root)", "fd.name startswith /etc or fd.name startswith /root"
    )
    items = [
        "- macro: either\n  condition: (fd.name startswith /etc or fd.name startswith /root)\n- macro: either\n  condition: and not proc.name = backup\n  append: true\n"
    ]
    assert not changed(bare, items, run(items, bare, bare))


@pytest.mark.parametrize(
    "new",
    [
        OLD.replace("(fd.name startswith /etc or fd.name startswith /root)", "fd.name startswith /etc or fd.name startswith /root"),
        OLD.replace("(fd.name startswith /etc or fd.name startswith /root)", "fd.name startswith /etc or fd.name startswith /root or fd.name startswith /srv"),
    ],
)  # fmt: skip
def test_an_append_that_binds_to_another_part_is_told(new: str) -> None:
    (verdict,) = run(
        "- macro: either\n  condition: and not proc.name = backup\n  override: {condition: append}\n", OLD, new
    ).verdicts
    assert verdict.state == "turned"
    assert "binds to the last of them only" in verdict.reason


@pytest.mark.parametrize(
    ("custom", "new", "state"),
    [
        # Hooks that have something of their own
        ("- list: user_known\n  items: [a, z]\n", OLD.replace("items: [a]", "items: [a, b]"), "hides"),
        ("- list: user_known\n  items: [a, b]\n", OLD.replace("items: [a]", "items: [a, b]"), "redundant"),
        # Exceptions
        ("- rule: R\n  exceptions:\n  - {name: e, fields: [proc.name], comps: [in], values: [[[a, b]]]}\n  override: {exceptions: replace}\n", OLD.replace("[[[a, b]]]", "[[[a, b, c]]]"), "hides"),
        ("- rule: R\n  exceptions:\n  - {name: e, values: [[[a, b]]]}\n  override: {exceptions: append}\n", NEW, "redundant"),
        # Through what is used
        ("- macro: m\n  condition: proc.name in (ash, bash)\n", NEW, "hides"),
        ("- macro: m\n  condition: proc.name in (ash, bash, csh)\n", NEW, "redundant"),
        ("- rule: R\n  condition: evt.type = execve and proc.name in (ash, bash)\n  override: {condition: replace}\n", NEW, "hides"),
        # What some old release had, and somebody meant
        ("- list: shells\n  items: []\n", NEW, "hides"),
    ],
)  # fmt: skip
def test_what_is_said(custom: str, new: str, state: str) -> None:
    assert [verdict.state for verdict in run(custom, OLD, new).verdicts] == [state]


def test_an_append_to_a_list_of_ones_own_has_its_base() -> None:
    custom = "- list: gone\n  items: [x]\n- list: gone\n  items: [z]\n  append: true\n"
    _, append = run(custom, OLD + "- list: gone\n  items: [y]\n", NEW).verdicts
    assert (append.state, append.reason) == (
        "needed",
        "the default list is gone; it changes the one that you define yourself",
    )


def test_a_list_that_was_emptied_is_not_taken_for_a_copy() -> None:
    old = "- list: known_memfd_execution_binaries\n  items: [runc]\n- macro: n\n  condition: proc.name in (known_memfd_execution_binaries)\n"
    (verdict,) = run("- list: known_memfd_execution_binaries\n  items: []\n", old, old).verdicts
    assert (verdict.state, verdict.text) == ("needed", None)


def test_files_that_are_no_rules() -> None:
    found = run("[")
    assert [problem.message for problem in found.problems] == ["did not find expected node content"]
    with pytest.raises(RulesError, match=r"d\.yaml:1:1"):
        run("- list: x\n  items: []\n", "[", NEW)
    (verdict,) = run(
        "- rule: R\n  desc: d\n  condition: m\n  output: x\n  priority: INFO\n  source: k8s_audit\n"
    ).verdicts
    assert verdict.state == "broken"
    (verdict,) = run("- list: m\n  items: [a]\n").verdicts
    assert (verdict.state, verdict.reason.startswith("it did not load before either")) == ("broken", True)


def test_rules_inside_other_files_are_mended_there() -> None:
    text = "customRules:\n  r.yaml: |-\n    # mine\n    - list: shells\n      items: [ash, bash, fish]\n"
    (file,) = run(text).files
    assert (
        file.text
        == "customRules:\n  r.yaml: |-\n    # mine\n    - list: shells\n      items: [fish]\n      override:\n        items: append\n"
    )


def test_rules_of_a_source_that_is_not_known() -> None:
    old = "- list: user_known_users\n  items: []\n- rule: P\n  desc: d\n  condition: myp.type = login and not myp.user in (user_known_users)\n  output: o\n  priority: INFO\n  source: myplugin\n"
    new = old.replace("= login", "= logout")
    custom = "- list: user_known_users\n  items: [me]\n  override: {items: append}\n"
    found = run(custom, old, new)
    assert [change.name for change in found.changes] == ["P"]
    assert [verdict.state for verdict in found.verdicts] == ["needed"]


def test_errors_that_the_defaults_had_before_are_not_told_again() -> None:
    text = OLD + "- rule: Bad\n  desc: d\n  condition: nothing\n  output: o\n  priority: INFO\n"
    old = [SourceFile("x/d.yaml", text, Origin.DEFAULT)]
    assert not upgrade(old, [SourceFile("y/d.yaml", text, Origin.DEFAULT)], (), CATALOGUE).problems


LIST = st.lists(st.sampled_from(["ash", "bash", "csh", "fish", "zsh"]), max_size=4, unique=True).map(
    lambda words: f"[{', '.join(words)}]"
)
CONDITION = st.sampled_from(
    [
        "proc.name in (shells)",
        "proc.name in (ash, bash)",
        "(proc.name in (shells) or proc.name = fish)",
        "proc.name = a or proc.name = b",
        "proc.name in (shells, zsh)",
    ]
)
ITEM = st.one_of(
    LIST.map(lambda items: f"- list: shells\n  items: {items}\n"),
    LIST.map(lambda items: f"- list: shells\n  items: {items}\n  override: {{items: append}}\n"),
    CONDITION.map(lambda text: f"- macro: m\n  condition: {text}\n"),
    st.sampled_from(["and not proc.pname = x", "or proc.name = y", "and (proc.name in (shells))"]).map(lambda text: f"- macro: m\n  condition: {text}\n  override: {{condition: append}}\n"),
    st.sampled_from(["enabled: false", "enabled: true", "priority: ERROR", "priority: NOTICE"]).map(lambda one: f"- rule: R\n  {one}\n  override: {{{one.split(':')[0]}: replace}}\n"),
    st.sampled_from(["", " and not proc.pname = mine", " and proc.tty != 0"]).map(RULE.format),
)  # fmt: skip
RELEASE = st.tuples(LIST, CONDITION, st.sampled_from(["NOTICE", "ERROR"])).map(
    lambda parts: (
        OLD.replace("[ash, bash]", parts[0]).replace("proc.name in (shells)", parts[1]).replace("NOTICE", parts[2], 1)
    )
)


@settings(max_examples=150, deadline=None)
@given(RELEASE, RELEASE, st.lists(ITEM, min_size=1, max_size=4))
def test_an_edit_changes_nothing_but_what_follows_the_default_again(old: str, new: str, items: list[str]) -> None:
    found = run(items, old, new)
    uses = {"shells": {"shells", "m", "R"}, "m": {"m", "R"}, "R": {"R"}}
    for _ in range(2):  # What is left is looked at again.
        told = {verdict.name for verdict in found.verdicts if verdict.state == "hides" and verdict.edits}
        assert changed(new, items, found) <= {user for name in told for user in uses[name]}
        items = [file.text for file in found.files]
        found = run(items, old, new)

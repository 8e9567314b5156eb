"""What an upgrade means for custom items, and copies put on top of the new default."""

from __future__ import annotations

import pytest

from falcokit.catalogue import Catalogue
from falcokit.source import Origin, SourceFile
from falcokit.upgrade import Upgrade, upgrade

OLD = """\
- list: shells
  items: [sh, bash]
- list: user_shell_parents
  items: []
- list: old_list
  items: [a]
- macro: started
  condition: (evt.type = execve)
- macro: in_shell
  condition: (proc.name in (shells))
- macro: user_known_shell
  condition: (evt.num = 0)
- macro: user_old_hook
  condition: (evt.num = 0)
- rule: Shell
  desc: a shell
  condition: started and in_shell and not user_known_shell and not proc.pname in (user_shell_parents)
  output: shell %proc.name
  priority: INFO
  tags: [shell]
- rule: Leaves
  desc: goes
  condition: started and proc.name = go and not user_old_hook
  output: o
  priority: INFO
- rule: Stays
  desc: the same
  condition: started and proc.name = stay
  output: o
  priority: INFO
"""
NEW = """\
- list: shells
  items: [bash, sh, zsh]
- list: user_shell_parents
  items: []
- macro: started
  condition: (evt.type in (execve, execveat))
- macro: in_shell
  condition: (proc.name in (shells))
- macro: user_known_shell
  condition: (evt.num = 0)
- rule: Shell
  desc: a shell, still
  condition: started and in_shell and not user_known_shell and not proc.pname in (user_shell_parents) and proc.tty != 0
  output: shell %proc.name
  priority: WARNING
  tags: [shell, host]
- rule: Stays
  desc: the same
  condition: started and (proc.name = stay)
  output: o
  priority: INFO
- rule: Comes
  desc: new
  condition: started and proc.name = come
  output: o
  priority: INFO
"""


def run(custom: str) -> Upgrade:
    return upgrade(
        [SourceFile("default.yaml", OLD, Origin.DEFAULT)],
        [SourceFile("default.yaml", NEW, Origin.DEFAULT)],
        [SourceFile("my.yaml", custom)],
        Catalogue.bundled(),
    )


def test_changes_are_told_by_meaning() -> None:
    found = {(change.kind, change.name): change for change in run("").changes}
    assert {(name, change.how) for (_, name), change in found.items()} == {
        ("Shell", "changed"), ("Leaves", "removed"), ("Stays", "changed"), ("Comes", "added"), ("started", "changed"), ("in_shell", "changed"),
        ("shells", "changed"), ("old_list", "removed"), ("user_old_hook", "removed"),
    }  # fmt: skip
    assert found["list", "shells"].gained == ("zsh",)
    assert found["rule", "Shell"].keys == ("condition", "priority", "tags")
    assert found["rule", "Stays"].keys == ()
    assert found["rule", "Stays"].through == (("macro", "started"),)
    assert found["macro", "in_shell"].through == (("list", "shells"),)


RULE = "- rule: Shell\n  desc: a shell\n  condition: started and in_shell and not user_known_shell and not proc.pname in (user_shell_parents){}\n  output: shell %proc.name\n  priority: {}\n  tags: [shell{}]\n"


@pytest.mark.parametrize(
    ("custom", "state", "reason", "after"),
    [
        # Hooks
        ("- macro: user_known_shell\n  condition: (proc.pname = cron)\n", "needed", "`Shell` asks it", None),
        ("- list: user_shell_parents\n  items: [cron]\n  override: {items: append}\n", "needed", "`Shell` asks it", None),
        ("- macro: user_old_hook\n  condition: (proc.pname = cron)\n", "dead", "these whitelists are dead: `Leaves` is gone", None),
        # Lists
        ("- list: shells\n  items: [zsh]\n  override: {items: append}\n", "redundant", "the default list has all of it", ""),
        ("- list: shells\n  items: [zsh, fish]\n  append: true\n", "part", "the default list has `zsh` now", None),
        ("- list: shells\n  items: [fish]\n  append: true\n", "needed", "the default list has none of it", None),
        ("- list: shells\n  items: [zsh, sh, bash]\n", "redundant", "it is what the default says now", ""),
        ("- list: shells\n  items: [sh, bash, fish]\n", "hides", "it hides what changed in the default: items", "- list: shells\n  items: [fish]\n  override:\n    items: append\n"),
        ("- list: shells\n  items: [sh, bash, zsh, fish]\n", "hides", "items", "- list: shells\n  items: [fish]\n  override:\n    items: append\n"),
        ("- list: shells\n  items: [sh]\n", "hides", "items", None),
        # Macros
        ("- macro: started\n  condition: (evt.type = execve) and not proc.pname = cron\n", "hides", "condition", "- macro: started\n  condition: and not proc.pname = cron\n  override:\n    condition: append\n"),
        ("- macro: started\n  condition: evt.type = execve\n", "hides", "condition", ""),
        ("- macro: in_shell\n  condition: (proc.name in (shells) or proc.name = fish)\n", "needed", "the default has not changed, but the next change will be hidden", "- macro: in_shell\n  condition: or proc.name = fish\n  override:\n    condition: append\n"),
        ("- macro: in_shell\n  condition: proc.name = fish\n", "hides", "list shells", None),
        # Rules
        ("- rule: Leaves\n  condition: and not proc.pname = cron\n  override: {condition: append}\n", "gone", "there is no rule `Leaves` to change any more", None),
        ("- rule: Leaves\n  desc: d\n  condition: started and proc.name = go\n  output: o\n  priority: INFO\n", "gone", "this copy runs on", None),
        ("- rule: Shell\n  enabled: false\n  override: {enabled: replace}\n", "needed", "enabled", None),
        ("- rule: Shell\n  priority: WARNING\n  override: {priority: replace}\n", "redundant", "the default says so itself", ""),
        ("- rule: Shell\n  priority: ERROR\n  override: {priority: replace}\n", "hides", "priority", None),
        ("- rule: Shell\n  condition: and proc.tty != 0\n  override: {condition: append}\n", "redundant", "the default says so itself", ""),
        ("- rule: Shell\n  tags: [host, mine]\n  override: {tags: append}\n", "needed", "tags", None),
        (RULE.format(" and not proc.pname = cron", "INFO", ""), "hides", "condition, priority, tags", "- rule: Shell\n  condition: and not proc.pname = cron\n  override:\n    condition: append\n"),
        (RULE.format("", "INFO", ", mine"), "hides", "condition, priority, tags", "- rule: Shell\n  tags: [mine]\n  override:\n    tags: append\n"),
        (RULE.format("", "INFO", ""), "hides", "condition, priority, tags", ""),
        (RULE.format("", "ERROR", ""), "hides", "condition, priority, tags", None),
        # Others
        ("- rule: Comes\n  desc: mine\n  condition: evt.type = open and fd.name = /x\n  output: o\n  priority: INFO\n", "hides", "the defaults have a rule of this name now", None),
        ("- rule: Mine\n  desc: mine\n  condition: evt.type = open and fd.name = /x\n  output: o\n  priority: INFO\n", "needed", "it is not one of the default rules", None),
        ("- rule: Mine\n  desc: mine\n  condition: evt.type = execve and proc.name in (old_list)\n  output: o\n  priority: INFO\n", "needed", "not one of the default rules", None),
        ("- macro: mine\n  condition: (user_old_hook)\n", "broken", "the macro `user_old_hook` is not defined", None),
    ],
)  # fmt: skip
def test_what_it_means_for_an_item(custom: str, state: str, reason: str, after: str | None) -> None:
    found = run("# mine\n" + custom + "# end\n")
    (verdict,) = found.verdicts
    assert (verdict.state, reason in verdict.reason) == (state, True), verdict.reason
    assert found.files[0].text == "# mine\n" + (custom if after is None else after) + "# end\n"


def test_what_cannot_be_put_together_is_shown_from_all_sides() -> None:
    (verdict,) = run("- list: shells\n  items: [sh]\n").verdicts
    (conflict,) = verdict.conflicts
    assert (conflict.key, conflict.was, conflict.mine, conflict.theirs) == (
        "items", "sh, bash", "sh", "bash, sh, zsh",
    )  # fmt: skip
    (verdict,) = run(RULE.format("", "ERROR", "")).verdicts
    assert [(one.key, one.was, one.mine, one.theirs) for one in verdict.conflicts] == [
        ("priority", "INFORMATIONAL", "ERROR", "WARNING")
    ]


def test_a_comment_is_never_lost() -> None:
    custom = "- list: shells\n  items:\n    - sh # the old one\n    - bash\n    - fish\n"
    found = run(custom)
    assert found.files[0].text == custom
    assert found.verdicts[0].text == "list: shells\n  items: [fish]\n  override:\n    items: append"
    assert found.verdicts[0].edits == ()


def test_exceptions_of_a_copy_are_kept() -> None:
    custom = RULE.format("", "INFO", "") + (
        "  exceptions:\n    - name: known\n      fields: [proc.name, proc.pname]\n      comps: [in, =]\n      values: [[[a, b], c d]]\n"
    )
    found = run(custom)
    assert found.files[0].text == (
        '- rule: Shell\n  exceptions:\n    - name: known\n      fields: [proc.name, proc.pname]\n      comps: [in, "="]\n'
        "      values: [[[a, b], c d]]\n  override:\n    exceptions: append\n"
    )
    assert not found.problems
    assert [one.state for one in upgrade(
        [SourceFile("default.yaml", NEW, Origin.DEFAULT)], [SourceFile("default.yaml", NEW, Origin.DEFAULT)], found.files, Catalogue.bundled()
    ).verdicts] == ["needed"]  # fmt: skip


def test_windows_line_ends_stay() -> None:
    found = run("- list: shells\r\n  items: [sh, bash, fish]\r\n")
    assert found.files[0].text == "- list: shells\r\n  items: [fish]\r\n  override:\r\n    items: append\r\n"

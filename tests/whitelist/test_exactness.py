"""A proof holds for the identity and for nothing else: what would let more through, or less, is not proven."""

from __future__ import annotations

import pytest

from falcokit.catalogue import Catalogue
from falcokit.source import SourceFile
from falcokit.whitelist import Change, Done, Identity, changes, prove
from falcokit.whitelist.edit import with_change
from falcokit.whitelist.proof import Proof, Rules, Unproven

RULES = """\
- list: user_names
  items: [none_such]
- list: nginx
  items: [nginx, evil, sh]
- rule: Two fields
  desc: d
  condition: evt.type = execve and not proc.name in (user_names) and not proc.pname in (user_names)
  output: o
  priority: INFO
- rule: Plain
  desc: d
  condition: evt.type = execve and proc.name exists
  output: o
  priority: INFO
"""
ENTRY = Identity("process", (("proc.name", "=", "entry"),), "risky", "r")


def outcome(rule: str, identity: Identity, via: str, own: str | None = None) -> Proof | Unproven:
    loaded = Rules(
        [SourceFile("rules.yaml", RULES), *([SourceFile("my.yaml", own)] if own else [])], Catalogue.bundled()
    )
    compiled = next(one for one in loaded.matcher.rules if one.name == rule)
    ways = changes(loaded.ruleset, compiled, identity)
    assert isinstance(ways, tuple)
    (change,) = [change for change in ways if change.via == via]
    return prove(loaded, change, text=_extended(own, change), name="my.yaml")


def _extended(own: str | None, change: Change) -> str | None:
    return with_change(own, change, "override", "")[0] if own else None


def test_a_list_that_another_field_is_compared_with_too() -> None:
    found = outcome("Two fields", ENTRY, "hook")
    assert isinstance(found, Unproven)
    assert "more of `Two fields` would change than what is let through" in found
    assert isinstance(outcome("Two fields", ENTRY, "exception"), Proof)


def test_a_value_that_is_the_name_of_a_list() -> None:
    own = "- rule: Plain\n  exceptions:\n    - name: known\n      fields: [proc.name]\n      comps: [in]\n      values: [[[a]]]\n  override: {exceptions: append}\n"
    found = outcome("Plain", Identity("process", (("proc.name", "=", "nginx"),), "risky", ""), "exception", own)
    assert isinstance(found, Unproven)
    assert "more of `Plain` would change than what is let through" in found


def test_an_exception_whose_values_another_one_shares() -> None:
    own = """\
- rule: Plain
  exceptions:
    - name: one
      fields: [proc.name, user.name]
      comps: [=, =]
      values: &v [[a, b]]
    - name: two
      fields: [proc.pname, user.name]
      comps: [=, =]
      values: *v
  override: {exceptions: append}
"""
    identity = Identity("process", (("proc.name", "=", "c"), ("user.name", "=", "d")), "fair", "")
    found = outcome("Plain", identity, "exception", own)
    assert isinstance(found, Unproven)
    assert "more of `Plain` would change than what is let through" in found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"evt.type": "execve", "proc.name": "evil"}, "the event is none of it"),
        ({"evt.type": "execve", "proc.name": "entry"}, None),
    ],
)
def test_an_event_that_is_not_of_the_identity(given: dict[str, object], expected: str | None) -> None:
    loaded = Rules([SourceFile("rules.yaml", RULES)], Catalogue.bundled())
    rule = next(one for one in loaded.matcher.rules if one.name == "Plain")
    ways = changes(loaded.ruleset, rule, ENTRY)
    assert isinstance(ways, tuple)
    found = prove(loaded, ways[0], given)
    assert expected in found if expected is not None and isinstance(found, str) else isinstance(found, Proof)


def test_a_rule_of_too_many_alternatives_lets_nothing_through_yet() -> None:
    many = " or ".join([f"(proc.pname = p{number} and proc.cmdline contains c{number})" for number in range(450)])
    rule = f"- rule: Many\n  desc: d\n  condition: evt.type = execve and ({many})\n  output: o\n  priority: INFO\n"
    loaded = Rules([SourceFile("rules.yaml", rule)], Catalogue.bundled())
    identity = Identity("process", (("proc.name", "=", "nginx"),), "risky", "")
    given = {"evt.type": "execve", "proc.pname": "p449", "proc.cmdline": "c449", "proc.name": "nginx"}
    ways = changes(loaded.ruleset, loaded.matcher.rules[0], identity)
    assert isinstance(ways, tuple)
    assert not isinstance(prove(loaded, ways[0], given), Done)


def test_text_that_a_later_file_appends_to_the_same_hook() -> None:
    rules = """\
- macro: user_known
  condition: (evt.num = 0)
- rule: Hooked
  desc: d
  condition: evt.type = open and fd.name startswith /root and not user_known
  output: o
  priority: INFO
"""
    first = "- macro: user_known\n  condition: (fd.name startswith /root/x)\n"
    later = "- macro: user_known\n  condition: and proc.name = agent\n  override: {condition: append}\n"
    files = [SourceFile("rules.yaml", rules), SourceFile("a.yaml", first), SourceFile("b.yaml", later)]
    loaded = Rules(files, Catalogue.bundled())
    fields = (("container.image.repository", "=", "reg.example.com/agent"), ("proc.name", "=", "agent"))
    identity = Identity("image", fields, "safe", "")
    (rule,) = loaded.matcher.rules
    ways = changes(loaded.ruleset, rule, identity)
    assert isinstance(ways, tuple)
    hook = next(change for change in ways if change.via == "hook")
    # `A and B` would become `A or (I and B)`: whoever is in A, too.
    for text in with_change(first, hook, "override", ""):
        assert "more of `Hooked` would change" in prove(loaded, hook, text=text, name="a.yaml")  # type: ignore[operator]
    assert isinstance(prove(loaded, hook, text=with_change(later, hook, "override", "")[-1], name="b.yaml"), Proof)

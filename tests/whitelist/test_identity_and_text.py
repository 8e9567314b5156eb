"""Ways to name a container, and changes as text: whatever an event holds stays a value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from falcokit.catalogue import Catalogue
from falcokit.condition import parse
from falcokit.condition.ast import Check, Not
from falcokit.condition.walk import leaves
from falcokit.event.identity import Container, Image
from falcokit.ruleset.loader import load
from falcokit.source import SourceFile
from falcokit.whitelist import Change, Done, Identity, changes, identities, prove
from falcokit.whitelist.edit import with_change
from falcokit.whitelist.identity import narrowed
from falcokit.whitelist.proof import Proof, Rules
from falcokit.whitelist.snippet import FORMS, snippet

RULES = """\
- list: user_known_parents
  items: []
- macro: never_true
  condition: (evt.num = 0)
- macro: user_known_shell
  condition: (never_true)
- macro: user_in_a_choice
  condition: (never_true)
- macro: user_shared
  condition: (never_true)
- rule: Hooked
  desc: d
  condition: evt.type = execve and proc.name in (bash, sh) and not user_known_shell
  output: o
  priority: INFO
- rule: Shared
  desc: d
  condition: evt.type = execve and proc.name = perl and not user_shared
  output: o
  priority: INFO
- rule: Shared too
  desc: d
  condition: evt.type = execve and proc.name = ruby and not user_shared
  output: o
  priority: INFO
- rule: Excepted
  desc: d
  condition: evt.type = open and fd.name startswith /etc
  output: o
  priority: INFO
  exceptions:
    - name: image_and_process
      fields: [proc.name, container.image.repository]
      comps: [in, =]
      values: [[[vi, vim], good.example.com/editor]]
- rule: Bare
  desc: d
  condition: evt.type = connect or evt.type = accept4
  output: o
  priority: INFO
- rule: Listed
  desc: d
  condition: evt.type = execve and proc.pname exists and not proc.pname in (cron, user_known_parents)
  output: o
  priority: INFO
- rule: Host only
  desc: d
  condition: evt.type = execve and container.id = host
  output: o
  priority: INFO
- rule: In a choice
  desc: d
  condition: evt.type = mkdir and (proc.name = a or not user_in_a_choice)
  output: o
  priority: INFO
"""


def rules() -> Rules:
    return Rules([SourceFile("rules.yaml", RULES)], Catalogue.bundled())


def ways(name: str, identity: Identity) -> list[Change]:
    loaded = rules()
    rule = next(rule for rule in loaded.matcher.rules if rule.name == name)
    found = changes(loaded.ruleset, rule, identity)
    assert isinstance(found, tuple)
    return list(found)


IMAGE = Identity("image", (("container.image.repository", "=", "registry.example.com/web"),), "safe", "r")


# --- identities


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        (Container("a", "web", Image("reg.example.com/web", "1.2", "sha256:" + "a" * 64), False), [("digest", "safe"), ("tag", "safe"), ("image", "safe"), ("name", "risky")]),
        (Container("a", "web", Image("reg.example.com/web", "latest"), False), [("image", "safe"), ("tag", "safe"), ("name", "risky")]),
        (Container("a", "", Image("nginx"), False), [("image", "fair")]),
        (Container("a", "", Image("team/nginx"), False), [("image", "fair")]),
        (Container("a", "", Image("docker.io/library/alpine"), False), [("image", "fair")]),
        (Container("a", "", Image("reg.example.com/web", told="output"), False), [("image", "risky")]),
        (Container("a", "", Image("", "", "[DIGEST]"), False), []),
        (Container("a", "", Image("", "", "b" * 64), False), [("digest", "safe")]),
        (Container("a", "k8s_web_web-5d4f_prod_84a78bd4-d090-4e67-b011-8a77e478eb75_0", Image(), False), [("name-prefix", "risky"), ("name", "risky")]),
        (Container("host", "host", Image("x"), True), []),
        (Container("a", "", Image(), False), []),
    ],
)  # fmt: skip
def test_ways_to_name_a_container(container: Container, expected: list[tuple[str, str]]) -> None:
    assert [(identity.kind, identity.risk) for identity in identities(container)] == expected


def test_more_fields_make_it_narrower() -> None:
    narrow = narrowed(IMAGE, {"process": "a-name-of-more-than-fifteen-bytes", "file": "/var/lib/x"})
    assert narrow.condition == (
        "container.image.repository = registry.example.com/web and proc.name = a-name-of-more- and fd.name startswith /var/lib/x"
    )
    assert "cut to 15 bytes" in narrow.reason


# --- places


@pytest.mark.parametrize(
    ("rule", "identity", "expected"),
    [
        ("Hooked", IMAGE, [("hook", "user_known_shell"), ("exception", "Hooked"), ("append", "Hooked")]),
        ("Shared", IMAGE, [("exception", "Shared"), ("hook", "user_shared"), ("append", "Shared")]),
        ("Bare", IMAGE, [("exception", "Bare")]),
        ("In a choice", IMAGE, [("exception", "In a choice"), ("append", "In a choice")]),
        (
            "Listed",
            Identity("name", (("proc.pname", "=", "php"),), "fair", ""),
            [("hook", "user_known_parents"), ("exception", "Listed"), ("append", "Listed")],
        ),
    ],
)
def test_where_a_whitelist_goes(rule: str, identity: Identity, expected: list[tuple[str, str]]) -> None:
    assert [(change.via, change.name) for change in ways(rule, identity)] == expected


def test_a_hook_that_others_share_says_so() -> None:
    shared = ways("Shared", IMAGE)[1]
    assert shared.reaches == ("Shared too",)
    proof = prove(rules(), shared)
    assert isinstance(proof, Proof)
    assert proof.others == ("Shared too",)


def test_a_fitting_exception_is_used() -> None:
    identity = Identity("image", (("container.image.repository", "=", "r/x"), ("proc.name", "=", "ed")), "safe", "r")
    change = ways("Excepted", identity)[0]
    assert (change.condition, change.new) == ("image_and_process", "")
    assert "values: [[[ed], r/x]]" in snippet([change])
    proof = prove(rules(), change)
    assert isinstance(proof, Proof)
    assert "proc.name in (ed) and container.image.repository = r/x" in proof.after


@pytest.mark.parametrize(
    ("rule", "identity", "reason"),
    [
        ("Host only", IMAGE, "never fires for it: it is about hosts"),
        ("Hooked", Identity("name", (("evt.type", "=", "execve"),), "risky", ""), "would never fire again"),
    ],
)
def test_what_is_refused(rule: str, identity: Identity, reason: str) -> None:
    outcome = prove(rules(), ways(rule, identity)[-1])
    assert isinstance(outcome, str)
    assert reason in outcome


def test_what_is_let_through_already_is_no_failure() -> None:
    change = ways("Hooked", IMAGE)[0]
    loaded = Rules([SourceFile("rules.yaml", RULES), SourceFile("my.yaml", snippet([change]))], Catalogue.bundled())
    outcome = prove(loaded, change)
    assert isinstance(outcome, Done)
    assert outcome == "`Hooked` lets it through already"


# --- texts

hostile = st.one_of(
    st.text(min_size=1, max_size=40),
    st.sampled_from([
        "a b", 'a"b', "a'b", "a=b", "a,b", "(a)", "[1:CHILD]", "runc:[2:INIT]", "a\nor evt.num >= 0", "a) or (evt.num > 0", "\\", "a\\", '\\"', "é", "日本", "true",
        "null", "0x10", "1e3", "~", "- x", "a: b", "a #b", "{a}", "${a}", "%{a}", "user_known_parents", "(user_known_parents)", "%proc.name", "\x1b[2J", "\x00", "a\tb", "#", "'", '"',
    ]),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    hostile,
    st.sampled_from(["Hooked", "Excepted", "Bare", "Listed"]),
    st.sampled_from(["override", "append"]),
    st.integers(0, 2),
)
def test_a_value_never_becomes_condition_syntax(value: str, name: str, form: str, number: int) -> None:
    field = "proc.pname" if name == "Listed" else "container.image.repository"
    identity = Identity("image", ((field, "=", value),), "safe", "r")
    change = ways(name, identity)[min(number, len(ways(name, identity)) - 1)]
    text = snippet([change], form)
    loaded = load([SourceFile("rules.yaml", RULES), SourceFile("custom.yaml", text)], Catalogue.bundled())
    before = load([SourceFile("rules.yaml", RULES)], Catalogue.bundled())
    assert loaded.compilation is not None
    assert before.compilation is not None
    if any(finding.is_error for finding in loaded.diagnostics):
        return  # Falco refuses it whole, and so does the proof.
    for rule_name, rule in loaded.compilation.rules.items():
        if rule.bound is None:
            continue
        known = {(leaf.left.name, leaf.operator) for leaf in _checks(before.compilation.rules[rule_name])}  # type: ignore[union-attr]
        new = [leaf for leaf in _checks(rule) if (leaf.left.name, leaf.operator) not in known]  # type: ignore[union-attr]
        assert all(leaf.left.name == field for leaf in new)  # type: ignore[union-attr]
    proof = prove(rules(), change)
    if isinstance(proof, Proof):
        assert proof.others == ()
        assert proof.silenced[field] == value


def _checks(rule: Any) -> list[Check]:
    found: list[Check] = []
    pending = [rule.bound]
    while pending:
        bound = pending.pop()
        for leaf in bound.leaves:
            if isinstance(leaf, Check):
                found.append(leaf)
            else:
                pending.append(bound.env[leaf.name])
    return found


@settings(max_examples=200, deadline=None)
@given(hostile)
def test_the_condition_reads_back_as_it_is(value: str) -> None:
    identity = Identity("image", (("container.image.repository", "=", value),), "safe", "r")
    tree = parse(identity.condition)
    if "\0" in value:
        return
    assert tree == Check(tree.left, "=", "", tree.right)  # type: ignore[union-attr]
    assert tree.right.text == value  # type: ignore[union-attr]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_can_be_read(form: str) -> None:
    found = [ways(name, IMAGE)[0] for name in ("Hooked", "Excepted")]
    text = snippet(found, form, "why\nso")
    if form == "terraform":
        assert 'resource "sysdig_secure_macro" "user_known_shell" {' in text
        assert 'resource "sysdig_secure_rule_falco" "excepted" {' in text
        return
    document: Any = YAML(typ="safe", pure=True).load(text)
    if form == "helm":
        document = YAML(typ="safe", pure=True).load(document["customRules"]["falcokit-whitelist.yaml"])
    elif form == "crd":
        assert document["kind"] == "Rulesfile"
        document = YAML(typ="safe", pure=True).load(document["spec"]["inlineRules"])
    assert [next(iter(item)) for item in document] == ["macro", "rule"]
    assert json.dumps(document)


# --- putting it into a file


def written(text: str | None, change: Change, form: str = "override") -> str:
    """The first of the texts with which the proof holds."""
    loaded = Rules(
        [SourceFile("rules.yaml", RULES), *([SourceFile("my.yaml", text)] if text is not None else [])],
        Catalogue.bundled(),
    )
    for candidate in with_change(text, change, form, "note"):
        if isinstance(prove(loaded, change, text=candidate, name="my.yaml"), Proof):
            return candidate
    raise AssertionError("no text can be proven")


OTHER = Identity("image", (("container.image.repository", "=", "other.example.com/b c"),), "safe", "r")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- macro: user_known_shell\n  condition: (proc.pname = a)  # keep\n\n# tail\n", "- macro: user_known_shell\n  condition: (proc.pname = a) or (NEW)  # keep\n\n# tail\n"),
        ("- macro: user_known_shell\n  condition: >\n    (proc.pname = a)\n    or proc.pname = b\n  override:\n    condition: replace\n", "- macro: user_known_shell\n  condition: >\n    (proc.pname = a)\n    or proc.pname = b or (NEW)\n  override:\n    condition: replace\n"),
        ("- macro: user_known_shell\n  condition: or (proc.pname = a)\n  override: {condition: append}\n", "- macro: user_known_shell\n  condition: or (proc.pname = a) or (NEW)\n  override: {condition: append}\n"),
    ],
)  # fmt: skip
def test_an_item_that_is_there_is_extended_and_the_rest_stays(before: str, after: str) -> None:
    change = ways("Hooked", OTHER)[0]
    assert written(before, change) == after.replace("NEW", OTHER.condition)


def test_quoted_conditions_get_an_item_of_their_own() -> None:
    before = '- macro: user_known_shell\n  condition: "(proc.pname = a)"\n'
    after = written(before, ways("Hooked", OTHER)[0])
    assert after.startswith(before)
    assert after.count("- macro: user_known_shell") == 2


def test_lists_and_exceptions_are_extended() -> None:
    first = Identity("name", (("proc.pname", "=", "php"),), "fair", "")
    second = Identity("name", (("proc.pname", "=", "a b"),), "fair", "")
    text = written(None, ways("Listed", first)[0])
    text = written(text, ways("Listed", second)[0])
    assert "items: [php, '" in text or 'items: [php, "' in text
    text = written(None, ways("Bare", IMAGE)[0])
    grown = written(text, ways("Bare", OTHER)[0])
    assert grown.count("- rule: Bare") == 1
    assert len(grown) > len(text)
    block = "- list: user_known_parents\n  items:\n    - php # keep\n  override:\n    items: append\n"
    assert written(block, ways("Listed", second)[0]).startswith(
        "- list: user_known_parents\n  items:\n    - php # keep\n    - "
    )


def test_what_is_in_it_already_is_not_put_in_twice() -> None:
    change = ways("Hooked", IMAGE)[0]
    text = written(None, change)
    assert with_change(text, change, "override", "note")[0] == text


def test_a_negation_is_one_of_the_whole_identity() -> None:
    identity = Identity(
        "tag", (("container.image.repository", "=", "a"), ("container.image.tag", "=", "b")), "safe", ""
    )
    tree = parse("evt.type = open " + ways("Shared", identity)[-1].condition)
    assert isinstance(tree.children[1], Not)  # type: ignore[union-attr]
    assert len(leaves(tree.children[1])) == 2  # type: ignore[union-attr, arg-type]


def test_terraform_gets_the_words_that_were_proven_and_evaluates_nothing() -> None:
    hostile_name = Identity("name", (("proc.pname", "=", '${file("/etc/passwd")} x'),), "fair", "")
    text = snippet([ways("Listed", hostile_name)[0]], "terraform")
    assert r'items  = ["\"$${file(\\\"/etc/passwd\\\")} x\""]' in text

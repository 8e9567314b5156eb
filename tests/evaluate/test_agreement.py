"""The generated code, the walker and the open world must agree on any rules and any events."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import falcokit
from falcokit.catalogue import Catalogue
from falcokit.evaluate.leaf import Leaves
from falcokit.evaluate.matcher import Matcher
from falcokit.evaluate.walk import Walk

TEXTS = ["cat", "bash", "", "/etc/passwd", "/etc", "é", "a b", "ca", "10.0.0.1:1->10.0.0.2:80", "host"]
FIELDS = ["proc.name", "proc.pname", "fd.name", "container.id", "proc.aname[2]", "user.name", "proc.exepath"]
EVENTS = ["open", "openat", "execve", "connect", "read"]


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


texts = st.sampled_from(TEXTS)
fields = st.sampled_from(FIELDS)
checks = st.one_of(
    st.builds(lambda f, o, t: f"{f} {o} {quoted(t)}", fields, st.sampled_from(["=", "!=", "startswith", "endswith", "contains", "icontains", "glob"]), texts),
    st.builds(lambda f, ts: f"{f} in ({', '.join(map(quoted, ts))})", fields, st.lists(texts, max_size=3)),
    st.builds(lambda f, ts: f"{f} pmatch ({', '.join(map(quoted, ts))})", fields, st.lists(texts, max_size=2)),
    st.builds(lambda f: f"{f} exists", fields),
    st.builds(lambda f, p: f"{f} glob {quoted(p)}", fields, st.sampled_from(["*", "c*", "*t", "*a*", "/e*d", "c*a*t", "*a*a*", "ca**", "c?t", "cat"])),
    st.builds(lambda t: f"tolower(proc.name) = {quoted(t)}", texts),
    st.builds(lambda f: f"{f} = val(proc.pname)", st.sampled_from(["proc.name", "fd.name"])),
    st.builds(lambda o, t: f"evt.type {o} {t}", st.sampled_from(["=", "!="]), st.sampled_from(EVENTS)),
    st.builds(lambda ts: f"evt.type in ({', '.join(ts)})", st.lists(st.sampled_from(EVENTS), min_size=1, max_size=3)),
    st.builds(lambda o, n: f"user.uid {o} {n}", st.sampled_from(["=", "!=", "<", ">=", "in"]), st.integers(0, 3)).map(
        lambda text: text.replace("in ", "in (") + ")" if " in " in text else text
    ),
    st.builds(lambda n: f"evt.num {n}", st.sampled_from(["= 0", "> 0", "= 1"])),
    st.builds(lambda v: f"proc.is_container_healthcheck = {v}", st.sampled_from(["true", "false"])),
    st.builds(lambda o, a: f"fd.ip {o} {a}", st.sampled_from(["=", "!="]), st.sampled_from(["10.0.0.1", "10.0.0.3"])),
    st.builds(lambda t: f"proc.aname = {quoted(t)}", texts),
    st.sampled_from(["first_macro", "second_macro"]),
)  # fmt: skip
conditions = st.recursive(
    checks,
    lambda inner: st.one_of(
        st.builds(lambda a, b: f"({a} and {b})", inner, inner),
        st.builds(lambda a, b, c: f"({a} or {b} or {c})", inner, inner, inner),
        st.builds(lambda a: f"not ({a})", inner),
    ),
    max_leaves=8,
)
plain = conditions.filter(lambda text: "_macro" not in text)
odd = st.one_of(
    texts,
    st.sampled_from(["\0", "cat\0x", "\udce9", "\udcc3\udca9"]),
    st.integers(-1, 4),
    st.booleans(),
    st.none(),
    st.just(b"cat"),
)
ordinary = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, st.sampled_from(["cat", "bash", "host"])))
unusual = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(FIELDS, odd),
        "evt.type": st.one_of(st.sampled_from(EVENTS), odd),
        "user.uid": odd,
        "proc.is_container_healthcheck": odd,
        "fd.cip": st.sampled_from(["10.0.0.1", "10.0.0.2", "::1", "x"]),
        "fd.sip": st.sampled_from(["10.0.0.3", "10.0.0.2"]),
        "proc.aname": st.lists(texts, max_size=2),
        "evt.num": st.integers(0, 3),
    },
)  # fmt: skip
events = st.one_of(ordinary, unusual)
# Rules as people write them: many that want some of the same few things.
few = st.builds(
    lambda f, o, t: f"{f} {o} {t}",
    st.sampled_from(FIELDS[:4]),
    st.sampled_from(["=", "!="]),
    st.sampled_from(["cat", "bash"]),
)
parts = st.one_of(
    few, few, st.builds(lambda a, b: f"({a} or {b})", few, few), st.builds(lambda a, b: f"not ({a} and {b})", few, few),
    st.builds(lambda f: f"{f} in (cat, bash, host)", st.sampled_from(FIELDS[:4])), st.builds(lambda f: f"{f} icontains A", st.sampled_from(FIELDS[:4])),
)  # fmt: skip
chains = st.lists(parts, min_size=1, max_size=4).map(" and ".join)
rule_sets = st.one_of(
    st.tuples(plain, plain, st.lists(conditions, min_size=1, max_size=12)),
    st.tuples(few, few, st.lists(chains, min_size=2, max_size=12)),
    st.tuples(few, few, st.lists(chains, min_size=3, max_size=4)),
)


def rules_of(drawn: tuple[str, str, list[str]]) -> Any:
    first, second, bodies = drawn
    text = f"- macro: first_macro\n  condition: >\n    {first}\n- macro: second_macro\n  condition: >\n    {second}\n"
    for number, body in enumerate(bodies):
        text += f"- rule: r{number}\n  desc: d\n  priority: INFO\n  output: o\n  condition: >\n    {body}\n"
    return falcokit.validate([("rules.yaml", text)])


@settings(max_examples=300, deadline=None)
@given(rule_sets, st.lists(events, min_size=1, max_size=20))
def test_generated_code_says_what_the_walker_says(
    drawn: tuple[str, str, list[str]], given_events: list[dict[str, Any]]
) -> None:
    validation = rules_of(drawn)
    matcher = Matcher(validation.loaded.compilation.rules.values(), Catalogue.bundled(), rule_matching="all")
    rules = matcher.rules
    assert rules
    events_of = Catalogue.bundled().events
    walk = Walk(Leaves("syscall", Catalogue.bundled()))
    for number, event in enumerate(given_events, 1):
        name = event.get("evt.type")
        mask = events_of.names((name,)) if isinstance(name, str) and name and events_of.is_known(name) else -1
        expected = [
            rule.name for rule in rules if rule.codes & mask and walk.holds(rule.bound.tree, rule.bound, event, number)
        ]
        assert [rule.name for rule in matcher.fired(event)] == expected
        for rule in matcher.rules:
            assert matcher.why(rule, event).holds is (rule.name in expected)


@settings(max_examples=300, deadline=None)
@given(rule_sets, events, st.sets(st.sampled_from([*FIELDS, "evt.type", "user.uid", "fd.cip", "fd.sip", "proc.aname"])))
def test_what_is_decided_without_some_fields_is_so_whatever_they_are(
    drawn: tuple[str, str, list[str]], event: dict[str, Any], hidden: set[str]
) -> None:
    validation = rules_of(drawn)
    rules = list(validation.loaded.compilation.rules.values())
    whole = {
        key: event.get(key)
        for key in (*FIELDS, "evt.type", "user.uid", "fd.cip", "fd.sip", "proc.aname", "proc.is_container_healthcheck")
    }
    # The fields of an event fit each other: the ancestors are those that have fields of their own, too.
    whole["fd.lip"] = whole["fd.rip"] = None
    names = [whole["proc.pname"], whole["proc.aname[2]"]]
    whole["proc.aname"] = [name for name in names if isinstance(name, (str, bytes))] or None
    if whole["fd.name"] == TEXTS[-2]:
        whole["fd.cip"], whole["fd.sip"] = "10.0.0.1", "10.0.0.2"
    elif str(whole["fd.name"]).startswith("/"):
        whole["fd.cip"] = whole["fd.sip"] = None
    part = {key: value for key, value in whole.items() if key not in hidden}
    matcher = Matcher(rules, Catalogue.bundled(), rule_matching="all")
    certain, possible = matcher.certain(part), [verdict.rule for verdict in matcher.verdicts(part)]
    for rule in matcher.rules:
        answer = matcher.why(rule, part, complete=False)
        fires = matcher.why(rule, whole).holds
        # What the code merges it may decide where the walker cannot, and never the other way round.
        assert fires if rule in certain else answer.holds is not True
        assert answer.holds is not False if rule in possible else not fires
        if answer.holds is None:
            assert answer.reasons
            if part.get("evt.type") not in EVENTS:
                continue
            assert {name for reason in answer.reasons for name, _ in reason.values} <= hidden | {"evt.num", "fd.ip"}
        else:
            assert answer.holds is fires, answer


def test_a_field_read_below_one_check_counts_as_read_only_there() -> None:
    drawn = ("evt.num > 0", "evt.num > 0", [
        "(proc.name = a or fd.name = b) and container.id != x", "container.id = y and proc.pname = q", "container.id != z and user.name = u",
    ])  # fmt: skip
    matcher = Matcher(rules_of(drawn).loaded.compilation.rules.values(), Catalogue.bundled(), rule_matching="all")
    event = {"evt.type": "open", "container.id": "y", "proc.pname": "q", "user.name": "u"}
    assert [rule.name for rule in matcher.fired(event)] == ["r1", "r2"]

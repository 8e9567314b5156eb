"""Policies made from the rules in use."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.audit.generate import generated, policy_of, policy_text
from falcokit.audit.needs import Needs, needs
from falcokit.audit.policy_file import Level, Policy, read_policy
from falcokit.audit.verdicts import State, verdicts
from falcokit.audit.volume import request_of
from falcokit.evaluate import Matcher
from falcokit.event import audit_events
from falcokit.source import SourceFile

sys.path.insert(0, str(Path(__file__).parent))
from policies import BUNDLED, CATALOGUE, CONDITIONS, PUBLIC, audit_documents, recorded, rule, rules_of
from test_policy_file import validated

EVERY = [*needs(rules_of(BUNDLED.read_text(encoding="utf-8")), CATALOGUE)]
if PUBLIC.exists():
    EVERY += needs(rules_of(PUBLIC.read_text(encoding="utf-8")), CATALOGUE)


def fine(found: list[Needs], policy: Policy) -> bool:
    return all(one.state in (State.FIRES, State.NEVER) for one in verdicts(found, policy))


def check(found: list[Needs]) -> Policy:
    """The policy for *found*, read back from its text, with what is true of each one."""
    made = generated(found)
    text = policy_text(made, ["for a test"])
    validated(text)
    policy, findings = read_policy(SourceFile("p.yaml", text))
    assert policy is not None
    assert findings == ()
    assert policy.replaced(rules=tuple([one.replaced(line=0) for one in policy.rules])) == made.policy
    assert fine(found, policy)
    for block in made.blocks:
        if block.rule.level is not Level.NONE:
            assert not fine(found, policy_of([other for other in made.blocks if other is not block]))
    return policy


@settings(max_examples=60)
@given(st.lists(st.sampled_from(EVERY), max_size=8, unique_by=id))
def test_each_block_is_needed_and_all_of_them_are_enough(found: list[Needs]) -> None:
    check(found)


@pytest.mark.parametrize("count", [len(EVERY), 48, 1, 0])
def test_all_rules_and_none(count: int) -> None:
    policy = check(EVERY[:count])
    if not count:
        assert [rule.level for rule in policy.rules] == [Level.NONE]


@settings(max_examples=60)
@given(st.lists(CONDITIONS, min_size=1, max_size=4), st.lists(audit_documents(), min_size=1, max_size=6))
def test_rules_of_any_kind_fire_on_what_is_recorded(conditions: list[str], documents: list[dict[str, object]]) -> None:
    rules = rules_of(*[rule(condition, f"R{number}") for number, condition in enumerate(conditions)])
    policy = check([*needs(rules, CATALOGUE)])
    matcher = Matcher(rules, CATALOGUE, rule_matching="all")
    for document in documents:
        (event,) = audit_events(json.dumps(document))
        decision = policy.decide(request_of(event))
        whole = {one.name for one in matcher.fired(event, "k8s_audit")}
        if whole:
            assert decision.level is not Level.NONE
        if document["stage"] in decision.stages:
            (less,) = audit_events(json.dumps(recorded(document, decision.level)))
            assert whole <= {one.name for one in matcher.fired(less, "k8s_audit")}


def made(*conditions: str) -> str:
    rules = rules_of(*[rule(condition, f"R{number}") for number, condition in enumerate(conditions)])
    return policy_text(generated(needs(rules, CATALOGUE)))


def test_a_policy_as_it_is_written() -> None:
    text = made(
        "ka.stage = ResponseComplete and ka.target.resource = pods and not ka.target.subresource exists and ka.verb = create and ka.req.pod.host_network = true",
        "ka.stage = ResponseStarted and ka.target.subresource in (exec, attach)",
        "ka.stage = ResponseComplete and not ka.user.name in (kubelet, 'system:apiserver', on)",
        "evt.num = 0",
    )
    assert text == (
        "# Nothing is recorded for rules that fire on nothing as they are: R3.\n"
        "apiVersion: audit.k8s.io/v1\n"
        "kind: Policy\n"
        "omitStages: [RequestReceived, Panic]\n"
        "# Kubernetes 1.23 and later; older API servers ignore it.\n"
        "omitManagedFields: true\n"
        "rules:\n"
        "  # For: R0.\n"
        "  - level: Request\n"
        "    verbs: [create]\n"
        "    resources:\n"
        '      - group: ""\n'
        "        resources: [pods]\n"
        "    omitStages: [ResponseStarted]\n"
        "\n"
        "  # For: R1.\n"
        "  - level: Metadata\n"
        "    verbs: [create, get]\n"
        "    resources:\n"
        '      - group: ""\n'
        "        resources: [pods/attach, pods/exec]\n"
        "\n"
        "  # Users on whom R2 does not fire, where no block above is about them.\n"
        "  - level: None\n"
        '    users: [kubelet, "on", "system:apiserver"]\n'
        "\n"
        "  # For: R2.\n"
        "  # All requests that are left are recorded because of it: disable it where it\n"
        "  # is of no use.\n"
        "  - level: Metadata\n"
        "    omitStages: [ResponseStarted]\n"
    )


def test_what_no_rule_looks_at_is_not_recorded() -> None:
    text = made("ka.target.resource = secrets and ka.verb = get")
    assert text.endswith("  # Everything else is looked at by no rule.\n  - level: None\n")
    assert "omitManagedFields" not in text


def test_contents_of_secrets_are_warned_of() -> None:
    text = made("ka.target.resource = secrets and ka.verb = create and jevt.value[/requestObject/type] = Opaque")
    assert "  # Careful: at this level the contents of secrets are written to the audit\n  # log.\n" in text


def test_names_of_rules_stay_in_their_comment() -> None:
    rules = rules_of(rule("ka.verb = get", json.dumps("x\u2028\n- level: RequestResponse\n\x07")))
    text = policy_text(generated(needs(rules, CATALOGUE)))
    policy, findings = read_policy(SourceFile("p", text))
    assert findings == ()
    assert policy is not None
    assert [one.level.word for one in policy.rules] == ["Metadata", "None"]

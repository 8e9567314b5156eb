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
from falcokit.audit.policy_file import Level, Policy, Request, read_policy
from falcokit.audit.verdicts import State, verdicts
from falcokit.evaluate import Matcher
from falcokit.event import audit_events
from falcokit.source import SourceFile

sys.path.insert(0, str(Path(__file__).parent))
from policies import BUNDLED, CATALOGUE, CONDITIONS, PUBLIC, Ending, Exchange, exchanges, recorded, rule, rules_of
from test_policy_file import naive, validated

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
    assert policy.replaced(rules=tuple([one.replaced(line=0) for one in policy.rules]), line=0) == made.policy
    assert fine(found, policy)
    for block in made.blocks:
        if block.rule.level is not Level.NONE:
            assert not fine(found, policy_of([other for other in made.blocks if other is not block]))
    return policy


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(EVERY), max_size=8, unique_by=id))
def test_each_block_is_needed_and_all_of_them_are_enough(found: list[Needs]) -> None:
    check(found)


@pytest.mark.parametrize("count", [len(EVERY), 48, 1, 0])
def test_all_rules_and_none(count: int) -> None:
    policy = check(EVERY[:count])
    if not count:
        assert [rule.level for rule in policy.rules] == [Level.NONE]


def let_through(policy: Policy, exchange: Exchange, ending: Ending) -> list[dict[str, object]]:
    """What an API server with *policy* writes of a request."""
    level, stages, _ = naive(policy, url_of(exchange.request))
    return [recorded(event, level) for event in exchange.written(ending) if event["stage"] in stages]


def url_of(request: Request) -> Request:
    """*request* as its URL tells of it."""
    return request.replaced(name="") if request.verb == "create" else request


@settings(max_examples=100, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=4), st.lists(exchanges(), min_size=1, max_size=6))
def test_rules_of_any_kind_fire_on_what_is_recorded(conditions: list[str], requests: list[Exchange]) -> None:
    texts = [rule(condition, f"R{number}") for number, condition in enumerate(conditions)]
    matcher = Matcher(rules_of(*texts), CATALOGUE, rule_matching="all")

    def fired(documents: list[dict[str, object]]) -> set[str]:
        events = [event for document in documents for event in audit_events(json.dumps(document))]
        return {one.name for event in events for one in matcher.fired(event, "k8s_audit")}

    # A rule that only fires where the level is one or the other can meet with others that want a higher one.
    alone = any("/level] = Request" in condition for condition in conditions)
    for one in [texts[:1]] if alone else [texts]:
        policy = check([*needs(rules_of(*one), CATALOGUE)])
        names = {f"R{number}" for number in range(len(one))}
        for exchange in requests:
            full = exchange.written(exchange.ending)
            kept = fired(let_through(policy, exchange, exchange.ending))
            late = fired([event for event in full if event["stage"] != "RequestReceived"]) & names
            assert late <= kept
            # What fires at once, before anything is known, fires on what is recorded of some request of the kind.
            missed = (fired(full) & names) - kept
            others = exchange.endings() if missed else []
            assert missed <= {name for ending in others for name in fired(let_through(policy, exchange, ending))}


def made(*conditions: str) -> str:
    rules = rules_of(*[rule(condition, f"R{number}") for number, condition in enumerate(conditions)])
    return policy_text(generated(needs(rules, CATALOGUE)))


def test_a_rule_that_holds_at_a_level_for_sure_needs_that_level() -> None:
    assert "level: RequestResponse" in made("ka.uri startswith /healthz or jevt.value[/level] = RequestResponse")
    assert "level: Metadata" in made("ka.uri startswith /healthz or jevt.value[/level] = Metadata")


@pytest.mark.parametrize("start", ["system:", "ja"])
def test_a_user_whom_one_rule_leaves_out_is_recorded_for_another(start: str) -> None:
    conditions = (f'ka.user.name startswith "{start}"', "not (ka.user.name = jane)")
    rules = rules_of(*[rule(condition, f"R{number}") for number, condition in enumerate(conditions)])
    check([*needs(rules, CATALOGUE)])
    assert "level: None" not in made(*conditions)
    assert "users: [jane]" in made(conditions[1])


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


def test_stages_are_those_that_requests_come_to() -> None:
    """Most requests only have an answer that is complete, connections begin, and those without a login are only told of then."""
    for condition in (
        "ka.verb = delete and ka.target.resource = nodes",
        "ka.verb = create and ka.target.resource = pods",
        "ka.verb = create and ka.target.resource = pods and ka.response.code = 201",
        "ka.verb = get and ka.target.resource = pods",
        "ka.verb = delete and ka.target.resource = services and not ka.stage = RequestReceived",
    ):
        policy = check([*needs(rules_of(rule(condition)), CATALOGUE)])
        verb, resource = condition.split()[2], condition.split()[6]
        assert "ResponseComplete" in naive(policy, Request("jane", verb=verb, resource=resource))[1], condition
    policy = check([*needs(rules_of(rule("ka.response.code = 401")), CATALOGUE)])
    assert naive(policy, Request(verb="list", resource="pods"))[1] == {"ResponseStarted"}
    policy = check([*needs(rules_of(rule("ka.user.name = jane and ka.target.resource = nodes")), CATALOGUE)])
    assert "ResponseStarted" not in naive(policy, Request("jane", verb="list", resource="nodes"))[1]


def test_what_panics_and_what_only_comes_in() -> None:
    text = made("ka.stage = Panic")
    assert "omitStages: [RequestReceived, ResponseStarted, ResponseComplete]\n" in text
    text = made("ka.verb = create and ka.target.resource = pods and not ka.response.code exists")
    assert "omitStages: [ResponseStarted, ResponseComplete, Panic]\n" in text
    # What is not known yet when a request comes in is no reason to record it then.
    text = made("ka.user.name = jane and ka.target.resource = leases and not ka.response.code = 201")
    assert "omitStages: [RequestReceived, ResponseStarted]\n" in text


def test_the_level_that_a_rule_asks_for() -> None:
    policy = check(
        [*needs(rules_of(rule("jevt.value[/level] = RequestResponse and ka.target.resource = leases")), CATALOGUE)]
    )
    (first, *_) = policy.rules
    assert first.level is Level.REQUEST_RESPONSE
    assert first.resources[0].group == "coordination.k8s.io"


def test_a_rule_that_looks_at_the_whole_event_gets_its_own_resource_only() -> None:
    text = made(
        "jevt.obj contains secretword and ka.verb = create and ka.target.resource = configmaps and jevt.value[/stage] = ResponseComplete"
    )
    assert text.endswith(
        "rules:\n  # For: R0.\n  - level: RequestResponse\n    verbs: [create]\n    resources:\n"
        '      - group: ""\n        resources: [configmaps]\n\n  # Everything else is looked at by no rule.\n  - level: None\n'
    )


def test_every_rule_is_named_in_the_block_that_it_is_recorded_by() -> None:
    found = [*needs(rules_of(BUNDLED.read_text(encoding="utf-8")), CATALOGUE)]
    result = generated(found)
    for block in result.blocks:
        if block.rule.level:
            others = policy_of([one for one in result.blocks if one is not block])
            assert {one.name for one in verdicts(found, others) if one.state not in (State.FIRES, State.NEVER)} <= set(
                block.names
            )
    named = {name for block in result.blocks if block.rule.level for name in block.names}
    assert named == {one.rule.name for one in found if one.parts}

"""Rules held against a policy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.audit.policy_file import Level, Policy
from falcokit.audit.verdicts import State, Verdict, judged
from falcokit.audit.volume import request_of, volume
from falcokit.evaluate import Matcher
from falcokit.event import audit_events, read_events
from falcokit.report.audit_policy import check_json, check_markdown, check_text, reasons, volume_text

sys.path.insert(0, str(Path(__file__).parent))
from policies import (
    BUNDLED,
    CATALOGUE,
    CONDITIONS,
    FIXTURES,
    POLICIES,
    PUBLIC,
    Exchange,
    audit_documents,
    exchanges,
    policy,
    recorded,
    rule,
    rules_of,
)
from test_policy_file import naive

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n"
POD = "ka.target.resource = pods and not ka.target.subresource exists"
PRIVILEGED = f"{POD} and ka.verb = create and ka.req.pod.containers.privileged intersects (true)"


def one(condition: str, text: str) -> tuple[Verdict, list[str]]:
    found = policy(text)
    (verdict,) = judged(rules_of(rule(condition)), CATALOGUE, found)
    return verdict, reasons(verdict, found)


@pytest.mark.parametrize(
    ("condition", "rules", "state", "why"),
    [
        (PRIVILEGED, "- level: Request\n", State.FIRES, []),
        (PRIVILEGED, "- level: Metadata\n", State.CANNOT, ["needs Request on create pods: line 4 gives Metadata"]),
        (PRIVILEGED, "- level: Request\n  verbs: [get]\n", State.CANNOT, ["needs Request on create pods: no rule is about them"]),
        (PRIVILEGED, "- level: None\n", State.CANNOT, ["needs Request on create pods: line 4 says None"]),
        (
            "ka.stage = ResponseStarted and ka.target.subresource in (exec, attach)",
            "- level: Metadata\n  omitStages: [ResponseStarted]\n", State.CANNOT,
            ["needs the stage ResponseStarted of create, get pods/attach, pods/exec: line 4 omits it"],
        ),
        (
            f"ka.verb = create and {POD} and not ka.req.pod.host_network = true",
            "- level: Metadata\n", State.BLIND,
            ["fires without looking at the body: needs Request on create pods: line 4 gives Metadata"],
        ),
        (
            PRIVILEGED, "- level: None\n  users: [ci]\n- level: Request\n", State.PARTLY,
            ["needs Request on create pods (by ci): line 4 says None"],
        ),
        (
            PRIVILEGED, "- level: Metadata\n  userGroups: ['system:nodes']\n- level: RequestResponse\n", State.PARTLY,
            ["needs Request on create pods (by members of system:nodes): line 4 gives Metadata"],
        ),
        ("ka.verb = get", "- level: None\n  resources: [{group: '', resources: [events]}]\n- level: Metadata\n", State.PARTLY,
         ["needs Metadata on get requests (for events): line 4 says None"]),
        ("evt.num = 0", "- level: None\n", State.NEVER, ["its condition holds for no event, whatever the policy records"]),
        ("ka.target.resource = secrets", "- level: Metadata\n  resources: [{group: '', resources: [secrets]}]\n", State.FIRES, []),
        ("ka.target.resource = secrets", "- level: Metadata\n  resources: [{group: apps}]\n", State.CANNOT,
         ["needs Metadata on secrets: no rule is about them"]),
        ("jevt.value[/level] = RequestResponse and ka.target.resource = leases", "- level: Metadata\n", State.CANNOT,
         ["needs RequestResponse on leases: line 4 gives Metadata"]),
        ("ka.response.code = 401", "- level: Metadata\n  omitStages: [ResponseStarted]\n", State.CANNOT,
         ["needs the stage ResponseStarted of requests by who has not logged in: line 4 omits it"]),
        ("ka.response.code = 401", "- level: Metadata\n  omitStages: [ResponseComplete]\n", State.FIRES, []),
        (f"{POD} and ka.verb = create and ka.response.code = 201", "- level: RequestResponse\nomitStages: [ResponseComplete]\n",
         State.CANNOT, ["needs the stage ResponseComplete of create pods: line 5 omits it"]),
        (f"{POD} and ka.user.name = bob and ka.verb = delete", "- level: Metadata\n  omitStages: [RequestReceived, ResponseComplete, Panic]\n",
         State.CANNOT, ["needs the stage RequestReceived or ResponseComplete of delete pods by bob: line 4 omits it"]),
        (f"{POD} and ka.user.name = bob and ka.verb = create and not ka.req.pod.host_network = true",
         "- level: Request\n  omitStages: [ResponseComplete]\n", State.BLIND,
         ["needs the stage ResponseComplete of create pods by bob: line 4 omits it"]),
        # Pods are in a namespace, nodes never are; only lists go over all namespaces.
        (PRIVILEGED, "- level: Request\n  namespaces: ['']\n", State.CANNOT, ["needs Request on create pods: no rule is about them"]),
        ("ka.stage = ResponseComplete and ka.verb = list and ka.target.resource = secrets", "- level: Request\n  namespaces: ['']\n",
         State.PARTLY, ["needs Metadata on list secrets: no rule is about them"]),
        ("ka.stage = ResponseComplete and ka.verb = create and ka.target.resource = nodes", "- level: Request\n  namespaces: ['']\n",
         State.FIRES, []),
        ("ka.stage = ResponseComplete and ka.verb = create and ka.target.resource = nodes", "- level: Request\n  namespaces: [default]\n",
         State.CANNOT, ["needs Metadata on create nodes, nodes/proxy: no rule is about them"]),
    ],
)  # fmt: skip
def test_what_becomes_of_a_rule_and_why(condition: str, rules: str, state: State, why: list[str]) -> None:
    verdict, said = one(condition, HEAD + rules)
    assert (verdict.state, said) == (state, why)


@pytest.mark.parametrize(
    ("group", "state"), [("system:nodes", State.FIRES), ("system:serviceaccounts", State.FIRES), ("system:masters", State.PARTLY)]
)  # fmt: skip
def test_groups_whose_members_are_told_by_their_names(group: str, state: State) -> None:
    text = HEAD + f"- level: None\n  userGroups: ['{group}']\n- level: Metadata\n"
    assert one('not ka.user.name startswith "system:"', text)[0].state is state


def test_users_that_a_rule_leaves_out_need_not_be_recorded() -> None:
    text = HEAD + "- level: None\n  users: ['system:kube-proxy', kubelet]\n- level: Metadata\n"
    assert one('not ka.user.name startswith "system:" and not ka.user.name in (kubelet)', text)[0].state is State.FIRES
    assert one("not ka.user.name in (kubelet)", text)[0].state is State.PARTLY
    assert one("ka.user.name = kubelet", text)[0].state is State.CANNOT


def test_paths_that_a_rule_leaves_out_need_not_be_recorded() -> None:
    text = HEAD + "- level: None\n  nonResourceURLs: ['/healthz*', /version]\n- level: Metadata\n"
    health = "not (ka.uri = /healthz or ka.uri startswith /healthz/)"
    assert one(f"{health} and not ka.uri = /version", text)[0].state is State.FIRES
    verdict, said = one(health, text)
    assert verdict.state is State.PARTLY
    assert said == ["needs Metadata on requests for /version: line 4 says None"]


# A rule that asks for the level itself may fire on what is recorded at a lower one only.
@settings(deadline=None)
@given(
    CONDITIONS.filter(lambda text: "/level]" not in text), POLICIES, st.lists(audit_documents(), min_size=1, max_size=6)
)
def test_verdicts_hold_for_events(condition: str, found: Policy, documents: list[dict[str, object]]) -> None:
    """What is recorded of an event, by the policy alone, fires the rule as the verdict says."""
    rules = rules_of(rule(condition))
    (verdict,) = judged(rules, CATALOGUE, found)
    assert verdict.known
    matcher = Matcher(rules, CATALOGUE)
    for document in documents:
        (event,) = audit_events(json.dumps(document))
        whole = bool(matcher.fired(event, "k8s_audit"))
        decision = found.decide(request_of(event))
        fired = False
        if decision.level is not Level.NONE and document["stage"] in decision.stages:
            (less,) = audit_events(json.dumps(recorded(document, decision.level)))
            fired = bool(matcher.fired(less, "k8s_audit"))
        if verdict.state in (State.CANNOT, State.NEVER):
            assert not fired or document["stage"] == "Panic"
        if verdict.state is State.NEVER:
            assert not whole
        if verdict.state is not State.BLIND and fired:
            assert whole
        if verdict.state is State.FIRES and whole and decision.level is not Level.NONE:
            assert fired or document["stage"] not in decision.stages
        if verdict.state is State.FIRES and whole:
            assert decision.level is not Level.NONE


@settings(max_examples=150, deadline=None)
@given(CONDITIONS.filter(lambda text: "/level]" not in text), POLICIES, st.lists(exchanges(), min_size=1, max_size=6))
def test_what_can_fire_does_so_on_what_an_api_server_writes(
    condition: str, found: Policy, requests: list[Exchange]
) -> None:
    rules = rules_of(rule(condition))
    (verdict,) = judged(rules, CATALOGUE, found)
    matcher = Matcher(rules, CATALOGUE)

    def fires(documents: list[dict[str, object]]) -> bool:
        events = [event for document in documents for event in audit_events(json.dumps(document))]
        return any(matcher.fired(event, "k8s_audit") for event in events)

    for exchange in requests:
        full = exchange.written(exchange.ending)
        url = exchange.request.replaced(name="") if exchange.request.verb == "create" else exchange.request
        level, stages, _ = naive(found, url)
        kept = fires([recorded(event, level) for event in full if event["stage"] in stages])
        if verdict.state is State.CANNOT:
            assert not kept or full[-1]["stage"] == "Panic"
        answered = [event for event in full if event["stage"] not in ("RequestReceived", "Panic")]
        if verdict.state is State.FIRES and fires(answered):
            assert kept


def bundled(path: Path) -> dict[State, set[str]]:
    found = policy((FIXTURES / "metadata-only.yaml").read_text(encoding="utf-8"))
    states: dict[State, set[str]] = {}
    for verdict in judged(rules_of(path.read_text(encoding="utf-8")), CATALOGUE, found):
        states.setdefault(verdict.state, set()).add(verdict.name)
    return states


def test_a_policy_without_bodies_and_the_bundled_rules() -> None:
    states = bundled(BUNDLED)
    assert len(states[State.CANNOT]) == 12
    assert states[State.BLIND] == {"Pod Created in Kube Namespace"}
    assert states[State.PARTLY] == {"Anonymous Request Allowed", "Disallowed K8s User"}


@pytest.mark.skipif(not PUBLIC.exists(), reason="the public rules are not here")
def test_a_policy_without_bodies_and_the_public_rules() -> None:
    states = bundled(PUBLIC)
    assert len(states[State.CANNOT]) == 11
    assert states[State.BLIND] == {"Pod Created in Kube Namespace", "Ingress Object without TLS Certificate Created"}


def test_names_of_rules_do_nothing_in_reports() -> None:
    name = "\u202e<script>|[x](y)"
    found = policy(HEAD + "- level: Metadata\n")
    verdicts = judged(rules_of(rule(PRIVILEGED, json.dumps(name))), CATALOGUE, found)
    assert "\u202e" not in check_text(verdicts, found, "p\x1b[31m.yaml")
    assert "\x1b" not in check_text(verdicts, found, "p\x1b[31m.yaml")
    assert r"\<script\>\|\[x\](y)" in check_markdown(verdicts, found, "p")
    assert check_json(verdicts, found, "p")["rules"][0]["name"] == name


def event(minute: int, **more: object) -> dict[str, object]:
    stamp = f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00.000000Z"
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a", "stage": "ResponseComplete",
        "requestURI": "/x", "verb": "create", "user": {"username": "jane", "groups": ["system:authenticated"]},
        "objectRef": {"resource": "pods", "apiVersion": "v1"}, "stageTimestamp": stamp, **more,
    }  # fmt: skip


def test_volume() -> None:
    body = {"metadata": {"managedFields": [{"manager": "kubectl"}]}, "spec": {"x": "é" * 100}}
    documents = [
        event(0, requestObject=body, responseObject=body),
        event(60, objectRef={"resource": "secrets", "apiVersion": "v1"}, verb="get"),
        event(720, objectRef={"resource": "pods", "subresource": "exec"}, stage="ResponseStarted"),
        event(719, level="Metadata"),
    ]
    lines = [json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for document in documents]
    text = (
        "omitManagedFields: true\n"
        + HEAD
        + "- level: Request\n  resources: [{group: '', resources: [pods]}]\n- level: Metadata\n  omitStages: [ResponseStarted]\n"
    )
    found = volume(read_events(iter([*lines, b'{"evt.type": "open"}\n']), "log"), policy(text))  # type: ignore[arg-type]
    sizes = [len(line) for line in lines]
    assert (found.total.events, found.total.bytes, found.skipped, found.raised) == (4, sum(sizes), 1, 1)
    smaller = dict(documents[0])
    smaller["requestObject"] = {"metadata": {}, "spec": body["spec"]}
    del smaller["responseObject"]
    kept = len(json.dumps(smaller, ensure_ascii=False, separators=(",", ":")).encode()) + 1
    rows = {(row.verb, row.resource): (row.events, row.kept_events, row.kept_bytes) for row in found.rows}
    assert rows["get", "secrets"] == (1, 1, sizes[1])
    assert rows["create", "pods/exec"] == (1, 0, 0)
    events, kept_events, kept_bytes = rows["create", "pods"]
    assert (events, kept_events) == (2, 2)
    assert abs(kept_bytes - kept - sizes[3]) <= 2  # Commas that go with what is left out.
    assert found.days == 0.5
    assert "events a day" in volume_text(found)
    short = volume(read_events(iter(lines[:1]), "log"), policy(text))  # type: ignore[arg-type]
    assert short.days is None
    assert "too short to say anything about a day" in volume_text(short)

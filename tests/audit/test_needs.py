"""What rules need of a policy, held against the evaluator and real events."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.audit.needs import Effect, Needs, needs
from falcokit.audit.policy_file import Level
from falcokit.audit.told import Told, reads
from falcokit.audit.volume import request_of
from falcokit.evaluate import Matcher
from falcokit.event import audit_events
from falcokit.event.audit_fields import FIELDS

sys.path.insert(0, str(Path(__file__).parent))
from policies import BUNDLED, CATALOGUE, CONDITIONS, PUBLIC, audit_documents, recorded, rule, rules_of
from test_policy_file import inside


def needs_of(condition: str, *before: str) -> Needs:
    (found,) = needs(rules_of(*before, rule(condition)), CATALOGUE)
    return found


def fires(condition: str, document: dict[str, object]) -> bool:
    matcher = Matcher(rules_of(rule(condition)), CATALOGUE)
    (event,) = audit_events(json.dumps(document))
    return bool(matcher.fired(event, "k8s_audit"))


@settings(deadline=None)
@given(CONDITIONS, st.lists(audit_documents(), min_size=1, max_size=8))
def test_what_a_rule_fires_on_is_what_it_needs(condition: str, documents: list[dict[str, object]]) -> None:
    found = needs_of(condition)
    assert found.known
    for document in documents:
        (event,) = audit_events(json.dumps(document))
        request = request_of(event)
        of_request = [part for part in found.parts if inside(part.region, request)]
        parts = [part for part in of_request if document["stage"] in part.stages]
        whole = fires(condition, document)
        if any(document["stage"] in part.also for part in of_request):
            continue  # It may fire, and nothing is said of its level.
        if whole:
            assert parts
        for level in (Level.METADATA, Level.REQUEST):
            less = fires(condition, recorded(document, level))
            if less:
                assert any(part.at(level) is not Effect.CANNOT for part in parts)
            if "/level]" in condition:
                continue  # It asks for the level itself, so that what is recorded at another one is not a part of it.
            if all(part.level <= level for part in parts):
                assert less is whole
            if {part.at(level) for part in parts} <= {Effect.MISSES, Effect.UNAFFECTED, Effect.CANNOT}:
                assert whole or not less


@given(audit_documents(), st.sampled_from(sorted(FIELDS)))
def test_fields_read_what_they_are_said_to_read(document: dict[str, object], field: str) -> None:
    argument = "[0]" if field.endswith("has_name") or field in ("ka.uri.param", "ka.req.volume.hostpath") else ""
    (event,) = audit_events(json.dumps(document))
    (less,) = audit_events(json.dumps(recorded(document, Level.METADATA)))
    if not any(place.startswith(("/requestObject", "/responseObject")) for place in reads(field + argument)):
        assert event.get(field + argument) == less.get(field + argument)


def test_reads() -> None:
    assert reads("ka.req.pod.containers.image") == {"/requestObject"}
    assert reads("ka.req.configmap.name") == {"/objectRef/name"}
    assert reads("ka.target.pod.name") == {"/objectRef/resource", "/responseObject/metadata/name"}
    assert reads("jevt.value[/user/username]") == {"/user/username"}
    assert reads("jevt.obj") == {""}
    assert reads("jevt.rawtime") == frozenset()


def test_told_knows_missing_from_not_known() -> None:
    told = Told({"/verb": "get", "/requestObject": None})
    assert told["ka.verb"] == "get"
    assert "ka.req.pod.host_network" in told
    assert told["ka.req.pod.host_network"] is None
    assert "ka.user.name" not in told
    assert told.get("ka.user.name", 7) == 7


@pytest.mark.parametrize(
    ("condition", "level", "effect"),
    [
        ("ka.verb = create", Level.METADATA, Effect.UNAFFECTED),
        ("ka.verb = create and ka.req.pod.host_network = true", Level.REQUEST, Effect.CANNOT),
        ("ka.verb = create and not ka.req.pod.host_network = true", Level.REQUEST, Effect.BLIND),
        ("ka.verb = delete or ka.req.pod.host_network = true", Level.REQUEST, Effect.MISSES),
        ("ka.response.code = 201 or ka.req.pod.host_network = true", Level.REQUEST, Effect.MISSES),
        ("ka.stage = RequestReceived and ka.response.code = 200", Level.NONE, Effect.NEVER),
        ("ka.stage = RequestReceived and not ka.req.pod.host_network = true", Level.METADATA, Effect.UNAFFECTED),
        ("ka.verb = create and ka.resp.name = web", Level.REQUEST_RESPONSE, Effect.CANNOT),
        ("not jevt.value[/responseObject/kind] = Status", Level.REQUEST_RESPONSE, Effect.BLIND),
        ("evt.num = 0 and ka.req.pod.host_network = true", Level.NONE, Effect.NEVER),
        ("ka.verb = get and ka.verb = create", Level.NONE, Effect.NEVER),
        ("jevt.rawtime = 0", Level.NONE, Effect.NEVER),
        ("ka.req.configmap.name = mine", Level.METADATA, Effect.UNAFFECTED),
        ("ka.req.binding.subject.has_name[x] = true", Level.METADATA, Effect.UNAFFECTED),
        ("ka.target.subresource = exec and ka.req.pod.host_network = true", Level.NONE, Effect.NEVER),
    ],
)
def test_level_and_what_becomes_of_it_without_bodies(condition: str, level: Level, effect: Effect) -> None:
    found = needs_of(condition)
    assert (found.level, found.effect) == (level, effect)


def test_fields_of_the_output_need_nothing() -> None:
    # The rules of these tests print the images of a pod.
    assert needs_of("ka.target.resource = pods").level is Level.METADATA


def test_macros_and_lists_are_put_in() -> None:
    parts = "- list: verbs\n  items: [create, patch]\n- macro: changes\n  condition: ka.verb in (verbs)\n"
    (part,) = needs_of("changes and ka.target.resource = secrets and ka.stage = ResponseComplete", parts).parts
    assert {side: sorted(values.texts) for side, values in part.region.sides.items()} == {
        "verb": ["create", "patch"], "resource": ["secrets"], "subresource": [""], "group": [""],
    }  # fmt: skip
    assert part.stages == frozenset(["ResponseComplete"])


def test_requests_of_kubernetes_itself_are_told_in_its_terms() -> None:
    (part,) = needs_of("ka.target.subresource = portforward and ka.stage = ResponseStarted").parts
    assert sorted(part.region.get("resource").texts) == ["pods"]
    assert sorted(part.region.get("verb").texts) == ["create", "get"]
    (part,) = needs_of(
        "ka.target.resource = services and jevt.value[/objectRef/apiGroup] = serving.knative.dev and ka.stage = ResponseComplete"
    ).parts
    assert sorted(part.region.get("group").texts) == ["serving.knative.dev"]
    (part,) = needs_of("ka.target.resource = things and ka.stage = ResponseComplete").parts
    assert part.region.get("group").others
    # A change of a status creates nothing: its answer is never 201.
    created = needs_of("ka.target.resource = deployments and ka.verb = patch and ka.response.code = 201")
    assert [sorted(part.region.get("subresource").texts) for part in created.parts] == [[""]]


def test_names_of_what_is_created_are_not_in_its_url() -> None:
    found = needs_of(
        'ka.target.resource = roles and ka.verb in (create, delete) and ka.target.name startswith "system:"'
    )
    names = {tuple(sorted(part.region.get("verb").texts)): part.region.get("name") for part in found.parts}
    assert "" in names["create",]
    assert "" not in names["delete",]


def test_a_condition_too_large_to_look_at_needs_everything() -> None:
    big = " or ".join(f"(ka.verb = v{n} and ka.user.name = u{n} and ka.target.name = n{n})" for n in range(300))
    found = needs_of(big)
    assert not found.known
    assert found.level is Level.REQUEST_RESPONSE


# The eleven rules that the seed document lists for IKS, whose policy records no bodies.
LISTED = {
    "Create Disallowed Pod", "Create Privileged Pod", "Create Sensitive Mount Pod", "Create HostNetwork Pod",
    "Pod Created in Kube Namespace", "Create NodePort Service", "Create/Modify Configmap With Private Credentials",
    "Attach to cluster-admin Role", "ClusterRole With Wildcard Created", "ClusterRole With Write Privileges Created",
    "ClusterRole With Pod Exec Created",
}  # fmt: skip


def classes(*texts: str) -> dict[Effect, set[str]]:
    found: dict[Effect, set[str]] = {}
    for one in needs(rules_of(*texts), CATALOGUE):
        found.setdefault(one.effect, set()).add(one.rule.name)
    return found


def test_without_bodies_the_bundled_rules() -> None:
    found = classes(BUNDLED.read_text(encoding="utf-8"))
    assert found[Effect.BLIND] == {"Pod Created in Kube Namespace"}
    new = {"Create HostPid Pod", "Create HostIPC Pod", "Ingress Object without TLS Certificate Created"}
    assert found[Effect.CANNOT] == (LISTED - {"Create Disallowed Pod", "Pod Created in Kube Namespace"}) | new
    assert "Create Disallowed Pod" in found[Effect.NEVER]
    assert Effect.MISSES not in found


@pytest.mark.skipif(not PUBLIC.exists(), reason="the public rules are not here")
def test_without_bodies_the_public_rules() -> None:
    text = PUBLIC.read_text(encoding="utf-8")
    found = classes(text)
    assert found[Effect.CANNOT] == (LISTED - {"Create Disallowed Pod", "Pod Created in Kube Namespace"}) | {
        "Create HostPid Pod",
        "Create HostIPC Pod",
    }
    assert found[Effect.BLIND] == {"Pod Created in Kube Namespace", "Ingress Object without TLS Certificate Created"}
    assert "Create Disallowed Pod" in found[Effect.NEVER]
    # Told what is allowed, as its comment proposes, it fires on every pod.
    allowed = (
        "- macro: allowed_k8s_containers\n  condition: (ka.req.pod.containers.image.repository in (my-repo/my-image))\n"
        "  override: {condition: replace}\n"
    )
    assert "Create Disallowed Pod" in classes(text, allowed)[Effect.BLIND]


POD = {
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": "a", "stage": "ResponseComplete",
    "requestURI": "/api/v1/namespaces/kube-system/pods", "verb": "create", "user": {"username": "jane"},
    "objectRef": {"resource": "pods", "namespace": "kube-system", "name": "p", "apiVersion": "v1"},
    "responseStatus": {"code": 201}, "stageTimestamp": "2026-01-01T00:00:01.000000Z",
    "requestObject": {"spec": {"containers": [{"name": "c", "image": "registry.k8s.io/coredns/coredns:v1"}]}},
}  # fmt: skip


def test_a_blind_rule_fires_on_what_it_was_told_to_leave_out() -> None:
    matcher = Matcher(rules_of(BUNDLED.read_text(encoding="utf-8")), CATALOGUE, rule_matching="all")
    name = "Pod Created in Kube Namespace"
    (event,) = audit_events(json.dumps(POD))
    (blind,) = audit_events(json.dumps(recorded(POD, Level.METADATA)))
    assert name not in {one.name for one in matcher.fired(event, "k8s_audit")}
    assert name in {one.name for one in matcher.fired(blind, "k8s_audit")}

"""Audit events of our own making: shaped as the API server writes them, read as Falco reads them, and each fires the rule it is made for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from falcokit.audit.events import batch, batches, event_list, events_of
from falcokit.audit.samples import LEVELS, SAMPLES, STAGES, VERBS, Sample, sample
from falcokit.catalogue import Catalogue
from falcokit.evaluate import Matcher
from falcokit.event import Event, audit_events, read_events
from falcokit.ruleset.loader import load
from falcokit.source import SourceFile

ROOT = Path(__file__).parents[2]
MEASURED = ROOT.parent / "shared/evaluation/k8s_audit/events.jsonl"
HOOKS = """
- macro: allowed_k8s_containers
  condition: (ka.req.pod.containers.image.repository in (registry.example.com/shop/web))
  override: {condition: replace}
- macro: allow_all_k8s_nodes
  condition: (k8s_audit_never_true)
  override: {condition: replace}
- macro: allowed_full_admin_users
  condition: (k8s_audit_never_true)
  override: {condition: replace}
- macro: consider_all_events
  condition: (k8s_audit_always_true)
  override: {condition: replace}
"""
SCHEMA = Draft202012Validator(json.loads((ROOT / "schemas/audit-event.schema.json").read_text()))
any_sample = st.sampled_from(SAMPLES)
any_seed = st.integers(-(2**70), 2**70)


@cache
def matcher(hooks: str = "", matching: str = "all") -> Matcher:
    defaults = SourceFile("k8s_audit_rules.yaml", (ROOT / "default_rules/k8s_audit_rules.yaml").read_text())
    files = (defaults, SourceFile("hooks.yaml", hooks)) if hooks else (defaults,)
    loaded = load(files, Catalogue.bundled())
    assert loaded.compilation is not None
    assert [one for one in loaded.diagnostics if one.is_error] == []
    return Matcher(loaded.compilation.rules.values(), Catalogue.bundled(), rule_matching=matching)


def fired(
    one: Sample, seed: int = 0, hooks: str = "", matching: str = "all", level: str = "RequestResponse"
) -> set[str]:
    events = audit_events(batch(events_of(one, seed, level)).decode())
    return {rule.name for event in events for rule in matcher(hooks, matching).fired(event, "k8s_audit")}


@pytest.mark.parametrize("one", [one for one in SAMPLES if one.rule], ids=lambda one: one.name)
@given(seed=any_seed)
def test_a_sample_fires_the_rule_that_it_is_made_for(one: Sample, seed: int) -> None:
    assert (one.rule in fired(one, seed)) == (not one.needs)
    assert one.rule in fired(one, seed, HOOKS)


@pytest.mark.parametrize("one", [one for one in SAMPLES if not one.rule], ids=lambda one: one.name)
def test_a_sample_without_a_rule_fires_none(one: Sample) -> None:
    assert fired(one) == set()


def test_every_audit_rule_has_a_sample() -> None:
    assert {one.rule for one in SAMPLES if one.rule} == {rule.name for rule in matcher().rules}
    assert len({one.name for one in SAMPLES}) == len(SAMPLES)


def test_at_least_20_rules_fire_where_only_the_first_rule_of_an_event_does() -> None:
    found = set().union(*[fired(one, matching="first") for one in SAMPLES])
    assert found == {one.rule for one in SAMPLES if one.rule and not one.needs}
    assert len(found) >= 20


def test_every_verb_stage_level_and_resource() -> None:
    events = [event for one in SAMPLES for level in LEVELS for event in events_of(one, 0, level)]
    assert {event["verb"] for event in events} >= set(VERBS)
    assert {event["stage"] for event in events} == set(STAGES)
    assert {event["level"] for event in events} == set(LEVELS) - {"None"}
    references = {
        "/".join(filter(None, (event["objectRef"]["resource"], event["objectRef"].get("subresource"))))
        for event in events
        if "objectRef" in event
    }
    assert references >= {
        "pods", "pods/exec", "pods/attach", "pods/portforward", "services", "deployments", "daemonsets", "configmaps", "secrets",
        "namespaces", "serviceaccounts", "roles", "clusterroles", "rolebindings", "clusterrolebindings", "persistentvolumes",
    }  # fmt: skip
    assert {event["responseStatus"]["code"] for event in events if "responseStatus" in event} >= {
        101,
        200,
        201,
        401,
        403,
        409,
        500,
    }
    users = {event["user"].get("username", "") for event in events}
    assert "" in users
    assert "system:anonymous" in users
    assert any(user.startswith("system:serviceaccount:") for user in users)
    assert any("impersonatedUser" in event for event in events)
    assert any("objectRef" not in event for event in events)


@given(one=any_sample, seed=any_seed, level=st.sampled_from(LEVELS))
def test_any_sample_is_by_the_schema_and_read_as_the_plugin_reads_it(one: Sample, seed: int, level: str) -> None:
    events = events_of(one, seed, level)
    assert bool(events) == (level != "None")
    assert events_of(one, seed, level) == events
    for event in events:
        assert [error.message for error in SCHEMA.iter_errors(event)] == []
        assert event["stageTimestamp"] >= event["requestReceivedTimestamp"]
    sent = batch(events)
    assert [error.message for error in SCHEMA.iter_errors(json.loads(sent))] == []
    for read in (audit_events(sent.decode()), [found for event in events for found in audit_events(json.dumps(event))]):
        assert [(found["ka.auditid"], found["ka.stage"], found["ka.verb"]) for found in read] == [
            (event["auditID"], event["stage"], event["verb"]) for event in events
        ]
    found = list(read_events((b"".join(json.dumps(event).encode() + b"\n" for event in events),)))
    assert len(found) == len(events)
    assert all(isinstance(event, Event) and event.source == "k8s_audit" for event in found)


@given(one=any_sample)
def test_a_seed_tells_one_event_from_another(one: Sample) -> None:
    assert {event["auditID"] for event in events_of(one, 1)}.isdisjoint(event["auditID"] for event in events_of(one, 2))


def test_events_begin_when_they_are_told_to() -> None:
    start = datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    assert {event["requestReceivedTimestamp"] for event in events_of(SAMPLES[0], 0, start=start)} == {
        "2030-01-02T03:04:05.000678Z"
    }


def test_what_the_api_server_does_not_know_yet_is_not_told() -> None:
    created = sample("pod-created")
    assert created is not None
    received, complete = events_of(created)
    assert "name" not in received["objectRef"]
    assert complete["objectRef"]["name"] == "web-1"
    assert {"responseStatus", "annotations", "requestObject"}.isdisjoint(received)
    refused = sample("not-logged-in")
    assert refused is not None
    (event,) = events_of(refused)
    assert (event["stage"], event["user"], event["responseStatus"]["code"]) == ("ResponseStarted", {}, 401)


def test_bodies_are_needed_for_what_looks_into_them() -> None:
    one = sample("privileged-pod")
    assert one is not None
    assert fired(one, level="Metadata") == set()
    assert fired(one, level="Request") == {"Create Privileged Pod"}


@given(
    items=st.lists(st.text(max_size=40).map(json.dumps), max_size=30), size=st.integers(1, 7), most=st.integers(1, 200)
)
def test_batches_keep_every_event_in_order_and_their_limits(items: list[str], size: int, most: int) -> None:
    parts = list(batches(items, size, most))
    assert [item for part in parts for item in part] == items
    assert all(0 < len(part) <= size for part in parts)
    assert all(len(part) == 1 or sum(len(item.encode()) for item in part) <= most for part in parts)
    assert [json.loads(event_list(part))["items"] for part in parts] == [
        [json.loads(item) for item in part] for part in parts
    ]


def shape(value: Any) -> Any:
    """The keys of an object and the kinds of their values."""
    return {key: type(inner).__name__ for key, inner in value.items()}


def test_the_shape_is_that_of_the_measured_events() -> None:
    if not MEASURED.exists():
        pytest.skip("the measured audit events are not here: shared/evaluation/k8s_audit")
    measured = [json.loads(line).get("event") for line in MEASURED.read_text().split("\n") if line]
    plain = [one for one in measured if isinstance(one, dict) and not list(SCHEMA.iter_errors(one))]
    assert len(plain) > 100, "the schema takes the measured events that are no freaks"
    known: dict[str, set[str]] = {}
    for one in plain:
        for key, kind in shape(one).items():
            known.setdefault(key, set()).add(kind)
    for event in [event for one in SAMPLES for event in events_of(one)]:
        for key, kind in shape(event).items():
            assert kind in known[key], key

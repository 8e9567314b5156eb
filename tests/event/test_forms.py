"""Events written by hand in every form, read and held against the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from falcokit.event import Damaged, Event, Form, read_events
from falcokit.event.form import FIELDS

ROOT = Path(__file__).parents[2]
SAMPLES = Path(__file__).parent / "samples"
SHARED = ROOT.parent / "shared" / "events"
SCHEMA = json.loads((ROOT / "schemas" / "event.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))
TIME = 1770091506000000007


def read(document: Any) -> list[Event | Damaged]:
    return list(read_events([json.dumps(document).encode()]))


def one(document: Any) -> Event:
    (found,) = read(document)
    assert isinstance(found, Event), found
    return found


def sample(name: str) -> Event:
    (found,) = read_events([(SAMPLES / f"{name}.json").read_bytes()], name)
    assert isinstance(found, Event), found
    return found


@pytest.mark.parametrize(
    ("name", "form", "rule", "priority", "time", "host"),
    [
        ("falcoAlert", Form("falco", False), "Own rule", "Warning", TIME, "node-1"),
        ("falcosidekickPayload", Form("falco", False), "Own rule", "Notice", TIME - 7, "node-1"),
        ("sysdigLegacyEvent", Form("sysdig-legacy", False), "Own rule", "Warning", TIME - 7 + 7000, ""),
        ("sysdigLegacyWebhook", Form("sysdig-legacy", False), "Own rule", "Notice", TIME - 7 + 7000, ""),
        ("sysdigRuntimeEvent", Form("sysdig", False), "Own rule", "Error", TIME + 93, "node-1"),
        ("secureEventsFeed", Form("sysdig", False), "Own rule", "Informational", TIME, "node-1"),
        ("enrichedEvent", Form("sysdig-legacy", False), "Own rule", "Notice", TIME - 7 + 7000, "node-1"),
        ("kubernetesAuditEvent", Form("kubernetes-audit", True), "", "", TIME, ""),
        ("kubernetesAuditEventList", Form("kubernetes-audit", True), "", "", TIME, ""),
        ("fieldObject", Form("fields", True), "", "", TIME, ""),
    ],
)
def test_the_header(name: str, form: Form, rule: str, priority: str, time: int, host: str) -> None:
    event = sample(name)
    assert (event.form, event.rule, event.priority, event.time, event.host) == (form, rule, priority, time, host)


@pytest.mark.parametrize(
    ("name", "container", "image"),
    [
        ("falcoAlert", ("0123456789ab", "app", False), ("registry.example.com:5000/own/app", "1.2", "fields")),
        ("sysdigLegacyEvent", ("0123456789ab", "", False), ("example/own", "2", "output")),
        ("sysdigRuntimeEvent", ("host", "host", True), ("", "", "")),
        ("secureEventsFeed", ("0123456789ab", "app", False), ("example/own", "3", "labels")),
        ("enrichedEvent", ("0123456789ab", "app", False), ("example/own", "", "labels")),
    ],
)
def test_the_container(name: str, container: tuple[str, str, bool], image: tuple[str, str, str]) -> None:
    found = sample(name).container
    assert (found.id, found.name, found.on_host) == container
    assert (found.image.repository, found.image.tag, found.image.told) == image
    assert found.image.certain == (found.image.told in ("fields", "labels"))


def test_the_fields() -> None:
    fields = sample("falcoAlert").fields
    assert (fields["proc.aname[2]"], fields["user.name"], fields["evt.time"]) == (None, None, TIME)
    assert sample("falcosidekickPayload").fields == {"proc.name": "own", "user.name": None}
    assert sample("sysdigLegacyEvent").fields["proc.pid"] == "-1"
    assert sample("kubernetesAuditEvent").fields["ka.verb"] == "get"
    assert sample("kubernetesAuditEvent").source == "k8s_audit"
    assert sample("fieldObject").fields["proc.aname[2]"] == "sshd"


def test_what_only_some_forms_say() -> None:
    assert sample("falcosidekickPayload").header.id == "5b1c0f6e-own"
    assert sample("falcoAlert").header.tags == ("own", "filesystem")
    assert sample("sysdigRuntimeEvent").header.policy == "Own policy"
    assert sample("enrichedEvent").header.labels["kubernetes.namespace.name"] == "prod"


def test_an_alert_without_anything_to_clean_keeps_its_own_fields() -> None:
    event = one({"rule": "R", "output": "user=<NA>", "output_fields": {"proc.name": "x"}})
    assert event.fields is event.document["output_fields"]


@pytest.mark.parametrize("pretty", [None, 2])
def test_names_with_blanks_and_lists_of_digests(pretty: int | None) -> None:
    document = {"rule": "R", "output_fields": {"gcp.user ": "a", "container.image.digest": ["sha256:1", "sha256:2"]}}
    (event,) = read_events([json.dumps(document, indent=pretty).encode()])
    assert isinstance(event, Event)
    assert event.fields == {"gcp.user": "a", "container.image.digest": "sha256:1"}


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({"policyEvents": [{"policyId": 1, "fields": []}, {"policyId": 2, "fields": []}]}, 2),
        ({"data": [{"content": {"ruleName": "r"}}], "page": {"total": 1}}, 1),
        ({"event": {"content": {"ruleName": "r"}}, "sourcetype": "x"}, 1),
        ({"result": {"_raw": '{"rule": "r", "output": "o"}'}}, 1),
        ([[{"rule": "r", "output": "o"}], {"evt.type": "open"}], 2),
        ({"fields": {"evt.type": "open"}, "source": "syscall"}, 1),
        ([], 0),
    ],
)
def test_wrappers(document: Any, count: int) -> None:
    found = read(document)
    assert [type(each) for each in found] == [Event] * count


def test_an_object_below_fields_says_its_source() -> None:
    event = one({"fields": {"ct.name": "x"}, "source": "aws_cloudtrail", "time": "2026-02-03T04:05:06Z"})
    assert (event.source, event.form, event.time) == ("aws_cloudtrail", FIELDS, TIME - 7)


def test_an_event_that_was_made_without_a_document() -> None:
    event = Event({"evt.type": "open", "evt.rawtime": TIME}, FIELDS)
    assert (event.rule, event.source, event.time, event.container.id) == ("", "", TIME, "")


def test_an_event_of_a_cloud_has_no_container_and_no_host() -> None:
    content = {"ruleName": "r", "fields": {"ct.name": "x"}}
    cloud = one({"containerId": "", "source": "aws_cloudtrail", "content": content}).container
    host = one({"containerId": "", "source": "syscall", "content": content}).container
    assert (cloud.id, cloud.on_host, host.id, host.on_host) == ("", False, "host", True)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"a": 1, "b": 2}, "an object that is no event of a known form; its keys are 'a', 'b'"),
        ({}, "an empty object is no event"),
        ("text", "a JSON text is no event"),
        ([1], "a JSON number is no event"),
        ({"kind": "Pod", "apiVersion": "v1"}, "an object that is no event of a known form; its keys are 'kind', 'apiVersion'"),
    ],
)  # fmt: skip
def test_what_is_no_event(document: Any, reason: str) -> None:
    (found,) = read([document])
    assert found == Damaged("", 1, reason)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_of_their_form(name: str) -> None:
    document = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    VALIDATOR.validate(document)
    jsonschema.Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{name}"}]}).validate(document)


def test_there_is_a_sample_of_every_form() -> None:
    forms = {branch["$ref"].rpartition("/")[2] for branch in SCHEMA["anyOf"] if "$ref" in branch}
    assert forms == set(NAMES)


@pytest.mark.skipif(not SHARED.exists(), reason="needs the events in ../shared")
def test_events_of_others_are_of_the_schema() -> None:
    paths = sorted(SHARED.glob("*.json"))
    assert len(paths) > 30
    assert [path.name for path in paths if not VALIDATOR.is_valid(json.loads(path.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize(
    "document",
    [
        {}, [1], "text", {"a": 1}, {"rule": "r"}, {"rule": 1, "output": "o"}, {"rule": "r", "output_fields": [1]},
        {"rule": "r", "output": "o", "priority": "high"}, {"kind": "Event"}, {"kind": "EventList"},
        {"kind": "Event", "stageTimestamp": "yesterday"}, {"fields": {"x": 1}}, {"evt.type": {"a": 1}},
        {"content": {}}, {"fields": [{"value": 1}], "policyId": 1}, {"content": {"ruleName": "r"}, "severity": 9},
    ],
)  # fmt: skip
def test_the_schema_refuses(document: Any) -> None:
    assert not VALIDATOR.is_valid(document)

"""What was forwarded and comes back is the same event: the history has it once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

from falcokit.event import Event, read_events
from falcokit.forward.enrich import enriched
from falcokit.forward.render import render
from falcokit.history.store import in_memory

sys.path.insert(0, str(Path(__file__).parent))
from made import event, events, integration

SHARED = Path(__file__).parents[3] / "shared" / "events"
ALERT = {"hostname": "n", "output": "o", "output_fields": {"proc.pid": 1, "user.name": "<NA>"}, "priority": "Notice", "rule": "A", "time": "2026-11-28T10:00:00.000000007Z"}  # fmt: skip


def back(one: Event) -> Event:
    (again,) = read_events([render(integration("file"), one)])
    assert isinstance(again, Event)
    return again


def stays_one(found: list[Event]) -> None:
    """None of *found*, read back, is another event than before."""
    with in_memory() as history:
        count = history.add(found)
        assert count > 0
        assert history.add([back(one) for one in found]) == 0
        assert history.add(found) == 0
    with in_memory() as history:  # The other way round.
        assert (history.add([back(one) for one in found]), history.add(found)) == (count, 0)


@pytest.mark.parametrize(
    "document",
    [
        ALERT,
        {**ALERT, "time": "2026-11-28T10:00:00Z"},
        {**ALERT, "time": "2026-11-28T10:00:00Z", "output_fields": {"proc.pid": 10**30}},
        {**ALERT, "time": "2016-12-31T23:59:60Z"},
        {**ALERT, "uuid": "of-its-way"},
        {**ALERT, "uuid": "of-its-way", "time": "2026-11-28T10:00:00Z"},
        {**ALERT, "rule": "", "output": ""},
        {key: value for key, value in ALERT.items() if key != "time"},
        {"evt.type": "execve", "evt.rawtime": 1770091506000000007, "proc.name": "sh"},
        {"evt.type": "execve", "evt.rawtime": 1770091506000000000, "proc.name": "sh"},
        {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stage": "ResponseComplete", "stageTimestamp": "2026-02-03T04:05:06.5Z"},
        {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stage": "RequestReceived", "stageTimestamp": "2026-02-03T04:05:06Z"},
        {"id": "x", "name": "p", "severity": 4, "timestamp": 1770091506000000007, "output": "o", "ruleType": "RULE_TYPE_FALCO", "fields": [], "eventLabels": []},
        {"name": "p", "severity": 4, "timestamp": 1770091506000000000, "output": "o", "ruleType": "RULE_TYPE_FALCO", "fields": [], "eventLabels": []},
        "2023-05-25T13:44:05.5Z: Warning text of an alert",
        "12:00:00.000000001: Warning text of an alert",
    ],
)  # fmt: skip
def test_an_event_of_any_form_is_one(document: object) -> None:
    stays_one([event(document)])


def test_real_events_are_the_same() -> None:
    paths = sorted(SHARED.glob("*.json"))
    if not paths:
        pytest.skip("without the samples")
    found = [one for path in paths for one in read_events([path.read_bytes()], path.name) if isinstance(one, Event)]
    assert len(found) > 20
    stays_one(found)


@given(events())
@settings(max_examples=50, deadline=None)
def test_whatever_they_say(one: Event) -> None:
    again = back(one)
    if (
        "\ud800" not in one.rule + one.output + one.host + one.header.policy + one.header.id
    ):  # That is in no JSON of ours.
        assert again.header.policy == one.header.policy
        stays_one([one])


def test_what_could_not_be_read_of_a_time_is_carried_on() -> None:
    one = event({**ALERT, "time": "2016-12-31T23:59:60Z"})
    assert one.time is None
    assert back(one).time is None
    assert back(one).document["time"] == "2016-12-31T23:59:60Z"
    assert enriched(back(one), integration("file"))["time"] == "2016-12-31T23:59:60Z"


def test_alerts_of_one_second_differ_in_their_fields() -> None:
    several = [event({**ALERT, "time": "2026-11-28T10:00:00Z", "output_fields": {"proc.pid": number}}) for number in range(3)]  # fmt: skip
    with in_memory() as history:
        assert history.add([*several, *several]) == 3
    stays_one(several)


def test_the_policy_is_that_of_before() -> None:
    assert back(event(ALERT)).header.policy == ""
    assert json.loads(render(integration("file"), event(ALERT)))["name"] == "A"
    runtime = {"id": "i", "name": "My policy", "severity": 4, "timestamp": 1770091506000000007, "content": {"ruleName": "A", "ruleType": "RULE_TYPE_FALCO", "output": "o", "fields": {}}}  # fmt: skip
    assert back(event(runtime)).header.policy == "My policy"
    assert back(event({**ALERT, "policyId": 5})).header.policy == ""

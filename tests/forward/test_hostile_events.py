"""Whatever an event says: one message of it, of the form it must have, of the size it may have."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.event import Event, read_events
from falcokit.forward.enrich import enriched, identity, labels_of
from falcokit.forward.render import framed, render

sys.path.insert(0, str(Path(__file__).parent))
from made import events, integration
from parsers import cef, leef, octet_counted, rfc3164, rfc5424

SIZES = st.sampled_from([480, 481, 700, 1024, 2048, 8192, 1 << 20])
LARGE = st.sampled_from([4096, 5000, 8192, 1 << 20])
BREAKS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
LABELLED = {"labels": {"agent.tag.location": "europe", "team": 'a"b]c\\d=e|f^g'}, "event_labels": {"include": ["proc.*", "user.name"]}}  # fmt: skip


def inert(text: str) -> str:
    """What control characters are written as."""
    return re.sub("[\0-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]", lambda one: f"#{ord(one[0]):03o}" if one[0] < "\xa0" else "\ufffd", text)  # fmt: skip


@given(events(), SIZES, st.sampled_from(["json", "output", "cef", "leef"]), st.booleans())
@settings(max_examples=400, deadline=None)
def test_rfc5424(event: Event, size: int, form: str, bom: bool) -> None:
    one = integration("syslog", {"message": form, "max_size": size, "bom": bom}, **LABELLED)
    message = render(one, event)
    assert len(message) <= size
    assert not BREAKS.search(message.decode())
    read = rfc5424(message)
    assert (read.facility, read.procid, read.app_name) == (1, "-", "falco")
    params = dict(read.data.get("event@32473", []))
    if size == 1 << 20 and "truncated" not in params:
        labels = {key: value for key, value in labels_of(event, one).items() if value and len(key) <= 32 and re.fullmatch(r'[!#-<>-\\^-~]+', key)}  # fmt: skip
        own = {"rule", "policy", "priority", "source", "container.id"}
        assert {key: params.get(key) for key in labels if key not in own} == {key: inert(value) for key, value in labels.items() if key not in own}  # fmt: skip
        assert params.get("rule", "") == inert(event.header.rule)
    text = read.message.removeprefix(b"\xef\xbb\xbf").decode()
    assert read.message.startswith(b"\xef\xbb\xbf") is (bom and form == "output" and not text.isascii())
    if form == "json":
        assert json.loads(text or "{}").keys() <= {*enriched(event, one), "truncated"}
        assert text.isascii()
    elif form == "cef" and text:
        cef(text)
    elif form == "leef" and text:
        leef(text)


@given(events(), SIZES, st.sampled_from(["json", "output", "cef", "leef"]))
@settings(max_examples=200, deadline=None)
def test_rfc3164(event: Event, size: int, form: str) -> None:
    message = render(integration("syslog", {"protocol": "rfc3164", "message": form, "max_size": size}), event)
    assert len(message) <= size
    assert not BREAKS.search(message.decode())
    read = rfc3164(message)
    assert read.priority // 8 == 1
    if form == "json":
        json.loads(read.content or b"{}")
    elif form in ("cef", "leef") and read.content:
        (cef if form == "cef" else leef)(read.tag + read.content.decode())


@given(events())
@settings(max_examples=200, deadline=None)
def test_cef_says_what_the_event_says(event: Event) -> None:
    one = integration("file", {"message": "cef"}, **LABELLED)
    line = render(one, event).decode()
    assert not BREAKS.search(line)
    head, found = cef(line)
    assert 0 <= int(head[5]) <= 10
    rule = event.header.rule or event.header.policy or "Falco"
    if len(rule.encode("utf-8", "replace")) <= 500:
        assert head[3] == head[4] == inert(re.sub(r"[\r\n]", " ", rule))
    if event.output:
        assert found["msg"] == "".join(part if part in "\r\n" else inert(part) for part in re.split("([\r\n])", event.output))  # fmt: skip


@given(events())
@settings(max_examples=200, deadline=None)
def test_leef_says_what_the_event_says(event: Event) -> None:
    line = render(integration("file", {"message": "leef"}, **LABELLED), event).decode()
    assert not BREAKS.search(line)
    head, found = leef(line)
    assert head[:3] == ["Falco", "falcokit", "1"]
    assert 1 <= int(found["sev"]) <= 10
    if event.output:
        assert found["msg"] == inert(event.output).replace("^", "#136")


@given(events(), LARGE, st.sampled_from(["splunk", "webhook", "otlp", "elastic"]))
@settings(max_examples=300, deadline=None)
def test_json(event: Event, size: int, kind: str) -> None:
    one = integration(kind, {"max_size": size}, **LABELLED)
    message = render(one, event)
    assert len(message) <= size
    lines = message.decode().split("\n")
    assert not any(BREAKS.search(line) for line in lines)
    assert len(lines) == (2 if kind == "elastic" else 1)
    documents = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert all(isinstance(document, dict) for document in documents)
    if kind == "elastic":
        assert documents[0] == {"create": {"_index": "falco-events", "_id": identity(event)}}
    elif kind == "splunk":
        assert set(documents[0]) <= {"time", "host", "source", "sourcetype", "index", "event", "fields"}
        assert documents[0]["event"]
        assert all(isinstance(value, str) for value in documents[0]["fields"].values())
    elif kind == "otlp":
        keys = [attribute["key"] for attribute in documents[0]["attributes"]]
        assert len(keys) == len(set(keys))
        assert all(keys)


@given(st.lists(events(), min_size=1, max_size=5), st.sampled_from(["octet", "lf"]))
@settings(max_examples=100, deadline=None)
def test_streams_hold_as_many_messages_as_events(several: list[Event], framing: str) -> None:
    one = integration("syslog", {"transport": "tcp", "framing": framing, "message": "output"})
    messages = [render(one, event) for event in several]
    data = framed(one, messages)
    assert (octet_counted(data) if framing == "octet" else data.split(b"\n")[:-1]) == messages


@given(st.lists(events(), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_requests_hold_as_many_as_events(several: list[Event]) -> None:
    for kind in ("splunk", "webhook", "otlp", "elastic"):
        one = integration(kind)
        messages = [render(one, event) for event in several]
        body = framed(one, messages).decode()
        if kind == "webhook":
            assert json.loads(body) == [json.loads(message) for message in messages]
        elif kind == "otlp":
            (resource,) = json.loads(body)["resourceLogs"]
            assert resource["scopeLogs"][0]["logRecords"] == [json.loads(message) for message in messages]
        elif kind == "splunk":
            decoder, at, found = json.JSONDecoder(), 0, 0
            while at < len(body):
                _, at = decoder.raw_decode(body, at)
                at += body[at : at + 1] == "\n"
                found += 1
            assert found == len(several)
        else:
            assert body.endswith("\n")
            assert len(body.split("\n")) == 2 * len(several) + 1


@given(events())
@settings(max_examples=500, deadline=None)
def test_the_enriched_event_is_read_back_without_loss(event: Event) -> None:
    one = integration("webhook", **LABELLED)
    (again,) = read_events([render(one, event)])
    assert isinstance(again, Event)
    # Readers take blanks around names away, and <NA> for no value.
    expected = {whole(key).strip(): None if value == "<NA>" else whole(value) for key, value in event.fields.items()}
    if event.rule:
        expected["falco.rule"] = whole(event.rule)
    read = {key: None if value == "<NA>" else value for key, value in again.fields.items()}
    if event.form.name == "sysdig-legacy":  # Its fields are as they were written.
        expected = {**read, **expected}
    assert read == expected
    for name in ("rule", "priority", "source", "output"):
        said = getattr(event, name)
        assert getattr(again, name) == ("" if (name, said) == ("output", "<NA>") else whole(said)), name
    assert again.time == event.time
    assert again.host == whole(event.host)
    before, after = event.container, again.container
    assert (after.id, after.on_host, after.name) == (whole(before.id), before.on_host, whole(before.name))
    image = [whole(part) for part in (before.image.repository, before.image.tag, before.image.digest)]
    assert [after.image.repository, after.image.tag, after.image.digest] == image
    assert [*again.document.get("ruleTags", ())] == [whole(tag) for tag in event.header.tags] or event.form.name == "sysdig-legacy"  # fmt: skip
    labels = {whole(key): whole(value) for key, value in event.header.labels.items() if key and key not in one.labels}
    assert {key: again.header.labels.get(key) for key in labels} == labels
    # Forwarded again it is the same.
    third = enriched(again, one)
    assert {**third, "eventLabels": 0} == {**again.document, "eventLabels": 0}


def whole(value: Any) -> Any:
    """*value* without halves of surrogate pairs, which no JSON of ours has."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return [whole(one) for one in value] if isinstance(value, list) else value

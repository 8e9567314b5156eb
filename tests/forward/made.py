"""Integrations and events for the tests."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from falcokit.event import Event, read_events
from falcokit.forward.integration import Integration, read_integration

TARGETS = {
    "syslog": "logs.example.com", "splunk": "https://splunk.example.com:8088", "elastic": "https://elastic.example.com:9200",
    "webhook": "https://hooks.example.com/falco", "file": "-", "otlp": "https://otel.example.com:4318",
}  # fmt: skip


def integration(kind: str, options: dict[str, Any] | None = None, **more: Any) -> Integration:
    secrets = {"secrets": {"token": "env:HEC_TOKEN"}} if kind == "splunk" else {}
    made, mistakes = read_integration({"name": kind, "kind": kind, "target": TARGETS[kind], "options": options or {}, **secrets, **more})  # fmt: skip
    assert made is not None, mistakes
    return made


def event(document: object) -> Event:
    (found,) = read_events([document.encode() if isinstance(document, str) else json.dumps(document).encode()])
    assert isinstance(found, Event)
    return found


HOSTILE = st.lists(
    st.sampled_from(
        ["\n", "\r", "\0", "\t", "\x1b[31m", "]", '"', "\\", "=", "|", "^", " ", "\\n", "] [x@1 y=\"", "\r\n<13>1 - - - - - -", "\u2028", "\u2029", "\x85", "\x7f",
         "\ufeff", "\ud800", "ä", "日本", "😀", "a=b", " msg=x", "CEF:0|", "#012", "x" * 40, "x" * 3000, "ä" * 700, "{", "}", ",", "'", "<NA>"]
    )
    | st.text(max_size=8),
    max_size=6,
).map("".join)  # fmt: skip
NAMES = st.sampled_from(
    ["container.id", "container.name", "container.image.repository", "container.image.tag", "container.image.digest", "k8s.ns.name", "k8s.pod.name",
     "proc.name", "proc.cmdline", "proc.pid", "proc.aname[2]", "user.name", "fd.name", "fd.cip", "fd.sip", "fd.cport", "fd.sport", "fd.l4proto", "evt.time",
     "evt.hostname"]
)  # fmt: skip
VALUES = (
    HOSTILE
    | st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from([0.5, 1e308, "1.2.3.4", "::1", "host"])
    | st.lists(HOSTILE, max_size=3)
)
FIELDS = st.dictionaries(NAMES | HOSTILE, VALUES, max_size=8)
POLICY_FIELDS = st.builds(lambda found, rule: {**found, **rule}, FIELDS, st.fixed_dictionaries({}, optional={"falco.rule": HOSTILE}))  # fmt: skip
PRIORITIES = st.sampled_from(["Emergency", "critical", "WARNING", "Notice", "Info", "Debug", "", "x"])
TIMES = st.sampled_from(["2023-05-25T13:44:05.478445995Z", "2023-05-25T13:44:05Z", "1970-01-01T00:00:01Z", "2500-12-31T23:59:59.5Z", "", "x"])  # fmt: skip
LABELS = st.dictionaries(st.sampled_from(["host.hostName", "container.name", "agent.tag.x"]) | HOSTILE, HOSTILE, max_size=6)  # fmt: skip


def _pairs(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in found.items()]


_REST = st.dictionaries(st.sampled_from(["kind", "items", "auditID", "log", "stream", "MESSAGE", "_raw", "content", "fields", "eventLabels", "timestamp", "id", "name", "x"]), HOSTILE, max_size=2)  # fmt: skip
ALERTS = st.tuples(
    _REST, st.fixed_dictionaries({"rule": HOSTILE, "priority": PRIORITIES, "time": TIMES, "output": HOSTILE, "hostname": HOSTILE, "source": st.sampled_from(["syscall", "k8s_audit", ""]), "tags": st.lists(HOSTILE, max_size=3), "uuid": HOSTILE, "output_fields": FIELDS})
).map(lambda both: both[0] | both[1])  # fmt: skip
LEGACY = st.fixed_dictionaries(
    {"id": HOSTILE, "name": HOSTILE, "severity": st.integers(-1, 9) | HOSTILE, "timestamp": st.integers(0, 2**64 - 1) | TIMES, "timestampNs": st.none() | st.integers(0, 2**64 - 1), "output": HOSTILE, "ruleType": HOSTILE,
     "containerId": st.none() | HOSTILE, "fields": POLICY_FIELDS.map(_pairs), "eventLabels": st.none() | LABELS.map(_pairs)}
)  # fmt: skip
RUNTIME = st.builds(
    lambda top, content: {**top, "content": content},
    st.fixed_dictionaries(
        {"id": HOSTILE, "name": HOSTILE, "severity": st.integers(0, 7), "timestamp": st.integers(0, 2**64 - 1), "source": HOSTILE, "containerId": st.none() | HOSTILE, "machineId": HOSTILE, "labels": LABELS}
    ),
    st.fixed_dictionaries({"ruleName": HOSTILE, "ruleType": HOSTILE, "ruleTags": st.lists(HOSTILE, max_size=2), "output": HOSTILE, "fields": POLICY_FIELDS, "policyId": st.integers(0, 2**40)}),
)  # fmt: skip
AUDIT = st.fixed_dictionaries(
    {"kind": st.just("Event"), "apiVersion": st.just("audit.k8s.io/v1"), "auditID": HOSTILE, "stage": st.just("ResponseComplete"), "stageTimestamp": st.just("2026-04-01T00:00:00.5Z"), "verb": HOSTILE,
     "user": st.fixed_dictionaries({"username": HOSTILE}), "objectRef": st.fixed_dictionaries({"resource": HOSTILE, "namespace": HOSTILE, "name": HOSTILE})}
)  # fmt: skip
TEXTS = HOSTILE.map(lambda text: "2023-05-25T13:44:05.5Z: Warning " + "".join(text.splitlines()).replace("\ud800", ""))


@st.composite
def events(draw: st.DrawFn) -> Event:
    """An event of any form, as it would be read."""
    document = draw(ALERTS | LEGACY | RUNTIME | AUDIT | TEXTS)
    text = document if isinstance(document, str) else json.dumps(document)
    found = [one for one in read_events([text.encode()]) if isinstance(one, Event)]
    return found[0] if found else event({"rule": "r", "output": "o", "output_fields": {}})

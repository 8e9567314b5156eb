"""Kubernetes audit events written by hand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit import audit_events, compile_condition

POD = {
    "kind": "Event", "auditID": "a1", "stageTimestamp": "2026-04-01T00:00:00.5Z", "verb": "create",
    "requestURI": "/api/v1/pods?watch=1&x=a%20b", "user": {"username": "jane", "groups": ["dev", "ops"]},
    "objectRef": {"resource": "pods", "namespace": "prod"},
    "requestObject": {
        "spec": {
            "hostNetwork": True,
            "containers": [
                {"name": "a", "image": "nginx:1", "args": ["-c", "x"], "securityContext": {"privileged": True}},
                {"name": "b", "image": "registry.example.com/x@sha256:0"},
            ],
            "volumes": [{"name": "v", "hostPath": {"path": "/etc/ssh"}}],
        }
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("ka.verb", "create"),
        ("ka.user.groups", ["dev", "ops"]),
        ("ka.uri.param[x]", "a b"),
        ("ka.uri.param[y]", None),
        ("ka.req.pod.host_network", "true"),
        ("ka.req.pod.containers.image", ["nginx:1", "registry.example.com/x@sha256:0"]),
        ("ka.req.pod.containers.image.repository", ["nginx", "registry.example.com/x"]),
        ("ka.req.pod.containers.image[1]", ["registry.example.com/x@sha256:0"]),
        ("ka.req.pod.containers.image[2]", None),
        ("ka.req.pod.containers.args", ["-c x"]),
        ("ka.req.pod.containers.privileged", ["true"]),
        ("ka.req.container.privileged", "true"),
        ("ka.req.container.image", "nginx:1"),
        ("ka.req.volume.hostpath[/etc*]", "true"),
        ("ka.req.volume.hostpath[/etc]", "false"),
        ("ka.req.pod.volumes.volume_type", ["hostPath"]),
        ("ka.response.code", None),
        ("json.value[/user/username]", "jane"),
        ("jevt.value[/user/groups/1]", "ops"),
        ("json.value[/requestObject/spec/volumes]", '[{"name":"v","hostPath":{"path":"/etc/ssh"}}]'),
        ("evt.rawtime", 1775001600500000000),
        ("ka.nosuch", None),
        ("ka.req.pod.containers.image[x]", None),
        ("ka.req.pod.containers.image[-1]", None),
        ("ka.req.pod.containers.image[\u00b2]", None),
        ("ka.req.pod.containers.image[99999999999999999999999]", None),
        ("ka.req.pod.containers.image[", None),
        ('ka.uri.param["x"]', "a b"),
    ],
)
def test_fields(expression: str, value: object) -> None:
    [event] = audit_events(json.dumps(POD))
    assert event.get(expression) == value


def test_conditions_over_events() -> None:
    [event] = audit_events(json.dumps(POD))
    text = "ka.verb = create and ka.target.resource = pods and ka.req.pod.containers.privileged intersects (true)"
    assert compile_condition(text, source="k8s_audit").matches(event)
    assert not compile_condition(f"{text} and ka.user.name = joe", source="k8s_audit").matches(event)


def test_lists_of_events() -> None:
    assert len(audit_events(json.dumps({"kind": "EventList", "items": [POD, POD]}))) == 2
    assert len(audit_events(json.dumps([POD, {"kind": "EventList", "items": [POD]}]))) == 2


@pytest.mark.parametrize(
    "line",
    ["", "x", "{", "[]", '{"kind":"Pod"}', "[" * 500, '{"kind":"Event","auditID":"a"}', json.dumps(POD)[:-1], json.dumps([POD, {}]),
     json.dumps(POD).replace("2026-04-01T", "2026-04-01 "), json.dumps(POD) + ","],
)  # fmt: skip
def test_what_is_no_event_gives_none(line: str) -> None:
    assert audit_events(line) == ()


def test_without_an_id_there_are_no_audit_fields() -> None:
    [event] = audit_events(json.dumps({key: value for key, value in POD.items() if key != "auditID"}))
    assert event.get("ka.verb") is None
    assert event.get("json.value[/verb]") == "create"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["spec", "containers", "name", "ports", "image", "args", "volumes", "x"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(_json, st.booleans())
def test_no_event_raises(body: object, ascii_only: bool) -> None:
    text = json.dumps(POD | {"requestObject": body, "objectRef": body, "requestURI": body}, ensure_ascii=ascii_only)
    [event] = audit_events(text)
    for name in list(event):
        assert event[name] is not None
    for expression in ("ka.uri.param[x]", "ka.req.volume.hostpath[/*]", "ka.req.pod.containers.name[0]", "json.obj"):
        assert event.get(expression) is None or isinstance(event[expression], (str, list))


@given(st.text('{}[]",:\\u0dtrue1.-e \n', max_size=40))
def test_no_line_raises(line: str) -> None:
    assert isinstance(audit_events(line), tuple)


def test_odd_spelling() -> None:
    line = json.dumps(POD).replace('"create"', r'"\u0041\ud83d\ude00\ud800x"')
    [event] = audit_events(line.replace("x=a%20b", "x=\udc80"))
    assert event.get("ka.verb") == "A\U0001f600\\ud800x"
    assert isinstance(event.get("ka.uri.param[x]"), str)
    assert [event.get(key) for key in (None, 5, b"a")] == [None] * 3  # type: ignore[call-overload]
    [early] = audit_events(json.dumps(POD | {"stageTimestamp": "1969-12-31T23:59:59Z"}))
    assert early["evt.rawtime"] == (1 << 64) - 10**9
    assert audit_events(json.dumps(POD | {"stageTimestamp": "2026-04-01T00:00:00Z\0x"})) == ()

"""Fields of alerts whose values are texts, as conditions compare them."""

from __future__ import annotations

from typing import Any

import pytest

from falcokit.catalogue import Catalogue
from falcokit.evaluate.partial import typed_fields
from falcokit.validation import compile_condition


@pytest.mark.parametrize(
    ("source", "fields", "expected"),
    [
        ("syscall", {"proc.pid": "-1", "user.uid": "1000"}, {"proc.pid": -1, "user.uid": 1000}),
        ("syscall", {"proc.pid": 7, "proc.name": "12"}, {"proc.pid": 7, "proc.name": "12", "proc.aname[0]": "12"}),
        ("syscall", {"evt.is_open_write": "true", "evt.is_open_read": "false"}, {"evt.is_open_write": True, "evt.is_open_read": False}),
        ("syscall", {"fd.dev": "10"}, {"fd.dev": 16}),
        ("syscall", {"proc.pid": "12 apples", "evt.is_open_write": "maybe"}, {}),
        ("syscall", {"proc.pname": "sh"}, {"proc.pname": "sh", "proc.aname[1]": "sh"}),
        ("syscall", {"proc.pname": None}, {"proc.pname": None, "proc.aname[1]": None}),
        ("syscall", {"fd.sport": 8080.0, "user.uid": 1.5}, {"fd.sport": 8080}),
        ("syscall", {"proc.cmdline": ["bash"], "proc.exe": 7, "user.uid": True, "evt.is_open_read": 1}, {}),
        ("syscall", {"no.field": "1"}, {"no.field": "1"}),
        ("k8s_audit", {"ka.req.pod.containers.image": "nginx"}, {"ka.req.pod.containers.image": ["nginx"]}),
        ("k8s_audit", {"ka.req.pod.containers.image": "(nginx)"}, {"ka.req.pod.containers.image": ["nginx"]}),
        ("k8s_audit", {"ka.req.pod.containers.image": "(nginx,redis)"}, {}),
        ("k8s_audit", {"ka.req.pod.containers.image": ["a", "b"]}, {"ka.req.pod.containers.image": ["a", "b"]}),
    ],
)  # fmt: skip
def test_texts_become_what_their_fields_are(source: str, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert typed_fields(fields, source, Catalogue.bundled()) == expected


def test_an_address_that_an_alert_prints_decides_what_is_said_of_its_network() -> None:
    condition = compile_condition("fd.snet in (10.0.0.0/8, 192.168.0.0/16)")
    for address, holds in (("10.1.2.3", True), ("8.8.8.8", False)):
        fields = typed_fields({"fd.sip": address}, "syscall", Catalogue.bundled())
        assert condition.answer(fields, complete=False).holds is holds
    assert (
        condition.answer(typed_fields({"fd.cip": "10.1.2.3"}, "syscall", Catalogue.bundled()), complete=False).holds
        is None
    )

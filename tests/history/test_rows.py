"""Columns of alerts are the same whether they are made a column or an event at a time."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.event import Event, read_events
from falcokit.history import rows
from falcokit.overview.template import Templates

NAMES = (
    "container.name", "container.id", "container.image.repository", "container.image.tag", "container.image.digest", "container.image",
    "k8s.ns.name", "kubernetes.namespace.name", "ka.target.namespace", "k8s.pod.name", "proc.name", "user.name", "ka.user.name", "fd.sip",
    "fd.rip", "fd.sport", "evt.hostname",
)  # fmt: skip
BOXES = (
    {},
    {"container.id": "host"},
    {"container.id": "0123456789ab", "container.name": "c", "container.image.repository": "i"},
)
values = st.sampled_from(["web", "web", "a", "host", "", "sha256", "incomplete", "<NA>", None, 5, ["x"], True])
outputs = st.sampled_from(["x", "x", "x container_name=web", "x image=a:1", "x container=host", "x (container=0123456789ab)", "containers"])  # fmt: skip


@st.composite
def alerts(draw: st.DrawFn) -> dict[str, Any]:
    fields = draw(st.sampled_from(BOXES)) | draw(st.dictionaries(st.sampled_from(NAMES), values, max_size=2))
    time = f"2026-11-28T10:00:00.{draw(st.integers(1, 99)):09}Z"
    return {"output": draw(outputs), "output_fields": fields, "rule": "r", "priority": "Notice", "time": time, "source": draw(st.sampled_from(["syscall", "k8s_audit"])), "hostname": "n"}  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(alerts(), min_size=1, max_size=8))
def test_alerts_have_the_columns_of_any_event(documents: list[dict[str, Any]]) -> None:
    lines = [json.dumps(one).encode() + b"\n" for one in documents]
    events = [event for event in read_events(lines) if isinstance(event, Event)]
    columns, rest = rows._alerts(events, Templates())
    for place, event in enumerate([one for one in events if one not in rest]):
        for name, value in zip(rows._ROW, rows._row(event, Templates(), 0), strict=True):
            if name not in ("template", "own"):
                assert (columns[name][place] if name in columns else None) == value, name

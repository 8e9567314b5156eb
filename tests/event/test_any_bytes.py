"""Whatever is read: nothing is raised, and pieces of any size give the same."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.event import Damaged, Event, read_events

SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parent / "samples").glob("*.json"))]
SIGNS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b",",
    b":",
    b"\n",
    b"\0",
    b"\xff",
    b"null",
    b"1e999",
    b"NaN",
    b" ",
    b"<NA>",
]

KEYS = st.sampled_from(
    [
        "rule", "output", "output_fields", "content", "fields", "eventLabels", "labels", "policyEvents", "data", "key",
        "value", "kind", "items", "auditID", "stageTimestamp", "time", "timestamp", "severity", "priority", "containerId",
        "evt.type", "container.id", "container.image", "container.image.digest", "tags", "metrics", "log", "stream",
        "MESSAGE", "_raw", "result", "event", "source", "ruleName", "ruleType", "policyId", "evt.time", "ruleTags",
    ]
)  # fmt: skip
VALUES = st.sampled_from(["Event", "EventList", "<NA>", "host", "", "2026-02-03T04:05:06Z", "sha256", "a:b@c"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)


def asked(data: bytes, size: int) -> list[object]:
    """All that can be asked of what is in *data*."""
    found: list[object] = []
    for one in read_events([data[at : at + size] for at in range(0, len(data), size)], "f", max_line=5000):
        if isinstance(one, Damaged):
            assert one.reason
            found.append(one)
            continue
        assert isinstance(one, Event)
        container = one.container
        parts = (container.id, container.name, container.image.repository, container.image.tag, container.image.digest)
        texts = (one.rule, one.priority, one.source, one.output, one.host, one.header.id, one.header.policy, *parts)
        assert all(isinstance(text, str) for text in (*texts, *one.header.tags, *one.header.labels.values()))
        assert one.time is None or 0 <= one.time < 1 << 64
        assert one.line > 0
        found.append((one.line, one.form, one.internal, texts, repr(dict(one.fields))))
    return found


@given(st.binary(max_size=300), st.integers(1, 300))
@settings(max_examples=300, deadline=None)
def test_any_bytes(data: bytes, size: int) -> None:
    assert asked(data, size) == asked(data, len(data) + 1)


@given(st.lists(st.sampled_from(SIGNS) | st.sampled_from(SAMPLES), max_size=8), st.integers(1, 300))
@settings(max_examples=300, deadline=None)
def test_any_signs(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    assert asked(data, size) == asked(data, len(data) + 1)


@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.integers(0, 600), st.integers(0, 30), st.sampled_from(SIGNS)), max_size=5), st.integers(1, 200))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_mutated_samples(sample: bytes, changes: list[tuple[int, int, bytes]], size: int) -> None:
    for at, count, sign in changes:
        sample = sample[:at] + sign + sample[at + count :]
    assert asked(sample, size) == asked(sample, len(sample) + 1)


@given(DOCUMENTS)
@settings(max_examples=500, deadline=None)
def test_any_document(document: Any) -> None:
    asked(json.dumps(document).encode(), 1 << 17)
    asked(json.dumps(document, indent=1).encode(), 1 << 17)


@given(st.sampled_from(SAMPLES), st.integers(0, 400), st.binary(max_size=3))
@settings(max_examples=200, deadline=None)
def test_mutated_gzip(sample: bytes, at: int, change: bytes) -> None:
    packed = gzip.compress(sample)
    asked(packed[:at] + change + packed[at + len(change) :], 50)

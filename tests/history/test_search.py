"""A search finds every event that has the text in what lists show, and no other one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.event import Event, read_events
from falcokit.history import store
from falcokit.history.paging import newest_first
from falcokit.history.query import Entry, Filter, total
from falcokit.history.store import in_memory
from falcokit.overview.severity import PRIORITIES

word = st.sampled_from(
    ["Shell", "notice", "Warning ", "10:00", "a: ", "0", "b_%", "é", "İst", "\u212a", "ß", "in a ", "x" * 9]
)
words = st.lists(word, max_size=4).map("".join)


@st.composite
def alerts(draw: st.DrawFn) -> dict[str, Any]:
    nanoseconds = draw(st.integers(0, 86_399 * 10**9 + 1))
    moment = datetime.fromtimestamp(1_790_000_000 // 86_400 * 86_400 + nanoseconds // 10**9, UTC)
    time = f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9:09}Z"
    priority = draw(st.sampled_from([*PRIORITIES, "notice"]))
    head = draw(
        st.sampled_from(
            [f"{time[11:29]}: {priority} ", f"{time[11:29]}: Error ", f"10:00:00.000000001: {priority} ", ""]
        )
    )
    fields = draw(
        st.dictionaries(st.sampled_from(["container.name", "proc.name", "user.name", "k8s.ns.name"]), words, max_size=2)
    )
    return {
        "output": head + draw(words), "output_fields": fields, "rule": draw(words) or "r", "priority": priority,
        "time": time, "hostname": "n", "source": "syscall",
    }  # fmt: skip


def shown(entry: Entry) -> list[str]:
    texts = (
        entry.rule, entry.policy, entry.container, entry.image, entry.host, entry.namespace, entry.pod,
        entry.process, entry.user, entry.output,
    )  # fmt: skip
    return [text for text in texts if text]


@settings(max_examples=150, deadline=None)
@given(st.lists(alerts(), min_size=1, max_size=12), st.data())
def test_all_with_the_text_are_found(found: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = [json.dumps(one).encode() + b"\n" for one in found]
    events = [event for event in read_events(lines) if isinstance(event, Event)]
    with in_memory() as history, pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "BATCH", 3)  # As many as a part of the history has.
        for start in range(0, len(events), 2):
            history.add(events[start : start + 2])
        assert history.all("SELECT count(*) FROM parts")[0][0] >= len(events) // 3 - 2
        everything = [entry for entry, _ in newest_first(history, Filter())]
        assert {entry.output for entry in everything} == {event.output for event in events}
        output = data.draw(st.sampled_from([one["output"] for one in found if one["output"]] or ["none"]))
        start = data.draw(st.integers(0, len(output) - 1))
        text = data.draw(st.just(output[start : start + data.draw(st.integers(1, 30))]) | words.filter(bool))
        text = data.draw(st.sampled_from([text, text.upper(), text.lower()])) if text.isascii() else text
        expected = {entry.id for entry in everything if any(text.lower() in told.lower() for told in shown(entry))}
        if text.isascii():
            assert {entry.id for entry, _ in newest_first(history, Filter(search=text))} == expected
            assert total(history, Filter(search=text)) == len(expected)
        else:
            # How letters of other alphabets are made small is the database's: what is the same is found.
            same = {entry.id for entry in everything if any(text in told for told in shown(entry))}
            assert same <= {entry.id for entry, _ in newest_first(history, Filter(search=text))}


def test_what_is_kept_once_is_shown_whole() -> None:
    output = "10:00:00.000000001: Notice A shell (user=root)"
    alert = {"output": output, "output_fields": {}, "rule": "r", "priority": "Notice", "time": "2026-11-28T10:00:00.000000001Z"}  # fmt: skip
    events = [event for event in read_events([json.dumps(alert).encode()]) if isinstance(event, Event)]
    with in_memory() as history:
        assert history.add(events) == 1
        assert history.all("SELECT output FROM events") == [("A shell (user=root)",)]
        assert [entry.output for entry, _ in newest_first(history, Filter())] == [output]
        for text in (
            "10:00:00.000000001: notice a",
            "1: N",
            ": NOTICE ",
            "otice",
            "00001",
            "1: Notice A SHELL",
            "9",
            "root)",
        ):
            assert total(history, Filter(search=text)) == (text != "9"), text


def test_every_part_of_a_head_is_found() -> None:
    heads = [f"14:0{rank}:20.0{rank}0700217: {priority} " for rank, priority in enumerate(PRIORITIES)]
    outputs = [*[f"{head}A b" for head in heads], "Notice", "error in 14:03:20.0 and 7"]
    lines = []
    for rank, output in enumerate(outputs):
        time = f"2026-11-28T14:0{rank % 8}:20.0{rank % 8}0700217Z"
        priority = [*PRIORITIES][rank % 8]
        lines.append(json.dumps({"output": output, "output_fields": {}, "rule": "r", "priority": priority, "time": time}))  # fmt: skip
    events = [event for event in read_events([line.encode() + b"\n" for line in lines]) if isinstance(event, Event)]
    with in_memory() as history:
        history.add(events)
        assert history.all("SELECT count(*) FROM events WHERE headed") == [(len(PRIORITIES),)]
        texts = {output[start:end] for output in outputs for start in range(len(output)) for end in (start + 1, start + 2, start + 4, start + 9, start + 23)}  # fmt: skip
        for text in sorted(texts):
            expected = sum(text.lower() in output.lower() or text.lower() == "r" for output in outputs)
            assert total(history, Filter(search=text)) == expected, text

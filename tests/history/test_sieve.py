"""A condition finds the events that it holds for, whatever the history can tell of them without asking it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from falcokit.event import Event, read_events
from falcokit.history.paging import newest_first
from falcokit.history.query import Filter, event_of, total
from falcokit.history.sieve import may_hold
from falcokit.history.store import in_memory
from falcokit.validation import holds_for

GROUPS = (
    ("container.name", "container.id"),
    ("container.image.repository", "container.image.tag", "container.image.digest", "container.image", "container.id"),
    ("k8s.ns.name", "k8s.pod.name"),
    ("proc.name", "proc.pname", "proc.aname[1]"),
    ("user.name", "fd.name", "fd.sip", "fd.rip", "fd.l4proto"),
    ("proc.cmdline", "evt.type", "proc.pid"),
)
"""Fields that one may be told instead of another, or for another."""
TEXTS = ("web", "web-1", "sha256", "<NA>", "", "incomplete", "host", "10.0.0.1", "bash", "reg.example/web:1", "cat /etc/shadow", "é", "a?b", "1")  # fmt: skip
values = (
    st.sampled_from(["web", "host", ""])
    | st.sampled_from(TEXTS)
    | st.sampled_from(["a\ud800b", 5, None, True, ["web"], [], "we\u0000b"])
)


@st.composite
def documents(draw: st.DrawFn, names: tuple[str, ...]) -> dict[str, Any]:
    fields = draw(st.dictionaries(st.sampled_from(names), values, max_size=4))
    time = f"2026-11-28T10:00:00.{draw(st.integers(1, 999_999_999)):09}Z"
    said = draw(st.sampled_from(["", "container_name=web container_id=0123456789ab", "container_image_repository=web container_image_tag=web"]))  # fmt: skip
    match draw(st.integers(0, 4)):
        case 0:
            pairs = {"key": "value"} if draw(st.booleans()) else {}
            labels = {"container.name": "web", "kubernetes.namespace.name": "web-1", "container.image.repo": "bash"}
            return {"timestamp": 1_790_000_000_000_000_001, "content": {"ruleName": "r", "output": said, "fields": {**fields, **pairs}}, "labels": labels}  # fmt: skip
        case 1:
            given = [{"key": name, "value": str(value)} for name, value in fields.items()]
            return {"ruleType": "falco", "output": said, "fields": given, "eventLabels": [{"key": "container.name", "value": "web"}]}  # fmt: skip
        case 2:
            return {"evt.type": "open", **fields}
        case _:
            return {"output": f"x {said}", "output_fields": fields, "rule": "r", "priority": "Notice", "time": time, "source": "syscall"}  # fmt: skip


ODD = (
    "fd.sip=10.0.0.1", "fd.ip=10.0.0.1", "fd.snet=10.0.0.0/8", "proc.pid=5", "evt.type=open", "proc.name in (web, bash)", "proc.aname=web",
    "tolower(proc.name)=web", "container.name exists", "proc.cmdline in (web, bash, cat)", "evt.num > 0", "proc.name=val(proc.pname)",
    "container.name pmatch (web)", 'proc.cmdline startswith "cat /etc/"',
)  # fmt: skip


def checks(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    simple = [name for name in names if name not in ("fd.sip", "fd.rip", "proc.pid", "evt.type")]
    return st.builds(
        lambda name, sign, text: f'{name} {sign} "{text}"',
        st.sampled_from(simple),
        st.sampled_from(["=", "!=", "contains", "startswith", "endswith", "icontains", "glob"]),
        st.just("web") | st.sampled_from([text for text in TEXTS if text]),
    ) | st.sampled_from(ODD)


def conditions(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.recursive(
        checks(names),
        lambda some: st.one_of(
            st.builds(lambda one: f"not ({one})", some),
            st.builds(lambda one, sign, other: f"({one} {sign} {other})", some, st.sampled_from(["and", "or"]), some),
        ),
        max_leaves=4,
    )


questions = st.sampled_from(GROUPS).flatmap(
    lambda names: st.tuples(
        st.lists(documents(names), min_size=1, max_size=30), st.lists(conditions(names), min_size=1, max_size=8)
    )
)


ELSEWHERE = {
    "output": "x container_name=web",
    "output_fields": {"container.name": ""},
    "rule": "r",
    "priority": "Notice",
}


ON_HOST = {
    "output": "x",
    "output_fields": {"container.id": "host", "container.name": "web", "container.image.repository": "web"},
    "rule": "r",
}
HALF = {"output": "x", "output_fields": {"proc.name": "a\ud800b"}, "rule": "r"}


@settings(max_examples=100, deadline=None)
@example(([ON_HOST], ["container.image.repository = web", "container.name = web"]), "")
@example(([HALF], ['proc.name regex "a[^?]+b"']), "")
@example(([ELSEWHERE], ["container.name != web"]), "")
@given(questions, st.sampled_from(["", "web"]))
def test_what_a_condition_holds_for_is_found(asked: tuple[list[dict[str, Any]], list[str]], search: str) -> None:
    written, texts = asked
    lines = [json.dumps(one).encode() + b"\n" for one in written]
    with in_memory() as history:
        history.add([event for event in read_events(lines) if isinstance(event, Event)])
        shown = [entry.id for entry, _ in newest_first(history, Filter(search=search))]
        raws = dict(history.all("SELECT id, raw FROM events"))
        for text in texts:
            where = holds_for(text)
            expected = [key for key in shown if (event := event_of(raws[key])) is not None and where(event)]
            assert [entry.id for entry, _ in newest_first(history, Filter(search=search, where=where))] == expected
            assert total(history, Filter(search=search, where=where)) == len(expected)


def test_a_text_may_be_written_in_another_way() -> None:
    alert = rb'{"output": "x", "output_fields": {"proc.cmdline": "cat \u0073hadow"}, "rule": "r", "priority": "Notice"}'
    with in_memory() as history:
        history.add([event for event in read_events([alert]) if isinstance(event, Event)])
        assert total(history, Filter(where=holds_for('proc.cmdline="cat shadow"'))) == 1
        assert total(history, Filter(where=holds_for('proc.cmdline="cat shadows"'))) == 0


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("proc.name=bash", 1),
        ("proc.name in (bash, sh) and container.name=web", 1),
        ("proc.name=bash or container.name startswith d", 2),
        ("proc.cmdline contains shadow", 1),
        ("proc.cmdline contains shadow or proc.name=sh", 2),
        ("proc.name=bash or proc.pid=1", 3),
        ("not proc.name=bash", 3),
        ("proc.name!=bash", 2),
        ("container.name!=web", 3),
        ("proc.name contains a", 2),
        ("proc.name=zsh", 0),
        ("evt.type in (open, openat)", 0),
        (" and ".join(f"proc.name contains {letter}" for letter in "bash"), 1),
        (" or ".join(f"proc.name = p{number}" for number in range(1000)), 0),
        (" or ".join(f"proc.cmdline contains word{number}" for number in range(1000)), 3),
        (" and ".join(f"proc.cmdline contains word{number}" for number in range(1000)), 0),
    ],
)
def test_few_events_are_asked(text: str, asked: int) -> None:
    lines = [
        {"container.name": "web", "proc.name": "bash", "proc.cmdline": "cat"},
        {"container.name": "db", "proc.name": "sh", "proc.cmdline": "cat /etc/passwd"},
        {"container.name": "app", "proc.name": "cat", "proc.cmdline": "cat /etc/shadow"},
    ]
    alerts = [json.dumps({"output": str(n), "output_fields": fields, "rule": "r", "time": f"2026-11-28T10:00:00.{n + 1:09}Z"}).encode() + b"\n" for n, fields in enumerate(lines)]  # fmt: skip
    with in_memory() as history:
        history.add([event for event in read_events(alerts) if isinstance(event, Event)])
        clause, given_values = may_hold(history, holds_for(text))
        assert len(history.all(f"SELECT id FROM events WHERE {clause}", given_values)) == asked


def test_what_came_in_between_is_asked_too() -> None:
    def alert(number: int) -> bytes:
        return json.dumps({"output": "x", "output_fields": {"proc.pid": number}, "rule": "r", "time": f"2026-11-28T10:00:00.{number:09}Z"}).encode() + b"\n"  # fmt: skip

    chosen = Filter(where=holds_for("proc.pid < 4"))
    with in_memory() as history:
        for number, expected in ((1, 1), (2, 2), (7, 2), (3, 3)):
            history.add([event for event in read_events([alert(number)]) if isinstance(event, Event)])
            assert (total(history, chosen), total(history, chosen), total(history)) == (expected, expected, history.all("SELECT count(*) FROM events")[0][0])  # fmt: skip
        assert total(history, chosen.replaced(where=holds_for("proc.pid = 7"))) == 1
        history.drop_before(history.all("SELECT max(time) FROM events")[0][0])
        assert total(history, chosen) == 0

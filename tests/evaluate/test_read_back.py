"""Fields read back from the texts of alerts: the right value or none."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import falcokit
from falcokit import Catalogue
from falcokit.evaluate.output import AlertFormat, OutputFormat, json_line
from falcokit.evaluate.read_back import ReadBack
from falcokit.ruleset.rule_compiler import CompiledRule

SHARED = Path(__file__).parents[3] / "shared"
CATALOGUE = Catalogue.bundled()


def compiled(*outputs: str, source: str = "syscall") -> list[CompiledRule]:
    """One rule for each of *outputs*: `Rule 1` and so on."""
    condition = "evt.type = open" if source == "syscall" else "evt.num > 0"
    rules = [
        {"rule": f"Rule {number}", "desc": "d", "condition": condition, "output": output, "priority": "WARNING",
         "source": source}
        for number, output in enumerate(outputs, 1)
    ]  # fmt: skip
    loaded = falcokit.validate([("rules.yaml", json.dumps(rules))]).loaded
    assert all(result.successful for result in loaded.files)
    return list(loaded.compilation.rules.values())


def read(output: str, text: str, source: str = "syscall") -> dict[str, object] | None:
    found = ReadBack(compiled(output, source=source), CATALOGUE).read(text)
    return None if found is None else dict(found.fields)


SHELL = "A shell (user=%user.name uid=%user.uid command=%proc.cmdline parent=%proc.pname terminal=%proc.tty)"


@pytest.mark.parametrize(
    ("output", "text", "fields"),
    [
        ("plain", "plain", {}),
        ("plain", "plain ", None),
        (SHELL, "A shell (user=root uid=0 command=sh -c a parent=b terminal=34816)",
         {"user.name": "root", "user.uid": 0, "proc.cmdline": "sh -c a", "proc.pname": "b", "proc.tty": 34816}),
        (SHELL, "16:17:57.882054739: Warning A shell (user=<NA> uid=0 command= parent=<NA> terminal=0)",
         {"user.name": None, "user.uid": 0, "proc.cmdline": "", "proc.pname": None, "proc.tty": 0}),
        (SHELL, "2016-08-04T16:17:57.882054739+0000: Notice A shell (user=a uid=x command=b parent=c terminal=99999999999)",
         {"user.name": "a", "proc.cmdline": "b", "proc.pname": "c"}),
        # The command says ` parent=` itself: where it ends is not certain, all else is.
        (SHELL, "A shell (user=root uid=0 command=x parent=y parent=b terminal=1)",
         {"user.name": "root", "user.uid": 0, "proc.tty": 1}),
        # A number has no blank, so the output cannot have been this one.
        (SHELL, "A shell (user=root uid=0 0 command=x parent=b terminal=1)", None),
        (SHELL, "A shell (user=root uid=0 command=x parent=b terminal=1", None),
        (SHELL, "B shell (user=root uid=0 command=x parent=b terminal=1)", None),
        ("%user.name%proc.name", "ab", {}),
        ("%user.name%proc.name", "", {"user.name": "", "proc.name": ""}),
        ("a %8proc.name b=%proc.pid", "a bash     b=3", {"proc.pid": 3}),
        ("a %toupper(proc.name) b=%proc.pid", "a BASH b=3", {"proc.pid": 3}),
        ("t=%evt.time c=%thread.cpu d=%fd.dev n=%evt.is_open_read", "t=16:17:57.000000000 c=1.0 d=FD n=false", {"evt.is_open_read": False}),
        ("a=%fd.sip b=%fd.sport", "a=10.0.0.1 b=22", {"fd.sip": "10.0.0.1", "fd.sport": 22}),
        ("a=%fd.sip b=%fd.sport", "a=host b=ssh", {}),
        ("n=%proc.pid m=%proc.vpid", "n=-1 m=007", {"proc.pid": -1}),
        ("n=%evt.rawtime.ns", "n=000000739", {"evt.rawtime.ns": 739}),
        ("*c=%proc.cmdline", "c=a\ufffdb", {}),
        # A field that is printed twice is the same both times.
        ("a=%proc.name b=%proc.name", "a=x b=y", None),
        ("a=%proc.name b=%proc.name", "a=x b=x", {"proc.name": "x"}),
        # Is the time printed by Falco, or is it part of a name?
        ("%user.name did %proc.name", "16:17:57.882054739: Warning root did x", {"proc.name": "x"}),
        ("%user.name did %proc.name", "root did x", {"user.name": "root", "proc.name": "x"}),
    ],
)  # fmt: skip
def test_reading(output: str, text: str, fields: dict[str, object] | None) -> None:
    assert read(output, text) == fields


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("i=(a)", {}), ("i=(a,b)", {}), ("i=()", {}), ("i=<NA>", {"ka.req.pod.containers.image": None}),
    ],
)  # fmt: skip
def test_lists_share_their_texts(text: str, fields: dict[str, object]) -> None:
    assert read("i=%ka.req.pod.containers.image", text, "k8s_audit") == fields


OLD = " k8s.ns=shop k8s.pod=blog-1 container=0d9c"
OLD_FIELDS = {"k8s.ns.name": "shop", "k8s.pod.name": "blog-1", "container.id": "0d9c"}
NEW = (
    " container_id=77e1 container_name=cart container_image_repository=own/cart container_image_tag=1.4 "
    "k8s_pod_name=<NA> k8s_ns_name=<NA>"
)
NEW_FIELDS = {
    "container.id": "77e1", "container.name": "cart", "container.image.repository": "own/cart", "container.image.tag": "1.4",
    "k8s.pod.name": None, "k8s.ns.name": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("output", "text", "fields"),
    [
        ("a (c=%proc.name)", "a (c=x)" + OLD, {"proc.name": "x", **OLD_FIELDS}),
        ("a (c=%proc.name)", "a (c=x)" + OLD * 3, {"proc.name": "x", **OLD_FIELDS}),
        ("a (c=%proc.name)", "a (c=x) k8s.pod=blog-1 container=8", {"proc.name": "x", "k8s.pod.name": "blog-1", "container.id": "8"}),
        ("a (c=%proc.name)", "a (c=x) container=8", None),
        ("a (c=%proc.name)", "a (c=x) container=web (id=8)", {}),
        ("a c=%proc.pid", "a c=7 container=web (id=8)", {"proc.pid": 7, "container.name": "web", "container.id": "8"}),
        ("a (c=%proc.name)", "a (c=x)" + NEW, {"proc.name": "x", **NEW_FIELDS}),
        ("a (c=%proc.name)", "a (c=x)" + NEW + " more=1", None),
        ("a c=%proc.name t=%proc.tty", "a c=x t=0" + NEW, {"proc.name": "x", "proc.tty": 0, **NEW_FIELDS}),
        ("a c=%proc.name f=%evt.arg.flags", "a c=x f=O_RDONLY" + NEW, {"proc.name": "x", "evt.arg.flags": "O_RDONLY", **NEW_FIELDS}),
        # What stands last could go on to the end: neither its value nor the addition is certain.
        ("a t=%proc.tty c=%proc.cmdline", "a t=0 c=x" + NEW, {"proc.tty": 0}),
        # The rule prints the same itself.
        ("a container_id=%container.id container_name=%container.name", "a container_id=1 container_name=b",
         {"container.id": "1", "container.name": "b"}),
        ("a id=%container.id", "a id=1 container_id=2", None),
        ("a (c=%proc.name)", "a (c=x container_id=1)", {"proc.name": "x container_id=1"}),
    ],
)  # fmt: skip
def test_what_falco_adds(output: str, text: str, fields: dict[str, object] | None) -> None:
    assert read(output, text) == fields


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a (c=x )", {"proc.name": "x"}),
        # What is left where nothing is put there has a blank before the parenthesis.
        ("a (c=x container_id=8 container_name=web)", {"proc.name": "x", "container.id": "8", "container.name": "web"}),
        ("a (c=x container_id=8 container_name=web )", {"proc.name": "x container_id=8 container_name=web"}),
        ("a (t=3 )", {"proc.tty": 3}),
        ("a (t=3 container_id=8 container_name=web)", {"proc.tty": 3, "container.id": "8", "container.name": "web"}),
        ("a (t=3 k8s.ns=<NA> k8s.pod=b container=8)",
         {"proc.tty": 3, "container.id": "8", "k8s.ns.name": None, "k8s.pod.name": "b"}),
        ("a (t=3 container=web (id=8))", {"proc.tty": 3, "container.id": "8", "container.name": "web"}),
    ],
)  # fmt: skip
def test_where_falco_put_containers_before(text: str, fields: dict[str, object]) -> None:
    found = ReadBack(compiled("a (c=%proc.name %container.info)", "a (t=%proc.tty %container.info)"), CATALOGUE).read(
        text
    )
    assert found is not None
    assert found.fields == fields


def test_several_rules() -> None:
    back = ReadBack(compiled("X %proc.name", "X %proc.name", "X %proc.name y=%user.name", "%proc.cwd"), CATALOGUE)
    found = back.read("X a")
    assert found is not None
    assert (found.rules, found.fields) == (("Rule 1", "Rule 2", "Rule 4"), {})
    found = back.read("X a y=b", rule="Rule 3")
    assert found is not None
    assert (found.rules, found.fields) == (("Rule 3",), {"proc.name": "a", "user.name": "b"})
    assert back.read("X a y=b", rule="Rule 5") is None
    assert back.read("X" * (1 << 20) + " y") is None


VALUES: dict[str, st.SearchStrategy[object]] = {
    "proc.pid": st.integers(-(1 << 63), (1 << 63) - 1),
    "user.uid": st.integers(0, 5),
    "evt.is_open_read": st.booleans(),
    "thread.cpu": st.floats(0, 100),
    "fd.dev": st.integers(0, 300),
    "fd.sip": st.sampled_from(["10.0.0.1", "::1", "2001:db8::1"]),
    "evt.rawtime.ns": st.integers(0, 999999999),
    "evt.type": st.sampled_from(["open", "execve"]),
    "container.id": st.sampled_from(["host", "8", "a=b"]),
}
PIECES = (" ", "=", ")", "(", "a", "é", "<NA>", " container_id=8", " b=", "b=", OLD, "0", "1:", "\ufffd", "\udc80",
          "00:00:00: Debug ", " container=8 (id=8)", "\n")  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=4).map("".join) | st.text(max_size=4)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("proc.name", "proc.cmdline", "user.name", "proc.aname[2]"), st.none() | TEXTS),
        **{key: st.none() | values for key, values in VALUES.items()},
    },
)
TOKENS = (
    "%proc.name", "%proc.cmdline", "%user.name", "%proc.aname[2]", "%4proc.name", "%toupper(proc.name)", "%evt.time",
    *[f"%{key}" for key in VALUES],
)  # fmt: skip
LITERALS = tuple(piece for piece in PIECES if piece.isascii() and piece != "\n")
OUTPUTS = st.lists(st.sampled_from(TOKENS + LITERALS), min_size=1, max_size=9).map("".join).filter(str.strip)


@cache
def reader(outputs: tuple[str, ...]) -> tuple[ReadBack, list[CompiledRule]]:
    rules = compiled(*outputs)
    return ReadBack(rules, CATALOGUE), rules


@settings(max_examples=600, deadline=None)
@given(st.lists(OUTPUTS, min_size=1, max_size=2), EVENTS, st.booleans(), st.sampled_from(["", OLD, NEW, OLD * 2]))
def test_the_right_value_or_none(outputs: list[str], event: dict[str, object], prefixed: bool, added: str) -> None:
    back, rules = reader(tuple(outputs))
    if prefixed:
        text = json.loads(json_line(AlertFormat(rules[0], CATALOGUE).alert(event, 0)))["output"]
    else:
        text = OutputFormat(rules[0].output, "syscall", CATALOGUE).render(event)
    if added and "container.id" not in outputs[0]:
        event = event | (NEW_FIELDS if added is NEW else OLD_FIELDS)
        text += added
    for found in (back.read(text), back.read(text, "Rule 1")):
        assert found is not None
        assert "Rule 1" in found.rules
        for key, value in found.fields.items():
            wanted = event.get(key)
            if key == "evt.rawtime.ns" and prefixed:
                continue  # worked out from the time
            assert value == (None if wanted == "<NA>" else wanted), (rules[0].output, text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES + TOKENS)).map("".join) | st.text())
def test_no_text_raises(text: str) -> None:
    reader((SHELL, "%proc.name %proc.cmdline", "a (c=%proc.name)", "%proc.name"))[0].read(text)


def test_hostile_texts() -> None:
    """Every literal many times over: each is still looked for twice only."""
    back = reader((SHELL, "a %proc.name a %proc.cmdline a %user.name a"))[0]
    for text in (
        "A shell (user=" + " uid= command= parent= terminal=" * 20_000 + ")",
        "a" + " a" * 200_000,
        OLD * 10_000,
    ):
        found = back.read(text)
        assert found is None or not found.fields


@cache
def upstream(folder: str) -> tuple[ReadBack, ...]:
    found = []
    for release in sorted((SHARED / "corpus" / "upstream" / folder).iterdir()):
        files = [(path.name, path.read_bytes()) for path in sorted(release.glob("**/*.yaml"))]
        loaded = falcokit.validate(files).loaded
        found.append(ReadBack(loaded.compilation.rules.values(), CATALOGUE))
    return tuple(found)


@pytest.mark.parametrize(
    ("name", "folder"),
    [("falco-23-read-sensitive-file-untrusted", "falco-rules"), ("falco-07-k8s-serviceaccount-created", "plugins")],
)
def test_real_alerts(name: str, folder: str) -> None:
    """Alerts whose rule is in a release: its name and all fields but the time."""
    path = SHARED / "events" / f"{name}.json"
    if not path.exists() or not (SHARED / "corpus" / "upstream" / folder).exists():
        pytest.skip("needs the real alerts and rules in ../shared")
    alert = json.loads(path.read_text(encoding="utf-8"))
    fits = [found for back in upstream(folder) if (found := back.read(alert["output"])) is not None]
    assert fits
    for found in fits:
        assert found.rules == (alert["rule"],)
        assert found.fields == {key: value for key, value in alert["output_fields"].items() if key != "evt.time"}


@pytest.mark.parametrize("path", sorted((SHARED / "events").glob("*.json")), ids=lambda path: path.stem)
def test_no_real_alert_is_read_wrong(path: Path) -> None:
    """Alerts of any release read by the rules of any other: the fields they have, or none."""
    if not (SHARED / "corpus" / "upstream").exists():
        pytest.skip("needs the rules in ../shared")
    alert = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(alert, dict) or not isinstance(alert.get("output"), str):
        pytest.skip("has no text")
    fields = alert.get("output_fields", {})
    for folder in ("falco-rules", "falco-incubating-rules", "plugins"):
        for back in upstream(folder):
            found = back.read(alert["output"])
            for key, value in (found.fields if found is not None else {}).items():
                assert key not in fields or fields[key] in (value, "<NA>" if value is None else value)

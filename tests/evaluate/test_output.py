"""What Falco prints of events: texts, alerts, lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import falcokit
from falcokit import Catalogue
from falcokit.evaluate.output import AlertFormat, OutputFormat, json_line, text_line
from falcokit.ruleset.rule_compiler import CompiledRule

SHARED = Path(__file__).parents[3] / "shared"
CATALOGUE = Catalogue.bundled()
TIME = 1470327477882054739
"""2016-08-04 16:17:57.882054739 UTC"""


def render(text: str, event: dict[str, object], source: str = "syscall") -> str:
    return OutputFormat(text, source, CATALOGUE).render(event)


def compiled(*outputs: str, source: str = "syscall", **more: object) -> list[CompiledRule]:
    """One rule for each of *outputs*: `Rule 1` and so on."""
    condition = "evt.type = open" if source == "syscall" else "evt.num > 0"
    rules = [
        {"rule": f"Rule {number}", "desc": "d", "condition": condition, "output": output, "priority": "WARNING",
         "source": source, **more}
        for number, output in enumerate(outputs, 1)
    ]  # fmt: skip
    loaded = falcokit.validate([("rules.yaml", json.dumps(rules))]).loaded
    assert all(result.successful for result in loaded.files)
    return list(loaded.compilation.rules.values())


@pytest.mark.parametrize(
    ("text", "event", "printed"),
    [
        ("plain", {}, "plain"),
        ("*%proc.name!", {"proc.name": "sh"}, "sh!"),
        ("%proc.name|%proc.cmdline", {"proc.name": None}, "<NA>|<NA>"),
        ("%proc.pid %user.uid", {"proc.pid": -1, "user.uid": 0}, "-1 0"),
        ("%proc.pid", {"proc.pid": "forty-two"}, "forty-two"),
        ("%fd.dev", {"fd.dev": 64768}, "FD00"),
        ("%fd.dev", {"fd.dev": -2}, "FFFFFFFE"),
        ("%fd.dev", {"fd.dev": 1 << 70}, f"{1 << 70:X}"),
        ("%evt.rawtime.ns", {"evt.rawtime.ns": 739}, "000000739"),
        ("%evt.is_open_read %evt.failed", {"evt.is_open_read": True, "evt.failed": False}, "true false"),
        ("%thread.cpu %proc.fdusage", {"thread.cpu": 12.345, "proc.fdusage": 3}, "12.3 3.0"),
        ("%fd.sip %fd.cip", {"fd.sip": "2001:DB8::0:1", "fd.cip": "10.0.0.1"}, "2001:db8::1 10.0.0.1"),
        ("%fd.sip", {"fd.sip": "a host"}, "a host"),
        ("[%6proc.name][%2proc.name]", {"proc.name": "bash"}, "[bash  ][ba]"),
        ("[%4proc.name][%1proc.name]", {"proc.name": "é"}, "[é  ][\ufffd]"),
        ("[%6proc.name][%0proc.name]", {}, "[<NA>  ][<NA>]"),
        ("%proc.aname[2] %evt.arg.flags", {"proc.aname[2]": "sshd", "evt.arg.flags": "O_RDONLY"}, "sshd O_RDONLY"),
        ("%toupper(proc.name) %len(proc.name)", {"proc.name": "bash"}, "BASH 4"),
        ("%concat(proc.name, ':', proc.exe) %tolower(fd.name)", {"proc.name": "a", "proc.exe": "b"}, "a:b <NA>"),
        ("%basename(evt.time)", {"evt.time": TIME}, "16:17:57.882054739"),
        ("%evt.time|%evt.time.s", {"evt.time": TIME, "evt.time.s": TIME}, "16:17:57.882054739|16:17:57"),
        ("%evt.time.iso8601", {"evt.time.iso8601": TIME}, "2016-08-04T16:17:57.882054739+0000"),
        ("%evt.datetime|%evt.datetime.s", {"evt.rawtime": TIME}, "2016-08-04 16:17:57.882054739|2016-08-04 16:17:57"),
        ("%evt.rawtime %evt.rawtime.s", {"evt.time": TIME}, f"{TIME} 1470327477"),
        ("%evt.time", {"evt.time": "noon"}, "noon"),
        ("%evt.time", {"evt.time": -5}, "-5"),
    ],
)
def test_texts(text: str, event: dict[str, object], printed: str) -> None:
    assert render(text, event) == printed


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (["a", "b"], "(a,b)"), (["", "run"], "(run)"), ([""], "()"), (["a", ""], "(a,)"), (["", "", "a", "", "b"], "(a,,b)"),
        ([], "<NA>"), (None, "<NA>"), ("a text", "a text"), (["x" * 2000], "(" + "x" * 1022),
    ],
)  # fmt: skip
def test_lists(value: object, printed: str) -> None:
    assert render("%ka.req.pod.containers.image", {"ka.req.pod.containers.image": value}, "k8s_audit") == printed


def test_a_list_through_transformers() -> None:
    event = {"ka.req.pod.containers.image": ["A", "B"]}
    assert render("%tolower(ka.req.pod.containers.image)", event, "k8s_audit") == "(a,b)"
    assert render("%join('+', ka.req.pod.containers.image)", event, "k8s_audit") == "A+B"
    assert render("%len(ka.req.pod.containers.image)", event, "k8s_audit") == "2"


def test_output_fields() -> None:
    text = "%proc.pid %proc.name %proc.name %tolower(user.name) %3proc.aname[2] %evt.is_open_read %fd.dev %evt.reltime"
    event = {
        "evt.time": TIME, "proc.pid": 3, "user.name": "ROOT", "proc.aname[2]": "sshd", "evt.is_open_read": False, "fd.dev": 255,
        "evt.reltime": 5, "proc.cwd": "/",
    }  # fmt: skip
    extra = (("proc.cwd", None), ("who", "%user.name-%proc.pid"))
    fields = OutputFormat(text, "syscall", CATALOGUE, extra).output_fields(event)
    assert fields == {
        "evt.time": TIME, "proc.pid": 3, "proc.name": None, "user.name": "ROOT", "proc.aname[2]": "sshd",
        "evt.is_open_read": False, "fd.dev": "FF", "evt.reltime": 5, "proc.cwd": "/", "who": "ROOT-3",
    }  # fmt: skip
    assert next(iter(fields)) == "evt.time"


def test_an_alert() -> None:
    (rule,) = compiled("A file is read by %proc.cmdline; %evt.source %evt.hostname", tags=["b", "a"])
    form = AlertFormat(rule, CATALOGUE)
    alert = form.alert({"proc.cmdline": "cat a"}, TIME, "host")
    assert alert == {
        "hostname": "host",
        "output": "16:17:57.882054739: Warning A file is read by cat a; syscall host",
        "output_fields": {
            "evt.time": TIME, "proc.cmdline": "cat a", "evt.source": "syscall", "evt.hostname": "host",
        },
        "priority": "Warning",
        "rule": "Rule 1",
        "source": "syscall",
        "tags": ["a", "b"],
        "time": "2016-08-04T16:17:57.882054739Z",
    }  # fmt: skip
    assert list(json.loads(json_line(alert))) == sorted(alert)
    assert form.alert({"evt.time": TIME, "proc.cmdline": "cat a"}, hostname="host") == alert


def test_an_alert_without_a_time() -> None:
    (rule,) = compiled("x", priority="INFO")
    alert = AlertFormat(rule, CATALOGUE).alert({})
    assert (alert["output"], alert["time"], alert["output_fields"]) == (
        "<NA>: Informational x", None, {"evt.time": None},
    )  # fmt: skip


def test_lines_are_safe() -> None:
    (rule,) = compiled("%proc.cmdline")
    form = AlertFormat(rule, CATALOGUE)
    alert = form.alert({"proc.cmdline": 'a"b\\\n\x1b[2J\x7f\x9b\u202e\udcffé'}, 0)
    assert text_line(alert) == (
        '00:00:00.000000000: Warning a\\"b\\\\\\n\\u001b[2J\\u007f\\u009b\\u202e\ufffdé'
    )  # fmt: skip
    assert json.loads(json_line(alert))["output_fields"]["proc.cmdline"].endswith("\ufffdé")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.text(alphabet="\ud800\udc80é"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip
RICH = (
    "%proc.name %5proc.cmdline %proc.pid %fd.dev %thread.cpu %evt.is_open_read %fd.sip %evt.time %evt.rawtime.s %evt.reltime "
    "%toupper(proc.name) %join(',', (proc.name, proc.cmdline)) %b64(evt.time) %evt.datetime.s %proc.aname[1] %evt.buffer"
)  # fmt: skip
KEYS = (
    "proc.name", "proc.cmdline", "proc.pid", "fd.dev", "thread.cpu", "evt.is_open_read", "fd.sip", "evt.time", "evt.rawtime",
    "evt.reltime", "evt.datetime.s", "proc.aname[1]", "evt.buffer",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYS), ANY), st.none() | st.integers())
def test_no_value_is_too_odd(event: dict[str, object], time: int | None) -> None:
    alert = RICH_FORMAT.alert(event, time)
    json.loads(json_line(alert))
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text_line(alert))
    text_line(alert).encode()


RICH_FORMAT = AlertFormat(compiled(RICH)[0], CATALOGUE)


@given(st.text() | st.text(alphabet="é€😀\udc80"), st.integers(1, 12))
def test_a_width_is_exact(name: str, width: int) -> None:
    printed = render(f"%{width}proc.name", {"proc.name": name})
    if "\ufffd" not in printed:
        assert len(printed.encode("utf-8", "surrogatepass")) == width
    printed.encode("utf-8", "strict" if name.isascii() or "\ufffd" in printed else "surrogatepass")


def test_huge_numbers() -> None:
    assert render("%proc.pid %thread.cpu", {"proc.pid": 10**5000, "thread.cpu": 10**400}).startswith("0x")
    assert render("%99999999999999999999proc.name", {"proc.name": "a"}).rstrip() == "a"


def alerts() -> list[Any]:
    folder = SHARED / "events"
    names = sorted(folder.glob("falco-*.json")) if folder.exists() else []
    return [pytest.param(json.loads(path.read_text(encoding="utf-8")), id=path.stem) for path in names]


@pytest.mark.parametrize("alert", alerts())
def test_real_alerts(alert: dict[str, Any]) -> None:
    """The fields of real alerts print as they stand in its text: each is put there as a token."""
    message, fields = alert.get("output", "").partition(f": {alert.get('priority')} ")[2], alert["output_fields"]
    source = alert.get("source") or ("k8s_audit" if "ka.user.name" in fields else "syscall")
    text = message.replace("%", "")
    wanted = text
    for key, value in sorted(fields.items(), key=lambda pair: -len(str(pair[1]))):
        if (
            key.startswith(("evt.", "proc.", "fd.", "user.", "container.", "k8s.", "ka."))
            and text.count(f"={value}") == 1
        ):
            text = text.replace(f"={value}", f"=%{key}")
    assert OutputFormat(text, source, CATALOGUE).render(fields) == wanted


def test_measured_audit_events() -> None:
    """Lists as real Falco gives them are in the alert as they were, and print as one text each."""
    path = SHARED / "evaluation" / "k8s_audit" / "values.jsonl"
    if not path.exists():
        pytest.skip("needs the measured values in ../shared")
    checked = 0
    for line in path.read_text(encoding="utf-8").split("\n"):
        values = json.loads(line).get("values", {}) if line else {}
        for key, value in values.items():
            if not key.startswith("ka.") or "[" in key:
                continue
            form = FIELD_FORMATS.setdefault(key, OutputFormat(f"%{key}", "k8s_audit", CATALOGUE))
            assert form.output_fields({key: value})[key] == value
            printed = form.render({key: value})
            assert printed == "<NA>" if value is None else printed == value or printed.startswith("(")
            checked += 1
    assert checked > 1000


FIELD_FORMATS: dict[str, OutputFormat] = {}

"""Conditions against events written by hand."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit import ConditionError, compile_condition
from falcokit.evaluate.patterns import glob_matcher

SHELL = {
    "evt.type": "execve", "proc.name": "bash", "proc.pid": 42, "proc.tty": 0, "fd.sip": "10.1.2.3", "fd.name": "/etc/ssh/a",
    "evt.is_open_write": True, "proc.aname[2]": "sshd", "proc.cmdline": "bash -c ls", "container.image.repository": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("evt.type = execve and proc.name in (sh, bash)", True),
        ("evt.type = execve and not proc.name in (sh, bash)", False),
        ("proc.pid > 41 and proc.pid <= 42 and proc.tty = 0", True),
        ("proc.pname = a", False),
        ("proc.pname != a", False),
        ("not proc.pname = a and not proc.pname exists", True),
        ("container.image.repository exists and container.image.repository = ''", True),
        ("container.image.repository contains ''", True),
        ("proc.aname[2] = sshd and not proc.aname[3] exists", True),
        ("fd.sip = 10.1.2.3 and fd.sip != 10.1.2.4 and fd.sip != ::1", True),
        ("fd.name pmatch (/usr, /etc/ssh) and not fd.name pmatch (/etc/ss)", True),
        ("fd.name glob /etc/*/a and fd.name glob '/etc/ss[gh]/?'", True),
        ("fd.name glob '/etc/ss[!h]/*' or fd.name glob '['", False),
        ("proc.cmdline regex 'bash -c [a-z]+'", True),
        ("proc.cmdline regex 'bash'", False),
        ("proc.cmdline icontains BASH and toupper(proc.name) = BASH and len(proc.name) = 4", True),
        ("evt.is_open_write = true and evt.is_open_write != false", True),
        ("proc.name = oneof (bash, sh) and proc.name != allof (sh, zsh)", True),
        ("proc.name startswith anyof (x, ba) and not proc.cmdline contains allof (bash, perl)", True),
        ("proc.name = val(proc.cmdline)", False),
        ("proc.cmdline startswith val(proc.name)", True),
        ("concat(proc.name, '-', proc.name) = 'bash-bash'", True),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:
    assert compile_condition(condition).matches(SHELL) is holds


def test_a_value_of_another_type_is_no_value() -> None:
    condition = compile_condition("proc.pid exists or proc.name exists or evt.is_open_write exists or fd.sip exists")
    assert not condition.matches({"proc.pid": "42", "proc.name": 7, "evt.is_open_write": "yes", "fd.sip": "host"})
    assert not condition.matches({"proc.pid": True, "unknown.key": 1})
    assert not condition.matches({"proc.pid": 1 << 80, "proc.name": None, "fd.sip": ["10.0.0.1"]})


def test_a_list_field() -> None:
    inner = compile_condition("ka.req.pod.containers.image in (a, b)", source="k8s_audit")
    assert inner.matches({"ka.req.pod.containers.image": ["a", "b"]})
    assert not inner.matches({"ka.req.pod.containers.image": ["a", "c"]})
    assert not inner.matches({"ka.req.pod.containers.image": []})
    some = compile_condition("ka.req.pod.containers.image intersects (a, b)", source="k8s_audit")
    assert some.matches({"ka.req.pod.containers.image": ["a", "c"]})


def test_one_ancestor_is_enough() -> None:
    event = {"proc.aname": ["bash", "sshd"], "proc.aname[1]": "bash"}
    assert compile_condition("proc.aname = sshd and proc.aname in (sshd, cron) and proc.aname != sshd").matches(event)
    assert not compile_condition("proc.aname = cron or not proc.aname[1] = bash").matches(event)
    assert compile_condition("proc.aname = sshd").matches({"proc.aname": "sshd"})


def test_what_falco_refuses_is_refused_before() -> None:
    with pytest.raises(ConditionError):
        compile_condition("proc.nme = a")


_letters = st.text("ab*?[]!-^\\/.é", max_size=8)


@given(_letters, _letters)
def test_a_shell_pattern_never_raises(pattern: str, value: str) -> None:
    for ignore_case in (False, True):
        assert glob_matcher(pattern.encode(), ignore_case)(value.encode()) in (True, False)


@given(st.text("ab*?.", max_size=8), st.text("ab.", max_size=8))
def test_a_simple_shell_pattern_is_that_of_the_shell(pattern: str, value: str) -> None:
    found = compile_condition(f'proc.name glob "{pattern}"').matches({"proc.name": value})
    assert found is fnmatch.fnmatchcase(value, pattern)


@pytest.mark.parametrize(
    ("condition", "event", "holds"),
    [
        (f"fd.sport = {'0' * 5000}80", {"fd.sport": 80}, True),
        ("len(evt.buffer) = 3", {"evt.buffer": b"a\0b"}, True),
        ("b64(evt.buffer) = abc", {"evt.buffer": b"YWJj"}, True),
        ("fd.net in (10.0.0.0/8, 192.168.0.0/16)", {"fd.net": "192.168.1.1"}, False),
        ("fd.net in (10.0.0.0/8, 192.168.0.0/16)", {"fd.net": "10.1.1.1"}, True),
        ("fd.net intersects (10.0.0.0/8)", {"fd.net": "10.1.1.1"}, False),
        ("proc.aname = anyof (a, b)", {"proc.aname": ["b"]}, False),
        ("proc.name = \udcff", {"proc.name": "\udcff"}, True),
        ("proc.name iglob [[:upper:]]", {"proc.name": "a"}, False),
        ("proc.name iglob [Z-a]", {"proc.name": "z"}, False),
        ("proc.name iglob [a-c]X", {"proc.name": "Bx"}, True),
        ("proc.name glob '[[=a=]]'", {"proc.name": "a"}, True),
        ("proc.name glob [[:foo:]]", {"proc.name": "f]"}, False),
        ("proc.name glob [a-", {"proc.name": "[a-"}, False),
        ("proc.name glob [a", {"proc.name": "[a"}, True),
        ("proc.name glob val(proc.exe)", {"proc.name": "x", "proc.exe": "a" * 2_000_000}, False),
        ("proc.name iglob val(proc.exe)", {"proc.name": "x", "proc.exe": "[[:" * 20_000}, False),
    ],
)
def test_what_somebody_stumbled_over(condition: str, event: dict[str, object], holds: bool) -> None:
    assert compile_condition(condition).matches(event) is holds


def test_a_long_number_is_refused_at_once() -> None:
    with pytest.raises(ConditionError):
        compile_condition(f"evt.num = {'0' * 50_000}80x")


# --- what an alert tells and what it does not


@pytest.mark.parametrize(
    ("condition", "event", "holds"),
    [
        ("proc.name = a", {"proc.name": "a"}, True),
        ("proc.name = a", {"proc.name": None}, False),
        ("proc.name = a", {}, None),
        ("not proc.name = a", {}, None),
        ("proc.name = a and proc.pname = b", {"proc.pname": "c"}, False),
        ("proc.name = a or proc.pname = b", {"proc.pname": "b"}, True),
        ("evt.num = 0", {}, False),
        ("evt.num >= 1", {}, True),
        ("evt.num = 1", {}, None),
        ("evt.num = 1", {"evt.num": None}, None),
        ("evt.is_async = true", {"proc.name": "a"}, None),
        ("evt.hostname = a", {}, None),
        ("evt.rawtime > 5", {}, None),
        ("evt.rawtime > 5", {"evt.time": 1767323045000000006}, True),
        ("evt.source = syscall", {}, True),
        ("proc.name in ()", {}, False),
        ("proc.nchilds = val(evt.num)", {"proc.nchilds": 1}, None),
        ("proc.aname = sshd", {"proc.pname": "sshd"}, True),
        ("proc.aname = sshd", {"proc.pname": "bash"}, None),
        ("fd.ip = 10.0.0.1", {"fd.name": "10.0.0.2:1->10.0.0.1:2"}, True),
        ("fd.ip = 10.0.0.1", {"fd.name": "10.0.0.2:1->10.0.0.3:2"}, False),
        ("fd.ip = 10.0.0.1", {"fd.sip": "10.0.0.1"}, True),
        ("fd.ip = 10.0.0.1", {"fd.sip": "10.0.0.2"}, None),
        ("fd.ip != 10.0.0.1", {"fd.sip": "10.0.0.1"}, False),
        ("fd.ip = 10.0.0.1", {"fd.name": "/etc/passwd"}, False),
        ("fd.port = 443", {"fd.cport": 5, "fd.sport": 443}, True),
        ("fd.net in (10.0.0.0/8)", {"fd.name": "[unknown]", "fd.lip": "10.1.1.1"}, True),
        ("fd.net in (10.0.0.0/8)", {}, None),
    ],
)
def test_what_an_alert_leaves_open(condition: str, event: dict[str, object], holds: bool | None) -> None:
    answer = compile_condition(condition).answer(event, complete=False)
    assert answer.holds is holds
    assert answer.reasons


def test_both_ends_and_all_ancestors_of_a_complete_event() -> None:
    assert compile_condition("fd.ip = 10.0.0.1 and fd.port = 2").matches({"fd.name": "10.0.0.2:1->10.0.0.1:2"})
    assert not compile_condition("fd.ip != 10.0.0.1").matches({"fd.cip": "10.0.0.2", "fd.sip": "10.0.0.1"})
    assert compile_condition("fd.ip != 10.0.0.1").matches({"fd.cip": "10.0.0.2", "fd.sip": "10.0.0.3"})
    assert compile_condition("proc.aname = sshd").matches({"proc.aname[3]": "sshd", "proc.pname": "bash"})
    assert compile_condition("fd.ip = ::1").matches({"fd.name": "::1:80->::1:443"})


def test_a_wrong_value_is_told_once() -> None:
    condition = compile_condition("proc.pid = 1 or proc.name = a or proc.aname[2] contains b")
    condition.matches({"proc.pid": "1", "proc.name": 5})
    condition.matches({"proc.pid": "2", "proc.aname[2]": "b"})
    assert list(condition.wrong_values) == ["proc.pid", "proc.name"]
    assert condition.wrong_values["proc.pid"] == "`proc.pid` is of type INT64 and '1' is none: it counts as missing"


def test_the_fewest_checks_that_decide() -> None:
    condition = compile_condition(
        "evt.type = open and (proc.name = a or fd.name = b) and not (proc.pname = c and user.name = d)"
    )

    def reasons(event: dict[str, object]) -> list[tuple[str, bool | None]]:
        return [(reason.text(), reason.holds) for reason in condition.answer(event).reasons]

    assert reasons({"evt.type": "read", "proc.name": "a"}) == [("evt.type = open", False)]
    assert reasons({"evt.type": "open", "fd.name": "b", "proc.pname": "c"}) == [
        ("evt.type = open", True), ("fd.name = b", True), ("user.name = d", False),
    ]  # fmt: skip
    assert reasons({"evt.type": "open", "proc.name": "a", "proc.pname": "c", "user.name": "d"}) == [
        ("proc.pname = c", True), ("user.name = d", True),
    ]  # fmt: skip

"""From the text of a field to its use."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from falcokit.catalogue import Catalogue, FieldError, FieldUse

CATALOGUE = Catalogue.bundled()
UNKNOWN, ARGUMENT = "unknown-field", "field-argument"


def kind(text: str, source: str = "syscall") -> str:
    found = CATALOGUE.resolve(text, source)
    return found.kind if isinstance(found, FieldError) else found.type + ("[]" if found.is_list else "")


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("proc.name", "syscall", "CHARBUF"),
        ("proc.name", "k8s_audit", UNKNOWN),
        ("evt.num", "k8s_audit", "UINT64"),
        ("evt.type", "k8s_audit", UNKNOWN),
        ("ka.verb", "k8s_audit", "CHARBUF"),
        ("ka.verb", "syscall", UNKNOWN),
        ("container.id", "syscall", "CHARBUF"),
        ("container.id", "okta", UNKNOWN),
        ("json.value[/a]", "syscall", "CHARBUF"),
        ("json.value[/a]", "github", "CHARBUF"),
        ("ct.name", "aws_cloudtrail", "CHARBUF"),
        ("proc.name", "nosuch", UNKNOWN),
    ],
)
def test_a_field_belongs_to_its_sources(text: str, source: str, expected: str) -> None:
    assert kind(text, source) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("proc.name[0]", UNKNOWN),
        ("proc.namex", UNKNOWN),
        ("PROC.NAME", UNKNOWN),
        ("proc.name ", UNKNOWN),
        ("", UNKNOWN),
        ("proc.aname", "CHARBUF"),
        ("proc.aname[2]", "CHARBUF"),
        ("proc.aname[x]", UNKNOWN),
        ("proc.aname[2", UNKNOWN),
        ("proc.aname[2]x", UNKNOWN),
        ("proc.apid[1]", "INT64"),
        ("proc.env[HOME]", "CHARBUF"),
        ("proc.aenv[1]", "CHARBUF"),
        ("fd.types", "CHARBUF[]"),
        ("fd.types[0]", "CHARBUF[]"),
        ("fd.typesx", UNKNOWN),
        ("evt.args", "CHARBUF"),
        ("evt.args[0]", UNKNOWN),
        ("evt.abspath", "CHARBUF"),
        ("evt.abspath.src", "CHARBUF"),
        ("evt.abspath.x", UNKNOWN),
        ("thread.cgroups", "CHARBUF"),
        ("thread.cgroup.cpuset", "CHARBUF"),
        ("thread.cgroup", ARGUMENT),
        ("thread.cgroup[cpu]", ARGUMENT),
        ("evt.type.is.open", "UINT32"),
        ("evt.type.is.nosuch", UNKNOWN),
        ("evt.type.is", ARGUMENT),
        ("evt.around[5]", "UINT64"),
        ("evt.around", ARGUMENT),
    ],
)
def test_arguments_of_falcos_own_fields(text: str, expected: str) -> None:
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("evt.arg[0]", "CHARBUF"),
        ("evt.arg[+1]", "CHARBUF"),
        ("evt.arg[1.5]", ARGUMENT),
        ("evt.arg.flags", "CHARBUF"),
        ("evt.arg.nosuch", ARGUMENT),
        ("evt.arg.namex", UNKNOWN),
        ("evt.arg.name[0]", UNKNOWN),
        ("evt.arg", ARGUMENT),
        ("evt.rawarg", ARGUMENT),
        ("evt.rawarg[0]", ARGUMENT),
        ("evt.rawarg.flags", "FLAGS32"),
        ("evt.rawarg.pathname", "FSRELPATH"),
        ("evt.rawarg.data", "BYTEBUF"),
    ],
)
def test_arguments_of_events(text: str, expected: str) -> None:
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("ka.uri.param[k]", "k8s_audit", "CHARBUF"),
        ("ka.uri.param", "k8s_audit", ARGUMENT),
        ("ka.uri.param[a b]", "k8s_audit", ARGUMENT),
        ("ka.verb[0]", "k8s_audit", ARGUMENT),
        ("ka.req.pod.containers.image", "k8s_audit", "CHARBUF[]"),
        ("ka.req.pod.containers.image[0]", "k8s_audit", "CHARBUF[]"),
        ("ka.req.pod.containers.image[01]", "k8s_audit", ARGUMENT),
        ("ka.req.pod.containers.image[x]", "k8s_audit", ARGUMENT),
        ("ka.req.pod.containers.image[18446744073709551615]", "k8s_audit", "CHARBUF[]"),
        ("ka.req.pod.containers.image[18446744073709551616]", "k8s_audit", ARGUMENT),
        ("container.mount[0]", "syscall", "CHARBUF"),
        ("container.mount[01]", "syscall", "CHARBUF"),
        ("container.mount", "syscall", ARGUMENT),
        ("container.label[a]b]", "syscall", UNKNOWN),
        ("k8s.pod.label[app.kubernetes.io/name]", "syscall", "CHARBUF"),
        ("k8s.pod.label.app", "syscall", ARGUMENT),
        ("container.nosuch", "syscall", UNKNOWN),
    ],
)
def test_arguments_of_plugin_fields(text: str, source: str, expected: str) -> None:
    assert kind(text, source) == expected


def test_an_error_says_what_to_write_and_whether_the_rule_can_be_skipped() -> None:
    wrong = CATALOGUE.resolve("evt.arg.flag", "syscall")
    assert isinstance(wrong, FieldError)
    assert (wrong.unknown_filter, wrong.help) == (False, "did you mean `evt.arg.flags`?")
    wrong = CATALOGUE.resolve("proc.nosuch", "syscall")
    assert isinstance(wrong, FieldError)
    assert wrong.unknown_filter


@given(st.text(max_size=40), st.sampled_from([f.name for f in CATALOGUE.fields()]), st.sampled_from(CATALOGUE.sources))
@example("[" + "9" * 40 + "]", "ka.req.pod.containers.image", "k8s_audit")
def test_any_text_gets_an_answer_and_the_same_one_again(rest: str, name: str, source: str) -> None:
    for text in (rest, name + rest, f"{name}[{rest}]"):
        found = CATALOGUE.resolve(text, source)
        assert isinstance(found, FieldUse | FieldError)
        assert CATALOGUE.resolve(text, source) is found
        if isinstance(found, FieldUse):
            assert text.startswith(found.field.name)


@pytest.mark.parametrize(
    ("text", "source", "field", "name"),
    [
        ("proc.namex y", "syscall", "proc.name", "proc.name"),
        ("proc.name[0]", "syscall", "proc.name", "proc.name"),
        ("proc.name.", "syscall", "proc.name", "proc.name"),
        ("proc.aname[2] y", "syscall", "proc.aname[2]", "proc.aname"),
        ("proc.aname[x]", "syscall", "proc.aname", "proc.aname"),
        ("evt.arg.flagsx", "syscall", "evt.arg.flags", "evt.arg.flags"),
        ("ka.uri.param=1", "k8s_audit", "ka.uri", "ka.uri"),
        ("ka.uri.param[a b]", "k8s_audit", "ka.uri", "ka.uri"),
        (r'json.value["/a\"b"]', "k8s_audit", r'json.value["/a\"b"]', "json.value"),
    ],
)
def test_the_longest_field_at_a_place(text: str, source: str, field: str, name: str) -> None:
    found = CATALOGUE.longest("%" + text, 1, source)
    assert found is not None
    assert ("%" + text)[1 : found[0]] == field
    assert found[2] == name


@pytest.mark.parametrize(
    "text", ["evt.arg", "nosuch.field", "proc", "", " proc.name", r'json.value["\q"]', "tolower(x"]
)
def test_no_field_at_a_place(text: str) -> None:
    assert CATALOGUE.longest(text, 0, "syscall") is None


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("pod.name", "syscall", ("k8s.pod.name",)),
        ("PROC.NAME", "syscall", ("proc.name",)),
        ("proc.nmae", "syscall", ("proc.name", "proc.sname")),
        ("fd.directry", "syscall", ("fd.directory",)),
        ("ka.user", "k8s_audit", ("ka.user.name",)),
        ("ka.user", "syscall", ()),
        ("zzz", "syscall", ()),
        ("x" * 5000, "syscall", ()),
    ],
)
def test_suggestions(text: str, source: str, expected: tuple[str, ...]) -> None:
    assert CATALOGUE.suggest(text, source) == expected


def test_deprecated_fields_are_not_suggested() -> None:
    near = CATALOGUE.suggest("evt.latency.n", "syscall")
    assert not any(name.startswith("evt.latency") for name in near)

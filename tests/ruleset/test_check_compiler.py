"""What compiling one check finds: the first error or the warnings, where they are, and what to write instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from falcokit.catalogue import Catalogue
from falcokit.condition import parse
from falcokit.condition.ast import Check
from falcokit.condition.walk import leaves
from falcokit.diagnostic import KINDS, Problem, Severity
from falcokit.ruleset import check_compiler
from falcokit.ruleset.check_compiler import compile_check, deprecated_fields, unsafe_na, usable_field
from falcokit.ruleset.literals import needless_regex, read_number, regex_problem

SHARED = Path(__file__).parents[2].parent / "shared"
BUNDLED = Catalogue.bundled()
TOPICS = (
    "operators-by-type", "modifiers-by-type", "value-parsing", "transformers", "field-arguments", "field-to-field",
    "strings-and-escapes", "warnings",
)  # fmt: skip


def check_of(text: str) -> Check:
    tree = parse(text)
    assert isinstance(tree, Check), tree
    return tree


def compiled(text: str, source: str = "syscall", catalogue: Catalogue = BUNDLED) -> list[Problem]:
    """What Falco would tell about all checks of *text*: the first error, else all warnings."""
    tree = parse(text)
    if isinstance(tree, Problem):
        return [tree]
    found = [p for leaf in leaves(tree) if isinstance(leaf, Check) for p in compile_check(leaf, source, catalogue)]
    return [p for p in found if is_error(p)][:1] or found


def is_error(problem: Problem) -> bool:
    return KINDS[problem.kind].severity is Severity.ERROR


def only(text: str, source: str = "syscall") -> tuple[str, str]:
    """The kind of the only problem, and the characters it is about."""
    (problem,) = compiled(text, source)
    return problem.kind, text.encode()[problem.start : problem.end].decode()


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("proc.nmae = x", "unknown-field", "proc.nmae"),
        ("ka.verb = get", "unknown-field", "ka.verb"),
        ("evt.arg = x", "field-argument", "evt.arg"),
        ("proc.name = x and tolower(proc.nmae) = x", "unknown-field", "proc.nmae"),
        ("evt.num contains 5", "wrong-operator", "contains"),
        ("fd.types = file", "wrong-operator", "="),
        ("tolower(evt.num) = x", "wrong-transformer", "evt.num"),
        ("concat(proc.name, fd.types) = x", "wrong-transformer", "fd.types"),
        ("proc.name pmatch val(proc.exe)", "wrong-comparison", "val(proc.exe)"),
        ("proc.name = val(proc.pid)", "wrong-comparison", "val(proc.pid)"),
        ("fd.sport in (80, nosuchport)", "wrong-literal", "nosuchport"),
        ("fd.snet in (10.0.0.0/8, 10.0.0.1)", "wrong-literal", "10.0.0.1"),
        ("evt.type in (open, opne)", "unknown-event-type", "opne"),
        ("proc.name regex '(a'", "invalid-regex", "'(a'"),
        ("proc.name = 'ü' and user.uid = rööt", "wrong-literal", "rööt"),
        ("tolower(evt.type) = open", "event-type-expression", "tolower(evt.type) = open"),
    ],
)
def test_errors_cover_exactly_the_wrong_characters(text: str, kind: str, words: str) -> None:
    assert only(text) == (kind, words)


def test_an_error_is_reported_at_the_check_and_a_warning_at_its_right_side() -> None:
    (error,) = compiled("proc.name=a and user.uid = root")
    assert error.at == len("proc.name=a and ")
    first, second = compiled("proc.name in (fd.name, proc.exe)")
    assert (first.at, second.at) == (13, 13)
    assert (first.start, second.start) == (14, 23)


@pytest.mark.parametrize(
    ("text", "help_text"),
    [
        ("proc.nmae = x", "`proc.name`"),
        ("ka.verb = get", "`k8s_audit`"),
        ("evt.type = opne", "`open`"),
        ("evt.type glob open*", "evt.type in ("),
        ("evt.num = 0x10", "`16`"),
        ("evt.reltime > 5 and evt.reltime = 3s", "`3000000000`"),
        ("fd.snet = 10.0.0.1", "`10.0.0.1/32`"),
        ("fd.sport = htpp", "`http`"),
        ("proc.name regex '\\\\d+x'", "[0-9]"),
        ("evt.rawarg.flags = O_RDONLY", "evt.arg.NAME"),
        ("evt.num contains 5", "it can be compared with"),
        ("proc.name = proc.exe", "val(proc.exe)"),
        ("proc.name regex '.*cat'", "`endswith cat`"),
    ],
)
def test_the_help_says_what_to_write_instead(text: str, help_text: str) -> None:
    (problem,) = compiled(text)
    assert help_text in problem.help


@pytest.mark.parametrize(
    "text",
    [
        "proc.name = cat", "proc.name in (cat, 'a b', /etc/ld.so)", "proc.name in ()", "proc.name exists", "evt.type in (open, '')",
        "fd.sport in (80, ssh, '')", "fd.sport = 000000000000080", "user.uid = 4294967296", "evt.num = -1",
        "fd.snet = 10.0.0.0/260", "fd.snet = ::/1", "fd.sip = ::", "evt.buffer bcontains ''", "evt.buffer = '\\x00'",
        "evt.around[5] == 10", "len(('a', 'b')) = 2", "proc.name = concat(proc.exe, 'x')", "proc.name glob '[a'",
        "join(',', (evt.type, 'x')) = y", "evt.type startswith val(proc.name)", "fd.types intersects (file)",
    ],
)  # fmt: skip
def test_falco_takes_it_without_a_word(text: str) -> None:
    assert compiled(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "fd.sport = -1", "fd.sport = ٥", "evt.num = ٥", "fd.sip = 1::2::3", "fd.sip = 1:2:3:4:5:6:7:8::", "fd.sip = ::ffff:1.2.3.4",
        "fd.snet = ::/0", "fd.snet = 10.0.0.0/-1", "fd.snet = 10.0.0.0/18446744073709551624", "evt.is_io = TRUE",
        "evt.rawarg.local_ip = ::1", "evt.buffer bcontains caf", f"evt.buffer bcontains {'00' * 256}",
        f"proc.name = '{'é' * 128}'", "proc.name = 'a\\x00b'", "thread.cpu = 1.5", "proc.name = a and user.uid in (1, '')",
    ],
)  # fmt: skip
def test_literals_that_falco_cannot_read(text: str) -> None:
    assert [p.kind for p in compiled(text)] == ["wrong-literal"]


def test_only_unknown_fields_and_event_types_are_unknown_filters() -> None:
    flags = {text: compiled(text)[0].unknown_filter for text in ("no.such = 1", "evt.type = nosuch", "evt.arg = 1")}
    assert flags == {"no.such = 1": True, "evt.type = nosuch": True, "evt.arg = 1": False}
    assert not compiled(f"evt.type = {'x' * 300}")[0].unknown_filter


@pytest.mark.parametrize(
    "text",
    [
        "fd.sport = 99999999999", "tolower(proc.name, proc.exe) = x", "tolower(evt.type) = open", "tolower(evt.type) exists",
        "evt.type = val(proc.name)", "syscall.type = val(evt.type)", "evt.type in val(proc.name)",
    ],
)  # fmt: skip
def test_some_checks_end_falco_itself(text: str) -> None:
    (problem,) = compiled(text)
    assert problem.ends_falco
    assert is_error(problem)


def test_the_event_types_are_worked_out_only_after_the_check_compiled() -> None:
    assert only("tolower(evt.type) = OPEN")[0] == "unknown-event-type"
    assert only("evt.type = val(no.such)")[0] == "unknown-field"
    assert only("evt.type = val(proc.pid)")[0] == "wrong-comparison"


def test_answers_do_not_depend_on_what_was_asked_before() -> None:
    texts = [
        "proc.name = open",
        "evt.type = open",
        "evt.type = cat",
        "fd.sport = open",
        "proc.name = proc.exe",
        "proc.name regex open",
    ]
    wanted = []
    for text in texts:
        check_compiler._facts.clear()
        wanted.append(compiled(text))
    for _ in range(2):
        assert [compiled(text) for text in texts] == wanted
    other = Catalogue.bundled(["k8saudit"])
    assert [p.kind for p in compiled("container.id = x", catalogue=other)] == ["unknown-field"]
    assert compiled("container.id = x") == []


def test_deprecated_fields_of_the_left_side() -> None:
    assert deprecated_fields(check_of("evt.dir = <")) == ("evt.dir",)
    assert deprecated_fields(check_of("concat(evt.dir, tolower(evt.latency)) = x")) == ("evt.dir", "evt.latency")
    for text in ("proc.name = val(evt.dir)", "join(',', (evt.dir, 'x')) = y", "evt.latency.quantized > 5"):
        assert deprecated_fields(check_of(text)) == ()


def test_comparing_with_na_is_unsafe_for_audit_fields() -> None:
    for text in ("ka.verb = <NA>", "ka.verb in (get, <NA>)", "tolower(jevt.value[/a]) != '<NA>'"):
        assert unsafe_na(check_of(text))
    for text in ("proc.name = <NA>", "ka.verb contains <NA>", "ka.verb = anyof (<NA>)", "ka.verb = val(ka.user.name)"):
        assert not unsafe_na(check_of(text))


def test_fields_of_exceptions() -> None:
    for text in ("proc.name", "proc.aname[2]", "basename(proc.exepath)", "tolower(evt.type)"):
        assert usable_field(text, "syscall", BUNDLED) is None
    for text in ("no.such", "proc.namex", "val(proc.name)", "lower(proc.name)", "tolower(proc.pid)", "ka.verb", ""):
        problem = usable_field(text, "syscall", BUNDLED)
        assert problem is not None
        assert problem.kind == "unknown-field"
    problem = usable_field("evt.arg", "syscall", BUNDLED)
    assert problem is not None
    assert problem.kind == "field-argument"


@pytest.mark.parametrize(
    ("text", "type_name", "value"),
    [
        (" 5", "UINT64", 5), ("-1", "UINT32", 4294967295), ("256", "UINT8", 0), ("32768", "INT16", -32768), ("007", "INT64", 7),
        ("9" * 6000, "UINT64", 2**64 - 1), ("9" * 30, "INT64", 2**63 - 1), ("-" + "9" * 30, "INT64", -(2**63)),
        ("4294967296", "UINT32", 0), ("5 ", "UINT64", None), ("", "UINT64", None), ("0x1", "INT32", None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_scanf_does(text: str, type_name: str, value: int | None) -> None:
    assert read_number(text, type_name) == value


@pytest.mark.parametrize(
    ("pattern", "simpler"),
    [
        ("cat", "= cat"), ("^cat$", "= cat"), (".*cat", "endswith cat"), ("cat.+", "startswith cat"), (".*cat.*", "contains cat"),
        (".*", "exists"), ("", "= ''"), ("a b", "= 'a b'"), ("c.t", ""), ("^.*cat$", ""), ("a\\.b", ""), (".", ""), ("a|b", ""),
    ],
)  # fmt: skip
def test_regular_expressions_that_need_not_be(pattern: str, simpler: str) -> None:
    assert needless_regex(pattern) == simpler


@pytest.mark.parametrize("pattern", ["(a", "[a", "*a", "a{2000}", "\\d", "(?i)a", "a\\", "\\pL", "[b-a]", "a\udcff"])
def test_regular_expressions_that_re2_refuses(pattern: str) -> None:
    problem = regex_problem(pattern)
    assert problem is not None
    assert problem.kind == "invalid-regex"
    assert problem.message.isprintable()


def lines(name: str) -> list[dict[str, Any]]:
    path = SHARED / "evaluation" / name
    if not path.exists():
        pytest.skip("the measured verdicts are not here")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def measured() -> Catalogue:
    path = SHARED / "evaluation" / "catalogue.json"
    if not path.exists():
        pytest.skip("the measured verdicts are not here")
    return Catalogue.from_json(path.read_text(encoding="utf-8"))


JOINED_NUMBERS = ("c3378", "c3379")


def test_every_accepted_condition_compiles_with_the_measured_warnings(measured: Catalogue) -> None:
    for row in lines("conditions.jsonl"):
        if row["id"] in JOINED_NUMBERS:
            continue
        wanted = [w["at"] for w in row.get("warnings", ()) if w["code"] == "LOAD_COMPILE_CONDITION"]
        found = compiled(row["condition"], "eval", measured)
        assert [p.at for p in found] == wanted, row["condition"]
        assert not any(is_error(p) for p in found), row["condition"]


def test_join_takes_lists_of_any_type(measured: Catalogue) -> None:
    rows = [row for row in lines("conditions.jsonl") if row["id"] in JOINED_NUMBERS]
    assert [compiled(row["condition"], "eval", measured) for row in rows] == [[], []]


def test_every_refused_condition_is_refused_at_the_measured_place(measured: Catalogue) -> None:
    for row in lines("rejected.jsonl"):
        error = row["errors"][0]
        if error["code"] not in ("LOAD_ERR_COMPILE_CONDITION", None):
            continue
        (found,) = compiled(row["condition"], "eval", measured)
        assert is_error(found), row["condition"]
        assert found.ends_falco == (error["code"] is None), row["condition"]
        assert error.get("at") in (None, found.at), row["condition"]


@pytest.mark.parametrize("topic", TOPICS)
def test_conditions_of_the_conformance_cases(topic: str) -> None:
    path = SHARED / "conformance" / "cases" / f"{topic}.json"
    if not path.exists():
        pytest.skip("the conformance cases are not here")
    from ruamel.yaml import YAML

    cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
    expected = json.loads((SHARED / "conformance" / "expected" / f"{topic}.json").read_text(encoding="utf-8"))["cases"]
    tried = 0
    for case in cases:
        want = expected[case["id"]]
        items = YAML(typ="safe", pure=True).load(case["files"][0])
        if len(case["files"]) > 1 or len(items) > 1 or "exceptions" in items[0]:
            continue
        text, source = items[0]["condition"], items[0].get("source", "syscall")
        found = compiled(text, source)
        if want.get("fatal"):
            assert found[0].ends_falco, text
            continue
        wanted = [
            (entry["code"].startswith("LOAD_ERR"), entry["locations"][-1][4] - entry["locations"][-2][4] - 1)
            for entry in want["files"][0]["errors"] + want["files"][0]["warnings"]
            if entry["code"] in ("LOAD_ERR_COMPILE_CONDITION", "LOAD_COMPILE_CONDITION")
        ]
        if "\n" in text:
            assert [is_error(p) for p in found] == [error for error, _ in wanted], text
        else:
            assert [(is_error(p), p.at) for p in found] == wanted, text
        tried += 1
    assert tried > 50

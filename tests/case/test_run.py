"""Test files: what passes, what fails and how it is told, and what is wrong with a file."""

from __future__ import annotations

from typing import Any

import pytest

from falcokit.case.coverage import Coverage
from falcokit.case.read import read_test_file
from falcokit.case.run import run
from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic
from falcokit.event import Event, read_events
from falcokit.source import SourceFile

RULES = """
- list: shells
  items: [bash, sh]
- macro: user_known_shell
  condition: (evt.num = 0)
- macro: container
  condition: (container.id != host)
- rule: Shell
  desc: d
  condition: evt.type = execve and proc.name in (shells) and container and not user_known_shell
  output: shell %proc.name by %user.name (uid=%user.uid)
  priority: WARNING
- rule: Write
  desc: d
  condition: evt.type in (open, openat) and evt.is_open_write = true and fd.name startswith /etc
  output: write %fd.name
  priority: ERROR
- rule: Off
  desc: d
  condition: evt.type = execve
  output: o
  priority: INFO
  enabled: false
- rule: Pod
  desc: d
  source: k8s_audit
  condition: ka.verb = create and ka.req.pod.containers.image intersects (evil)
  output: pod %ka.target.name
  priority: INFO
"""
SHELL = "{evt.type: execve, proc.name: bash, container.id: abc, user.name: root, user.uid: 0}"


def cases(
    text: str, events: dict[str, bytes] | None = None, coverage: Coverage | None = None, rules: str | None = RULES
) -> Any:
    """The findings of each case of a test file by its name, and those of the file itself."""
    test, findings = read_test_file(SourceFile("t.yaml", text))
    if test is None:
        return {}, findings

    def events_of(name: Any) -> Any:
        content = (events or {}).get(name.text)
        if content is None:
            return (), f"there is no file {name.text}"
        return [one for one in read_events([content]) if isinstance(one, Event)], ""

    outcomes, refused = run(
        test, [SourceFile("rules.yaml", rules)] if rules else [], events_of, Catalogue.bundled(), coverage or Coverage()
    )
    return {outcome.case.name: outcome.findings for outcome in outcomes}, findings + refused


def only(text: str, **options: Any) -> tuple[Diagnostic, ...]:
    """The findings of the one case, in a file that is well written."""
    found, findings = cases(text, **options)
    assert findings == ()
    (outcome,) = found.values()
    return outcome  # type: ignore[no-any-return]


def one(expect: str, fields: str = SHELL, more: str = "") -> tuple[Diagnostic, ...]:
    return only(f"cases:\n  - name: c\n    fields: {fields}\n    expect: {expect}\n{more}")


# --- what passes


@pytest.mark.parametrize(
    "expect",
    [
        "{fires: Shell}",
        "{fires: [Shell], silent: [Write]}",
        "{fires: Shell, output: shell bash by root (uid=0)}",
        "{fires: Shell, output: {Shell: shell bash by root (uid=0)}}",
        "{fires: Shell, reason: [proc.name, container, evt.type = execve]}",
    ],
)
def test_what_passes(expect: str) -> None:
    assert one(expect) == ()


@pytest.mark.parametrize(
    ("expect", "fields", "message"),
    [
        ("{fires: Write}", SHELL, "`Write` does not fire"),
        ("{silent: Shell}", SHELL, "`Shell` fires"),
        ("{fires: []}", SHELL, "`Shell` fires"),
        ("{fires: Shell, output: shell bash}", SHELL, "the output of `Shell` is: shell bash by root (uid=0)"),
        ("{fires: Shell, reason: fd.name}", SHELL, "`fd.name` is not what decides"),
        ("{fires: Off}", SHELL, "`Off` does not run: it is disabled"),
        (
            "{silent: Shell, output: {Write: write <NA>}}",
            "{evt.type: read}",
            "`Write` does not fire, so it prints nothing",
        ),
        ("{silent: Shell, output: {Off: o}}", "{evt.type: read}", "`Off` does not run"),
        ("{fires: [], reason: proc.name}", "{evt.type: read}", "a reason is one of a rule under"),
        ("{silent: Pod}", SHELL, "the event is of source `syscall`, the rule `Pod` of `k8s_audit`"),
        ("{silent: Off}", SHELL, "`Off` does not run: it is disabled"),
        ("{unknown: Shell}", SHELL, "`Shell` fires"),
        ("{fires: Shell}", "{evt.type: execve, proc.name: bash, container.id: host}", "`Shell` does not fire"),
        ("{fires: Shell}", "{evt.type: execve, proc.name: bash}", "`Shell` does not fire"),
    ],
)
def test_what_fails(expect: str, fields: str, message: str) -> None:
    (finding, *_) = one(expect, fields)
    assert finding.about.name == "test-mismatch"
    assert finding.message.startswith(message)
    assert finding.span.file.name == "t.yaml"


def test_a_mismatch_shows_what_decided_and_where_it_is_written() -> None:
    (finding,) = one("{fires: Shell}", "{evt.type: execve, proc.name: zsh, container.id: abc}")
    (label,) = finding.labels
    assert label.message == '`proc.name in (bash, sh)` does not hold: `proc.name` is "zsh"'
    assert label.span.file.name == "rules.yaml"
    assert RULES[label.span.start : label.span.end].startswith("proc.name in (")
    assert finding.span.file.text[finding.span.start : finding.span.end] == "Shell"


# --- what a case can change


def test_macros_and_lists_stand_for_something_else_in_one_case() -> None:
    text = f"""
cases:
  - name: hook
    fields: {SHELL}
    macros: {{user_known_shell: user.name = root}}
    expect: {{silent: Shell, reason: user_known_shell}}
  - name: list
    fields: {SHELL}
    lists: {{shells: [zsh, "a b"]}}
    expect: {{silent: Shell}}
  - name: neither
    fields: {SHELL}
    expect: {{fires: Shell}}
"""
    assert cases(text) == ({"hook": (), "list": (), "neither": ()}, ())


def test_rules_can_be_switched_on() -> None:
    assert one("{fires: [Off, Shell]}", more="    enable: [Off]\n") == ()
    assert one("{fires: [Off, Shell]}", more="    enable: all\n") == ()


def test_first_match() -> None:
    text = f"rule_matching: first\nenable: all\ncases:\n  - name: c\n    fields: {SHELL}\n    expect: {{fires: Shell, silent: Off}}\n"
    assert only(text) == ()
    (finding,) = only(text.replace("fires: Shell, silent: Off", "fires: Off"))
    assert "takes the event" in finding.message


def test_the_source_is_that_of_the_rule() -> None:
    fields = "{ka.verb: create, ka.req.pod.containers.image: [good, evil], ka.target.name: web}"
    assert one("{fires: Pod, output: pod web}", fields) == ()
    (finding,) = one("{fires: [Shell, Pod]}")
    assert finding.message == "the event is of source `syscall`, the rule `Pod` of `k8s_audit`"


def test_a_table_is_a_case_for_each_row() -> None:
    text = f"""
cases:
  - name: shells
    fields: {SHELL}
    expect: {{fires: Shell}}
    table:
      - {{proc.name: sh}}
      - {{name: other shell, proc.name: zsh, silent: Shell}}
      - {{proc.name: zsh}}
"""
    found, findings = cases(text)
    assert findings == ()
    assert [(name, len(outcome)) for name, outcome in found.items()] == [
        ("shells: proc.name=sh", 0), ("shells: other shell", 0), ("shells: proc.name=zsh", 1),
    ]  # fmt: skip


# --- events from files

ALERT = b'{"rule":"Shell","output":"o","output_fields":{"evt.type":"execve","proc.name":"bash","user.uid":"0"}}\n'
WHOLE = b'{"evt.type":"execve","proc.name":"bash","container.id":"abc"}\n'


def test_a_partial_event_leaves_open_what_it_does_not_tell() -> None:
    text = "cases:\n  - name: c\n    event: alert.json\n    expect: {EXPECT}\n"
    events = {"alert.json": ALERT}
    (finding,) = only(text.replace("EXPECT", "fires: Shell"), events=events)
    assert finding.message == "`Shell` may fire or not: the event does not tell container.id"
    assert only(text.replace("EXPECT", "unknown: Shell, silent: Write"), events=events) == ()
    assert only(text.replace("EXPECT", "fires: Shell") + "    fields: {container.id: abc}\n", events=events) == ()
    assert only(text.replace("EXPECT", "silent: Shell") + "    complete: true\n", events=events) == ()


def test_events_of_a_file() -> None:
    events = {"e.json": WHOLE + WHOLE.replace(b"bash", b"zsh")}
    text = "cases:\n  - name: c\n    KEY: e.json\n    expect: {fires: Shell}\n"
    (finding,) = only(text.replace("KEY", "events"), events=events)
    assert finding.message == "`Shell` does not fire (event at line 2)"
    assert only(text.replace("KEY", "event") + "    line: 1\n", events=events) == ()
    for wrong, said in (("", "pick one with `line`"), ("    line: 7\n", "no event begins at line 7")):
        (finding,) = only(text.replace("KEY", "event") + wrong, events=events)
        assert said in finding.message
    (finding,) = only(text.replace("KEY", "event"))
    assert finding.message == "there is no file e.json"


# --- what is wrong with a file


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("", "", "the file is empty"),
        ("- a", "- a", "a test file must be a mapping"),
        ("cases: x", "x", "a test file needs `cases`"),
        ("cases: []", "[]", "a test file needs `cases`"),
        ("case: []", "case", "there is no key `case`"),
        ("cases: [{name: a, fields: {}, expects: {}}]", "expects", "there is no key `expects`"),
        (
            "cases: [{fields: {}, expect: {fires: Shell}}]",
            "{fields: {}, expect: {fires: Shell}}",
            "a case needs a `name`",
        ),
        ("cases: [{name: a, expect: {fires: Shell}}]", None, "a case needs an event"),
        ("cases: [{name: a, fields: {}}]", None, "a case must expect something"),
        ("cases: [{name: a, fields: {}, expect: {fires: {}}}]", "{}", "`fires`: the name of a rule must be a text"),
        ("cases: [{name: a, fields: {}, line: x, expect: {fires: Shell}}]", "x", "`line` must be the number"),
        (
            "cases: [{name: a, fields: {}, complete: maybe, expect: {fires: Shell}}]",
            "maybe",
            "`complete` must be true or false",
        ),
        (
            "rule_matching: some\ncases: [{name: a, fields: {}, expect: {fires: Shell}}]",
            "some",
            "`rule_matching` must be",
        ),
        ("cases: [{name: a, fields: {}, table: [{fire: Shell}]}]", "fire", "`fire` is neither a field nor"),
        ("cases: [{name: a, event: x, events: y, expect: {fires: Shell}}]", "events", "a case has one `event`"),
        ("cases: [{name: a, name: b, fields: {}, expect: {fires: Shell}}]", "name", "`name` is given twice"),
        ("cases: [\n", None, "the file is not YAML"),
    ],
)
def test_what_is_wrong_with_a_file(text: str, at: str | None, message: str) -> None:
    _, findings = read_test_file(SourceFile("t.yaml", text))
    found = [finding for finding in findings if finding.message.startswith(message)]
    assert found, findings
    if at is not None:
        assert text[found[0].span.start : found[0].span.end] == at


@pytest.mark.parametrize(
    ("case", "message", "help_text"),
    [
        ("fields: {proc.nme: x}, expect: {fires: Shell}", "there is no field `proc.nme`", "did you mean `proc.name`?"),
        ("fields: {user.uid: root}, expect: {fires: Shell}", "`root` is no value of type", "write a whole number from 0 to 4294967295"),
        ("fields: {evt.is_open_write: 1}, expect: {fires: Shell}", "`1` is no value of type BOOL", "write true or false"),
        ("fields: {fd.sip: localhost}, expect: {fires: Shell}", "`localhost` is no value of type", "write an address such as 10.0.0.1"),
        ("fields: {evt.type: opennat}, expect: {silent: Shell}", "`opennat` is no type of events", "did you mean `openat`?"),
        ("fields: {proc.name: [bash]}, expect: {silent: Shell}", "`proc.name` has one value", "without brackets"),
        ("fields: {}, expect: {fires: Shel}", "no rule `Shel` is loaded", "did you mean `Shell`?"),
        ("fields: {}, expect: {silent: Shel}", "no rule `Shel` is loaded", "did you mean `Shell`?"),
        ("fields: {}, enable: Of, expect: {silent: Shell}", "no rule `Of` is loaded", ""),
        ("fields: {}, macros: {user_known_shel: proc.name = x}, expect: {silent: Shell}", "no macro `user_known_shel`", "did you mean `user_known_shell`?"),
        ("fields: {}, lists: {shels: [x]}, expect: {silent: Shell}", "no list `shels`", "did you mean `shells`?"),
        ("fields: {}, macros: {user_known_shell: proc.name =}, expect: {silent: Shell}", "with these macros and lists the rules do not load", ""),
    ],
)  # fmt: skip
def test_names_that_do_not_exist_are_errors(case: str, message: str, help_text: str) -> None:
    (finding, *_) = only(f"cases: [{{name: a, {case}}}]")
    assert finding.about.name == "invalid-test"
    assert finding.message.startswith(message)
    assert help_text in finding.help


# --- coverage


def test_coverage() -> None:
    coverage = Coverage()
    text = f"""
cases:
  - {{name: a, fields: {SHELL}, expect: {{fires: Shell}}}}
  - {{name: b, fields: {{evt.type: open, proc.name: vi, container.id: host}}, expect: {{silent: Shell}}}}
"""
    cases(text, coverage=coverage)
    shell = coverage.rules["Shell"]
    assert (shell.fired, shell.silent, shell.hooks) == (1, 1, {"user_known_shell": False})
    assert [(leaf.text, leaf.through, leaf.true, leaf.false) for leaf in shell.leaves] == [
        ("evt.type = execve", (), True, True),
        ("proc.name in (bash, sh)", (), True, True),
        ("container.id != host", ("container",), True, True),
    ]
    assert (coverage.rules["Write"].fired, coverage.rules["Write"].leaves) == (0, ())
    cases(
        f"cases: [{{name: a, fields: {SHELL}, macros: {{user_known_shell: evt.num > 0}}, expect: {{silent: Shell}}}}]",
        coverage=coverage,
    )
    assert shell.hooks == {"user_known_shell": True}


def test_coverage_of_lists_made_to_be_filled() -> None:
    rules = "- list: user_known_parents\n  items: []\n- rule: Shell\n  desc: d\n  condition: evt.type = execve and not proc.pname in (user_known_parents)\n  output: o\n  priority: INFO\n"
    coverage = Coverage()
    case = "cases: [{name: a, fields: {evt.type: execve, proc.pname: cron}, expect: {fires: Shell}}]"
    cases(case, rules=rules, coverage=coverage)
    assert coverage.rules["Shell"].hooks == {"user_known_parents": False}
    case = "cases: [{name: a, fields: {evt.type: execve, proc.pname: cron}, lists: {user_known_parents: [cron]}, expect: {silent: Shell}}]"
    cases(case, rules=rules, coverage=coverage)
    assert coverage.rules["Shell"].hooks == {"user_known_parents": True}


def test_a_case_written_from_an_event_passes() -> None:
    from falcokit.case.write import case_text, complete
    from falcokit.evaluate import Matcher
    from falcokit.ruleset.loader import load

    catalogue = Catalogue.bundled()
    compilation = load([SourceFile("rules.yaml", RULES)], catalogue).compilation
    assert compilation is not None
    matcher = Matcher(compilation.rules.values(), catalogue, runs=lambda rule: True)
    odd = {
        "proc.name": "bash",
        "proc.cmdline": "bash\n- rule: x\u2028 \" ' #\x07\udc80",
        "user.uid": 0,
        "no.field": "x",
        "proc.pname": None,
    }
    completed = complete(odd, compilation.rules["Shell"], matcher)
    assert completed.assumed == {"evt.type": "execve", "container.id": "other"}
    assert completed.missing == ()
    text = case_text("odd\nname: x", "f:1\nx: y", ("Shell",), completed, "syscall", catalogue, ("note\r\n  - name: y",))
    assert only("cases:\n" + text) == ()


AUDIT = b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","verb":"create","stageTimestamp":"2026-01-02T03:04:05Z","x":{"y":"z"}}\n'


def test_fields_of_audit_events_are_all_there_whatever_is_laid_over_them() -> None:
    rules = (
        RULES
        + "- rule: Value\n  desc: d\n  source: k8s_audit\n  condition: jevt.value[/x/y] = z\n  output: o\n  priority: INFO\n"
    )
    text = "cases:\n  - name: c\n    event: a.json\n    fields: {ka.user.name: eve}\n    expect: {fires: Value}\n"
    assert only(text, events={"a.json": AUDIT}, rules=rules) == ()
    assert (
        only(
            "cases: [{name: c, source: k8s_audit, fields: {'json.value[/x/y]': z}, expect: {fires: Value}}]",
            rules=rules,
        )
        == ()
    )


def test_no_rules_at_all() -> None:
    found, findings = cases(f"cases: [{{name: c, fields: {SHELL}, expect: {{silent: Shell}}}}]", rules=None)
    assert found == {}
    assert findings[0].message == "there are no rules to test"


def test_a_hostile_source_stays_in_its_comment() -> None:
    from falcokit.case.write import Completed, case_text

    source = "x\n    expect: {silent: Shell}\n  - name: second\n    #\x1b[2J\x00"
    text = case_text("c", "f:1", ("Shell",), Completed({"no.field": 1}, {}, ()), source, Catalogue.bundled())
    found, _ = cases("cases:\n" + text)
    assert list(found) == ["c"]
    assert "\x1b" not in text
    assert "\x00" not in text


def test_findings_of_one_case_are_bounded() -> None:
    found = only("cases: [{name: c, events: e.json, expect: {silent: Shell}}]", events={"e.json": WHOLE * 100})
    assert len(found) == 51
    assert found[-1].message.startswith("50 more events")


def test_what_a_text_alert_tells_for_certain_counts() -> None:
    events = {"t.txt": b"12:00:00.000000001: Error write /etc/passwd\n"}
    text = "cases:\n  - name: c\n    event: t.txt\n    fields: {evt.type: open, evt.is_open_write: true}\n    expect: {fires: Write}\n"
    assert only(text, events=events) == ()

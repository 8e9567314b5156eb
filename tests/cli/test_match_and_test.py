"""`falcokit match` and `falcokit test` as a user runs them."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

RULES = """\
- macro: user_known_shell
  condition: (proc.pname = cron)
- rule: Shell
  desc: d
  condition: evt.type = execve and proc.name in (bash, sh) and not user_known_shell
  output: shell %proc.name in %container.name
  priority: WARNING
  tags: [b, a]
- rule: Any start
  desc: d
  condition: evt.type = execve
  output: started %proc.name
  priority: INFO
- rule: Off
  desc: d
  condition: evt.type = open
  output: o
  priority: INFO
  enabled: false
- rule: Secret read
  desc: d
  source: k8s_audit
  condition: ka.verb = get and ka.target.resource = secrets
  output: secret %ka.target.name read by %ka.user.name
  priority: NOTICE
"""
SHELL = {"evt.type": "execve", "proc.name": "bash", "container.name": "web", "evt.time": 1767323045000000006}
AUDIT = {
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "verb": "get", "stageTimestamp": "2026-01-02T03:04:05Z",
    "user": {"username": "eve"}, "objectRef": {"resource": "secrets", "name": "db"},
}  # fmt: skip
ALERT = {
    "rule": "Shell",
    "output": "o",
    "priority": "Warning",
    "time": "2026-01-02T03:04:05Z",
    "output_fields": {"proc.name": "bash"},
}


def run(folder: Path, *arguments: str, stdin: str | bytes = b"", **variables: str) -> Any:
    """The process of a command in *folder*: returncode, stdout and stderr as text."""
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", *arguments],
        cwd=folder,
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": "", "COLUMNS": "80", **variables},
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_rules.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def lines(*documents: Any) -> str:
    return "".join([json.dumps(document) + "\n" for document in documents])


MATCH = ("match", "--no-defaults", "--rules", "my_rules.yaml")


def test_a_table(folder: Path) -> None:
    code, out, err = run(folder, *MATCH, stdin=lines(SHELL, {**SHELL, "proc.pname": "cron"}, {"evt.type": "open"}))
    assert code == 0
    assert out.splitlines() == [
        "EVENT                    TIME                VERDICT       RULE",
        "<stdin>:1                2026-01-02 03:04:05 fires         Shell",
        "<stdin>:2                2026-01-02 03:04:05 fires         Any start",
    ]
    assert err == "falcokit: 3 events read, rules fire on 2\n"


def test_all_rules_that_fire_and_those_that_are_off(folder: Path) -> None:
    _, out, _ = run(folder, *MATCH, "--rule-matching", "all", stdin=lines(SHELL))
    assert [line.split("fires")[1].strip() for line in out.splitlines()[1:]] == ["Shell", "Any start"]
    _, out, _ = run(folder, *MATCH, "--disabled", stdin=lines({"evt.type": "open"}))
    assert out.splitlines()[1].endswith("Off")
    _, out, _ = run(folder, *MATCH, "--rule", "O*", stdin=lines({"evt.type": "open"}, SHELL))
    assert len(out.splitlines()) == 2


def test_alerts_as_falco_writes_them(folder: Path) -> None:
    code, out, _ = run(folder, *MATCH, "--format", "json", stdin=lines(SHELL, AUDIT))
    assert code == 0
    first, second = [json.loads(line) for line in out.splitlines()]
    assert list(first) == ["hostname", "output", "output_fields", "priority", "rule", "source", "tags", "time"]
    assert first["output"] == "03:04:05.000000006: Warning shell bash in web"
    assert first["output_fields"] == {"evt.time": 1767323045000000006, "proc.name": "bash", "container.name": "web"}
    assert (first["tags"], first["time"]) == (["a", "b"], "2026-01-02T03:04:05.000000006Z")
    assert (second["rule"], second["source"]) == ("Secret read", "k8s_audit")
    assert second["output"].endswith("Notice secret db read by eve")
    # What it writes it reads.
    code, out, _ = run(folder, *MATCH, "--format", "json", stdin=out)
    assert code == 0


def test_why(folder: Path) -> None:
    _, out, _ = run(folder, *MATCH, "--explain", stdin=lines(SHELL))
    assert '    `proc.name in (bash, sh)` holds: `proc.name` is "bash"' in out
    assert "      at my_rules.yaml:5:36\n" in out
    assert "      at my_rules.yaml:2:15 (macro user_known_shell)\n" in out


def test_an_alert_tells_what_becomes_of_its_rule(folder: Path) -> None:
    partial = {**ALERT, "output_fields": {"proc.name": "bash", "proc.pname": "sshd"}}
    gone = {**ALERT, "output_fields": {"proc.name": "bash", "proc.pname": "cron"}}
    sure = {**ALERT, "output_fields": {"proc.name": "bash", "proc.pname": None, "evt.type": "execve"}}
    _, out, err = run(folder, *MATCH, stdin=lines(partial, gone, sure))
    rows = out.splitlines()
    assert "may fire      Shell" in rows[1]
    assert rows[2] == "    would be decided by: evt.type"
    assert "does not fire Shell" in rows[3]
    assert "fires         Shell" in rows[4]
    assert "1 not decided by the fields they tell" in err
    _, out, _ = run(folder, *MATCH, "--maybe", stdin=lines(partial))
    assert [line.split("may fire")[1].strip() for line in out.splitlines() if "may fire" in line] == [
        "Shell",
        "Any start",
    ]
    _, out, _ = run(folder, *MATCH, "--fields-are", "complete", stdin=lines(partial))
    assert out == ""


def test_files_damaged_places_and_gzip(folder: Path) -> None:
    (folder / "a.json").write_text(lines(SHELL) + "garbage\n" + lines(SHELL), encoding="utf-8")
    (folder / "b.json.gz").write_bytes(gzip.compress(lines(SHELL).encode()))
    code, out, err = run(folder, *MATCH, "a.json", "b.json.gz")
    assert code == 1
    assert [row.split()[0] for row in out.splitlines()[1:]] == ["a.json:1", "a.json:3", "b.json.gz:1"]
    assert "falcokit: a.json:2: neither JSON nor an alert\n" in err
    assert "3 events read, rules fire on 3, 1 skipped" in err


def test_a_value_of_the_wrong_type_is_told_once(folder: Path) -> None:
    _, _, err = run(folder, *MATCH, stdin=lines({**SHELL, "proc.name": 7}, {**SHELL, "proc.name": 8}))
    assert err.count("`proc.name` is of type CHARBUF and 7 is none: it counts as missing") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*MATCH, "missing.json"), "cannot read missing.json: there is no such file"),
        ((*MATCH, "."), "cannot read .: it is a directory"),
        ((*MATCH, "-", "-"), "standard input can be read once"),
        ((*MATCH, "--rule", "Shel", "my_rules.yaml"), "no rule 'Shel' is loaded: did you mean 'Shell'?"),
        (("match", "--no-defaults", "--rules", "no.yaml"), "cannot read no.yaml"),
        (("match", "--no-defaults"), "no rules files found"),
        (("test", "missing"), "cannot read missing"),
        (("test", "."), "no test files found"),
        (("test", "--new-from-event", "missing"), "cannot read missing"),
    ],
)
def test_wrong_calls(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run(folder, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_rules_that_falco_refuses(folder: Path) -> None:
    (folder / "my_rules.yaml").write_text(RULES.replace("proc.name in", "proc.nme in"), encoding="utf-8")
    code, out, _ = run(folder, *MATCH, stdin=lines(SHELL))
    assert code == 1
    assert "there is no field `proc.nme`" in out
    assert "Falco would not load these rules" in out


CASES = """\
defaults: false
cases:
  - name: a shell
    fields: {evt.type: execve, proc.name: bash}
    expect: {fires: Shell}
  - name: cron
    fields: {evt.type: execve, proc.name: bash, proc.pname: cron}
    expect: {fires: Shell}
"""


def test_test_tells_what_failed_and_why(folder: Path) -> None:
    (folder / "my_rules_test.yaml").write_text(CASES, encoding="utf-8")
    code, out, err = run(folder, "test", "--junit", "report.xml")
    assert (code, err) == (1, "")
    assert "case cron" in out
    assert "error[FK041 test-mismatch] `Shell` does not fire" in out
    assert '`proc.pname = cron` holds: `proc.pname` is "cron": ./my_rules.yaml:2:15' in out
    assert "1 passed, 1 failed" in out
    root = ET.parse(folder / "report.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "0")
    assert [case.get("name") for case in root.iter("testcase")] == ["a shell", "cron"]
    code, out, _ = run(folder, "test", "--case", "shell", "--coverage")
    assert code == 0
    assert "hook never held: user_known_shell" in out
    assert "never false: evt.type = execve at ./my_rules.yaml:5:14" in out
    assert "no case is about: Any start, Secret read" in out
    code, out, _ = run(folder, "test", "--format", "json")
    report = json.loads(out)
    assert (code, report["summary"]) == (1, {"cases": 2, "failed": 1, "files_not_run": 0})


def test_a_case_from_an_event_can_be_run(folder: Path) -> None:
    (folder / "alert.json").write_text(lines(ALERT), encoding="utf-8")
    code, out, _ = run(folder, "test", "--new-from-event", "alert.json", "--no-defaults", "--rules", "my_rules.yaml")
    assert code == 0
    assert 'evt.type: "execve"  # assumed: the event does not tell it' in out
    (folder / "new_test.yaml").write_text(out, encoding="utf-8")
    code, out, err = run(folder, "test", "new_test.yaml", "--no-defaults")
    assert (code, err) == (0, ""), out


def test_watching_runs_again_when_a_file_changes(folder: Path) -> None:
    (folder / "my_rules_test.yaml").write_text(CASES, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "falcokit", "test", "--watch", "--case", "cron"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "failed" in line:
                break
        # A watcher that begins to look only now sees the next of these.
        number = 0
        os.set_blocking(process.stdout.fileno(), False)
        import select

        while not select.select([process.stdout], [], [], 0.3)[0]:
            number += 1
            (folder / "my_rules_test.yaml").write_text(
                CASES.replace("{fires: Shell}", "{silent: Shell}") + f"# {number}\n", encoding="utf-8"
            )
            assert number < 100
        os.set_blocking(process.stdout.fileno(), True)
        assert "1 passed" in process.stdout.readline()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo terminals")
def test_a_bar_on_a_terminal_that_nothing_else_is_printed_to(folder: Path) -> None:
    (folder / "long.json").write_text(lines({"evt.type": "read", "proc.name": "x" * 500}) * 10_000, encoding="utf-8")
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "falcokit", *MATCH, "long.json"]
    with open(folder / "out.txt", "wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux ends a terminal whose other side is closed so.
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait() == 0
    assert b"100%" in shown
    assert b"10000 events read" in shown
    assert (folder / "out.txt").read_bytes() == b""


def test_a_report_takes_no_other_files_place(folder: Path) -> None:
    (folder / "my_rules_test.yaml").write_text(CASES, encoding="utf-8")
    code, _, err = run(folder, "test", "--junit", "my_rules_test.yaml")
    assert code == 2
    assert "is there already and is no report" in err
    assert (folder / "my_rules_test.yaml").read_text(encoding="utf-8") == CASES
    assert run(folder, "test", "--junit", "report.xml")[0] == 1
    assert run(folder, "test", "--junit", "report.xml")[0] == 1
    assert run(folder, "test", "--junit", "/dev/null")[0] == 1
    assert not os.path.isfile("/dev/null")


def test_an_endless_stream_ends_when_nobody_reads_on(folder: Path) -> None:
    (folder / "stream.py").write_text(
        "import sys\nline = sys.argv[1] + chr(10)\ntry:\n    while True:\n        sys.stdout.write(line * 1000)\nexcept BrokenPipeError:\n    pass\n",
        encoding="utf-8",
    )
    command = f"'{sys.executable}' stream.py '{json.dumps(SHELL)}' | '{sys.executable}' -m falcokit {' '.join(MATCH)} 2>/dev/null | head -1"
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("EVENT")


def test_colours_are_only_ours(folder: Path) -> None:
    (folder / "my_rules.yaml").write_text(RULES.replace("rule: Shell", 'rule: "Shell \\e[31m"'), encoding="utf-8")
    _, out, _ = run(folder, *MATCH, "--color", "always", "--explain", stdin=lines({**SHELL, "proc.cmdline": "\x1b[2J"}))
    assert out.count("\x1b") == 2
    assert "\x1b[31mfires\x1b[0m" in out


def test_a_case_made_up_for_a_rule_can_be_run(folder: Path) -> None:
    names = [word for name in ("Shell", "Off", "Secret read") for word in ("--new-from-rule", name)]
    code, out, _ = run(folder, "test", *names, "--no-defaults", "--rules", "my_rules.yaml")
    assert code == 0
    (folder / "new_test.yaml").write_text(out, encoding="utf-8")
    code, out, _ = run(folder, "test", "new_test.yaml", "--no-defaults")
    assert (code, out.split(";")[0]) == (0, "3 passed")
    code, _, err = run(folder, "test", "--new-from-rule", "Shel", "--no-defaults", "--rules", "my_rules.yaml")
    assert (code, "did you mean 'Shell'?" in err) == (2, True)

"""`falcokit forward add`, `list`, `edit`, `enable`, `disable`, `remove` as a user runs them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "falcokit", "forward"]
SECRET = "s3cr3t-0123456789"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_STATE_HOME": str(tmp_path / "state"), "HEC_TOKEN": SECRET, **environment},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def file_of(tmp_path: Path) -> Path:
    return tmp_path / "config" / "falcokit" / "integrations.json"


def kept(tmp_path: Path) -> list[dict[str, Any]]:
    found = json.loads(file_of(tmp_path).read_text(encoding="utf-8"))
    assert found["version"] == 1
    integrations = found["integrations"]
    assert isinstance(integrations, list)
    return integrations


def test_added_listed_changed_removed(tmp_path: Path, run: Run) -> None:
    code, out, err = run("list")
    assert (code, err) == (0, "")
    assert out == f"no integrations in {file_of(tmp_path)}: falcokit forward add makes one\n"
    code, out, err = run("add", "siem", "syslog", "logs.example.com", "--transport", "tls", "--facility", "local3", "--label", "agent.tag.location=europe")  # fmt: skip
    assert (code, out, err) == (0, "", "falcokit: added: siem: syslog over TLS to logs.example.com\n")
    code, _, err = run("add", "hec", "splunk", "https://splunk.example.com:8088", "--token", "env:HEC_TOKEN", "--index", "main", "--filter", "k8s.ns.name = prod", "--include", "container.label.*", "--rate", "100", "--disabled")  # fmt: skip
    assert (code, err) == (0, "falcokit: added: hec: splunk to https://splunk.example.com:8088\n")
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600
    assert file_of(tmp_path).parent.stat().st_mode & 0o777 == 0o700
    code, out, err = run("list")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "on   siem: syslog over TLS to logs.example.com",
        "     facility local3",
        "     labels: agent.tag.location=europe",
        "off  hec: splunk to https://splunk.example.com:8088",
        "     index main, token from env:HEC_TOKEN",
        "     with labels: container.label.*",
        "     only where: k8s.ns.name = prod",
        "     at most 100 a second",
    ]
    code, _, err = run("edit", "hec", "--unset", "filter", "--unset", "rate", "--index", "other", "--rename", "splunk", "--no-verify", "--label", "a=b")  # fmt: skip
    assert code == 0
    assert (
        err
        == "falcokit: changed: splunk: splunk to https://splunk.example.com:8088\nfalcokit: note: the receiver's certificate is not checked: anyone on the way can read and change events\n"
    )
    assert kept(tmp_path)[1] == {
        "name": "splunk", "kind": "splunk", "target": "https://splunk.example.com:8088", "enabled": False, "options": {"index": "other", "verify": False},
        "event_labels": {"include": ["container.label.*"]}, "labels": {"a": "b"}, "secrets": {"token": "env:HEC_TOKEN"},
    }  # fmt: skip
    assert run("enable", "splunk", "siem")[::2] == (0, "falcokit: splunk is on\nfalcokit: siem is on already\n")
    assert run("disable", "siem")[::2] == (0, "falcokit: siem is off\n")
    assert [one["enabled"] for one in kept(tmp_path)] == [False, True]
    code, out, _ = run("list", "--format", "json")
    assert code == 0
    assert json.loads(out) == {"path": str(file_of(tmp_path)), "integrations": kept(tmp_path)}
    assert run("remove", "siem", "--yes")[::2] == (0, "falcokit: removed: siem\n")
    assert [one["name"] for one in kept(tmp_path)] == ["splunk"]
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600


def test_no_secret_is_written_or_told(tmp_path: Path, run: Run) -> None:
    said = [
        run("add", "a", "splunk", "https://h:8088", "--token", SECRET),
        run("add", "a", "splunk", f"https://user:{SECRET}@h:8088", "--token", "env:HEC_TOKEN"),
        run("add", "a", "splunk", "https://h:8088", "--token", "env:HEC_TOKEN"),
        run("add", "hook", "webhook", f"https://h/x?key={SECRET}", "--signing-key", "file:key"),
        run("edit", "a", "--token", f"file{SECRET}"),
        run("list"),
        run("list", "--format", "json"),
    ]
    assert [code for code, _, _ in said] == [2, 2, 0, 0, 2, 0, 0]
    assert not any(SECRET in text for _, *texts in said for text in texts)
    assert said[0][2] == "falcokit: --token must say where the secret is, not what it is: `env:NAME` or `file:/path`; if that was a secret, it is in the history of your shell now: replace it\n"  # fmt: skip
    assert kept(tmp_path)[0]["secrets"] == {"token": "env:HEC_TOKEN"}
    assert kept(tmp_path)[1]["secrets"] == {"signing_key": f"file:{tmp_path / 'key'}"}
    assert "https://h/..." in said[5][1]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o660])
def test_a_file_that_others_can_open_is_refused(tmp_path: Path, run: Run, mode: int) -> None:
    assert run("add", "a", "file", "-")[0] == 0
    file_of(tmp_path).chmod(mode)
    before = file_of(tmp_path).read_bytes()
    for arguments in (("list",), ("disable", "a"), ("remove", "a", "--yes"), ("add", "b", "file", "-")):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err == f"falcokit: {file_of(tmp_path)} is open to others (mode {mode:04o}): run chmod 600 on it first\n"
    assert file_of(tmp_path).read_bytes() == before
    file_of(tmp_path).chmod(0o600)
    assert run("list")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "b", "sylog", "h"], "KIND must be one of syslog, splunk, elastic, webhook, file, otlp; did you mean `syslog`?"),
        (["add", "b", "syslog", "http://h"], "TARGET must be an address: `host`, `host:port` or `[ipv6]:port`"),
        (["add", "b", "syslog", "h", "--facility", "lcal3"], "did you mean `local3`?"),
        (["add", "b", "syslog", "h", "--index", "x"], "--index is no option of syslog: leave it out"),
        (["add", "b", "syslog", "h", "--transport", "tcpp", "--max-size", "3"], "--transport must be one of udp, tcp, tls; did you mean `tcp`?; --max-size must be 0, or at least 480"),
        (["add", "b", "splunk", "https://h"], "--token is missing: say where it is with `env:NAME` or `file:/path`"),
        (["add", "b", "syslog", "h", "--filter", "proc.nme = x"], "--filter is no condition: there is no field `proc.nme`"),
        (["add", "b", "syslog", "h", "--label", "x"], "`x` is no label: write --label KEY=VALUE, such as --label agent.tag.location=europe"),
        (["add", "b\x1b[31m", "syslog", "h"], "NAME must be a text of up to 64"),
        (["add", "siem", "syslog", "h"], "there is an integration siem already: edit it, or take another name"),
        (["edit", "seim", "--bom"], "there is no integration seim: did you mean siem?"),
        (["edit", "siem", "--unset", "facilty"], "there is nothing called facilty to unset: did you mean facility?"),
        (["edit", "siem", "--ack"], "--ack is no option of syslog: leave it out"),
        (["enable", "siem", "x"], "there is no integration x: there are siem"),
        (["remove", "siem"], "siem is not removed: there is nobody to ask; say --yes"),
        (["list", "--config", "/"], "cannot read /: it is no plain file"),
        (["list", "--config", "/none/x"], "cannot read /none/x: there is no such file"),
    ],
)  # fmt: skip
def test_wrong_input_is_told_in_one_line_and_changes_nothing(tmp_path: Path, run: Run, arguments: list[str], said: str) -> None:  # fmt: skip
    assert run("add", "siem", "syslog", "h", "--transport", "tcp")[0] == 0
    before = file_of(tmp_path).read_bytes()
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("falcokit: ")
    assert said in err
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert file_of(tmp_path).read_bytes() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is no JSON at line 1, column 1: mend it"),
        ("[" * 100_000, "is no JSON"),
        ("[]", 'it must be {"version": 1, "integrations": [...]}'),
        ('{"version": 1, "integrations": [{"name": "x", "name": "y", "kind": "file", "target": "-"}]}', 'has "name" twice in one object: mend it'),
        ('{"version": 2, "integrations": []}', "it must be"),
        ('{"version": 1, "integrations": [5, {"name": "x", "kind": "file", "target": "-"}, {"name": "x", "kind": "file", "target": "-"}]}',
         'integration 1: an integration is an object with "name", "kind" and "target"; x: there are two of that name: give one of them another'),
        ('{"version": 1, "integrations": [{"name": "x", "kind": "splunk", "target": "https://h", "secrets": {"token": "s3cr3t-0123456789"}}]}',
         "x: `secrets.token` must say where the secret is, not what it is: `env:NAME` or `file:/path`"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_and_left_alone(tmp_path: Path, run: Run, content: str, said: str) -> None:
    file_of(tmp_path).parent.mkdir(parents=True)
    file_of(tmp_path).write_text(content, encoding="utf-8")
    file_of(tmp_path).chmod(0o600)
    for arguments in (("list",), ("add", "b", "file", "-")):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1
        assert SECRET not in err
    assert file_of(tmp_path).read_text(encoding="utf-8") == content


def _asked(tmp_path: Path, answer: bytes) -> int:
    """The exit code of `remove siem` on a terminal where *answer* is typed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "remove", "siem"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(tmp_path / "config")},
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(ours, 1000)
    assert b"Remove siem: syslog over UDP to h?" in said
    os.write(ours, answer)
    code = process.wait()
    os.close(ours)
    return code


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1), (b"\x04", 1)])
def test_removal_asks(tmp_path: Path, run: Run, answer: bytes, code: int) -> None:
    assert run("add", "siem", "syslog", "h")[0] == 0
    assert _asked(tmp_path, answer) == code
    assert [one["name"] for one in kept(tmp_path)] == ([] if code == 0 else ["siem"])


def test_many_at_once_lose_nothing(tmp_path: Path, run: Run) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = [*pool.map(lambda number: run("add", f"n{number}", "file", f"out{number}.json"), range(8))]
    assert [code for code, _, _ in done] == [0] * 8
    assert {one["name"]: one["target"] for one in kept(tmp_path)} == {f"n{number}": str(tmp_path / f"out{number}.json") for number in range(8)}  # fmt: skip


def test_a_file_of_ones_own(tmp_path: Path, run: Run) -> None:
    (tmp_path / "real.json").write_text('{"version": 1, "integrations": []}', encoding="utf-8")
    (tmp_path / "real.json").chmod(0o600)
    (tmp_path / "link.json").symlink_to("real.json")
    assert run("add", "a", "file", "-", "--config", "link.json")[0] == 0
    assert (tmp_path / "link.json").is_symlink()
    assert run("list", "--config", "real.json")[1] == "on   a: file to -\n"
    assert not file_of(tmp_path).exists()
    code, _, err = run("list", XDG_CONFIG_HOME="relative")
    assert (code, err) == (2, "falcokit: there is no folder to keep integrations in: set XDG_CONFIG_HOME to an absolute path\n")  # fmt: skip


def spooled(tmp_path: Path, name: str) -> Path:
    """What a run would leave of the integration *name*."""
    folder = tmp_path / "state" / "falcokit" / "forward" / name
    (folder / "spool").mkdir(parents=True)
    (folder / "spool" / f"{1:016}.events").write_text('{"rule": "A"}\n', encoding="utf-8")
    (folder / "position.json").write_text('{"version": 1, "places": {}}', encoding="utf-8")
    return folder


def test_what_waits_for_an_integration_moves_with_its_name(tmp_path: Path, run: Run) -> None:
    run("add", "dead", "webhook", "https://a.example")
    folder = spooled(tmp_path, "dead")
    assert run("edit", "dead", "--rename", "alive")[0] == 0
    assert not folder.exists()
    assert (folder.parent / "alive" / "spool" / f"{1:016}.events").exists()


def test_a_new_integration_does_not_get_what_is_left_from_another_one(tmp_path: Path, run: Run) -> None:
    folder = spooled(tmp_path, "dead")
    code, _, err = run("add", "dead", "webhook", "https://b.example")
    assert (code, err) == (2, f"falcokit: {folder} is left from another integration dead, 14 bytes of events wait for it: remove it, or take another name\n")  # fmt: skip
    run("add", "other", "webhook", "https://b.example")
    code, _, err = run("edit", "other", "--rename", "dead")
    assert (code, err) == (2, f"falcokit: {folder} is left from an integration of that name: remove it, or take another name\n")  # fmt: skip
    assert [one["name"] for one in kept(tmp_path)] == ["other"]


def test_what_waits_for_an_integration_goes_with_it(tmp_path: Path, run: Run) -> None:
    run("add", "dead", "webhook", "https://a.example")
    folder = spooled(tmp_path, "dead")
    assert run("remove", "dead", "--yes") == (0, "", "falcokit: removed: dead, 14 bytes of events waited for it\n")
    assert not folder.exists()
    assert run("add", "dead", "webhook", "https://b.example")[0] == 0


def test_the_name_stays_while_a_run_goes_on(tmp_path: Path, run: Run) -> None:
    run("add", "out", "file", "out.json")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_STATE_HOME": str(tmp_path / "state")}  # fmt: skip
    with subprocess.Popen([*COMMAND, "run", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment, text=True) as going:  # fmt: skip
        assert going.stdin is not None
        assert going.stderr is not None
        assert "forwarding - to out" in going.stderr.readline()
        said = run("edit", "out", "--rename", "other")
        assert said == (2, "", "falcokit: out is in use: end `falcokit forward run` first, then rename it\n")
        assert "stays, because a run goes on with it" in run("remove", "out", "--yes")[2]
        going.stdin.close()
        assert going.wait(timeout=60) == 0


def test_what_goes_with_tls_is_refused_without(run: Run) -> None:
    for options, how in (
        (("syslog", "h", "--transport", "tcp", "--ca", "/ca.pem"), "`transport` `tls`"),
        (("syslog", "h", "--no-verify"), "`transport` `tls`"),
        (("webhook", "http://h", "--client-cert", "/c.pem"), "`https://`"),
    ):
        code, _, err = run("add", "x", *options)
        assert (code, f"goes with {how} only: nothing else is encrypted" in err) == (2, True), err


def test_a_webhook_can_be_a_secret_as_a_whole(tmp_path: Path, run: Run) -> None:
    code, _, err = run("add", "chat", "webhook", "https://hooks.example/services/T0/SECRETPATH?x=1")
    assert (code, err) == (0, "falcokit: added: chat: webhook to https://hooks.example/...\n")
    for form in ("text", "json"):
        assert "SECRETPATH" not in run("list", "--format", form)[1]
    assert run("edit", "chat", "--target", "env:HOOK")[2] == "falcokit: changed: chat: webhook to env:HOOK\n"
    code, _, err = run("test", "chat", HOOK="ftp://hooks.example/SECRETPATH")
    assert (code, err) == (2, "falcokit: chat: what is in env:HOOK must be a URL: `https://host:port`\n")
    code, _, err = run("test", "chat", HOOK="http://127.0.0.1:9/SECRETPATH")
    assert (code, "SECRETPATH" in err, "127.0.0.1" in err) == (1, False, True)


def test_a_secret_that_others_can_replace_is_none(tmp_path: Path, run: Run) -> None:
    token = tmp_path / "token"
    token.write_text(SECRET, encoding="utf-8")
    for mode in (0o666, 0o644, 0o620, 0o604):
        token.chmod(mode)
        told = f"{token} is open to others (mode {mode:04o}): run chmod 600 on it first\n"
        assert run("add", f"hec{mode}", "splunk", "http://127.0.0.1:9", "--token", f"file:{token}")[2].endswith(told)
        code, _, err = run("test", f"hec{mode}")
        assert (code, err.endswith(told)) == (1, True), err
    token.chmod(0o640)  # As services are given what belongs to root.
    assert "connection refused" in run("test", f"hec{mode}")[2]


def test_a_folder_in_which_others_can_replace_the_file_is_refused(tmp_path: Path, run: Run) -> None:
    assert run("add", "a", "file", "-")[0] == 0
    folder = file_of(tmp_path).parent
    for mode in (0o777, 0o770):
        folder.chmod(mode)
        for arguments in (("list",), ("add", "b", "file", "-")):
            code, _, err = run(*arguments)
            assert (code, err) == (2, f"falcokit: others can replace what is in {folder} (mode {mode:04o}): run chmod go-w on it first\n")  # fmt: skip
    folder.chmod(0o1777)
    assert run("list")[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_and_folders_of_others_are_refused(tmp_path: Path, run: Run) -> None:
    token = tmp_path / "token"
    token.write_text(SECRET, encoding="utf-8")
    token.chmod(0o600)
    run("add", "hec", "splunk", "http://127.0.0.1:9", "--token", f"file:{token}")
    os.chown(token, 1000, 1000)
    assert f"{token} belongs to another user" in run("test", "hec")[2]
    for path in (file_of(tmp_path), file_of(tmp_path).parent):
        os.chown(path, 1000, 1000)
        assert run("list") == (2, "", f"falcokit: {path} belongs to another user: who owns it says where events go\n")


def test_a_key_that_is_none_is_told(tmp_path: Path, run: Run) -> None:
    run("add", "hook", "webhook", "http://127.0.0.1:9", "--signing-key", "env:HOOK_KEY")
    for key, told in (("whsec_!!!", "is no Base64 behind `whsec_`"), ("whsec_", "has nothing behind `whsec_`")):
        code, _, err = run("test", "hook", HOOK_KEY=key)
        assert (code, f"what env:HOOK_KEY has {told}" in err) == (1, True), err


def test_what_is_not_there_yet_is_told(tmp_path: Path, run: Run) -> None:
    code, _, err = run("add", "a", "splunk", "https://h", "--token", "file:/nowhere/token", "--ca", "/nowhere/ca.pem")
    assert code == 0
    assert err.splitlines()[1:] == [
        "falcokit: note: there is no file /nowhere/ca.pem for its ca",
        "falcokit: note: cannot read /nowhere/token for its token: no such file or directory",
    ]
    assert "note: there is no folder /nowhere to write into" in run("add", "b", "file", "/nowhere/x")[2]
    assert run("add", "c", "file", str(tmp_path)) == (2, "", f"falcokit: {tmp_path} is a folder: name a file in it\n")


def test_names_differ_in_more_than_the_case_of_letters(run: Run) -> None:
    run("add", "Events to Splunk", "file", "/x")
    for arguments in (("add", "EVENTS TO SPLUNK", "file", "/y"), ("add", "events to splunk", "file", "/y")):
        code, _, err = run(*arguments)
        assert (code, "there is an integration Events to Splunk already" in err) == (2, True)
    assert run("edit", "Events to Splunk", "--rename", "events to splunk")[0] == 0


def test_one_label_can_be_taken_back(tmp_path: Path, run: Run) -> None:
    err = run(
        "add", "a", "file", "/x", "--label", "agent.tag.place=x", "--label", "team=y", "--label", "process.name=z"
    )[2]
    assert err.endswith("falcokit: note: the label process.name takes the place of what events say of theirs\n")
    assert run("edit", "a", "--unset", "labels.agent.tag.place", "--unset", "labels.process.name")[0] == 0
    assert kept(tmp_path)[0]["labels"] == {"team": "y"}
    assert run("edit", "a", "--unset", "labels.none")[0] == 2


def test_a_list_that_is_none_is_told(run: Run) -> None:
    _, _, err = run("add", "a", "file", "/x", "--filter", 'proc.name in (shell_binaries, bash, "own_list")')
    assert err.splitlines()[1:] == ["falcokit: note: `shell_binaries` in its filter is taken for a value: lists of rules are not known here"]  # fmt: skip


def test_a_filter_that_lets_nothing_through_is_told(tmp_path: Path, run: Run) -> None:
    run("add", "a", "file", "out.json", "--filter", "k8s.ns.name != kube-system")
    run("add", "b", "file", "all.json")
    alert = {"rule": "A", "output": "x", "time": "2026-11-28T10:00:00Z", "output_fields": {"proc.name": "bash"}}
    (tmp_path / "events.json").write_text(f"{json.dumps(alert)}\n" * 30, encoding="utf-8")
    told = "not one event was let through by --filter, --rules and --priority: are they as they are meant?\n"
    code, out, err = run("run", "events.json", "--once")
    assert (code, out) == (0, "a: 30 read, 0 sent, 30 filtered\nb: 30 read, 30 sent\n")
    assert err.count(told) == 1
    assert f"falcokit: a: {told}" in err
    code, out, _ = run("status")
    assert (code, out.count(told)) == (0, 1)


def test_so_many_of_one_form_go_in_a_time(tmp_path: Path, run: Run) -> None:
    run("add", "a", "file", "out.json", "--dedup", "60", "--burst", "2")
    assert "     each form 2 times in 60 s\n" in run("list")[1]
    alerts = [
        {"rule": rule, "output": rule, "time": f"2026-11-28T10:0{minute}:0{second}Z", "output_fields": {}}
        for rule in ("A", "B")
        for minute in range(2)
        for second in range(4)
    ]
    (tmp_path / "events.json").write_text("".join(f"{json.dumps(one)}\n" for one in alerts), encoding="utf-8")
    assert run("run", "events.json", "--once")[1] == "a: 16 read, 8 sent, 8 repeated\n"


def test_a_filter_is_no_place_for_rules(run: Run) -> None:
    for text in ("rule = x", "evt.rule = x", "falco.priority = warning", "priority in (error)", "priority >= error", "not rule startswith x"):  # fmt: skip
        code, _, err = run("add", "x", "file", "/x", "--filter", text)
        assert (code, "are chosen with --rules and --priority" in err) == (2, True), err

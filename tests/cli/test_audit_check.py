"""`falcokit audit check`, `send` and `receive` as a user types them, rightly and wrongly; what is sent over the wire is in tests/receive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from falcokit.audit.samples import SAMPLES

ROOT = Path(__file__).parents[2]
WEBHOOK = """\
apiVersion: v1
kind: Config
clusters:
- name: falco
  cluster: {server: "http://10.96.0.44:9765/k8s-audit"}
contexts:
- {name: main, context: {cluster: falco, user: ""}}
current-context: main
"""
FALCO = """\
plugins:
- {name: k8saudit, library_path: libk8saudit.so, open_params: "http://:9765/k8s-audit"}
- {name: json, library_path: libjson.so}
load_plugins: [k8saudit, json]
"""


def run(folder: Path, *arguments: str, input: str = "", **more: str) -> tuple[int, str, str]:
    environment = {**os.environ, "COLUMNS": "80", "XDG_DATA_HOME": str(folder / "data"), **more}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", *arguments], cwd=folder, env=environment, input=input, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "webhook-config.yaml").write_text(WEBHOOK)
    (tmp_path / "falco.yaml").write_text(FALCO)
    return tmp_path


def test_files_that_fit(files: Path) -> None:
    code, out, err = run(files, "audit", "check", "webhook-config.yaml", "falco.yaml")
    assert (code, err) == (0, "")
    assert out.endswith("not given, so not checked: audit policy, flags of the API server\neverything fits together\n")


def test_files_that_do_not_fit_and_what_to_write(files: Path) -> None:
    (files / "falco.yaml").write_text(FALCO.replace(", json]", "]").replace("/k8s-audit", "/k8s_audit"))
    code, out, err = run(files, "audit", "check", "webhook-config.yaml", "falco.yaml")
    assert (code, err) == (1, "")
    assert (
        "falco.yaml:4:15: error[load-plugins]\n    `load_plugins` leaves out json, so Falco does not load it\n"
        "    = write: load_plugins: [k8saudit, json]\n"
    ) in out
    assert (
        "webhook-config.yaml:5:21: error[path]\n    the path is `/k8s-audit`, but open_params listens on `/k8s_audit`: mind\n"
        "    hyphen and underscore\n    = write: server: http://10.96.0.44:9765/k8s_audit\n"
    ) in out
    assert all(len(line) <= 80 for line in out.splitlines())


@pytest.mark.parametrize(
    "platform",
    ["kubeadm", "kind", "minikube", "native-1.12", "native-1.13", "openshift-3.11", "openshift-4.3", "minishift-3.11"],
)
@pytest.mark.parametrize("target", ["falco", "sysdig"])
def test_folders_as_they_are_made_fit(files: Path, platform: str, target: str) -> None:
    made = run(files, "audit", "init", platform, "--address", "10.96.0.50", "--target", target, "-o", "made")
    assert made[0] == 0
    names = sorted(str(path) for path in (files / "made").rglob("*.yaml"))
    code, out, err = run(files, "audit", "check", "--target", target, *names)
    assert (code, err) == (0, ""), out


def test_the_target_decides_on_port_and_path(files: Path) -> None:
    code, out, _ = run(files, "audit", "check", "webhook-config.yaml", "--target", "sysdig", "--format", "json")
    found = json.loads(out)
    assert code == 1
    assert found["target"] == {"name": "sysdig", "port": 7765, "path": "/k8s_audit"}
    assert [(one["kind"], one["severity"], one["place"]["line"]) for one in found["findings"]] == [
        ("port", "error", 5),
        ("path", "error", 5),
    ]
    assert {one["write"] for one in found["findings"]} == {"server: http://10.96.0.44:7765/k8s_audit"}


def test_standard_input_and_what_is_no_piece(files: Path) -> None:
    assert run(files, "audit", "check", "-", input=WEBHOOK)[0] == 0
    code, out, _ = run(files, "audit", "check", "-", input="- rule: no piece\n")
    assert (code, "<stdin>:1:1: warning[unknown-file]" in out) == (1, True)
    code, out, _ = run(files, "audit", "check", "-", input="\x1b[2J: [")
    assert (code, "error[yaml]" in out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "missing.yaml"], "cannot read missing.yaml"),
        (["check", "falco.yaml", "--kubernetes", "new"], "--kubernetes takes a version such as 1.34"),
        (["check", "-", "-"], "standard input can be read once"),
        (["send", "http://127.0.0.1:1/"], "give names of samples, --all, or --file"),
        (["send", "http://127.0.0.1:1/", "exex"], "there is no sample 'exex': did you mean 'exec'?"),
        (["send", "http://127.0.0.1:1/", "exec", "--all"], "give either names of samples or --all"),
        (["send", "http://127.0.0.1:1/", "--all", "--file", "x"], "give either samples or --file"),
        (["send", "http://127.0.0.1:1/", "--file", "missing"], "cannot read missing"),
        (["send", "http://127.0.0.1:1/", "--file", "webhook-config.yaml"], "there is no audit event in webhook-config.yaml"),
        (["send", "--all"], "give the URL to send to"),
        (["send", "127.0.0.1:9765/k8s-audit", "exec"], "the URL has to begin with http:// or https://"),
        (["send", "http://name:hidden@127.0.0.1/", "exec"], "names and passwords do not belong into a URL"),
        (["send", "http://[::1/", "exec"], "this is no URL"),
        (["send", "http://127.0.0.1/a b", "exec"], "has to be escaped"),
        (["send", "http://127.0.0.1:1/", "exec", "--ca", "webhook-config.yaml"], "certificates are for https://"),
        (["send", "https://127.0.0.1:1/", "exec", "--ca", "webhook-config.yaml"], "it has no certificate"),
        (["send", "https://127.0.0.1:1/", "exec", "--ca", "missing"], "cannot use missing: no such file or directory"),
        (["send", "https://127.0.0.1:1/", "exec", "--key", "k"], "--key needs a --cert"),
        (["receive", "--listen", "nowhere"], "--listen takes HOST:PORT"),
        (["receive", "--listen", "0.0.0.0:0"], "others can reach 0.0.0.0: give a token"),
        (["receive", "--path", "k8s-audit"], "--path begins with /"),
        (["receive", "--keep", "all"], "give one with --store"),
        (["receive", "--cert", "webhook-config.yaml"], "cannot use webhook-config.yaml"),
        (["receive", "--key", "k"], "--key needs a --cert"),
        (["receive", "--no-defaults", "--rules", "syscall.yaml"], "no rule for audit events"),
        (["receive", "--no-defaults"], "no rules files found"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(files: Path, arguments: list[str], said: str) -> None:
    (files / "syscall.yaml").write_text(
        "- rule: A\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n"
    )
    code, out, err = run(files, "audit", *arguments)
    lines = err.splitlines()
    assert code == 2
    assert out in ("", "to http://127.0.0.1:1/\n")
    assert lines[-1].startswith("falcokit: ")
    assert said in lines[-1]
    assert "hidden" not in err
    assert "--file" in arguments or len(lines) == 1


def test_a_receiver_does_not_start_with_rules_that_falco_refuses(files: Path) -> None:
    (files / "bad.yaml").write_text(
        "- rule: A\n  desc: d\n  condition: ka.vrb = get\n  output: o\n  priority: INFO\n  source: k8s_audit\n"
    )
    code, out, _ = run(files, "audit", "receive", "--rules", "bad.yaml")
    assert (code, "FK402" in out) == (1, True)


def test_samples_are_listed_with_their_rules(files: Path) -> None:
    code, out, _ = run(files, "audit", "send", "--list")
    assert code == 0
    assert "exec\n    a shell in a pod\n    rule: Attach/Exec Pod\n" in out
    assert "    silent at first: override the macro allow_all_k8s_nodes with" in out
    code, out, _ = run(files, "audit", "send", "--list", "--format", "json")
    assert [one["name"] for one in json.loads(out)] == [one.name for one in SAMPLES]


def test_samples_are_printed_for_other_commands(files: Path) -> None:
    code, out, _ = run(files, "audit", "send", "--print", "exec", "secret-read", "--seed", "7")
    assert code == 0
    assert [json.loads(line)["stage"] for line in out.splitlines()] == [
        "RequestReceived", "ResponseStarted", "ResponseComplete", "RequestReceived", "ResponseComplete",
    ]  # fmt: skip
    assert run(files, "audit", "send", "--print", "exec", "secret-read", "--seed", "7")[1] == out
    assert run(files, "audit", "send", "--print", "exec", "secret-read")[1] != out
    code, matched, _ = run(files, "match", "-", input=out)
    assert code == 0
    assert "Attach/Exec Pod" in matched
    assert "K8s Secret Get Successfully" in matched
    assert "requestObject" not in run(files, "audit", "send", "--print", "privileged-pod", "--level", "Metadata")[1]


def test_audit_rules_are_listed_and_whitelisted_and_audit_events_listed_as_all_others(files: Path) -> None:
    rules = str(ROOT / "default_rules/k8s_audit_rules.yaml")
    code, out, _ = run(files, "describe", rules, "-l", "Attach/Exec Pod")
    assert (code, "Attach/Exec Pod" in out) == (0, True)
    assert run(files, "lint", rules)[0] == 0
    events = run(files, "audit", "send", "--print", "exec", "--seed", "7")[1]
    (files / "exec.json").write_text(events)
    (files / "started.json").write_text(events.splitlines()[1] + "\n")
    code, out, err = run(files, "whitelist", "--event", "started.json", "--namespace", "shop", "--user", "dana")
    assert (code, "- macro: user_known_exec_pod_activities" in out) == (0, True), err + out
    code, out, err = run(files, "events", "list", "exec.json")
    assert (code, "dana create pods shop web-0 101" in out) == (0, True), err
    code, out, err = run(
        files, "events", "list", "exec.json", "--where", "ka.verb = create and jevt.value[/stage] = ResponseStarted"
    )
    assert (code, err) == (0, "falcokit: events 1 to 1 of 1\n")

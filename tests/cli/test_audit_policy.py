"""`falcokit audit policy` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = ["-m", "falcokit", "audit", "policy"]
METADATA = (ROOT / "tests/audit/fixtures/metadata-only.yaml").read_text(encoding="utf-8")
RULES = (
    "- rule: Host network\n  desc: d\n  condition: >\n    jevt.value[/stage] = ResponseComplete and ka.verb = create\n"
    "    and ka.target.resource = pods and not ka.target.subresource exists and ka.req.pod.host_network = true\n"
    "  output: o\n  priority: INFO\n  source: k8s_audit\n"
    "- rule: Off\n  desc: d\n  condition: ka.resp.name = x\n  output: o\n  priority: INFO\n  source: k8s_audit\n  enabled: false\n"
    "- rule: Open\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n"
)
HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n"
EVENT = {
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a", "stage": "ResponseComplete",
    "requestURI": "/api/v1/namespaces/a/pods", "verb": "create", "user": {"username": "jane"},
    "objectRef": {"resource": "pods", "namespace": "a", "apiVersion": "v1"}, "responseStatus": {"code": 201},
    "requestObject": {"spec": {"hostNetwork": True}}, "responseObject": {"spec": {"hostNetwork": True}},
}  # fmt: skip

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "metadata.yaml").write_text(METADATA, encoding="utf-8")

    def run(*arguments: str, given: str = "", **environment: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, *COMMAND, *arguments], cwd=tmp_path, capture_output=True, check=False,
            input=given.encode("utf-8", "surrogateescape"),
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **environment},
        )  # fmt: skip
        out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
        assert "Traceback" not in err
        return done.returncode, out, err

    return run


MINE = ("--no-defaults", "--rules", "rules.yaml")


def test_a_policy_for_the_rules_in_use(run: Run, tmp_path: Path) -> None:
    code, out, err = run(*MINE)
    assert (code, err) == (0, "")
    assert out == (
        "# Audit policy for the rules in use (rules.yaml), made by falcokit audit\n"
        "# policy: nothing but what they need is recorded.\n"
        "apiVersion: audit.k8s.io/v1\n"
        "kind: Policy\n"
        "omitStages: [RequestReceived, ResponseStarted, Panic]\n"
        "# Kubernetes 1.23 and later; older API servers ignore it.\n"
        "omitManagedFields: true\n"
        "rules:\n"
        "  # For: Host network.\n"
        "  - level: Request\n"
        "    verbs: [create]\n"
        "    resources:\n"
        '      - group: ""\n'
        "        resources: [pods]\n"
        "\n"
        "  # Everything else is looked at by no rule.\n"
        "  - level: None\n"
    )
    assert run(*MINE, "-o", "policy.yaml") == (0, "", "falcokit: written: policy.yaml\n")
    assert (tmp_path / "policy.yaml").read_text(encoding="utf-8") == out
    code, out, err = run(*MINE, "--check", "policy.yaml")
    assert (code, out, err) == (0, "policy: policy.yaml\n\ncan fire         Host network\n\n1 rule: 1 can fire\n", "")


def test_the_bundled_rules_fire_with_the_policy_made_for_them(run: Run) -> None:
    code, made, _ = run()
    assert code == 0
    code, out, err = run("--check", "-", given=made)
    assert (code, err) == (0, "")
    assert out.endswith("48 rules: 43 can fire, 5 on nothing as written\n")


def test_a_policy_without_bodies(run: Run) -> None:
    code, out, err = run("--check", "metadata.yaml")
    assert (code, err) == (1, "")
    assert (
        "cannot fire      Create HostPid Pod\n                 needs Request on create, patch pods: line 32 gives Metadata\n"
        in out
    )
    assert "fires blind      Pod Created in Kube Namespace\n" in out
    assert out.endswith("\n48 rules: 12 cannot fire, 1 blind, 2 on a part, 28 can fire, 5 on nothing as\nwritten\n")
    assert max(map(len, out.splitlines())) <= 80


def test_json_and_markdown(run: Run) -> None:
    code, out, _ = run(*MINE, "--check", "metadata.yaml", "--format", "json")
    found = json.loads(out)
    assert code == 1
    (rule,) = found["rules"]
    assert (rule["name"], rule["verdict"], rule["without_bodies"]) == ("Host network", "cannot", "cannot")
    assert rule["needs"][0]["requests"] == {
        "group": {"in": [""]}, "resource": {"in": ["pods"]}, "subresource": {"in": [""]}, "verb": {"in": ["create"]},
    }  # fmt: skip
    assert rule["gaps"][0]["line"] == 32
    code, out, _ = run(*MINE, "--check", "metadata.yaml", "--format", "markdown")
    assert code == 1
    assert "| Host network | cannot fire | needs Request on create pods: line 32 gives Metadata |\n" in out
    code, out, _ = run(*MINE, "--format", "json")
    assert code == 0
    assert json.loads(out)["policy"].startswith("# Audit policy")
    code, out, _ = run(*MINE, "--format", "markdown")
    assert code == 0
    assert "| Host network | Request | create pods | cannot fire |\n" in out


def test_volume_of_a_sample(run: Run, tmp_path: Path) -> None:
    other = {
        "objectRef": {"resource": "leases", "apiGroup": "coordination.k8s.io", "apiVersion": "v1"},
        "verb": "update",
    }
    events = [
        {**EVENT, "stageTimestamp": "2026-01-01T00:00:00.000000Z"},
        {**EVENT, **other, "stageTimestamp": "2026-01-02T00:00:00.000000Z"},
    ]
    text = "".join([json.dumps(event) + "\n" for event in events])
    (tmp_path / "audit.log").write_text(text + "no event\n", encoding="utf-8")
    code, out, err = run(*MINE, "--sample", "audit.log")
    assert code == 0
    assert out.startswith("# Audit policy")  # The estimate is no part of the policy.
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in err.splitlines() if line[:6] in ("create", "update")}
    assert rows["update", "leases"][-3:] == ["0", "0", "B"]
    assert rows["create", "pods"][3] == "1"
    assert "falcokit: audit.log:3:" in err
    code, out, _ = run(*MINE, "--check", "metadata.yaml", "--sample", "audit.log", "--format", "json")
    total = json.loads(out)["volume"]["total"]
    assert (total["events"], total["policy_events"]) == (2, 2)
    assert total["policy_bytes"] < total["bytes"]


def test_mistakes_of_a_policy(run: Run) -> None:
    code, out, err = run(*MINE, "--check", "-", given=HEAD + "- level: request\n  verbs: [read]\n")
    assert (code, out) == (2, "")
    assert err == (
        "<stdin>:4:10: error: there is no level `request`\n  = help: did you mean Request?\n"
        "<stdin>:5:11: warning: no request has the verb `read`\n  = help: did you mean `get`?\n"
        "falcokit: the API server would not start with <stdin>\n"
    )
    code, out, _ = run(*MINE, "--check", "-", given=HEAD.replace("v1", "v1beta1") + "- level: Request\n")
    assert code == 0
    assert out.startswith("<stdin>:1:13: warning: audit.k8s.io/v1beta1 is old")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--check", "nowhere.yaml"), "falcokit: cannot read nowhere.yaml: there is no such file\n"),
        (("--check", "."), "falcokit: cannot read .: it is a directory\n"),
        (("--sample", "nowhere.log"), "falcokit: cannot read nowhere.log: there is no such file\n"),
        (("--sample", os.devnull), f"falcokit: no audit events found in {os.devnull}\n"),
        (("--check", "-", "--sample", "-"), "falcokit: standard input can be read once: give - once\n"),
        (("-o", "no/folder.yaml"), "falcokit: cannot write no/folder.yaml: no such file or directory\n"),
        (("--defaults", "rules.yaml"), "falcokit: --no-defaults excludes --defaults and --config\n"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert run(*MINE, *arguments) == (2, "", said)


def test_no_rules_for_audit_events(run: Run, tmp_path: Path) -> None:
    (tmp_path / "open.yaml").write_text(RULES[RULES.index("- rule: Open") :], encoding="utf-8")
    code, out, err = run("--no-defaults", "--rules", "open.yaml")
    assert (code, out) == (2, "")
    assert (
        err
        == "falcokit: no enabled rule of the source k8s_audit is loaded: name a rules file with --rules or --defaults\n"
    )
    (tmp_path / "broken.yaml").write_text(RULES.replace("ka.verb", "ka.vreb"), encoding="utf-8")
    code, out, err = run("--no-defaults", "--rules", "broken.yaml")
    assert (code, out) == (2, "")
    assert "there is no field `ka.vreb`" in err


def test_hostile_names_reach_no_terminal(run: Run) -> None:
    text = HEAD + '- level: "\\e[31m\\u202e"\n- level: None\n  users: ["\\e]0;x\\a"]\n- le\x1bvel: None\n'
    code, out, err = run(*MINE, "--check", "-", given=text)
    assert (code, out) == (2, "")
    assert not set(err) & set("\x1b\x07\u202e")
    code, _, err = run(*MINE, "--check", "-", given="\udcff\udcfe: [")
    assert code == 2


def test_a_policy_that_omits_the_only_stage(run: Run, tmp_path: Path) -> None:
    """Deleting a node is told of once, when it is done."""
    rules = RULES[RULES.index("- rule: Open") :].replace(
        "evt.type = open", "ka.verb = delete and ka.target.resource = nodes"
    )
    (tmp_path / "nodes.yaml").write_text(rules + "  source: k8s_audit\n", encoding="utf-8")
    mine = ("--no-defaults", "--rules", "nodes.yaml")
    code, made, _ = run(*mine)
    assert code == 0
    assert "omitStages: [RequestReceived]\n" in made
    wrong = "omitStages: [RequestReceived, ResponseComplete, Panic]\n" + HEAD + "- level: Metadata\n"
    code, out, _ = run(*mine, "--check", "-", given=wrong)
    assert code == 0  # What goes through the proxy of a node, and who has not logged in, is told of.
    assert "fires on a part  Open\n" in out
    assert (
        "needs the stage RequestReceived or ResponseComplete of delete\n                 nodes: line 1 omits it\n"
        in out
    )
    assert run(*mine, "--check", "-", given=made)[1].endswith("1 rule: 1 can fire\n")

"""`falcokit whitelist` as a user runs it, the worked examples of the default rules among them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEFAULT = ROOT / "default_rules" / "falco_rules.yaml"


def run(folder: Path, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def proposals(folder: Path, *arguments: str, code: int = 0, stdin: str = "") -> list[dict[str, Any]]:
    done, out, err = run(folder, "whitelist", *arguments, "--format", "json", stdin=stdin)
    assert done == code, out + err
    return json.loads(out)  # type: ignore[no-any-return]


ALERT = {
    "rule": "Terminal shell in container", "priority": "Notice", "output": "o", "time": "2026-01-02T03:04:05Z",
    "output_fields": {"container.id": "4f2e1d9a0b1c", "container.name": "web", "container.image.repository": "reg.example.com/web", "proc.name": "sh"},
}  # fmt: skip
IMAGE = ("--image", "reg.example.com/mydatastore")


# --- the worked examples


def test_write_below_etc(tmp_path: Path) -> None:
    args = ("--rule", "Write below etc", "--process", "catsd", "--file", "/etc/catfood.cfg", "--write", "custom.yaml")
    (found,) = proposals(tmp_path, *args)
    assert (found["change"]["via"], found["change"]["name"]) == ("hook", "user_known_write_etc_conditions")
    event = {
        "evt.type": "openat",
        "evt.is_open_write": True,
        "evt.res": "SUCCESS",
        "fd.type": "file",
        "fd.name": "/etc/catfood.cfg",
        "proc.name": "catsd",
    }
    events = "".join(
        [json.dumps({**event, **more}) + "\n" for more in ({}, {"proc.name": "dogsd"}, {"fd.name": "/etc/passwd"})]
    )
    _, out, _ = run(tmp_path, "match", "--rules", "custom.yaml", stdin=events)
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["<stdin>:2", "<stdin>:3"]


def test_launch_privileged_container(tmp_path: Path) -> None:
    args = (
        "--macro",
        "user_trusted_containers",
        "--rule",
        "Launch Privileged Container",
        *IMAGE,
        "--write",
        "custom.yaml",
    )
    (found,) = proposals(tmp_path, *args)
    assert set(found["proof"]["other_rules_changed"]) == {
        "Launch Excessively Capable Container",
        "Launch Sensitive Mount Container",
    }
    event = {
        "evt.type": "container",
        "container.id": "a",
        "container.privileged": True,
        "container.image.repository": IMAGE[1],
    }
    events = "".join(
        [json.dumps({**event, **more}) + "\n" for more in ({}, {"container.image.repository": IMAGE[1] + "-evil"})]
    )
    _, out, _ = run(tmp_path, "match", "--rules", "custom.yaml", stdin=events)
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["<stdin>:2"]


def test_run_shell_untrusted(tmp_path: Path) -> None:
    (found,) = proposals(tmp_path, "--rule", "Run shell untrusted", "--parent", "php", "--write", "custom.yaml")
    assert found["change"]["name"] == "user_shell_container_exclusions"
    event = {"evt.type": "execve", "evt.res": "SUCCESS", "proc.name": "sh", "proc.pname": "php"}
    events = "".join([json.dumps({**event, **more}) + "\n" for more in ({}, {"proc.pname": "nginx"})])
    _, out, _ = run(tmp_path, "match", "--rules", "custom.yaml", stdin=events)
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["<stdin>:2"]


# --- what is chosen, and what is refused


def test_the_safest_is_taken_and_a_risky_one_only_if_asked_for(tmp_path: Path) -> None:
    text = json.dumps(ALERT)
    (found,) = proposals(tmp_path, "--event", "-", stdin=text)
    assert (found["identity"]["kind"], found["proof"]["event_silenced"]) == ("image", True)
    name_only = json.dumps({**ALERT, "output_fields": {"container.id": "4f2e1d9a0b1c", "container.name": "web"}})
    (found,) = proposals(tmp_path, "--event", "-", stdin=name_only, code=1)
    assert "ask for it with --by name" in found["cannot"]
    (found,) = proposals(tmp_path, "--event", "-", "--by", "name", stdin=name_only)
    assert found["identity"]["risk"] == "risky"
    _, out, _ = run(tmp_path, "whitelist", "--event", "-", "--by", "name", stdin=name_only)
    assert "lets through container.name = web (RISKY)" in out
    digest = "sha256:" + "a" * 64
    (found,) = proposals(tmp_path, "--event", "-", "--digest", digest, stdin=text)
    assert found["identity"]["condition"] == f"container.image.digest = {digest}"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"container.id": "host", "proc.name": "sh"}, "it happened on the host"),
        ({"proc.name": "sh"}, "neither an image nor a name of the container is told"),
    ],
)
def test_an_honest_cannot(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    (found,) = proposals(tmp_path, "--event", "-", stdin=json.dumps({**ALERT, "output_fields": fields}), code=1)
    assert reason in found["cannot"]
    assert found["text"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((*IMAGE,), 2, "which rule shall fall silent?"),
        (("--rule", "Write below root"), 2, "nothing to let through"),
        (("--rule", "Write belo root", *IMAGE), 2, "did you mean 'Write below root'?"),
        (("--macro", "user_trusted_container", *IMAGE), 2, "did you mean 'user_trusted_containers'?"),
        (
            ("--rule", "Write below root", "--macro", "user_trusted_containers", *IMAGE),
            1,
            "macro `user_known_write_root_conditions` does",
        ),
        (("--macro", "user_known_nobody", *IMAGE), 2, "no macro 'user_known_nobody' is loaded"),
        (
            ("--macro", "user_known_run_as_root_container", *IMAGE),
            2,
            "in the public rules it reaches Container Run as Root User of",
        ),
        (("--event", "missing.json"), 2, "cannot read missing.json"),
        (("--rule", "Write below root", *IMAGE, "--diff"), 2, "--diff goes with --write"),
        (("--rule", "Write below root", *IMAGE, "--write", "falco_rules.yaml"), 2, "is a default file"),
        (("--rule", "Write below root", *IMAGE, "--write", str(DEFAULT)), 2, "is a default file"),
        (("--rule", "Write below root", *IMAGE, "--write", "/dev/null"), 2, "it is no plain file"),
        (("--rule", "Write below root", *IMAGE, "--write", "."), 2, "cannot read ."),
        (
            ("--rule", "Write below root", *IMAGE, "--write", "no/such/folder.yaml"),
            2,
            "cannot write no/such/folder.yaml",
        ),
    ],
)
def test_wrong_calls(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    before = DEFAULT.read_bytes()
    done, out, err = run(tmp_path, "whitelist", *arguments)
    assert done == code
    assert said in out + err
    assert DEFAULT.read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_writing_again_changes_nothing_and_comments_stay(tmp_path: Path) -> None:
    mine = "# mine\n- macro: user_known_write_root_conditions  # why\n  condition: (proc.name = backup)   # keep\n  override: {condition: append}\n# end\n"
    mine = mine.replace("condition: (proc", "condition: or (proc")
    (tmp_path / "custom.yaml").write_text(mine, encoding="utf-8")
    args = ("--rule", "Write below root", *IMAGE, "--write", "custom.yaml")
    proposals(tmp_path, *args)
    text = (tmp_path / "custom.yaml").read_text(encoding="utf-8")
    assert text == mine.replace(
        "(proc.name = backup)", f"(proc.name = backup) or (container.image.repository = {IMAGE[1]})"
    )
    (found,) = proposals(tmp_path, *args)
    assert found["already"]
    assert (tmp_path / "custom.yaml").read_text(encoding="utf-8") == text


def test_several_events_in_one_run(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "examples" / "noise.json", tmp_path)
    found = proposals(tmp_path, "--event", "noise.json", "--by", "image", "--write", "custom.yaml")
    assert [one["identity"]["condition"] for one in found] == [
        "container.image.repository = quay.io/sysdig/agent", "container.image.repository = registry.example.com/shop/web",
    ]  # fmt: skip
    text = (tmp_path / "custom.yaml").read_text(encoding="utf-8")
    assert text.count("- macro: user_known_write_root_conditions") == 1
    _, out, _ = run(tmp_path, "match", "noise.json", "--rules", "custom.yaml")
    assert out.count("does not fire") == 3


def test_what_would_have_fallen_silent_of_what_happened(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "examples" / "noise.json", tmp_path)
    args = ("--event", "noise.json", "--line", "1", "--by", "image", "--history", "noise.json")
    (found,) = proposals(tmp_path, *args)
    assert found["history"]["silent"] == [
        {"rule": "Write below root", "image": "quay.io/sysdig/agent", "process": "dragent", "count": 2}
    ]
    assert found["history"]["foreign"] == []
    assert (found["history"]["of_rule"], found["history"]["covers"]) == (3, {"tag": 2, "name": 2})


# --- what is let through now

CUSTOM = """\
# head
- macro: user_known_write_root_conditions
  condition: (container.image.repository = quay.io/sysdig/agent) or (proc.name = gone and fd.name = /root/x)
  override: {condition: replace}

- list: user_known_shell_spawn_binaries
  items:
    - php  # keep
    - perl
  override: {items: append}

- macro: user_nobody_asks
  condition: (proc.name = x)

- rule: Write below etc
  exceptions:
    - {name: mine, fields: [proc.name, fd.name], comps: [=, =], values: [[a, /etc/b], [c, /etc/d]]}
  override: {exceptions: append}
# tail
"""


def listed(folder: Path, *arguments: str, code: int) -> list[tuple[str, list[str], Any]]:
    done, out, err = run(folder, "whitelist", *arguments, "--format", "json")
    assert done == code, out + err
    return [(one["text"], one["reaches"], one["silenced"]) for one in json.loads(out)]


def test_what_is_let_through_and_what_is_dead_or_stale(tmp_path: Path) -> None:
    (tmp_path / "custom.yaml").write_text(CUSTOM, encoding="utf-8")
    shutil.copy(ROOT / "tests" / "examples" / "noise.json", tmp_path)
    expected = [
        ("container.image.repository = quay.io/sysdig/agent", ["Write below root"]),
        ("proc.name = gone and fd.name = /root/x", ["Write below root"]),
        ("php", ["Run shell untrusted"]),
        ("perl", ["Run shell untrusted"]),
        ("proc.name = x", []),
        ("exception mine: [a, /etc/b]", ["Write below etc"]),
        ("exception mine: [c, /etc/d]", ["Write below etc"]),
    ]
    assert listed(tmp_path, "list", "custom.yaml", code=1) == [(*one, None) for one in expected]
    found = listed(tmp_path, "verify", "custom.yaml", "--history", "noise.json", code=1)
    assert [silenced for _, _, silenced in found] == [2, 0, 0, 0, None, 0, 0]
    _, out, _ = run(tmp_path, "whitelist", "verify", "custom.yaml", "--history", "noise.json")
    assert out.count("STALE") == 5
    assert out.count("DEAD") == 1


@pytest.mark.parametrize(
    ("number", "gone", "by"),
    [
        (1, "(container.image.repository = quay.io/sysdig/agent) or ", ""),
        (2, " or (proc.name = gone and fd.name = /root/x)", ""),
        (3, "    - php  # keep\n", ""),
        (4, "    - perl\n", ""),
        (5, "- macro: user_nobody_asks\n  condition: (proc.name = x)\n", ""),
        (6, "[a, /etc/b], ", ""),
        (7, ", [c, /etc/d]", ""),
    ],
)
def test_removing_one_leaves_all_else(tmp_path: Path, number: int, gone: str, by: str) -> None:
    path = tmp_path / "custom.yaml"
    path.write_text(CUSTOM, encoding="utf-8")
    before = listed(tmp_path, "list", "custom.yaml", code=1)
    code, out, err = run(tmp_path, "whitelist", "remove", str(number), "custom.yaml", "--diff")
    assert code == 0, err
    assert path.read_text(encoding="utf-8") == CUSTOM
    code, out, err = run(tmp_path, "whitelist", "remove", str(number), "custom.yaml")
    assert code == 0, out + err
    assert path.read_text(encoding="utf-8") == CUSTOM.replace(gone, by)
    _, out, _ = run(tmp_path, "whitelist", "list", "custom.yaml", "--format", "json")
    assert [one["text"] for one in json.loads(out)] == [text for text, _, _ in before[: number - 1] + before[number:]]


def test_the_image_is_taken_from_what_the_runtime_lists(tmp_path: Path) -> None:
    listed = "NAMES          IMAGE\nweb            registry.example.com/web:7\nagent          quay.io/sysdig/agent\n"
    rule = ("--rule", "Write below root")
    (found,) = proposals(tmp_path, *rule, "--ps", "-", "--container", "agent", stdin=listed)
    assert found["identity"]["condition"] == "container.image.repository = quay.io/sysdig/agent"
    code, _, err = run(tmp_path, "whitelist", *rule, "--ps", "-", stdin=listed)
    assert (code, "choose one with --container: web, agent" in err) == (2, True)
    code, _, err = run(tmp_path, "whitelist", *rule, "--ps", "-", stdin="hello")
    assert (code, "lists no containers" in err) == (2, True)


SHARED = ROOT.parent / "shared"
PUBLIC = [
    SHARED / "corpus" / "upstream" / path
    for path in ("falco-rules/5.1.0/falco_rules.yaml", "falco-incubating-rules/6.0.1/falco-incubating_rules.yaml",
                 "falco-sandbox-rules/6.1.0/falco-sandbox_rules.yaml", "plugins/k8saudit/k8s_audit_rules.yaml")
]  # fmt: skip


@pytest.mark.skipif(not SHARED.exists(), reason="needs the events and rules in ../shared")
def test_every_real_event_gives_a_proposal_or_an_honest_cannot(tmp_path: Path) -> None:
    events = b"\n".join([path.read_bytes() for path in sorted((SHARED / "events").glob("*.json"))])
    (tmp_path / "all.json").write_bytes(events)
    defaults = [word for path in PUBLIC for word in ("--defaults", str(path))]
    found = proposals(tmp_path, "--event", "all.json", *defaults, code=1)
    proven = {(one["rule"], one["change"]["via"], one["proof"]["event_silenced"]) for one in found if one["proof"]}
    assert proven == {
        ("Contact K8S API Server From Container", "hook", True), ("Terminal shell in container", "hook", True),
        ("Launch Package Management Process in Container", "hook", True), ("Linux Kernel Module Injection Detected", "exception", True),
        ("Write below root", "hook", True),
    }  # fmt: skip
    reasons = {one["cannot"].partition(" (")[0].partition(": name it by")[0] for one in found if one["cannot"]}
    assert reasons == {
        "the rule is not among those that are loaded: name its file with --defaults or --rules",
        "it happened on the host, not in a container",
        "events of source k8s_audit tell of no container",
        "neither an image nor a name of the container is told, and its id is another one each time",
        "only what anybody can take is known",
    }


def test_a_copy_is_made_only_for_who_asks_and_warns(tmp_path: Path) -> None:
    args = ("--rule", "Write below root", *IMAGE)
    (found,) = proposals(tmp_path, *args)
    assert found["change"]["via"] == "hook"
    code, out, err = run(tmp_path, "whitelist", *args, "--via", "copy", "--write", "custom.yaml")
    assert code == 0, out + err
    text = (tmp_path / "custom.yaml").read_text(encoding="utf-8")
    assert (
        "# WARNING: a copy of the rule. It stays as it is when the default is improved, and hides that from you."
        in text
    )
    assert "WARNING: a copy" in out
    code, out, _ = run(tmp_path, "lint", "custom.yaml")
    assert "error" not in out
    assert "shadow" in out or "copy" in out


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git (package git)")
def test_since_when_something_is_let_through(tmp_path: Path) -> None:
    (tmp_path / "custom.yaml").write_text(CUSTOM, encoding="utf-8")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(
            [*git, *command],
            check=True,
            capture_output=True,
            env={**os.environ, "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z"},
        )
    hash_of = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    _, out, _ = run(tmp_path, "whitelist", "list", "custom.yaml", "--format", "json")
    assert {one["since"] for one in json.loads(out)} == {f"{hash_of[:12]} of 2026-01-02"}
    _, out, _ = run(tmp_path, "whitelist", "list", "custom.yaml")
    assert f", since {hash_of[:12]} of 2026-01-02" in out


def test_two_rules_in_one_file_are_each_proven_on_top_of_the_other(tmp_path: Path) -> None:
    found = proposals(
        tmp_path, "--rule", "Write below root", "--rule", "Write below etc", *IMAGE, "--write", "custom.yaml"
    )
    assert [one["proof"]["other_rules_changed"] for one in found] == [[], []]
    assert (tmp_path / "custom.yaml").read_text(encoding="utf-8").count("- macro: ") == 2


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo terminals")
def test_the_walk_through_in_a_terminal(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "examples" / "noise.json", tmp_path)
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "falcokit", "whitelist", "--event", "noise.json", "--interactive"],
        cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
    )  # fmt: skip
    os.close(theirs)
    shown = ""
    answers = [
        ("fall silent?", "1"),
        ("named by?", "2"),
        ("Only the process dragent?", "y"),
        ("Only the namespace", "n"),
        ("Write it to", "."),
        ("Write it to", "mine.yaml"),
        ("Write this?", "y"),
    ]
    for question, answer in answers:
        while question not in shown:
            shown += os.read(ours, 4096).decode()
        shown = shown.split(question, 1)[1]
        os.write(ours, answer.encode() + b"\n")
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece.decode()
    os.close(ours)
    assert process.wait() == 0
    assert "written to mine.yaml" in shown
    text = (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    assert "or (container.image.repository = quay.io/sysdig/agent and proc.name = dragent)" in text
    code, _, err = run(tmp_path, "whitelist", "--event", "noise.json", "--interactive")
    assert (code, "standard input is none" in err) == (2, True)


def test_line_ends_stay_as_they_are_and_what_an_alias_shares_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "custom.yaml"
    mine = b"# mine\r\n- macro: user_known_write_root_conditions\r\n  condition: (proc.name = a)\r\n"
    path.write_bytes(mine)
    proposals(tmp_path, "--rule", "Write below root", *IMAGE, "--write", "custom.yaml")
    assert path.read_bytes() == mine[:-2] + f" or (container.image.repository = {IMAGE[1]})\r\n".encode()
    shared = "- macro: user_known_write_root_conditions\n  condition: &both (proc.name = a)\n- macro: user_known_write_etc_conditions\n  condition: *both\n"
    path.write_text(shared, encoding="utf-8")
    (found,) = proposals(tmp_path, "--rule", "Write below root", *IMAGE, "--write", "custom.yaml")
    assert found["proof"]["other_rules_changed"] == []
    assert path.read_text(encoding="utf-8").startswith(shared)


def test_a_whitelist_that_breaks_a_test_case_is_not_proposed(tmp_path: Path) -> None:
    cases = """\
cases:
  - name: the agent must not write keys
    fields:
      evt.type: openat
      evt.is_open_write: true
      evt.res: SUCCESS
      fd.type: file
      fd.name: /root/.ssh/authorized_keys
      proc.name: dragent
      container.id: abc
      container.image.repository: reg.example.com/mydatastore
    expect: {fires: Write below root}
"""
    (tmp_path / "keys_test.yaml").write_text(cases, encoding="utf-8")
    args = ("--rule", "Write below root", *IMAGE, "--tests", "keys_test.yaml")
    (found,) = proposals(tmp_path, *args, code=1)
    assert found["cannot"] == "test cases fail with it that pass without: the agent must not write keys"
    (found,) = proposals(tmp_path, *args, "--file", "/root/.sysdig/")
    assert found["proof"] is not None


# --- where the file lies among those that are loaded

AGENT = ("--event", "noise.json", "--line", "1", "--by", "image", "--process", "dragent")
LAST = """\
- macro: user_known_write_root_conditions
  condition: (never_true)
- macro: user_known_write_below_root_activities
  condition: (never_true)
"""


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "tests" / "examples" / "noise.json", tmp_path)
    return tmp_path


def silenced(folder: Path, *rules: str) -> bool:
    """Whether the agent's events fall silent with the rules."""
    _, out, _ = run(folder, "match", "noise.json", *rules)
    (line,) = [line for line in out.splitlines() if line.startswith("noise.json:1 ")]
    return "does not fire" in line


@pytest.mark.parametrize(
    ("rules", "target"),
    [
        (("--rules", "./my.yaml", "--rules", "later.yaml"), "my.yaml"),
        (("--rules", "my.yaml", "--rules", "later.yaml"), "link.yaml"),
        (("--rules", "rules"), "rules/a.yaml"),
        (("--rules", "../{folder}/rules"), "rules/a.yaml"),
        (("--config", "falco.yaml"), "rules/a.yaml"),
        (("--config", "named.yaml"), "rules/a.yaml"),
    ],
)
def test_it_is_proven_in_the_place_where_it_is_loaded(noise: Path, rules: tuple[str, ...], target: str) -> None:
    folder = noise / "rules"
    folder.mkdir()
    for path in (noise / "later.yaml", folder / "b.yaml"):
        path.write_text(LAST, encoding="utf-8")
    (noise / "my.yaml").write_text("# mine\n", encoding="utf-8")
    (noise / "link.yaml").symlink_to("my.yaml")
    (noise / "falco.yaml").write_text(f"rules_files: [{DEFAULT}, {folder}]\n", encoding="utf-8")
    named = f"rules_files: [{DEFAULT}, {folder / 'a.yaml'}, {folder / 'b.yaml'}]\n"
    (noise / "named.yaml").write_text(named, encoding="utf-8")
    given = [word.format(folder=noise.name) for word in rules]
    (found,) = proposals(noise, *AGENT, *given, "--write", target)
    # The hook is emptied by a file that is loaded later: what is put into it is lost.
    assert found["change"]["via"] == "exception"
    assert any("a file that is loaded later has the last word" in one["reason"] for one in found["refused"])
    assert silenced(noise, *given)


def test_a_file_that_nothing_loads_is_said_to_belong_last(noise: Path) -> None:
    (noise / "falco.yaml").write_text(f"rules_files: [{DEFAULT}]\n", encoding="utf-8")
    code, _, err = run(noise, "whitelist", *AGENT, "--config", "falco.yaml", "--write", "own.yaml")
    assert (code, err) == (
        0,
        "falcokit: own.yaml is none of the rules files that were named: it was proven as the last one, so load it last\n",
    )
    assert run(noise, "whitelist", *AGENT, "--write", "alone.yaml")[2] == ""


def test_no_link_leads_to_a_default_file(noise: Path) -> None:
    shutil.copy(DEFAULT, noise / "falco_rules.yaml")
    (noise / "soft.yaml").symlink_to("falco_rules.yaml")
    os.link(noise / "falco_rules.yaml", noise / "hard.yaml")
    for path in ("soft.yaml", "hard.yaml"):
        code, _, err = run(noise, "whitelist", *AGENT, "--defaults", "falco_rules.yaml", "--write", path)
        assert (code, "is a default file" in err) == (2, True)
    assert run(noise, "whitelist", *AGENT, "--write", "soft.yaml")[0] == 2
    assert (noise / "falco_rules.yaml").read_bytes() == DEFAULT.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--rule", "Write below rot"), 2, "no rule 'Write below rot' is loaded: did you mean 'Write below root'?"),
        (("--rule", "Write below etc"), 1, "has no event of 'Write below etc': its rules are 'Write below root'"),
        (("--event-id", "none"), 2, "has no event with the id none"),
        (("--write", "-"), 2, "cannot write to -: name a file"),
        (("--write", "v.yaml", "--form", "helm"), 2, "--write goes with rules files"),
        (("--diff",), 2, "--diff goes with --write"),
    ],
)
def test_an_event_that_is_none_of_it(noise: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done, out, err = run(noise, "whitelist", "--event", "noise.json", *arguments)
    assert (done, out) == (code, "")
    assert said in err


def test_events_that_differ_in_what_is_asked_for_are_asked_for_each(noise: Path) -> None:
    text = (noise / "noise.json").read_text(encoding="utf-8").splitlines()[0]
    (noise / "two.json").write_text(f"{text}\n{text.replace('dragent', 'evil')}\n{text}\n", encoding="utf-8")
    found = proposals(noise, "--event", "two.json", "--by", "image", "--process", "dragent", code=1)
    assert [(one["event"], one["events"]) for one in found] == [("two.json:1", 2), ("two.json:2", 1)]
    assert "the event is none of it" in found[1]["cannot"]
    (found,) = proposals(noise, "--event", "two.json", "--by", "image")
    assert (found["events"], found["narrower"]["process"]) == (3, "dragent")


def test_a_process_of_the_host_is_let_through_on_the_host_only(tmp_path: Path) -> None:
    fields = {"container.id": "host", "proc.name": "catsd", "fd.name": "/etc/catfood.cfg", "evt.type": "openat"}
    alert = {**ALERT, "rule": "Write below etc", "output_fields": fields}
    (tmp_path / "alert.json").write_text(json.dumps(alert), encoding="utf-8")
    (found,) = proposals(tmp_path, "--event", "alert.json", code=1)
    assert (
        found["cannot"]
        == "it happened on the host, not in a container: name it by --process catsd --file /etc/catfood.cfg"
    )
    (found,) = proposals(tmp_path, "--event", "alert.json", "--process", "catsd", "--file", "/etc/catfood.cfg")
    assert found["identity"]["condition"] == (
        "container.id = host and proc.name = catsd and fd.name startswith /etc/catfood.cfg"
    )


def test_a_name_that_is_asked_for_needs_no_second_asking(noise: Path) -> None:
    (found,) = proposals(noise, "--event", "noise.json", "--line", "1", "--container", "sysdig-agent")
    assert found["identity"]["kind"] == "name"


def test_a_diff_beside_json_is_json(noise: Path) -> None:
    (found,) = proposals(noise, *AGENT, "--write", "my.yaml", "--diff")
    assert found["text"].startswith("# Custom rules")
    assert not (noise / "my.yaml").exists()


@pytest.mark.parametrize(
    "text", ["[]\n", "  - macro: a\n    condition: evt.num = 0\n", "- list: a\n  items: []\n...\n", "a: b\n"]
)
def test_a_file_that_cannot_be_added_to(noise: Path, text: str) -> None:
    (noise / "my.yaml").write_text(text, encoding="utf-8")
    code, out, err = run(noise, "whitelist", *AGENT, "--write", "my.yaml")
    assert code == 1, out + err
    assert (noise / "my.yaml").read_text(encoding="utf-8") == text


def test_a_read_only_file_stays(noise: Path) -> None:
    (noise / "my.yaml").write_text("# mine\n", encoding="utf-8")
    (noise / "my.yaml").chmod(0o444)
    code, _, err = run(noise, "whitelist", *AGENT, "--write", "my.yaml")
    assert (code, "cannot write to my.yaml: it is read-only" in err) == (2, True)


def test_a_process_name_that_is_no_text(noise: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", "whitelist", *AGENT[:-1], b"x\xe9" * 10],
        cwd=noise, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"the event is none of it" in done.stdout or b"not UTF-8" in done.stdout


def test_an_audit_event_is_named_by_its_user_and_namespace(tmp_path: Path) -> None:
    rule = """\
- rule: Secrets read
  desc: d
  condition: ka.verb = get and ka.target.resource = secrets
  output: user=%ka.user.name
  priority: WARNING
  source: k8s_audit
"""
    (tmp_path / "audit.yaml").write_text(rule, encoding="utf-8")
    fields = {"ka.verb": "get", "ka.target.resource": "secrets", "ka.user.name": "ci", "ka.target.namespace": "dev"}
    alert = {**ALERT, "rule": "Secrets read", "source": "k8s_audit", "output_fields": fields}
    (tmp_path / "alert.json").write_text(json.dumps(alert), encoding="utf-8")
    (found,) = proposals(tmp_path, "--event", "alert.json", "--rules", "audit.yaml", code=1)
    assert found["cannot"].endswith("tell of no container: name it by --namespace dev --user ci")
    args = ("--rules", "audit.yaml", "--user", "ci", "--namespace", "dev", "--write", "mine.yaml")
    (found,) = proposals(tmp_path, "--event", "alert.json", *args)
    assert found["proof"]["event_silenced"] is True
    assert "not (ka.target.namespace = dev and ka.user.name = ci)" in found["proof"]["condition_after"]


def test_a_dry_run_writes_nothing(noise: Path) -> None:
    code, out, _ = run(noise, "whitelist", *AGENT, "--write", "my.yaml", "--dry-run")
    assert (code, "\ndry run   my.yaml\n" in out) == (0, True)
    assert not (noise / "my.yaml").exists()


def test_what_the_checks_find_in_the_new_text_is_said(noise: Path) -> None:
    (noise / "my.yaml").write_text("- list: others\n  items: [a]\n", encoding="utf-8")
    assert run(noise, "whitelist", *AGENT, "--write", "my.yaml")[2] == ""  # What was there before is no news.
    args = ("--event", "noise.json", "--line", "3", "--container", "web", "--write", "my.yaml")
    code, _, err = run(noise, "whitelist", *args)
    assert code == 0
    assert "the checks find in my.yaml what they did not find before:\nmy.yaml:" in err
    assert "container-name-match" in err
    assert "unused-list" not in err


def test_an_image_deployed_by_digest_is_named_as_the_event_tells_it(noise: Path) -> None:
    digest = "ab" * 32
    for fields in (
        {"container.image": f"sha256:{digest}"},
        {"container.image.repository": "sha256", "container.image.tag": digest},
    ):
        alert = {**ALERT, "output_fields": {"container.id": "4f2e1d9a0b1c", "proc.name": "sh", **fields}}
        (noise / "alert.json").write_text(json.dumps(alert), encoding="utf-8")
        (found,) = proposals(noise, "--event", "alert.json")
        assert found["identity"]["kind"] == "digest"
        assert {field for field, _, _ in found["identity"]["checks"]} == set(fields)
        assert found["proof"]["event_silenced"] is True


def test_a_list_made_to_be_filled_in_can_be_named(tmp_path: Path) -> None:
    rules = """\
- list: user_known_shells
  items: []
- rule: Shell
  desc: d
  condition: evt.type = execve and proc.name exists and not proc.name in (user_known_shells)
  output: o
  priority: INFO
"""
    (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
    (found,) = proposals(tmp_path, "--macro", "user_known_shells", "--process", "sh", "--rules", "rules.yaml")
    assert found["change"]["kind"] == "list"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--image", "quay.io/a/b", "--digest", "sha256:4f2e1d9a0b1c"),
        ("--image", "quay.io/a/b@sha256:4f2e1d9a0b1c"),
        ("--digest", "abc"),
        ("--image", "quay.io/*"),
        ("--image", " quay.io/a"),
    ],
)
def test_what_names_no_image_for_certain_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = run(tmp_path, "whitelist", "--rule", "Write below root", *arguments, "--write", "my.yaml")
    assert (code, out) == (2, "")
    assert "is no digest" in err or "is no image" in err
    assert list(tmp_path.iterdir()) == []


def test_an_event_that_is_let_through_opens_nothing_wider(noise: Path) -> None:
    assert run(noise, "whitelist", *AGENT, "--write", "my.yaml")[0] == 0
    before = (noise / "my.yaml").read_bytes()
    (found,) = proposals(noise, "--event", "noise.json", "--line", "1", "--rules", "my.yaml", "--write", "my.yaml")
    assert (found["already"], found["proof"]) == (True, None)
    assert (noise / "my.yaml").read_bytes() == before


def test_host_and_container_are_asked_for_each(noise: Path) -> None:
    fields = {"evt.type": "openat", "proc.name": "catsd", "fd.name": "/etc/x"}
    alerts = [
        {**ALERT, "rule": "Write below etc", "output_fields": {**fields, "container.id": one}}
        for one in ("host", "4f2e1d9a0b1c", "host")
    ]
    for order in (alerts, alerts[::-1], [alerts[1], alerts[0]]):
        (noise / "two.json").write_text("".join([json.dumps(one) + "\n" for one in order]), encoding="utf-8")
        found = proposals(noise, "--event", "two.json", "--process", "catsd")
        assert {one["identity"]["condition"] for one in found} == {
            "container.id = host and proc.name = catsd", "proc.name = catsd",
        }  # fmt: skip


def test_files_below_one_prefix_are_asked_for_once(noise: Path) -> None:
    fields = {"evt.type": "openat", "proc.name": "catsd", "container.id": "host"}
    alerts = [
        {**ALERT, "rule": "Write below etc", "output_fields": {**fields, "fd.name": f"/etc/cats/{number}"}}
        for number in range(60)
    ]
    (noise / "many.json").write_text("".join([json.dumps(one) + "\n" for one in alerts]), encoding="utf-8")
    (found,) = proposals(noise, "--event", "many.json", "--process", "catsd", "--file", "/etc/cats/")
    assert found["events"] == 60


def test_rules_in_braces_count_among_those_of_a_folder(noise: Path) -> None:
    (noise / "rules").mkdir()
    text = "- {macro: user_known_write_root_conditions, condition: (never_true)}\n"
    (noise / "rules" / "b.yaml").write_text(text, encoding="utf-8")
    (found,) = proposals(noise, *AGENT, "--rules", "rules", "--write", "rules/a.yaml")
    assert found["change"]["name"] != "user_known_write_root_conditions"
    assert silenced(noise, "--rules", "rules")


def test_an_ending_that_the_rule_wants_goes_with_a_prefix(tmp_path: Path) -> None:
    args = (
        "--rule",
        "Detect release_agent File Container Escapes",
        "--image",
        "reg.example.com/x",
        "--file",
        "/sys/fs/cgroup/",
    )
    (found,) = proposals(tmp_path, *args)
    assert found["proof"]["silenced"]["fd.name"].startswith("/sys/fs/cgroup/")


def test_what_falco_does_not_know_yet_names_nothing(tmp_path: Path) -> None:
    fields = {
        "container.id": "4f2e1d9a0b1c",
        "container.image.repository": "incomplete",
        "container.name": "incomplete",
    }
    (tmp_path / "alert.json").write_text(json.dumps({**ALERT, "output_fields": fields}), encoding="utf-8")
    (found,) = proposals(tmp_path, "--event", "alert.json", code=1)
    assert "neither an image nor a name" in found["cannot"]


def test_a_process_called_like_a_list_is_quoted(tmp_path: Path) -> None:
    rules = """\
- list: nginx
  items: [nginx, evil, sh]
- macro: user_known_x
  condition: (evt.num = 0)
- rule: Hooked
  desc: d
  condition: evt.type = execve and proc.name exists and not user_known_x and not proc.pname in (nginx)
  output: o
  priority: INFO
"""
    (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
    args = ("--rule", "Hooked", "--process", "nginx", "--rules", "rules.yaml", "--no-defaults")
    for via in ("hook", "exception", "append"):
        (found,) = proposals(tmp_path, *args, "--via", via)
        assert '"nginx"' in found["text"]
        assert "evil" not in found["text"]


def test_the_hooks_of_the_settings_count(tmp_path: Path) -> None:
    rules = """\
- macro: ours_trusted
  condition: (proc.name = something)
- rule: Mine
  desc: d
  condition: evt.type = execve and proc.name exists and not ours_trusted
  output: o
  priority: INFO
"""
    (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
    (tmp_path / "falcokit.toml").write_text('hooks = ["ours_*"]\n', encoding="utf-8")
    (found,) = proposals(tmp_path, "--rule", "Mine", *IMAGE, "--rules", "rules.yaml", "--no-defaults")
    assert found["change"]["name"] == "ours_trusted"


def test_a_history_of_other_sources_is_no_trouble(noise: Path) -> None:
    text = (noise / "noise.json").read_text(encoding="utf-8").splitlines()[0]
    other = json.dumps({**json.loads(text), "source": "k8s_audit"})
    (noise / "more.json").write_text(f"{text}\n{other}\n", encoding="utf-8")
    (found,) = proposals(noise, *AGENT, "--history", "more.json")
    assert [one["count"] for one in found["history"]["silent"]] == [1]


def test_a_hook_of_a_thousand_alternatives(tmp_path: Path) -> None:
    many = " or ".join([f"(proc.name = p{number} and proc.pname = q{number})" for number in range(1500)])
    (tmp_path / "my.yaml").write_text(
        f"- macro: user_known_write_root_conditions\n  condition: {many}\n", encoding="utf-8"
    )
    (found,) = proposals(tmp_path, "--rule", "Write below root", *IMAGE, "--write", "my.yaml")
    assert found["change"]["via"] == "hook"


def test_json_is_safe_for_a_terminal(noise: Path) -> None:
    text = (noise / "noise.json").read_text(encoding="utf-8").splitlines()[0]
    (noise / "odd.json").write_text(text.replace("sysdig-agent", "a\\u009bb\\u202ec"), encoding="utf-8")
    _, out, _ = run(noise, "whitelist", "--event", "odd.json", "--by", "name", "--format", "json")
    assert out.isascii()

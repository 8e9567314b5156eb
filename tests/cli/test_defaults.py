"""`falcokit defaults` as a user runs it, against a registry of the real kind on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from registry import publish, real_registry

ROOT = Path(__file__).parents[2]
ONE = "- required_engine_version: 0.50.0\n- list: shells\n  items: [sh]\n- rule: Shell\n  desc: d\n  condition: evt.type = execve and proc.name in (shells)\n  output: o\n  priority: INFO\n  tags: [maturity_stable]\n"
TWO = ONE.replace("[sh]", "[sh, zsh]")
MINE = "- list: shells\n  items: [fish]\n  override: {items: append}\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with real_registry(tmp_path_factory.mktemp("registry")) as host:
        for version, text in (("1.0.0", ONE), ("2.0.0", TWO)):
            publish(host, "rules/my-rules", version, {"my_rules.yaml": text})
        yield host


@pytest.fixture
def run(tmp_path: Path) -> Run:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mine.yaml").write_text(MINE, encoding="utf-8")

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "falcokit", *arguments], cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "XDG_DATA_HOME": str(tmp_path / "data"), "DOCKER_CONFIG": str(tmp_path), **environment},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def pinned(tmp_path: Path) -> dict[str, dict[str, object]]:
    artifacts = json.loads((tmp_path / "project/falcokit.lock").read_text(encoding="utf-8"))["artifacts"]
    assert isinstance(artifacts, dict)
    return artifacts


def test_pulled_once_and_used_without_a_network(tmp_path: Path, run: Run) -> None:
    (tmp_path / "r").mkdir()
    with real_registry(tmp_path / "r") as host:
        name = f"{host}/rules/my-rules:1.0.0"
        digest = publish(host, "rules/my-rules", "1.0.0", {"my_rules.yaml": ONE})
        assert run("defaults", "pull", name)[0] == 2  # The registry speaks no TLS.
        code, out, err = run("defaults", "pull", "--plain-http", name)
        assert (code, err) == (0, "falcokit: pinned in falcokit.lock\n")
        assert out == f"pulled: {name} {digest[:19]}, 1 file\n"
    assert pinned(tmp_path)[name]["digest"] == digest
    assert run("defaults", "pull", "--plain-http")[:2] == (0, f"there: {name} {digest[:19]}, 1 file\n")
    code, out, err = run("lint", "mine.yaml", "--defaults", name)
    assert (code, err, out.splitlines()[0]) == (0, "", f"default rules: {name}")
    code, out, _ = run("defaults", "where", name)
    assert code == 0
    assert Path(out.strip()).read_text(encoding="utf-8") == ONE
    code, out, _ = run("defaults", "list")
    assert (code, out.splitlines()[-2].split()) == (0, [name, "1", "file", digest[:19], "pinned"])
    code, out, _ = run("defaults", "show", name)
    assert code == 0
    assert f"digest    {digest}" in out
    assert "1 rule, 0 macros, 1 list" in out
    assert "requires engine 0.50.0" in out
    assert "Informational Shell (stable)" in out
    # The settings name it too, from a folder below.
    (tmp_path / "project/falcokit.toml").write_text(f'defaults = ["{name}"]\n', encoding="utf-8")
    assert run("defaults", "list")[1].splitlines()[-1] == f"used here: {name}"
    # What is not there any more cannot be got.
    code, out, err = run("defaults", "pull", "--plain-http", "--update")
    assert (code, out) == (2, "")
    assert err.startswith(f"falcokit: cannot reach {host}: the connection is refused")


def test_two_versions_are_compared_and_upgraded(registry: str, run: Run) -> None:
    old, new = f"{registry}/rules/my-rules:1.0.0", f"{registry}/rules/my-rules:2.0.0"
    assert run("defaults", "pull", "--plain-http", old, new)[0] == 0
    code, out, _ = run("defaults", "diff", old, new)
    assert code == 1
    assert out.splitlines()[-2:] == ["changed  list  shells", "           + zsh"]
    assert run("defaults", "diff", old, old)[0] == 0
    code, out, _ = run("upgrade", "--from", old, "--to", new, "mine.yaml")
    assert (code, out.splitlines()[-1]) == (0, "1 custom item: 1 still needed")
    code, out, _ = run("defaults", "diff", old, "--format", "json")
    assert code == 1
    assert any(change["how"] == "added" for change in json.loads(out)["changes"])


def test_a_lock_holds_the_tag_where_it_was(registry: str, tmp_path: Path, run: Run) -> None:
    name = f"{registry}/rules/moving:latest"
    first = publish(registry, "rules/moving", "latest", {"my_rules.yaml": ONE})
    assert run("defaults", "pull", "--plain-http", name)[0] == 0
    second = publish(registry, "rules/moving", "latest", {"my_rules.yaml": TWO})
    assert run("defaults", "pull", "--plain-http", name)[0] == 0
    assert pinned(tmp_path)[name]["digest"] == first
    # Someone else, with the same lock file: the same bytes.
    assert run("defaults", "pull", "--plain-http", XDG_DATA_HOME=str(tmp_path / "other"))[0] == 0
    path = run("defaults", "where", name, XDG_DATA_HOME=str(tmp_path / "other"))[1].strip()
    assert Path(path).read_text(encoding="utf-8") == ONE
    assert run("defaults", "pull", "--plain-http", "--update")[0] == 0
    assert pinned(tmp_path)[name]["digest"] == second
    assert Path(run("defaults", "where", name)[1].strip()).read_text(encoding="utf-8") == TWO
    # The one that was pinned before can be asked for by its digest; pinning is for the tag.
    assert run("defaults", "where", f"{registry}/rules/moving@{first}")[0] == 0


def test_what_is_not_what_the_lock_says_is_an_error(registry: str, tmp_path: Path, run: Run) -> None:
    name = f"{registry}/rules/my-rules:1.0.0"
    assert run("defaults", "pull", "--plain-http", name)[0] == 0
    lock = tmp_path / "project/falcokit.lock"
    text = lock.read_text(encoding="utf-8")
    digest = json.loads(text)["artifacts"][name]["digest"]
    lock.write_text(text.replace(digest, "sha256:" + "0" * 64), encoding="utf-8")
    code, _, err = run("lint", "mine.yaml", "--defaults", name)
    assert code == 2
    assert "no rules of that name were pulled as falcokit.lock pins it" in err
    assert run("defaults", "pull", "--plain-http", name)[0] == 2
    file = json.loads(text)["artifacts"][name]["files"]["my_rules.yaml"]
    lock.write_text(text.replace(file, "sha256:" + "0" * 64), encoding="utf-8")
    code, _, err = run("defaults", "pull", "--plain-http", name)
    assert code == 2
    assert "its files are not those that falcokit.lock names" in err
    for broken in ("", "[]", '{"version": 2}', '{"version": 1, "artifacts": {"x": {"digest": "no", "files": {}}}}'):
        lock.write_text(broken, encoding="utf-8")
        code, _, err = run("defaults", "pull", "--plain-http", name)
        assert (code, "delete it and pull again" in err) == (2, True)


def test_a_file_that_was_changed_is_not_used(registry: str, tmp_path: Path, run: Run) -> None:
    name = f"{registry}/rules/my-rules:1.0.0"
    assert run("defaults", "pull", "--plain-http", name)[0] == 0
    path = Path(run("defaults", "where", name)[1].strip())
    assert path.stat().st_mode & 0o222 == 0
    path.chmod(0o644)
    path.write_text(TWO, encoding="utf-8")
    code, out, err = run("lint", "mine.yaml", "--defaults", name)
    assert (code, out) == (2, "")
    assert f"{name} was changed since it was pulled" in err
    assert f"{name}  was changed since: pull it again\n" in run("defaults", "list")[1]
    assert run("defaults", "pull", "--plain-http", name)[0] == 0
    assert path.read_text(encoding="utf-8") == ONE
    (path.parent / "more.yaml").write_text("- list: x\n  items: []\n", encoding="utf-8")
    assert run("lint", "mine.yaml", "--defaults", name)[0] == 2


def test_several_pulls_at_once_keep_all_their_pins(registry: str, tmp_path: Path, run: Run) -> None:
    names = [f"{registry}/rules/together:{number}" for number in range(4)]
    for number in range(4):
        publish(registry, "rules/together", str(number), {"r.yaml": ONE})
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda name: run("defaults", "pull", "--plain-http", name)[0], names))
    assert done == [0, 0, 0, 0]
    assert sorted(pinned(tmp_path)) == names


def test_what_the_settings_name_is_pulled(registry: str, tmp_path: Path, run: Run) -> None:
    name = f"{registry}/rules/my-rules:1.0.0"
    (tmp_path / "project/falcokit.toml").write_text(f'defaults = ["{name}"]\n', encoding="utf-8")
    assert (
        run("defaults", "list")[1].splitlines()[-1]
        == f"used here: {name}, which is to be pulled first: falcokit defaults pull"
    )
    assert run("lint", "mine.yaml")[0] == 2
    assert run("defaults", "pull", "--plain-http")[0] == 0
    assert run("lint", "mine.yaml")[1].splitlines()[0] == f"default rules: {name}"


def test_names_that_are_none(registry: str, run: Run) -> None:
    code, _, err = run("defaults", "pull", "--plain-http", f"{registry}/rules/my-rules:3")
    assert (code, err) == (2, f"falcokit: {registry}/rules/my-rules:3: there is no such artifact in the registry\n")
    assert run("defaults", "pull", "../evil")[0] == 2
    code, _, err = run("lint", "mine.yaml", "--defaults", "falco-rules:9.9.9")
    assert (code, err.strip().rpartition(": ")[2]) == (2, "falcokit defaults pull falco-rules:9.9.9")
    assert run("defaults", "show", "installed")[0] == (0 if os.path.exists("/etc/falco/falco.yaml") else 2)
    assert run("defaults", "show")[0] == 0
    code, out, _ = run("defaults", "where")
    assert (code, [os.path.basename(line) for line in out.splitlines()]) == (
        0,
        ["falco_rules.yaml", "k8s_audit_rules.yaml"],
    )


def test_a_registry_that_asks_for_a_password(tmp_path: Path, run: Run) -> None:
    users = tmp_path / "users"
    users.write_text("me:$2y$12$dvYvMo7w13.5vTd8jt.9AunD61M0HmN43t01YAZcpZkzg/zdIvbL6\n", encoding="utf-8")
    with real_registry(tmp_path) as host:
        publish(host, "rules/my-rules", "1.0.0", {"my_rules.yaml": ONE})
    with real_registry(tmp_path, f"auth: {{htpasswd: {{realm: r, path: '{users}'}}}}\n") as host:
        name = f"{host}/rules/my-rules:1.0.0"
        code, _, err = run("defaults", "pull", "--plain-http", name)
        assert (code, f"docker login {host}" in err) == (2, True)
        for word, expected in (("me:wrong", 2), ("me:pw", 0)):
            import base64

            coded = base64.b64encode(word.encode()).decode()
            (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": coded}}}), encoding="utf-8")
            code, out, err = run("defaults", "pull", "--plain-http", name)
            assert code == expected
            assert coded not in out + err

"""Configurations on a disk, and the rules they load; the measured cases."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import falcokit
from falcokit.config import MAX_FILES
from falcokit.errors import ConfigError
from falcokit.workspace.falco_config import LoadedConfig, load_config

SHARED = Path(__file__).parents[2].parent / "shared"


def rule(name: str, *, condition: str = "evt.type=open", extra: str = "") -> str:
    return f"- rule: {name}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n{extra}"


def enabled(loaded: LoadedConfig) -> list[str]:
    return [r.name for r in loaded.ruleset.rules if r.enabled]


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder / "falco.yaml"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared corpus is not here")
def test_measured_cases(tmp_path: Path) -> None:
    cases = json.loads((SHARED / "conformance" / "cases" / "config.json").read_text())["cases"]
    expected = json.loads((SHARED / "conformance" / "expected" / "config.json").read_text())["cases"]
    wrong: list[object] = []
    for case in cases:
        root = tmp_path / case["id"]
        for name, text in {**case["files"], "falco.yaml": case["config"]}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        want = expected[case["id"]]
        try:
            loaded = load_config(root / "falco.yaml", case["args"])
        except ConfigError as error:
            if not want["fatal"]:
                wrong.append((case["id"], str(error)))
            continue
        files = [str(Path(f).relative_to(root)) for f in loaded.files]
        if want["fatal"] or (files, sorted(enabled(loaded))) != (want["loaded"], sorted(want["enabled"])):
            wrong.append((case["id"], files, enabled(loaded), want))
    assert not wrong
    assert len(cases) > 40


def test_relative_paths_are_relative_to_the_configuration_or_to_the_folder_given(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    config = write(tmp_path, falco__yaml="rules_files: [r.yaml]", r__yaml=rule("Here"))
    write(other, r__yaml=rule("There"))
    assert load_config(config).files == (str(tmp_path / "r.yaml"),)
    assert enabled(load_config(config)) == ["Here"]
    assert enabled(load_config(config, folder=other)) == ["There"]


def test_a_configuration_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, falco__yaml="rules_files: [r.yaml]", r__yaml=rule("R"))
    monkeypatch.chdir(tmp_path)
    loaded = load_config("falco.yaml")
    assert loaded.files == ("r.yaml",)
    assert enabled(loaded) == ["R"]


def test_variables_come_from_the_process_unless_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write(tmp_path, falco__yaml="rules_files: ['${WHICH}']", a__yaml=rule("A"), b__yaml=rule("B"))
    monkeypatch.setenv("WHICH", "a.yaml")
    assert enabled(load_config(config)) == ["A"]
    assert enabled(load_config(config, environment={"WHICH": "b.yaml"})) == ["B"]


def test_links_are_followed_pipes_and_broken_links_passed_over(tmp_path: Path) -> None:
    config = write(tmp_path, falco__yaml="rules_files: [d]", real__yaml=rule("Real"))
    folder = tmp_path / "d"
    folder.mkdir()
    os.mkfifo(folder / "pipe.yaml")
    (folder / "link.yaml").symlink_to(tmp_path / "real.yaml")
    (folder / "broken.yaml").symlink_to(tmp_path / "nothing.yaml")
    (folder / "circle.yaml").symlink_to(folder / "circle.yaml")
    (folder / "folder.yaml").mkdir()
    (tmp_path / "linked").symlink_to(folder)
    assert load_config(config).files == (str(folder / "link.yaml"),)
    assert load_config(config, ["-r", "linked"]).files == (str(tmp_path / "linked" / "link.yaml"),)


def test_a_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    config = write(tmp_path, falco__yaml="rules_files: [pipe.yaml]")
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ConfigError, match=r"falco\.yaml:1:15: .*neither a file nor a folder"):
        load_config(config)


def test_a_pipe_among_the_included_files_is_passed_over(tmp_path: Path) -> None:
    config = write(tmp_path, falco__yaml="rules_files: [r.yaml]\nconfig_files: [pipe, c]", r__yaml=rule("R"))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "c").mkdir()
    os.mkfifo(tmp_path / "c" / "pipe")
    assert enabled(load_config(config)) == ["R"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permissions(tmp_path: Path) -> None:
    config = write(tmp_path, falco__yaml="rules_files: [r.yaml, d]", r__yaml=rule("R"))
    (tmp_path / "d").mkdir(mode=0)
    assert enabled(load_config(config)) == ["R"]
    (tmp_path / "r.yaml").chmod(0)
    with pytest.raises(ConfigError, match="permission is denied"):
        load_config(config)


def test_a_circle_of_links_as_included_file_is_refused(tmp_path: Path) -> None:
    config = write(tmp_path, falco__yaml="rules_files: [r.yaml]\nconfig_files: [l]", r__yaml=rule("R"))
    (tmp_path / "l").symlink_to(tmp_path / "l")
    with pytest.raises(ConfigError, match=r"falco\.yaml:2:16: "):
        load_config(config)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_configuration_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / name)


def test_sizes_are_bounded(tmp_path: Path) -> None:
    config = write(tmp_path, falco__yaml="rules_files: [r.yaml]", r__yaml="# " + "x" * 2_000)
    assert load_config(config, limit=3_000).files
    with pytest.raises(ConfigError, match="larger than"):
        load_config(config, limit=1_000)


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path) -> None:
    config = write(tmp_path, falco__yaml="rules_files: [d]")
    (tmp_path / "d").mkdir()
    for number in range(MAX_FILES + 1):
        (tmp_path / "d" / f"{number}.txt").touch()
    with pytest.raises(ConfigError, match=r"falco\.yaml:1:15: .*more than 10000 files"):
        load_config(config)


def test_loading_stops_at_the_first_broken_file(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        falco__yaml="rules_files: [a.yaml, b.yaml]",
        a__yaml=rule("A", condition="no.such=1"),
        b__yaml="- rule: [",
    )
    with pytest.raises(falcokit.ConfigError) as caught:
        falcokit.load_config(config)
    assert str(caught.value).startswith(f"{tmp_path / 'a.yaml'}:3:14: ")
    assert "b.yaml" not in str(caught.value)


def test_only_the_plugins_of_the_configuration_are_loaded(tmp_path: Path) -> None:
    text = rule("Syscall") + rule("Audit", condition="ka.verb=get", extra="  source: k8s_audit\n")
    plugins = (
        "plugins: [{name: json, library_path: j}, {name: k8saudit, library_path: k}, {name: own, library_path: o}]"
    )
    config = write(tmp_path, falco__yaml=f"rules_files: [r.yaml]\n{plugins}", r__yaml=text)
    loaded = load_config(config)
    assert enabled(loaded) == ["Syscall", "Audit"]
    assert any("`own`" in note for note in loaded.notes)
    assert enabled(load_config(config, ["-o", "load_plugins[]=json"])) == ["Syscall"]


def test_rules_left_out_are_not_listed(tmp_path: Path) -> None:
    text = rule("Skipped", condition="no.such=1", extra="  skip-if-unknown-filter: true\n") + rule("Kept")
    config = write(tmp_path, falco__yaml="rules_files: [r.yaml]", r__yaml=text)
    assert [r.name for r in load_config(config).ruleset.rules] == ["Kept"]


def test_a_selection_that_fits_nothing_is_noted(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        falco__yaml="rules_files: [r.yaml]\nrules:\n- disable: {rule: r}\n- disable: {tag: t}",
        r__yaml=rule("R"),
    )
    notes = load_config(config).notes
    assert [note.split(": ")[0] for note in notes] == [f"{config}:3:3", f"{config}:4:3"]


def test_additions_are_checked_with_the_output(tmp_path: Path) -> None:
    config = write(tmp_path, falco__yaml="rules_files: [r.yaml]", r__yaml=rule("R"))
    assert enabled(load_config(config, ["-o", 'append_output[]={"extra_output": "%proc.name"}'])) == ["R"]
    with pytest.raises(ConfigError, match=r"r\.yaml:4:"):
        load_config(config, ["-o", "append_output[].extra_output=%no.field"])
    with pytest.raises(ConfigError, match=r"r\.yaml:4:"):
        load_config(config, ["-o", "append_output[].extra_fields[]=no.field"])

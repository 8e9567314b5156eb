"""The default rules, and the worked examples of whitelisting loaded on top of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import falcokit

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DEFAULT = (ROOT / "default_rules" / "falco_rules.yaml").read_text(encoding="utf-8")

NEVER = "not evt.num = 0"
RULES = [
    "Write below etc", "Write below root", "Launch Privileged Container", "Run shell untrusted", "Terminal shell in container",
]  # fmt: skip
HOOKS = {
    "Write below etc": ["user_known_write_etc_conditions", "user_known_write_below_etc_activities"],
    "Write below root": ["user_known_write_root_conditions", "user_known_write_below_root_activities"],
    "Launch Privileged Container": ["user_trusted_containers", "user_privileged_containers"],
    "Run shell untrusted": ["user_shell_container_exclusions"],
    "Terminal shell in container": ["user_expected_terminal_shell_in_container_conditions"],
}
IDENTITY = {
    "container.id", "container.name", "container.image", "container.image.repository", "container.image.tag",
    "container.image.digest", "k8s.ns.name", "k8s.pod.name",
}  # fmt: skip


def example(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def validate(*custom: str) -> falcokit.Validation:
    files = [("falco_rules.yaml", DEFAULT), *((f"custom-{n}.yaml", text) for n, text in enumerate(custom))]
    return falcokit.validate(files)


def rules_of(validation: falcokit.Validation) -> dict[str, dict[str, Any]]:
    return {rule["info"]["name"]: rule for rule in validation.describe()["rules"]}


def conditions(*custom: str) -> dict[str, str]:
    """The compiled condition of every rule, after the default file and *custom* were loaded."""
    return {name: rule["details"]["condition_compiled"] for name, rule in rules_of(validate(*custom)).items()}


def problems(*custom: str) -> list[list[str]]:
    """Codes of errors and warnings, file by file; every file must be accepted and fit the schema."""
    results = validate(*custom).to_falco()["falco_load_results"]
    assert len(results) == 1 + len(custom)
    for result in results:
        assert result["successful"], result["errors"]
        assert result["schema_valid"], result["schema_warnings"]
    return [[problem["code"] for problem in result["errors"] + result["warnings"]] for result in results]


# --- the default file


def test_default_file_has_no_error_or_warning() -> None:
    assert problems() == [[]]


def test_default_file_has_the_rules_of_the_examples() -> None:
    described = validate().describe()
    assert {rule["info"]["name"] for rule in described["rules"]} >= set(RULES)
    assert described["required_engine_version"] == "0.57.0"


def test_every_macro_and_list_is_used() -> None:
    described = validate().describe()
    unused = [item["info"]["name"] for item in described["macros"] + described["lists"] if not item["details"]["used"]]
    assert unused == []


@pytest.mark.parametrize("name", RULES)
def test_rule_can_be_whitelisted_from_its_alerts(name: str) -> None:
    rule = rules_of(validate())[name]
    output = set(rule["details"]["output_fields"])
    assert output >= IDENTITY
    assert set(rule["details"]["condition_fields"]) - output == {"evt.num"}


@pytest.mark.parametrize("name", RULES)
def test_rule_is_modern(name: str) -> None:
    rule = rules_of(validate())[name]
    tags = set(rule["info"]["tags"])
    assert sum(tag.startswith("maturity_") for tag in tags) == 1
    assert any(tag.startswith("mitre_") for tag in tags)
    assert any(tag.startswith("T1") for tag in tags)
    assert "container" in tags
    assert rule["info"]["enabled"]
    assert "evt.dir" not in rule["details"]["condition_fields"]
    expected = (
        {"open", "openat", "openat2", "open_by_handle_at", "creat"}
        if name.startswith("Write")
        else {"execve", "execveat"}
    )
    if name == "Launch Privileged Container":
        expected = expected | {"container"}
    assert set(rule["details"]["events"]) == expected | {"asyncevent"}


@pytest.mark.parametrize(("rule", "hook"), [(rule, hook) for rule, hooks in HOOKS.items() for hook in hooks])
def test_hook_belongs_to_one_rule_and_does_nothing_until_overridden(rule: str, hook: str) -> None:
    before = conditions()
    custom = f"- macro: {hook}\n  condition: (proc.name = example)\n  override:\n    condition: replace\n"
    assert problems(custom) == [[], []]
    after = conditions(custom)
    assert [name for name in RULES if after[name] != before[name]] == [rule]
    assert NEVER in before[rule]
    assert before[rule].count(NEVER) == after[rule].count(NEVER) + 1
    assert after[rule].count("not proc.name = example") == 1


# --- Write below etc


AS_PRINTED = """\
- macro: catsd_writing_catfood_cfg
  condition: (proc.name=catsd and fd.name=/etc/catfood.cfg)

- macro: user_known_write_etc_conditions
  condition: catsd_writing_catfood_cfg
"""


@pytest.mark.parametrize("custom", [example("write_below_etc.yaml"), AS_PRINTED], ids=["override", "as printed"])
def test_write_below_etc(custom: str) -> None:
    assert problems(custom) == [[], []]
    before, after = conditions(), conditions(custom)
    assert "catsd" not in before["Write below etc"]
    assert "not (proc.name = catsd and fd.name = /etc/catfood.cfg)" in after["Write below etc"]
    assert [name for name in RULES if after[name] != before[name]] == ["Write below etc"]


# --- Launch Privileged Container


TRUSTED = "not container.image startswith registry.customer.com/mydatastore"


def test_launch_privileged_container() -> None:
    custom = example("launch_privileged_container.yaml")
    assert problems(custom) == [[], []]
    before, after = conditions(), conditions(custom)
    assert TRUSTED not in before["Launch Privileged Container"]
    assert TRUSTED in after["Launch Privileged Container"]


def test_write_below_root_does_not_use_trusted_containers_until_told_to() -> None:
    trusted = example("launch_privileged_container.yaml")
    append = (
        "- rule: Write below root\n  condition: and not user_trusted_containers\n  override:\n    condition: append\n"
    )
    assert problems(trusted, append) == [[], [], []]
    before, whitelisted, appended = conditions(), conditions(trusted), conditions(trusted, append)
    assert whitelisted["Write below root"] == before["Write below root"]
    assert TRUSTED in appended["Write below root"]
    assert [name for name in RULES if appended[name] != whitelisted[name]] == ["Write below root"]


# --- Run shell untrusted


def excluded_parents(custom: str | None = None) -> list[str]:
    """The direct parents whose shells *Run shell untrusted* does not report."""
    compiled = conditions(*[custom] if custom else [])["Run shell untrusted"]
    return compiled.split("not proc.pname in (")[1].split(")")[0].split(", ")


OVERRIDE = "- list: user_known_shell_spawn_binaries\n  items: [php]\n  override:\n    items: append\n"


@pytest.mark.parametrize(
    ("custom", "warnings"),
    [(example("run_shell_untrusted.yaml"), ["LOAD_DEPRECATED_ITEM"]), (OVERRIDE, [])],
    ids=["append: true", "override"],
)
def test_run_shell_untrusted(custom: str, warnings: list[str]) -> None:
    assert problems(custom) == [[], warnings]
    assert "php" not in excluded_parents()
    assert excluded_parents(custom) == [*excluded_parents(), "php"]
    before, after = conditions(), conditions(custom)
    assert [name for name in RULES if after[name] != before[name]] == ["Run shell untrusted"]


# --- together


def test_the_three_examples_together() -> None:
    names = ["write_below_etc.yaml", "launch_privileged_container.yaml", "run_shell_untrusted.yaml"]
    texts = [example(name) for name in names]
    assert problems(*texts) == [[], [], [], ["LOAD_DEPRECATED_ITEM"]]
    before, after = conditions(), conditions(*texts)
    assert [name for name in RULES if after[name] != before[name]] == [
        "Write below etc", "Launch Privileged Container", "Run shell untrusted",
    ]  # fmt: skip


# --- all of them

SILENT = {"evt.num", "proc.aname", "fd.snet", "fd.cnet", "fd.port", "ka.req.configmap.obj"}
"""Fields of conditions that no alert carries, for the reasons that the README gives."""


def loaded(*paths: Path) -> falcokit.Validation:
    return falcokit.validate([(path.name, path.read_text(encoding="utf-8")) for path in paths])


def both() -> falcokit.Validation:
    return loaded(*sorted((ROOT / "default_rules").glob("*.yaml")))


def everything() -> dict[str, dict[str, Any]]:
    return rules_of(both())


def test_every_alert_carries_what_its_condition_looks_at() -> None:
    for name, rule in everything().items():
        missing = set(rule["details"]["condition_fields"]) - set(rule["details"]["output_fields"])
        assert missing <= SILENT, (name, missing)
        if rule["info"].get("source", "syscall") == "syscall":
            assert set(rule["details"]["output_fields"]) >= IDENTITY - {"container.image"}, name


def test_every_rule_has_its_subject_and_a_description_that_says_what_to_do() -> None:
    for name, rule in everything().items():
        assert rule["info"]["tags"], name
        assert len(rule["info"]["description"].split()) > 15, name


UPSTREAM = ROOT.parent / "shared" / "corpus" / "upstream"


@pytest.mark.skipif(not UPSTREAM.exists(), reason="needs the public rules in ../shared")
@pytest.mark.parametrize(
    "path",
    [
        "falco-rules/5.1.0/falco_rules.yaml",
        "falco-incubating-rules/6.0.1/falco-incubating_rules.yaml",
        "plugins/k8saudit/k8s_audit_rules.yaml",
    ],
)
def test_the_rules_and_hooks_of_the_public_lines_are_there(path: str) -> None:
    public, ours = loaded(UPSTREAM / path).describe(), both().describe()
    for kind in ("rules", "macros", "lists"):
        there = {item["info"]["name"] for item in ours[kind]}
        asked = {item["info"]["name"] for item in public[kind]}
        missing = asked - there
        hooks = {name for name in missing if name.startswith("user_")}
        assert not hooks
        if kind == "rules":
            assert not missing

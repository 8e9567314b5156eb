"""falcokit.toml: what it says, what is wrong with it and where."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Severity
from falcokit.errors import ConfigError
from falcokit.lint import lint
from falcokit.settings import Choice, Options, parse_names, read_settings
from falcokit.settings.read import KEYS
from falcokit.source import SourceFile

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "falcokit.schema.json").read_text("utf-8"))
FULL = """\
select = ["overrides", "FK2"]
ignore = ["replaced-default"]
pedantic = true
defaults = ["falco_rules.yaml"]
target-falco = "0.37"
hooks = ["known_*"]

[per-file-ignores]
"legacy/*.yaml" = ["shadowed-default"]

[severity]
unused-macro = "error"
"""
LISTS = "- list: idle\n  items: [a]\n"


def test_everything_that_can_be_set() -> None:
    settings = read_settings("falcokit.toml", FULL)
    assert settings is not None
    assert settings.choice.select == ("overrides", "FK2")
    assert settings.choice.per_file == (("legacy/*.yaml", ("shadowed-default",)),)
    assert settings.choice.severity == {"unused-macro": Severity.ERROR}
    assert (settings.defaults, settings.target, settings.hooks) == (("falco_rules.yaml",), "0.37", ("known_*",))
    jsonschema.validate(tomllib.loads(FULL), SCHEMA)
    assert set(SCHEMA["properties"]) == set(KEYS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('selct = ["x"]', "1:1: there is no setting `selct`; did you mean `select`?"),
        (
            '[severity]\nunknown-field = "info"',
            "2:1: Falco refuses rules with `unknown-field`: its severity stays error",
        ),
        ('\nselect = "overrides"', "2:1: `select` must be an array of texts"),
        (
            'ignore = ["shadowed-defalt"]',
            "1:1: there is no finding `shadowed-defalt`; did you mean `shadowed-default`?",
        ),
        ("pedantic = 1", "1:1: `pedantic` must be true or false"),
        ("[severity]\nunused-list = 'off'", "2:1: the severity of `unused-list` must be error, warning or info"),
        ("target-falco = 0.37", "1:1: `target-falco` must be a version"),
        ("select = [", "the file is not TOML"),
        ("[per-file-ignores]\n'a' = 'x'", "2:2: `a` must be an array"),
    ],
)
def test_mistakes_have_a_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_settings("falcokit.toml", text)
    assert said in str(error.value)
    assert str(error.value).startswith("falcokit.toml:")


def test_a_pyproject_may_have_none() -> None:
    assert read_settings("a/pyproject.toml", "[project]\nname = 'x'\n") is None
    found = read_settings("pyproject.toml", "[tool.falcokit]\npedantic = true\n")
    assert found is not None
    assert found.choice.pedantic
    with pytest.raises(ConfigError, match=r"pyproject.toml:4:1"):
        read_settings("pyproject.toml", "[project]\nselct = 1\n[tool.falcokit]\nselct = 1\n")


@given(st.text())
def test_any_text_is_settings_or_an_error_with_a_place(text: str) -> None:
    try:
        read_settings("falcokit.toml", text)
    except ConfigError as error:
        assert str(error).startswith("falcokit.toml:")


def kinds(choice: Choice, text: str = LISTS, name: str = "f.yaml") -> list[tuple[str, str]]:
    result = lint([SourceFile(name, text)], Catalogue.bundled(), options=Options(choice))
    return [(d.kind, d.level.word) for d in result.findings]


def test_choices() -> None:
    assert kinds(Choice()) == [("unused-list", "warning")]
    assert kinds(Choice(select=("FK2",))) == [("unused-list", "warning")]
    assert kinds(Choice(select=("overrides",))) == []
    assert kinds(Choice(ignore=("unused-list",))) == []
    assert kinds(Choice(ignore=("FK204",))) == []
    assert kinds(Choice(per_file=(("f.*", ("FK204",)),))) == []
    assert kinds(Choice(per_file=(("sub/*", ("FK204",)),)), name="rules/sub/f.yaml") == []
    assert kinds(Choice(severity={"unused-list": Severity.INFO})) == [("unused-list", "info")]


def test_what_falco_refuses_goes_away_only_by_its_full_name() -> None:
    broken = "- macro: m\n  condition: nosuch\n"
    assert kinds(Choice(ignore=("FK2",)), broken) == [("undefined-macro", "error")]
    assert kinds(Choice(select=("overrides",)), broken) == [("undefined-macro", "error")]
    assert kinds(Choice(severity={"undefined-macro": Severity.INFO}), broken) == [("undefined-macro", "error")]
    assert kinds(Choice(ignore=("undefined-macro",)), broken) == []


def test_names_may_be_joined_by_commas() -> None:
    assert parse_names(["unused-list, FK3", "style"]) == (("unused-list", "FK3", "style"), "")
    assert "no finding" in parse_names(["FK7777"])[1]


def test_severity_by_family_and_by_name() -> None:
    settings = read_settings("falcokit.toml", '[severity]\nFK2 = "info"\nunused-macro = "error"\n')
    assert settings is not None
    text = LISTS + "- macro: idle_macro\n  condition: evt.type = open\n"
    found = lint([SourceFile("f.yaml", text)], Catalogue.bundled(), options=Options(settings.choice)).findings
    assert [(d.kind, d.severity) for d in found] == [("unused-list", Severity.INFO), ("unused-macro", Severity.ERROR)]

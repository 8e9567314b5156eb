"""Reading a configuration, without a disk: files and options go together as Falco puts them together."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.config import FalcoConfig, PathKind, Selection, read_config
from falcokit.errors import ConfigError
from falcokit.ruleset.additions import OutputAddition, applicable
from falcokit.source import SourceFile


class Files:
    """A disk in memory; a path that ends in a slash is a folder, one with the content None is neither."""

    def __init__(self, files: Mapping[str, str | None]) -> None:
        self._files = files

    def name(self, path: str) -> str:
        return f"/etc/falco/{path}" if not path.startswith("/") else path

    def kind(self, path: str) -> PathKind:
        if path.rstrip("/") + "/" in self._files:
            return PathKind.FOLDER
        if path not in self._files:
            return PathKind.MISSING
        return PathKind.OTHER if self._files[path] is None else PathKind.FILE

    def read(self, path: str) -> SourceFile:
        text = self._files.get(path)
        if text is None:
            raise ConfigError(f"{path}: the file cannot be read: there is no such file; correct the path")
        return SourceFile(path, text)

    def listing(self, folder: str) -> list[str]:
        start = folder.rstrip("/") + "/"
        inside = [p for p in self._files if p.startswith(start) and p != start and "/" not in p[len(start) :]]
        return [p for p in reversed(inside) if self._files[p] is not None]


RULES: dict[str, str | None] = {"a.yaml": "", "b.yml": "", "c.txt": "", "d/": None, "d/2.yaml": "", "d/1.yml": ""}


def read(
    config: str,
    args: Sequence[str] = (),
    files: Mapping[str, str | None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> FalcoConfig:
    disk = Files({**RULES, **(files or {}), "falco.yaml": config})
    return read_config("falco.yaml", args, environment or {}, disk)


def refused(config: str, args: Sequence[str] = (), files: Mapping[str, str | None] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        read(config, args, files)
    return str(caught.value)


GO = "rules_files: [a.yaml]\n"


class TestRulesFiles:
    @pytest.mark.parametrize(
        ("config", "paths"),
        [
            ("rules_files: [b.yml, a.yaml]", ["b.yml", "a.yaml"]),
            ("rules_files: a.yaml", ["a.yaml"]),
            ("rules_files: [c.txt, missing.yaml, a.yaml]", ["a.yaml"]),
            ("rules_files: [c.txt]", []),
            ("rules_files: [d]", ["d/1.yml", "d/2.yaml"]),
            ("rules_files: [d/, a.yaml, d]", ["d/1.yml", "d/2.yaml", "a.yaml", "d/1.yml", "d/2.yaml"]),
            ("rules_files: [a.yaml]\nrules_files: [b.yml]", ["a.yaml"]),
            ("- a: 1\n", None),
            ("", None),
            ("rules_files: []", None),
            ("rules_files:", None),
            ("rules_files: {a: a.yaml}", None),
            ("rules_files: [missing.yaml]", None),
            ("rules_files: [[a.yaml]]", None),
            ("rules_file: [a.yaml]", None),
            ("rules_files: [a.yaml]\nrules_file: [b.yml]", None),
        ],
    )
    def test_which(self, config: str, paths: list[str] | None) -> None:
        if paths is None:
            assert re.match(r"falco\.yaml:\d+:\d+: ", refused(config))
        else:
            assert list(read(config).rules_files) == [p.replace("d//", "d/") for p in paths]

    @pytest.mark.parametrize("args", [["-r", "b.yml"], ["-rb.yml"], ["-r", "b.yml", "--dry-run"]])
    def test_the_argument_replaces_the_setting(self, args: list[str]) -> None:
        assert read("rules_files: [a.yaml]", args).rules_files == ("b.yml",)
        assert read("", args).rules_files == ("b.yml",)

    def test_a_missing_file_is_an_error_only_as_an_argument(self) -> None:
        assert "missing.yaml" in refused(GO, ["-r", "missing.yaml"])
        assert read(GO, ["-r", "missing.txt"]).rules_files == ()
        assert read("rules_files: [missing.yaml, a.yaml]").notes == (
            "falco.yaml:1:15: `missing.yaml` does not exist: Falco passes over it",
        )

    def test_a_pipe_is_not_opened(self) -> None:
        assert "neither a file nor a folder" in refused("rules_files: [p.yaml]", files={"p.yaml": None})

    def test_an_ending_in_a_folder_name_hides_the_file(self) -> None:
        files = {"r.yaml.d/x.yaml": "", "r.yaml.d/x.yml": "", "y.yaml.yaml": ""}
        config = "rules_files: [r.yaml.d/x.yaml, r.yaml.d/x.yml, y.yaml.yaml]"
        assert read(config, files=files).rules_files == ("r.yaml.d/x.yml",)

    def test_too_many(self) -> None:
        assert "more than 10000" in refused("rules_files: [&d d" + ", *d" * 5_000 + "]")


class TestIncludedFiles:
    def test_by_default_sequences_are_appended_and_the_rest_replaced(self) -> None:
        config = "rules_files: [a.yaml]\npriority: error\nconfig_files: [x.yaml]"
        merged = read(config, files={"x.yaml": "rules_files: [b.yml]\npriority: alert\nrules: [{disable: {tag: t}}]"})
        assert merged.rules_files == ("a.yaml", "b.yml")
        assert merged.minimum_priority == 1
        assert [s.tag for s in merged.selection] == ["t"]
        assert merged.files == ("falco.yaml", "x.yaml")

    @pytest.mark.parametrize(
        ("strategy", "paths", "priority"),
        [
            ("append", ("a.yaml", "b.yml"), 1),
            ("override", ("b.yml",), 1),
            ("add-only", ("a.yaml",), 3),
            ("OVERRIDE", ("a.yaml", "b.yml"), 1),
        ],
    )
    def test_strategies(self, strategy: str, paths: tuple[str, ...], priority: int) -> None:
        config = f"rules_files: [a.yaml]\npriority: error\nconfig_files: [{{path: x.yaml, strategy: {strategy}}}]"
        files = {"x.yaml": "rules_files: [b.yml]\npriority: alert\nrule_matching: all"}
        merged = read(config, files=files)
        assert (merged.rules_files, merged.minimum_priority, merged.rule_matching) == (paths, priority, "all")

    def test_a_folder_is_read_in_order_whatever_the_files_are_called(self) -> None:
        files = {"c/": None, "c/2": "priority: alert", "c/10.yaml": "priority: error", "c/.h": "", "c/pipe": None}
        merged = read(GO + "config_files: c", files=files)
        assert merged.files == ("falco.yaml", "c/.h", "c/10.yaml", "c/2")
        assert merged.minimum_priority == 1

    def test_the_option_names_files_too_and_other_options_win(self) -> None:
        files = {"x.yaml": "priority: alert\nrule_matching: all"}
        merged = read(GO, ["-o", "priority=critical", "-o", "config_files=x.yaml"], files)
        assert (merged.minimum_priority, merged.rule_matching) == (2, "all")
        merged = read(GO + "config_files: [x.yaml]", ["-o", "config_files[]=y.yaml"], {**files, "y.yaml": ""})
        assert merged.files == ("falco.yaml", "x.yaml", "y.yaml")

    @pytest.mark.parametrize("path", ["falco.yaml", "./falco.yaml", "/etc/falco/falco.yaml"])
    def test_the_main_file_is_refused(self, path: str) -> None:
        assert "includes itself" in refused(f"{GO}config_files: [{path}]")

    def test_an_included_file_cannot_include(self) -> None:
        text = refused(f"{GO}config_files: [x.yaml]", files={"x.yaml": "priority: alert\nconfig_files: []"})
        assert text.startswith("x.yaml:2:1: ")

    def test_missing_files_are_passed_over(self) -> None:
        assert "does not exist" in read(f"{GO}config_files: [no.yaml]").notes[0]

    @pytest.mark.parametrize(("text", "place"), [("- a\n", "x.yaml:1:1"), ("rules: [", "x.yaml:1:9")])
    def test_included_files_that_are_no_mapping(self, text: str, place: str) -> None:
        assert refused(f"{GO}config_files: [x.yaml]", files={"x.yaml": text}).startswith(f"{place}: ")

    def test_a_sequence_cannot_be_appended_to_a_text(self) -> None:
        files = {"x.yaml": "priority: [a]"}
        text = refused(f"{GO}priority: error\nconfig_files: [x.yaml]", files=files)
        assert text.startswith("x.yaml:1:11: ")
        assert "falco.yaml:2:11" in text

    @pytest.mark.parametrize("text", ["", "text", "[]", "~", "---\n--- [\n"])
    def test_included_files_with_nothing_in_them(self, text: str) -> None:
        assert read(f"{GO}config_files: [x.yaml]", files={"x.yaml": text}).rules_files == ("a.yaml",)

    def test_an_empty_sequence_adds_nothing_not_even_the_key(self) -> None:
        files = {"x.yaml": "load_plugins: []"}
        assert read(f"{GO}config_files: [x.yaml]", files=files).plugins is None
        assert read(f"{GO}config_files: [{{path: x.yaml, strategy: override}}]", files=files).plugins == ()


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "selection"),
        [
            (["rules[].disable.rule=Beta"], [Selection(False, "Beta")]),
            (["rules[].disable.rule=*", "rules[].enable.tag=x"], [Selection(False, "*"), Selection(True, "", "x")]),
            (["rules[0].enable.rule=A", "rules[0].enable.tag=t"], [Selection(True, "A", "t")]),
            (['rules[]={"enable": {"rule": "a, b"}}'], [Selection(True, "a, b")]),
            (["rules[].disable={rule: A}"], [Selection(False, "A")]),
            (["rules[7].disable.rule=A"], []),  # a position too far makes it a mapping, which Falco ignores
        ],
    )
    def test_selection(self, options: list[str], selection: list[Selection]) -> None:
        found = read(GO, [part for option in options for part in ("-o", option)]).selection
        assert [s._replace(where="") for s in found] == selection

    def test_options_come_behind_the_file(self) -> None:
        config = GO + "rules: [{disable: {rule: A}}]\npriority: alert\n"
        merged = read(
            config, ["--option=priority=debug", "-orules[].enable.rule=B", "--option", "rules[0].disable.rule=C"]
        )
        assert [(s.enable, s.rule) for s in merged.selection] == [(False, "C"), (True, "B")]
        assert merged.minimum_priority == 7

    def test_a_plain_value_is_text(self) -> None:
        assert read("", ["-o", "rules_files=a.yaml"]).rules_files == ("a.yaml",)
        assert refused("", ["-o", "rules_files=[a.yaml]"])  # a text, and no file of that name
        assert read("", ["-o", "rules_files[]=b.yml", "-o", "rules_files[]=a.yaml"]).rules_files == ("b.yml", "a.yaml")

    @pytest.mark.parametrize(
        "option",
        [
            "priority",
            "=x",
            "rules..a=1",
            ".a=1",
            "rules[=1",
            "rules[x]=1",
            "rules[0]a=1",
            "rules[0][1]=1",
            "rules_files[0].x=1",
            "priority[]=1",
            "priority={",
            "rules[]={a",
            "rules[]={[}",
            "append_output[]={a: }",
        ],
    )
    def test_keys_that_lead_nowhere(self, option: str) -> None:
        config = GO + "priority: alert\n"
        if option in ("priority={", "rules[]={a"):
            assert refused(config, ["-o", option])  # texts, of no use there
        elif option == "append_output[]={a: }":
            assert read(config, ["-o", option])
        else:
            assert refused(config, ["-o", option]).startswith(f"-o {option}")

    def test_an_alias_is_one_value(self) -> None:
        config = GO + "rules: [&e {disable: {rule: A}}, *e]\n"
        assert [s.rule for s in read(config, ["-o", "rules[1].disable.rule=B"]).selection] == ["B", "B"]

    @pytest.mark.parametrize("args", [["-r"], ["-o"], ["-x"], ["a.yaml"]])
    def test_other_arguments_are_refused(self, args: list[str]) -> None:
        assert refused(GO, args)

    @given(st.text("ab.[]01=", max_size=12))
    def test_any_option_is_taken_or_refused(self, option: str) -> None:
        try:
            read(GO, ["-o", option])
        except ConfigError as error:
            assert str(error)


class TestEntries:
    @pytest.mark.parametrize(
        ("entry", "place"),
        [
            ("- disable", "3:3"),
            ("- disable: {}", "3:3"),
            ("- {}", "3:3"),
            ("- ~", "3:3"),
            ("- enable:", "3:10"),
            ("- enable: {rule: '', tag: ''}", "3:3"),
            ("- enable: {rule: [a]}", "3:18"),
        ],
    )
    def test_selections_that_are_refused(self, entry: str, place: str) -> None:
        text = refused(f"{GO}rules:\n{entry}\n")
        assert text.startswith(f"falco.yaml:{place}: ") or entry == "- enable:"
        assert "; " in text

    def test_a_null_name_reads_as_the_word(self) -> None:
        assert read(f"{GO}rules:\n- enable: {{rule: ~}}\n").selection[0].rule == "null"

    def test_every_problem_is_told(self) -> None:
        text = refused(
            "rules_files: []\npriority: warn\nrule_matching: any\nrules: [a]\nappend_output: [b]\nplugins: [c]"
        )
        assert [line.split(":")[1] for line in text.splitlines()] == ["1", "4", "5", "6", "3", "2"]

    def test_what_falco_ignores_is_noted(self) -> None:
        config = (
            GO + "rules: {enable: {rule: A}}\nappend_output: {extra_output: x}\nconfig_files: {path: x}\nplugins: {}"
        )
        found = read(config)
        assert (found.selection, found.additions, found.plugins) == ((), (), ())
        assert len(found.notes) == 4
        both = read(f"{GO}rules: [{{enable: {{rule: A}}, disable: {{rule: B}}}}]")
        assert [(s.enable, s.rule) for s in both.selection] == [(True, "A")]
        assert "`disable`" in both.notes[0]

    @pytest.mark.parametrize(
        ("entry", "addition"),
        [
            ("{}", OutputAddition("", frozenset(), "", "", (), False)),
            ("{extra_output: x}", OutputAddition("", frozenset(), "", "x", (), False)),
            (
                "{match: {source: s, tags: [b, a, b], rule: R}, suggested_output: yes}",
                OutputAddition("s", frozenset("ab"), "R", "", (), True),
            ),
            (
                "{extra_fields: [proc.exe, {mine: '%proc.pid'}, proc.exe]}",
                OutputAddition("", frozenset(), "", "", (("proc.exe", None), ("mine", "%proc.pid")), False),
            ),
            ("{match: {tags: word}}", OutputAddition("", frozenset(), "", "", (), False)),
            ("{match: }", OutputAddition("", frozenset(), "", "", (), False)),
        ],
    )
    def test_additions(self, entry: str, addition: OutputAddition) -> None:
        assert read(f"{GO}append_output:\n- {entry}\n").additions == (addition,)

    @pytest.mark.parametrize(
        "entry",
        [
            "text",
            "[a]",
            "~",
            "{match: text}",
            "{match: {tags: [[a]]}}",
            "{match: {tags: [~]}}",
            "{extra_fields: a}",
            "{extra_fields: }",
            "{extra_fields: [~]}",
            "{extra_fields: [{a: b, c: d}]}",
            "{suggested_output: 1}",
            "{extra_fields: [{a: b}, a]}",
            "{extra_fields: [a, {a: b}]}",
            "{extra_fields: [{a: b}, {a: c}]}",
            "{extra_output: {}}",
            "{match: {source: []}}",
            "{match: {rule: {}}}",
        ],
    )
    def test_additions_that_are_refused(self, entry: str) -> None:
        assert re.match(r"falco\.yaml:3:\d+: .*; ", refused(f"{GO}append_output:\n- {entry}\n"))

    @pytest.mark.parametrize(
        ("config", "plugins"),
        [
            ("", None),
            ("plugins: [{name: a, library_path: x}, {name: b, library_path: y}]", ("a", "b")),
            ("plugins: [{name: a, library_path: x}, {name: b, library_path: y}]\nload_plugins: [b]", ("b",)),
            ("plugins: [{name: a, library_path: x, init_config: {k: v}, open_params: }]\nload_plugins: a", ("a",)),
            ("plugins: [{name: a, library_path: x}]\nload_plugins: []", ()),
            ("plugins: []", ()),
            ("load_plugins:", ()),
        ],
    )
    def test_plugins(self, config: str, plugins: tuple[str, ...] | None) -> None:
        assert read(GO + config).plugins == plugins

    @pytest.mark.parametrize(
        "config",
        [
            "plugins: [a]",
            "plugins: [{name: a}]",
            "plugins: [{library_path: a}]",
            "plugins: word",
            "load_plugins: [a]",
            "plugins: [{name: a, library_path: x, init_config: [1]}]",
            "plugins: [{name: [], library_path: x}]",
        ],
    )
    def test_plugins_that_are_refused(self, config: str) -> None:
        assert refused(GO + config).startswith("falco.yaml:2:")

    @pytest.mark.parametrize(
        ("config", "number"),
        [("", 7), ("priority: ERROR", 3), ("priority: Info", 6), ("priority: Informational", 6), ("priority: [a]", 7)],
    )
    def test_priority(self, config: str, number: int) -> None:
        assert read(GO + config).minimum_priority == number

    @pytest.mark.parametrize("word", ["warn", "''", "~", "3", "\u0131nfo"])
    def test_priorities_that_are_refused(self, word: str) -> None:
        assert refused(f"{GO}priority: {word}").startswith("falco.yaml:2:")


class TestText:
    def test_variables_are_put_in_values_not_in_keys(self) -> None:
        found = read(
            "rules_files: ['${R}', \"${MISSING}b.yml\"]\n${K}: x", environment={"R": "a.yaml", "K": "priority"}
        )
        assert found.rules_files == ("a.yaml", "b.yml")
        assert found.minimum_priority == 7

    def test_variables_are_not_put_in_options(self) -> None:
        found = read(GO, ["-o", "rules[].disable.rule=${A}"])
        assert found.selection[0].rule == "${A}"

    def test_a_variable_that_names_itself_is_refused(self) -> None:
        disk = Files({**RULES, "falco.yaml": GO + "x: ${A}"})
        with pytest.raises(ConfigError, match=r"falco\.yaml:2:4: "):
            read_config("falco.yaml", (), {"A": "${A}"}, disk)

    @pytest.mark.parametrize(
        "config",
        [
            GO + "---\n[ not looked at",
            "---\n" + GO + "...\n}",
            "\ufeff" + GO,
            "\ufeff---\n" + GO + "--- {",
            "# c\n%YAML 1.2\n--- # c\n" + GO,
        ],
    )
    def test_only_the_first_document_is_read(self, config: str) -> None:
        assert read(config).rules_files == ("a.yaml",)

    def test_an_empty_first_document_is_an_empty_configuration(self) -> None:
        assert refused("---\n---\n" + GO)

    @pytest.mark.parametrize(
        ("config", "place"),
        [("a: [", "1:"), ("just text", "1:1"), ("a: b: c", "1:"), ("\0", "1:1"), ("? [a]\n: b", "1:3")],
    )
    def test_what_is_no_configuration(self, config: str, place: str) -> None:
        assert refused(config).startswith(f"falco.yaml:{place}")


class TestBounds:
    def test_aliases_do_not_multiply_the_work(self) -> None:
        fields = ", ".join(f"f{n}" for n in range(5_000))
        entries = "".join("- {match: {tags: *f}, extra_fields: *f}\n" for _ in range(9_000))
        config = f"{GO}x: &f [{fields}]\nappend_output:\n{entries}"
        begin = time.perf_counter()
        assert "remove some" in refused(config)
        assert time.perf_counter() - begin < 5

    def test_deep_nesting(self) -> None:
        depth = 490
        assert read(f"{GO}x: {'[' * depth}{']' * depth}").rules_files == ("a.yaml",)


def test_which_additions_apply() -> None:
    everywhere = OutputAddition("", frozenset(), "", "a", (), False)
    tagged = everywhere._replace(tags=frozenset("xy"))
    of_source = everywhere._replace(source="syscall")
    named = everywhere._replace(rule="R", tags=frozenset("x"))
    entries = [named, everywhere, tagged, of_source]
    assert applicable(entries, "R", "syscall", frozenset("xy")) == tuple(entries)
    assert applicable(entries, "S", "k8s_audit", frozenset("x")) == (everywhere,)
    assert applicable([], "R", "syscall", frozenset()) == ()

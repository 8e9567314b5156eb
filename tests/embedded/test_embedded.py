"""Rules inside other files: read where they are, shown where they are."""

from __future__ import annotations

from textwrap import indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.catalogue import Catalogue
from falcokit.embedded import is_plain, opened
from falcokit.lint import LintResult, lint
from falcokit.report.text import render
from falcokit.source import SourceFile

RULE = "- rule: T\n  desc: d\n  condition: evt.type = open and proc.nme = x\n  output: o %proc.name\n  priority: INFO\n"
BLOCK = indent(RULE, "    ")
HELM = f"tty: true\ncustomRules:\n  z.yaml: |-\n{BLOCK}  a.yaml: |\n    - list: idle\n      items: []\n"
CONFIG_MAP = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: rules}}\ndata:\n  rules.yaml: |\n{BLOCK}"
ARGO = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    helm:\n      values: |\n" + indent(
    f"customRules:\n  a.yaml: |\n{BLOCK}", "        "
)
CRD = "kind: Rulesfile\nspec:\n  inlineRules:\n" + BLOCK
WRAPPED = (
    "kind: FalcoAuditRules\nspec:\n  rules:\n  - macro:\n      name: m\n      condition: proc.nme = x\n"
    "  - rule:\n      name: T\n      desc: d\n      condition: evt.type = open and m\n      output: o %proc.name\n      priority: INFO\n"
)


def run(text: str) -> LintResult:
    return lint([SourceFile("outer.yaml", text)], Catalogue.bundled())


def places(text: str) -> list[tuple[str, int, int]]:
    found = []
    for d in run(text).findings:
        line, column = d.file.line_column(d.span.start)
        assert text.split("\n")[line][column:].startswith(d.span.text.split("\n")[0])
        found.append((d.kind, line + 1, column + 1))
    return found


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        (CONFIG_MAP, 8, 38),
        (ARGO, 11, 46),
        (CRD, 6, 38),
        (f"---\n{CONFIG_MAP}---\nkind: Service\n", 9, 38),
        (WRAPPED, 6, 18),
    ],
    ids=["ConfigMap", "Argo CD", "Rulesfile", "several documents", "wrapped items"],
)
def test_places_are_those_of_the_outer_file(text: str, line: int, column: int) -> None:
    assert ("unknown-field", line, column) in places(text)
    assert [kind for kind, _, _ in places(text) if kind not in ("unknown-field", "unused-macro")] == []


def test_files_of_one_mapping_are_loaded_by_name() -> None:
    files, notes = opened([SourceFile("values.yaml", HELM)])
    assert [file.text.strip().partition("\n")[0] for file in files] == ["- list: idle", "- rule: T"]
    assert notes == []
    assert places(HELM) == [("unknown-field", 6, 38)]


def test_excerpts_show_the_outer_line() -> None:
    text = render(run(CONFIG_MAP).findings)
    assert "outer.yaml:8:38: error" in text
    assert "8 |       condition: evt.type = open and proc.nme = x\n" in text


def test_folded_and_quoted_rules_are_said() -> None:
    found = run("customRules:\n  a.yaml: >\n    - rule: T\n\n    - list: x\n").findings
    assert [d.kind for d in found] == ["embedded-unreadable"]
    found = run('customRules:\n  a.yaml: "- rule: T\\n  desc: d\\n"\n').findings
    assert [d.kind for d in found] == ["embedded-unreadable"]


def test_a_line_that_is_looked_for_is_no_rules_file() -> None:
    found = run("asserts:\n  - pattern: '- list: x'\n  - text: \"- rule: T\"\n").findings
    assert "embedded-unreadable" not in [d.kind for d in found]


def test_template_lines_are_read_around() -> None:
    text = "{{- if .Values.on }}\n" + RULE + "{{- end }}\n- list: {{ .Values.name }}\n  items: []\n"
    found = run(text).findings
    assert [d.kind for d in found] == ["unknown-field", "template-places"]
    assert found[1].span.file.line_column(found[1].span.start) == (7, 8)
    assert "1 place that a template fills in is not read" in found[1].message
    assert run("{% for x in y %}\n" + RULE + "{% endfor %}\n").findings[0].kind in ("template-places", "unknown-field")


def test_a_line_before_what_prints_lines_may_have_what_it_lacks() -> None:
    text = "data:\n  a.yaml: |-\n{{- if .on }}\n    - list: a\n      items:\n{{ toYaml .x | nindent 8 }}\n{{- end }}\n    - list: b\n      items: x\n"
    found = run(text).findings
    places = [(d.kind, d.span.file.line_column(d.span.start)[0]) for d in found]
    assert places == [("template-places", 4), ("wrong-shape", 8)]


SHELL = "- rule: {}\n  desc: d\n  condition: evt.type = execve and proc.name = {}\n  output: o %proc.name\n  priority: INFO\n"


@pytest.mark.parametrize(
    "text",
    [
        # By chance this is YAML as well.
        SHELL.format("A", "sh and fd.name = {{ .Values.x }}"),
        # Two expressions of one length are two values.
        SHELL.format("A", "{{ .a }}") + SHELL.format("B", "{{ .b }}") + "- list: l\n  items: [{{ .c }}]\n",
        # One of the branches is printed.
        "- macro: m\n  {{- if .z }}\n  condition: proc.name = a\n  {{- else }}\n  condition: proc.name = b\n  {{- end }}\n",
        SHELL.format(
            "A",
            "sh\n    {{- if .a }}\n    and proc.pname = a\n    {{- else if .b }}\n    and proc.pname = b\n    {{- end }}",
        ),
        "{% if a %}\n" + SHELL.format("A", "a") + "{% else %}\n" + SHELL.format("A", "b") + "{% endif %}\n",
        SHELL.format("A", "{{ if .a }}a{{ else }}b{{ end }}"),
    ],
)
def test_a_template_is_no_mistake(text: str) -> None:
    assert {d.kind for d in run(text).findings} <= {"template-places"}


@pytest.mark.parametrize("text", ["{{ x", RULE + "{{ }}\n  a: b: c\n", "{{ x }}: {{ y }}\n", "a: {{\n"])
def test_templates_that_hide_too_much_are_left_to_the_reader(text: str) -> None:
    assert run(text).findings != ()


def test_a_plain_rules_file_is_left_alone() -> None:
    for text in (RULE, "# why\n\n---\n" + RULE, "\ufeff" + RULE, "", "[]", "- list: a\n  items: ['${x}', '{{x']\n"):
        file = SourceFile("f.yaml", text)
        assert opened([file]) == ([file], [])
    assert is_plain("# {\n" + RULE)


def test_responses_for_talon_are_called_so() -> None:
    text = "- action: Kill\n  actionner: x\n\n- rule: Shell\n  match: {rules: [T]}\n  actions: [{action: Kill}]\n"
    helps = [d.help for d in run(text).findings]
    assert any("Falco Talon" in help_text for help_text in helps)


def test_other_files_stay_what_they_are() -> None:
    (found,) = run("rules_files:\n  - /etc/falco/falco_rules.yaml\n").findings
    assert found.kind == "not-a-rules-file"
    assert "--config" in found.help


MUTATED = st.builds(
    lambda text, at, piece: text[: at % (len(text) + 1)] + piece + text[at % (len(text) + 1) :],
    st.sampled_from([HELM, CONFIG_MAP, ARGO, CRD, WRAPPED, "{{- if }}\n" + RULE]),
    st.integers(0, 10_000),
    st.text(max_size=5)
    | st.sampled_from(["{{", "}}", "|", ">", "\n", "- ", "{%", "%}", "\t", ": ", "---\n", "&a ", "*a"]),
)


@given(MUTATED)
def test_whatever_stands_there_is_a_finding_at_most(text: str) -> None:
    for d in run(text).findings:
        assert 0 <= d.span.start <= d.span.end <= len(text)

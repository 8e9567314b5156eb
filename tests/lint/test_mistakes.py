"""One mistake gives one finding, at the place of the mistake, that says what to write."""

from __future__ import annotations

import pytest

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic
from falcokit.lint import lint, relint
from falcokit.ruleset.loader import Memo
from falcokit.settings import Choice, Options
from falcokit.source import SourceFile

LOADING = Options(Choice(ignore=("outputs", "names", "items")))
"""What loading itself finds: the rules here have outputs of a word."""


def findings(text: str) -> tuple[Diagnostic, ...]:
    return lint([SourceFile("f.yaml", text)], Catalogue.bundled(), options=LOADING).findings


def rule(condition: str = "evt.type = open", output: str = "o", more: str = "") -> str:
    return f"- rule: T\n  desc: d\n  condition: {condition}\n  output: {output}\n  priority: INFO\n{more}"


def exception(*lines: str, name: str = "e") -> str:
    return "".join(f"      {line}\n" if n else f"    - name: {name}\n      {line}\n" for n, line in enumerate(lines))


def with_exceptions(*written: str) -> str:
    return rule(more="  exceptions:\n" + "".join(written))


def test_what_follows_an_empty_document_is_not_lost_in_silence() -> None:
    (found,) = findings(rule() + "---\n---\n- rule: B\n  desc: d\n")
    assert (found.kind, found.span.text) == ("ignored-document", "- rule: B")
    assert found.labels[0].span.file.line_column(found.labels[0].span.start) == (5, 0)
    assert findings(rule() + "---\n~\n--- # nothing\n") == ()
    assert [d.kind for d in findings("---\n# only a comment\n---\n" + rule("x"))] == ["ignored-document"]


@pytest.mark.parametrize("ending", ["", "\n"])
def test_a_double_quote_that_the_end_of_the_file_closes(ending: str) -> None:
    found = [d for d in findings(f'- list: a\n  items:\n    - b\n    - "c{ending}') if d.kind != "unused-list"]
    assert [(d.kind, d.span.text, d.span.start) for d in found] == [("unclosed-quote", '"', 33)]


def test_closed_quotes_are_left_alone() -> None:
    assert [d.kind for d in findings('- list: a\n  items: ["b\\""]')] == ["unused-list"]
    assert [d.kind for d in findings('- list: "a"')] == ["missing-key"]


@pytest.mark.parametrize(
    ("condition", "wrong", "help_text"),
    [
        ("evt.type = open and and proc.name = a", "and", "take it out"),
        ("evt.type = open and (proc.name = b or or proc.name = a)", "or", "take it out"),
        ("evt.type = open and not and proc.name = a", "and", "take it out"),
        ("evt.type = open and tolowr(proc.name) = x", "(", "`tolower(...)`"),
        ("evt.type = open and proc.aname(2) = x", "(", "`proc.aname[...]`"),
        ("evt.type = open and proc.name matches a", "matches", "no `matches`"),
        ("evt.type = open and proc.name =~ a", "a", "use `regex`"),
        ("evt.type = open\u00a0and proc.name = x", "proc.name", "no ordinary one"),
        ("evt.type = open and\u200b proc.name = x", "\u200b", "no ordinary one"),
        ('evt.type = open and fd.name regex "[a-"', '"[a-"', ""),
    ],
)
def test_mistakes_in_conditions(condition: str, wrong: str, help_text: str) -> None:
    (found,) = findings(rule(condition))
    assert found.span.text.startswith(wrong)
    assert help_text in found.help


def test_a_range_that_the_pattern_cuts_off_is_not_a_matter_of_bytes() -> None:
    (found,) = findings(rule('evt.type = open and fd.name regex "[a-"'))
    assert "a `[` is never closed" in found.message


def test_a_word_after_a_stray_connective_at_its_place() -> None:
    (found,) = findings(rule("evt.type = open and and proc.name = a"))
    assert found.span.file.line_column(found.span.start) == (2, 33)


def test_all_wrong_fields_of_an_output() -> None:
    found = findings(rule(output="x %proc.nme %proc.name %fd.nmae %"))
    assert [d.span.text for d in found] == ["%proc.nme", "%fd.nmae", "%"]


def test_a_rule_to_be_skipped_is_skipped_for_its_first_wrong_field() -> None:
    found = findings(rule(output="x %proc.nme %fd.nmae", more="  skip-if-unknown-filter: true\n"))
    assert [(d.kind, d.span.text) for d in found] == [("unknown-filter", "%proc.nme")]


def test_all_that_is_wrong_with_an_exception() -> None:
    found = findings(with_exceptions(exception("fields: [proc.nme, fd.nmae]", "comps: [eq, starts]")))
    assert [d.span.text for d in found] == ["proc.nme", "fd.nmae", "eq", "starts"]
    found = findings(with_exceptions(exception("fields: [proc.name]", "values: [[a, b], [c], [d, e, f], g]")))
    assert [d.span.text for d in found] == ["a", "d", "g"]
    assert "has 1 field, but this value has 2 parts" in found[0].message


def test_values_that_fit_are_read_on_behind_those_that_do_not() -> None:
    bad = exception("fields: [proc.name]", "values: [[a, b]]")
    odd = exception("fields: fd.name", """values: ["it's"]""", name="odd")
    assert [d.kind for d in findings(with_exceptions(bad, odd))] == ["exception-values", "condition-syntax"]


def test_an_empty_key_is_wrong_where_it_stands() -> None:
    for after in (
        exception("fields: [fd.name]", name="f"),
        "- rule: T\n  enabled: false\n  override: {enabled: replace}\n",
    ):
        (found,) = findings(with_exceptions(exception("fields: [proc.name]", "values:")) + after)
        assert found.span.text == "values"


def test_a_list_where_one_value_is_compared() -> None:
    text = with_exceptions(
        exception("fields: [proc.name, proc.cmdline]", "comps: [in, =]", "values:", "  - [[a], [b]]", name="c")
    )
    (found,) = findings(text)
    assert found.span.file.line_column(found.span.start) == (10, 17)
    assert "the exception `c` takes one value" in found.help


@pytest.mark.parametrize("value", ['"it\'s"', "'foo(1)'"])
def test_values_that_need_quotes_of_their_own(value: str) -> None:
    (found,) = findings(with_exceptions(exception("fields: proc.name", f"values: [{value}]")))
    assert "the exception `e`" in found.help
    assert "quote it once more" in found.help
    items = findings(f"- list: l\n  items: [{value}]\n" + rule("evt.type = open and proc.name in (l)"))
    assert "the list `l`" in items[0].help
    inside = findings(f"- list: l\n  items: [{value}]\n- macro: m\n  condition: proc.name in (l)\n" + rule("m"))
    assert "the list `l`" in inside[0].help


def test_the_remedy_for_values_with_parentheses_is_one() -> None:
    assert findings(with_exceptions(exception("fields: proc.name", """values: ['"foo(1)"']"""))) == ()


def test_what_is_added_to_a_refused_exception_is_not_wrong_too() -> None:
    append = "- rule: T\n  exceptions: [{name: e, values: [[y]]}]\n  override: {exceptions: append}\n"
    found = findings(with_exceptions(exception("fields: [proc.nme]")) + append)
    assert [d.kind for d in found] == ["exception-fields"]
    new = append.replace("{name: e,", "{name: n, fields: [proc.nme],")
    found = findings(rule() + new + append.replace("name: e", "name: n"))
    assert [d.kind for d in found] == ["exception-fields"]


@pytest.mark.parametrize(
    ("given", "override", "kind", "help_text"),
    [
        ("condition: and proc.name = x", "{condition: apend}", "invalid-override", "did you mean `append`?"),
        ("condition: evt.type = dup", "{condition: overwrite}", "invalid-override", "write `append` or `replace`"),
        ("priority: ERROR", "{priority: append}", "invalid-override", "use `replace`"),
        ("tags: [a]", "[tags]", "override-shape", "remove the `- `"),
        ("tags: [a]", "{tag: replace}", "invalid-override", "did you mean `tags`?"),
    ],
)
def test_a_wrong_override_is_one_mistake(given: str, override: str, kind: str, help_text: str) -> None:
    found = findings(rule() + f"- rule: T\n  {given}\n  override: {override}\n")
    assert [d.kind for d in found if d.is_error] == [kind]
    assert help_text in found[0].help


def test_a_macro_that_names_itself() -> None:
    (found,) = findings("- macro: m\n  condition: m and evt.type = open\n" + rule("m"))
    assert "names itself" in found.message
    assert found.labels == ()


def test_a_macro_that_cannot_be_used_says_nothing_about_event_types() -> None:
    broken = "- macro: m\n  condition: proc.name = x and and fd.name = y\n" + rule("m")
    assert [d.kind for d in findings(broken)] == ["condition-syntax"]
    loop = "- macro: a\n  condition: c\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n  append: true\n"
    assert "too-many-event-types" not in [d.kind for d in findings(loop + rule("b"))]


def test_a_list_and_a_macro_of_one_name() -> None:
    both = "- list: same\n  items: [a]\n- macro: same\n  condition: evt.type = open\n"
    (found,) = findings(both + rule("evt.type = open and same"))
    assert "the list `same`" in found.message
    assert "rename one of them" in found.help
    (found,) = findings("- list: l\n  items: [a]\n" + rule("evt.type = open and l"))
    assert "write `FIELD in (l)`" in found.help


@pytest.mark.parametrize(("key", "meant"), [("description", "desc"), ("prio", "priority"), ("cond", "condition")])
def test_keys_of_other_tools(key: str, meant: str) -> None:
    found = findings(rule(more=f"  {key}: x\n"))
    assert [d.help for d in found] == [f"did you mean `{meant}`?"]


def test_a_byte_order_mark_is_no_column() -> None:
    (found,) = findings("\ufeff- list: a\n  items: [b]\n")
    assert found.file.line_column(found.span.start) == (0, 8)
    assert found.file.line(0) == "- list: a"


def test_the_limits_of_falcokit_are_not_said_to_be_falcos() -> None:
    text = rule() + "- rule: T\n  condition: or proc.name = x\n  override: {condition: append}\n" * 1001
    result = lint([SourceFile("f.yaml", text)], Catalogue.bundled(), options=LOADING)
    found = [d for d in result.findings if d.kind == "too-large"]
    assert found
    assert all(d.code == "" and not result.stops_at(d) and "falcokit takes" in d.message for d in found)


def test_a_list_of_many_addresses_is_taken() -> None:
    addresses = ", ".join(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(50_000))
    text = f"- list: bad\n  items: [{addresses}]\n" + rule("evt.type = connect and fd.sip in (bad)")
    assert findings(text) == ()


@pytest.mark.parametrize(
    ("text", "help_text"),
    [
        ("- rule: T\n\tdesc: d\n", "tabs"),
        ("- rule: T\n  output: %evt.type\n", "begins with `%`"),
        ("- rule: T\n  desc: foo: bar\n", "`: `"),
    ],
)
def test_yaml_errors_say_what_is_mostly_the_matter(text: str, help_text: str) -> None:
    (found,) = findings(text)
    assert found.kind == "yaml-syntax"
    assert help_text in found.help


@pytest.mark.parametrize("kind", ["list", "macro"])
def test_what_is_gone_is_gone_for_a_second_lint(kind: str) -> None:
    body = "items: [sh]" if kind == "list" else "condition: proc.name = sh"
    use = "proc.name in (gone)" if kind == "list" else "gone"
    gone = SourceFile("a.yaml", f"- {kind}: gone\n  {body}\n")
    user = SourceFile(
        "b.yaml", f"- list: outer\n  items: [gone]\n- macro: m\n  condition: {use}\n" + rule(f"m and {use}")
    )
    memo, catalogue = Memo(), Catalogue.bundled()
    before = lint([gone, user], catalogue, memo=memo, options=LOADING)
    after = relint(before, SourceFile("a.yaml", ""), memo)
    fresh = lint([SourceFile("a.yaml", ""), user], catalogue, options=LOADING)
    assert [(d.kind, d.message, d.help) for d in after.findings] == [
        (d.kind, d.message, d.help) for d in fresh.findings
    ]
    assert [d.kind for d in before.findings] != [d.kind for d in after.findings] or kind == "list"

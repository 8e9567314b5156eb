"""Every example of every page: what is marked is flagged, nothing else is, and fixes give what the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from falcokit.catalogue import Catalogue
from falcokit.checks import FAMILIES, Check, all_checks
from falcokit.checks.page import DEFAULT_FILE, SETTINGS_FILE, Example, examples
from falcokit.lint import LintResult, lint
from falcokit.settings import Choice, Options, read_settings
from falcokit.source import Origin, SourceFile

CASES = [
    pytest.param(check, example, id=f"{check.kind.name}-{example.section.lower()}-{number}")
    for check in all_checks()
    for number, example in enumerate(examples(check))
]


def run(check: Check, files: tuple[tuple[str, str], ...]) -> LintResult:
    settings = next((read_settings(name, text) for name, text in files if name == SETTINGS_FILE), None)
    target = settings.target if settings is not None else ""
    sources = [
        SourceFile(name, text, Origin.DEFAULT if name == DEFAULT_FILE else Origin.CUSTOM)
        for name, text in files
        if name != SETTINGS_FILE
    ]
    return lint(sources, Catalogue.bundled(), options=Options(Choice((check.kind.name,)), target=target, strict=True))


def marked(example: Example, places: Iterable[tuple[str, int, int]]) -> dict[str, str]:
    """The files of *example* with what stands at *places* between marks."""
    files = dict(example.files)
    for name, start, end in sorted(places, reverse=True):
        text = files[name]
        files[name] = f"{text[:start]}«{text[start:end]}»{text[end:]}"
    return files


@pytest.mark.parametrize(("check", "example"), CASES)
def test_examples_are_flagged_where_they_are_marked(check: Check, example: Example) -> None:
    result = run(check, example.files)
    found = [d for d in result.findings if d.kind == check.kind.name]
    places = [(d.file.name, d.span.start, d.span.end) for d in found]
    assert marked(example, places) == marked(example, example.marks)
    assert (example.section == "Flagged") == bool(found)
    for d in found:
        assert d.help, "a finding says what to write"
        assert not d.message.endswith("."), d.message


@pytest.mark.parametrize(("check", "example"), [case for case in CASES if case.values[1].fixed is not None])
def test_fixes_give_what_the_page_shows(check: Check, example: Example) -> None:
    name, text = example.files[-1]
    edits = [edit for d in run(check, example.files).findings if d.fix is not None for edit in d.fix.edits]
    for edit in sorted(edits, key=lambda edit: -edit.span.start):
        assert edit.span.file.name == name
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == example.fixed
    again = run(check, (*example.files[:-1], (name, text)))
    assert [d.message for d in again.findings if d.kind == check.kind.name] == []


@pytest.mark.parametrize("check", [pytest.param(check, id=check.kind.name) for check in all_checks()])
def test_a_page_tells_what_why_and_how(check: Check) -> None:
    sections = [example.section for example in examples(check)]
    # A rule that left the defaults cannot be shown without its text: tests/upgrade has one.
    assert "Flagged" in sections or check.kind.name == "retired-default"
    assert "Accepted" in sections
    assert check.pedantic is (check.family == "style"), "checks of style, and no others, are pedantic"
    assert set(re.findall(r"^\s*## (.*)$", check.page, re.MULTILINE)) <= {"Flagged", "Fixed", "Accepted", "See also"}
    lead = check.page.partition("\n")[0]
    assert lead.endswith(".")
    assert len(lead) < 90
    first = FAMILIES[check.family][0]
    assert first <= int(check.kind.code[2:]) < first + 50


def test_codes_and_names_are_unique_and_in_order() -> None:
    from falcokit.diagnostic import KINDS

    codes = [check.kind.code for check in all_checks()]
    assert codes == sorted(codes)
    kinds = [*KINDS.values(), *(check.kind for check in all_checks())]
    for known in ([kind.code for kind in kinds], [kind.name for kind in kinds]):
        assert sorted({word for word in known if known.count(word) > 1}) == [], "stands for two findings"


def test_every_module_is_registered() -> None:
    from pathlib import Path

    import falcokit.checks

    folder = Path(falcokit.checks.__file__).parent
    modules = {f"{path.parent.name}.{path.stem}" for path in folder.glob("*/*.py") if not path.stem.startswith("_")}
    registered = {".".join(check.find.__module__.split(".")[-2:]) for check in all_checks()}
    assert sorted(modules - registered) == [], "not in CHECKS of the family's __init__.py"
    assert sorted(registered - modules) == []
    names = {check.find.__module__.rpartition(".")[2] for check in all_checks()}
    assert names == {check.kind.name.replace("-", "_") for check in all_checks()}

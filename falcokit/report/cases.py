"""How test cases went, for people, as JSON and as JUnit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from falcokit.case.coverage import Coverage, Leaf, RuleCoverage
from falcokit.case.run import Outcome
from falcokit.diagnostic import Diagnostic
from falcokit.record import Record
from falcokit.report.json import finding_json, place_json
from falcokit.report.junit import xml_text
from falcokit.report.text import plain, render
from falcokit.source import SourceFile, Span

__all__ = ["FileOutcome", "coverage_text", "to_json", "to_junit", "to_text"]

_MAX_SHOWN: Final = 20


class FileOutcome(Record):
    """What became of a test file: the outcomes of its cases, and what kept it from being run."""

    __slots__ = ("file", "findings", "outcomes")

    def __init__(self, file: SourceFile, findings: tuple[Diagnostic, ...], outcomes: tuple[Outcome, ...]) -> None:
        self.file: Final = file
        self.findings: Final = findings
        self.outcomes: Final = outcomes

    @property
    def failed(self) -> int:
        """How many cases failed."""
        return sum(1 for outcome in self.outcomes if outcome.findings)


def to_text(files: Sequence[FileOutcome], coverage: Coverage, *, detailed: bool, colour: bool, width: int) -> str:
    """Every finding with its place, and a summary; with *detailed* what the cases leave untried."""
    parts = []
    for file in files:
        parts.append(render(file.findings, colour=colour, width=width))
        for outcome in file.outcomes:
            if outcome.findings:
                parts.append(f"case {plain(outcome.case.name)}\n")
                parts.append(render(outcome.findings, colour=colour, width=width))
    if detailed:
        parts.append(coverage_text(coverage))
    cases = sum(len(file.outcomes) for file in files)
    failed = sum(file.failed for file in files)
    broken = sum(1 for file in files if file.findings)
    words = [f"{cases - failed} passed", f"{failed} failed"] if failed else [f"{cases} passed"]
    words += [f"{broken} {_plural(broken, 'file')} not run as written"] if broken else []
    tried, fired = _tried(coverage)
    words.append(f"{tried} of {len(coverage.rules)} rules tested, {fired} seen to fire")
    parts.append("; ".join([", ".join(words[:-1]), words[-1]]) + "\n")
    return "".join(parts)


def _plural(count: int, word: str) -> str:
    return word if count == 1 else word + "s"


def _tried(coverage: Coverage) -> tuple[int, int]:
    tried = [rule for rule in coverage.rules.values() if rule.fired or rule.silent]
    return len(tried), sum(1 for rule in tried if rule.fired)


def coverage_text(coverage: Coverage) -> str:
    """What the cases leave untried: rules, hooks and checks."""
    lines = ["coverage\n"]
    for rule in coverage.rules.values():
        if not (rule.fired or rule.silent):
            continue
        leaves = rule.leaves
        full = sum(leaf.true and leaf.false for leaf in leaves)
        lines.append(
            f"  {plain(rule.name)}: fired {rule.fired}x, silent {rule.silent}x, {full} of {len(leaves)} checks seen both ways\n"
        )
        for name, held in rule.hooks.items():
            if not held:
                lines.append(f"    hook never held: {name}\n")
        lines += [f"    {line}\n" for line in _missed(rule)]
    untested = [rule.name for rule in coverage.rules.values() if not (rule.fired or rule.silent)]
    if untested:
        more = f" and {len(untested) - _MAX_SHOWN} more" if len(untested) > _MAX_SHOWN else ""
        lines.append(f"  no case is about: {', '.join(map(plain, untested[:_MAX_SHOWN]))}{more}\n")
    return "".join(lines) + "\n"


def _missed(rule: RuleCoverage) -> Iterable[str]:
    for what, missed in (
        ("never true", [leaf for leaf in rule.leaves if not leaf.true]),
        ("never false", [leaf for leaf in rule.leaves if not leaf.false]),
    ):
        for leaf in missed[:_MAX_SHOWN]:
            yield f"{what}: {_shortened(plain(leaf.text))} at {_place(leaf.span)}"
        if len(missed) > _MAX_SHOWN:
            yield f"{what}: {len(missed) - _MAX_SHOWN} more checks"


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _place(span: Span) -> str:
    line, column = span.file.line_column(span.start)
    return f"{plain(span.file.name)}:{line + 1}:{column + 1}"


def to_json(files: Sequence[FileOutcome], coverage: Coverage) -> dict[str, Any]:
    """All of it as data."""
    return {
        "files": [
            {
                "path": file.file.name,
                "findings": [finding_json(finding) for finding in file.findings],
                "cases": [
                    {
                        "name": outcome.case.name,
                        "line": outcome.case.span.file.line_column(outcome.case.span.start)[0] + 1,
                        "passed": not outcome.findings,
                        "findings": [finding_json(finding) for finding in outcome.findings],
                    }
                    for outcome in file.outcomes
                ],
            }
            for file in files
        ],
        "summary": {
            "cases": sum(len(file.outcomes) for file in files),
            "failed": sum(file.failed for file in files),
            "files_not_run": sum(1 for file in files if file.findings),
        },
        "coverage": [_rule_json(rule) for rule in coverage.rules.values()],
    }


def _rule_json(rule: RuleCoverage) -> dict[str, Any]:
    leaves = rule.leaves
    return {
        "rule": rule.name,
        "fired": rule.fired,
        "silent": rule.silent,
        "hooks": dict(rule.hooks),
        "checks": len(leaves),
        "never_true": [_leaf_json(leaf) for leaf in leaves if not leaf.true],
        "never_false": [_leaf_json(leaf) for leaf in leaves if not leaf.false],
    }


def _leaf_json(leaf: Leaf) -> dict[str, Any]:
    return {"check": leaf.text, "macros": list(leaf.through), "place": place_json(leaf.span)}


def to_junit(files: Sequence[FileOutcome]) -> str:
    """A suite for each test file, a test for each case."""
    from xml.etree import ElementTree

    root = ElementTree.Element("testsuites", name="falcokit test")
    total = failures = errors = 0
    for file in files:
        name = xml_text(file.file.name)
        broken = [file.findings] if file.findings else []
        suite = ElementTree.SubElement(
            root, "testsuite", name=name, tests=str(len(file.outcomes) + len(broken)), failures=str(file.failed), errors=str(len(broken))
        )  # fmt: skip
        total, failures, errors = total + len(file.outcomes) + len(broken), failures + file.failed, errors + len(broken)
        for findings in broken:
            case = ElementTree.SubElement(suite, "testcase", name="the file can be run", classname=name)
            ElementTree.SubElement(case, "error", message=xml_text(findings[0].message)).text = xml_text(
                render(findings)
            )
        for outcome in file.outcomes:
            line = outcome.case.span.file.line_column(outcome.case.span.start)[0] + 1
            case = ElementTree.SubElement(
                suite, "testcase", name=xml_text(outcome.case.name), classname=name, file=name, line=str(line)
            )
            if outcome.findings:
                message = xml_text(outcome.findings[0].message)
                ElementTree.SubElement(case, "failure", message=message).text = xml_text(render(outcome.findings))
    for key, value in (("tests", total), ("failures", failures), ("errors", errors)):
        root.set(key, str(value))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"

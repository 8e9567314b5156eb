"""Findings as a JUnit report, which test views of CI systems read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from falcokit.diagnostic import Diagnostic, Severity
from falcokit.report.text import plain
from falcokit.source import SourceFile

__all__ = ["render", "xml_text"]

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(findings: Sequence[Diagnostic], files: Sequence[SourceFile], stops: frozenset[int] = frozenset()) -> str:
    """A suite for each file; errors and warnings are failures, a file without any is one test that passed."""
    from xml.etree import ElementTree

    by_file: dict[str, list[Diagnostic]] = {file.name: [] for file in files}
    for d in findings:
        by_file.setdefault(d.file.name, []).append(d)
    root = ElementTree.Element("testsuites", name="falcokit lint")
    failures = 0
    for name, found in by_file.items():
        failed = [d for d in found if d.level is not Severity.INFO]
        failures += len(failed)
        suite = ElementTree.SubElement(
            root, "testsuite", name=xml_text(name), tests=str(max(len(found), 1)), failures=str(len(failed)), errors="0"
        )
        if not found:
            ElementTree.SubElement(suite, "testcase", name=xml_text(name), classname=xml_text(name))
        for d in found:
            line, column = d.file.line_column(d.span.start)
            title = f"{d.about.code} {d.about.name} at {line + 1}:{column + 1}"
            case = ElementTree.SubElement(
                suite, "testcase", name=title, classname=xml_text(name), file=xml_text(name), line=str(line + 1)
            )
            text = xml_text(f"{name}:{line + 1}:{column + 1}: {d.message}" + (f"\nhelp: {d.help}" if d.help else ""))
            if d.level is Severity.INFO:
                ElementTree.SubElement(case, "system-out").text = text
            else:
                ElementTree.SubElement(case, "failure", type=d.level.word, message=xml_text(d.message)).text = text
    root.set("tests", str(sum(max(len(found), 1) for found in by_file.values())))
    root.set("failures", str(failures))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def xml_text(text: str) -> str:
    """*text* without what XML forbids, each line fit for a terminal."""
    return "\n".join([_FORBIDDEN.sub("\ufffd", plain(line)) for line in text.split("\n")])

"""Findings as a code quality report, which GitLab shows in merge requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from falcokit.diagnostic import Diagnostic, Severity
from falcokit.report.fingerprint import fingerprints
from falcokit.report.text import plain
from falcokit.source import SourceFile

__all__ = ["render"]

_SEVERITIES: Final = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def render(findings: Sequence[Diagnostic], files: Sequence[SourceFile], stops: frozenset[int] = frozenset()) -> str:
    """One object a finding; one at which Falco stops is a blocker."""
    report = []
    for d, mark in zip(findings, fingerprints(findings), strict=True):
        begin = d.file.line_column(d.span.start)[0] + 1
        end = d.file.line_column(max(d.span.end, d.span.start))[0] + 1
        report.append(
            {
                "description": plain(f"{d.message}; {d.help}" if d.help else d.message),
                "check_name": d.about.name,
                "fingerprint": mark,
                "severity": "blocker" if id(d) in stops else _SEVERITIES[d.level],
                "location": {"path": plain(d.file.name.removeprefix("./")), "lines": {"begin": begin, "end": end}},
            }
        )
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"

"""Findings for programs: one JSON document, versioned; ``schemas/lint-report.schema.json`` describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from falcokit.diagnostic import Diagnostic, Fix, Severity
from falcokit.source import SourceFile, Span

__all__ = ["VERSION", "finding_json", "place_json", "render"]

VERSION: Final = 1
"""The version of the report's shape; grows when something is removed or changes its meaning."""


def render(
    findings: Sequence[Diagnostic],
    files: Iterable[SourceFile],
    stops: frozenset[int] = frozenset(),
    *,
    defaults: str = "",
    skipped: Iterable[str] = (),
) -> str:
    """The report as text; lines and columns count from 1, columns in characters, ends are exclusive."""
    counts = {severity.word: 0 for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO)}
    for finding in findings:
        counts[finding.level.word] += 1
    report = {
        "version": VERSION,
        "tool": "falcokit",
        "defaults": defaults,
        "files": [{"path": _text(file.name), "origin": file.origin.value} for file in files],
        "skipped": [_text(path) for path in skipped],
        "findings": [finding_json(d, id(d) in stops) for d in findings],
        "summary": {"errors": counts["error"], "warnings": counts["warning"], "infos": counts["info"]},
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def finding_json(d: Diagnostic, stop: bool = False) -> dict[str, Any]:
    """One finding; *stop* tells that Falco stops at it."""
    kind = d.about
    item = next((s for s in d.falco.steps if s.item_name), None) if d.falco else None
    return {
        "code": kind.code,
        "name": kind.name,
        "falco_code": d.code or None,
        "severity": d.level.word,
        "confidence": kind.confidence.word,
        "fix": _fix(d.fix) if d.fix is not None else None,
        "message": _text(d.message),
        "help": _text(d.help) or None,
        "place": place_json(d.span),
        "item": {"type": item.item_type, "name": _text(item.item_name)} if item else None,
        "related": [{"message": _text(label.message), "place": place_json(label.span)} for label in d.labels],
        "stops_falco": stop,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [{"place": place_json(edit.span), "text": _text(edit.text)} for edit in fix.edits]
    return {"message": _text(fix.message), "safe": fix.safe, "edits": edits}


def place_json(span: Span) -> dict[str, Any]:
    """A range of a file."""
    line, column = span.file.line_column(span.start)
    end_line, end_column = span.file.line_column(span.end)
    return {
        "path": _text(span.file.name),
        "line": line + 1,
        "column": column + 1,
        "end_line": end_line + 1,
        "end_column": end_column + 1,
    }

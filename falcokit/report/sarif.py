"""Findings as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from falcokit.diagnostic import Diagnostic, Kind, Severity
from falcokit.report.fingerprint import fingerprints
from falcokit.report.text import plain
from falcokit.source import SourceFile, Span

__all__ = ["render"]

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(findings: Sequence[Diagnostic], files: Sequence[SourceFile], stops: frozenset[int] = frozenset()) -> str:
    """One run with the findings; lines and columns count from 1, columns in characters."""
    from falcokit import __version__

    kinds: dict[str, Kind] = {}
    for d in findings:
        kinds.setdefault(d.about.code, d.about)
    codes = sorted(kinds)
    numbers = {code: number for number, code in enumerate(codes)}
    run = {
        "tool": {
            "driver": {
                "name": "falcokit",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(kinds[code]) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(file.name)}} for file in files],
        "results": [
            _result(d, numbers[d.about.code], mark, id(d) in stops)
            for d, mark in zip(findings, fingerprints(findings), strict=True)
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _rule(kind: Kind) -> dict[str, Any]:
    return {
        "id": kind.code,
        "name": kind.name,
        "shortDescription": {"text": kind.about},
        "defaultConfiguration": {"level": _LEVELS[kind.severity]},
        "properties": {"tags": ["security", "falco"], "precision": "very-high" if kind.confidence == 3 else "medium"},
    }


def _result(d: Diagnostic, number: int, mark: str, stop: bool) -> dict[str, Any]:
    text = plain(d.message) + (f"\nHelp: {plain(d.help)}" if d.help else "")
    result: dict[str, Any] = {
        "ruleId": d.about.code,
        "ruleIndex": number,
        "level": _LEVELS[d.level],
        "message": {"text": text},
        "locations": [_location(d.span)],
        "partialFingerprints": {"falcokit/v1": mark},
        "properties": {"falcoCode": d.code, "stopsFalco": stop},
    }
    if d.labels:
        result["relatedLocations"] = [
            {**_location(label.span), "id": at, "message": {"text": plain(label.message)}}
            for at, label in enumerate(d.labels)
        ]
    return result


def _location(span: Span) -> dict[str, Any]:
    line, column = span.file.line_column(span.start)
    end_line, end_column = span.file.line_column(max(span.end, span.start))
    region = {"startLine": line + 1, "startColumn": column + 1, "endLine": end_line + 1, "endColumn": end_column + 1}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(span.file.name)}, "region": region}}


def _uri(path: str) -> str:
    """A relative reference for a relative path, a file address for an absolute one."""
    path = path.removeprefix("./")
    try:
        name = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        name = path.encode("utf-8", "replace")
    text = quote(name, safe="/._-~")
    return f"file://{text}" if text.startswith("/") else text

"""What does not fit in an audit integration, and which sample events there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Final

from falcokit.audit.consistency import KINDS, Finding, Pieces, Target
from falcokit.audit.samples import Sample
from falcokit.diagnostic import Severity
from falcokit.report.json import place_json
from falcokit.report.text import plain
from falcokit.source import Span

__all__ = ["samples_json", "samples_text", "to_json", "to_text"]

_COLOURS: Final = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_WANTED: Final = {
    "falco": ("kubeconfig", "falco", "policy", "apiserver"),
    "sysdig": ("kubeconfig", "policy", "apiserver"),
}


def to_text(pieces: Pieces, found: Sequence[Finding], target: Target, *, colour: bool = False, width: int = 80) -> str:
    """For people: what was read, each finding with its place and what to write, what was not there to be checked, a sum."""
    lines = [f"target: {target.about} (port {target.port}, path {target.path})"]
    for piece in pieces.found:
        lines.append(f"{_place(piece.span())}: {KINDS[piece.kind]}")
    lines.append("")
    for one in found:
        word = f"{one.severity.word}[{one.kind}]"
        if colour:
            word = f"\x1b[1;{_COLOURS[one.severity]}m{word}\x1b[0m"
        lines.append(f"{_place(one.span)}: {word}")
        lines += [f"    {row}" for row in _wrapped(one.message, width)]
        if one.write:
            lines += [
                f"    = write: {row}" if not n else f"      {row}"
                for n, row in enumerate(_wrapped(one.write, width - 9))
            ]
    if found:
        lines.append("")
    if missing := _missing(pieces, target):
        lines.append(f"not given, so not checked: {', '.join(KINDS[kind] for kind in missing)}")
    lines.append(_sum(found))
    return "\n".join(lines) + "\n"


def to_json(pieces: Pieces, found: Sequence[Finding], target: Target) -> dict[str, Any]:
    """The same as data."""
    return {
        "target": {"name": target.name, "port": target.port, "path": target.path},
        "pieces": [{"kind": piece.kind, "place": place_json(piece.span())} for piece in pieces.found],
        "missing": list(_missing(pieces, target)),
        "findings": [
            {
                "kind": one.kind,
                "severity": one.severity.word,
                "place": place_json(one.span),
                "message": one.message,
                "write": one.write,
            }
            for one in found
        ],
    }


def _missing(pieces: Pieces, target: Target) -> tuple[str, ...]:
    return tuple([kind for kind in _WANTED[target.name] if not pieces.of(kind)])


def _place(span: Span) -> str:
    line, column = span.file.line_column(span.start)
    return f"{plain(span.file.name)}:{line + 1}:{column + 1}"


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(plain(text), max(width - 4, 30), break_on_hyphens=False, break_long_words=False) or [""]


def _sum(found: Sequence[Finding]) -> str:
    counts = Counter(one.severity for one in found)
    if not counts:
        return "everything fits together"
    words = []
    for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO):
        if count := counts[severity]:
            words.append(f"{count} {severity.word}" + ("s" if count > 1 and severity is not Severity.INFO else ""))
    return ", ".join(words)


def samples_text(samples: Sequence[Sample]) -> str:
    """The samples, each with its rule, and what keeps that one silent at first."""
    lines = []
    for one in samples:
        lines += [one.name, f"    {one.about}"]
        lines += [f"    rule: {one.rule}"] if one.rule else []
        lines += [f"    silent at first: {one.needs}"] if one.needs else []
    return "\n".join(lines) + "\n"


def samples_json(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """The same as data."""
    return [
        {"name": one.name, "about": one.about, "rule": one.rule, "needs": one.needs, "stages": list(one.stages)}
        for one in samples
    ]

"""Findings for people: place, code, message, the source line with a caret under the wrong characters, help."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from falcokit.diagnostic import Diagnostic, Severity
from falcokit.source import Span

__all__ = ["plain", "render", "summary"]

_COLOURS: Final = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_CONTROL: Final = {**dict.fromkeys((*range(32), *range(127, 160)), "�"), 9: " "} | dict.fromkeys(
    (1564, 8206, 8207, *range(8232, 8239), *range(8294, 8298), 65279), "�"
)


def plain(text: str) -> str:
    """*text* fit for a terminal: on one line, nothing in it that a terminal would obey, no lone surrogates."""
    return text.translate(_CONTROL).encode("utf-8", "replace").decode("utf-8")


def render(
    findings: Iterable[Diagnostic], stops: frozenset[int] = frozenset(), *, colour: bool = False, width: int = 80
) -> str:
    """All findings, each followed by an empty line."""
    return "".join([_finding(d, id(d) in stops, colour, width) for d in findings])


def _finding(d: Diagnostic, stop: bool, colour: bool, width: int) -> str:
    kind = d.about
    paint = _COLOURS[d.level] if colour else ""
    head = f"{d.level.word}[{kind.code} {kind.name}]"
    if paint:
        head = f"\x1b[1;{paint}m{head}\x1b[0m"
    falco = f" ({d.code})" if d.code else ""
    lines = [f"{_place(d.span)}: {head} {plain(d.message)}{falco}"]
    lines += _excerpt(d.span, paint, width)
    for label in d.labels:
        lines.append(f"  = {plain(label.message)}: {_place(label.span)}")
        lines += _excerpt(label.span, "", width)
    if stop:
        lines.append("  = Falco stops at this error and does not load the file")
    if d.help:
        lines.append(f"  = help: {plain(d.help)}")
    return "\n".join(lines) + "\n\n"


def _place(span: Span) -> str:
    line, column = span.file.line_column(span.start)
    return f"{plain(span.file.name)}:{line + 1}:{column + 1}"


def _excerpt(span: Span, paint: str, width: int) -> list[str]:
    """The lines of the range, at most three, with carets under its characters; long lines are cut around them."""
    first, column = span.file.line_column(span.start)
    last, end_column = span.file.line_column(max(span.end, span.start))
    if last > first and end_column == 0:
        last, end_column = last - 1, len(span.file.line(last - 1))
    if not span.file.text:
        return []
    gutter = len(str(last + 1))
    lines = []
    for number in range(first, min(last, first + 2) + 1):
        text = span.file.line(number)
        begin = column if number == first else len(text) - len(text.lstrip())
        end = end_column if number == last else len(text.rstrip())
        shown, at, length = _cut(text, begin, max(end, begin + 1), width - gutter - 4)
        lines.append(f"{number + 1:>{gutter}} | {shown}")
        carets = "^" * length
        if paint:
            carets = f"\x1b[{paint}m{carets}\x1b[0m"
        lines.append(f"{'':>{gutter}} | {' ' * at}{carets}")
    if last > first + 2:
        lines.append(f"{'':>{gutter}} | ... {last - first - 2} more lines")
    return lines


def _cut(text: str, begin: int, end: int, width: int) -> tuple[str, int, int]:
    """The part of a line that fits, and where in columns the range stands in it."""
    width = max(width, 40)
    end = min(end, max(len(text), begin + 1))
    start, stop = 0, len(text)
    if _columns(text[:5000]) > width:
        if begin > width // 2:
            start = max(0, min(begin - width // 3, len(text) - width + 3))
        stop = min(len(text), start + width - (3 if start else 0) - 3)
    left = "..." if start else ""
    right = "..." if stop < len(text) else ""
    at = len(left) + _columns(text[start:begin])
    length = max(_columns(text[begin : min(end, stop)]), 1)
    return f"{left}{plain(text[start:stop])}{right}", at, length


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain(text)
    )


def summary(findings: Iterable[Diagnostic], files: int, skipped: int = 0) -> str:
    """The last line: how much was found in how many files."""
    counts = dict.fromkeys((Severity.ERROR, Severity.WARNING, Severity.INFO), 0)
    for finding in findings:
        counts[finding.level] += 1
    where = f"{files} file{'' if files == 1 else 's'} checked"
    if skipped:
        where += f", {skipped} without rules skipped"
    if not any(counts.values()):
        return f"no problems found; {where}"
    words = [
        f"{count} {severity.word}{'' if count == 1 or severity is Severity.INFO else 's'}"
        for severity, count in counts.items()
        if count
    ]
    return f"{', '.join(words)}; {where}"

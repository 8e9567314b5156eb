"""Applying fixes until there is nothing left to mend, without ever making a file worse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from falcokit.diagnostic import Diagnostic, Edit, Fix
from falcokit.fix.deprecated import fix_for
from falcokit.lint import LintResult
from falcokit.record import Record
from falcokit.source import Origin, SourceFile

__all__ = ["Fixed", "apply_edits", "fix_files"]

_MAX_ROUNDS: Final = 20


class Fixed(Record):
    """The files after fixing, in the same order, the lint of them, and what was mended, in order."""

    __slots__ = ("files", "mended", "result")

    def __init__(self, files: tuple[SourceFile, ...], result: LintResult, mended: tuple[Diagnostic, ...]) -> None:
        self.files: Final = files
        self.result: Final = result
        self.mended: Final = mended


def fix_files(
    files: Sequence[SourceFile], lint: Callable[[Sequence[SourceFile]], LintResult], *, unsafe: bool
) -> Fixed:
    """Mend what *lint* finds in *files* and can be mended; *unsafe* fixes too where asked for.

    A fix after which a file has errors that it had not is taken back.
    """
    current = tuple(files)
    result = lint(current)
    mended: list[Diagnostic] = []
    refused: set[tuple[str, str]] = set()
    for _ in range(_MAX_ROUNDS):
        chosen = _chosen(result, unsafe, refused)
        if not chosen:
            break
        after, then = _applied(current, chosen, lint)
        if _errors(then) - _errors(result):
            # One of them does harm: each alone, then.
            for pair in chosen:
                after, then = _applied(current, [pair], lint)
                if not _errors(then) - _errors(result):
                    break
                refused.add(_key(pair[0]))
            else:
                continue
            chosen = [pair]
        mended += [d for d, _ in chosen]
        current, result = after, then
    return Fixed(current, result, tuple(mended))


def _applied(
    files: tuple[SourceFile, ...],
    chosen: Sequence[tuple[Diagnostic, Fix]],
    lint: Callable[[Sequence[SourceFile]], LintResult],
) -> tuple[tuple[SourceFile, ...], LintResult]:
    after = apply_edits(files, [edit for _, fix in chosen for edit in fix.edits])
    return after, lint(after)


def _chosen(result: LintResult, unsafe: bool, refused: set[tuple[str, str]]) -> list[tuple[Diagnostic, Fix]]:
    """Fixes of which no two touch the same characters."""
    chosen: list[tuple[Diagnostic, Fix]] = []
    taken: list[Edit] = []
    for d in result.findings:
        fix = d.fix or fix_for(d, result)
        if fix is None or not (fix.safe or unsafe) or _key(d) in refused:
            continue
        if any(edit.span.file.origin is Origin.DEFAULT or edit.span.file not in result.files for edit in fix.edits):
            continue
        if any(_touch(edit, other) for edit in fix.edits for other in taken):
            continue
        chosen.append((d, fix))
        taken += fix.edits
    return chosen


def _key(d: Diagnostic) -> tuple[str, str]:
    return d.kind, f"{d.file.name}\0{d.message}\0{d.span.text}"


def _touch(one: Edit, other: Edit) -> bool:
    return one.span.file is other.span.file and one.span.start <= other.span.end and other.span.start <= one.span.end


def _errors(result: LintResult) -> set[tuple[str, str]]:
    return {(d.kind, f"{d.file.name}\0{d.message}") for d in result.findings if d.is_error}


def apply_edits(files: Iterable[SourceFile], edits: Iterable[Edit]) -> tuple[SourceFile, ...]:
    """The files with *edits* made; those without any are the same objects.

    Raises `ValueError` for an edit of a default file ([R1]): the one place through which every change goes.
    """
    by_file: dict[SourceFile, list[Edit]] = {}
    for edit in edits:
        if edit.span.file.origin is Origin.DEFAULT:
            raise ValueError("default files are never changed")
        by_file.setdefault(edit.span.file, []).append(edit)
    found = []
    for file in files:
        text = file.text
        for edit in sorted(by_file.get(file, ()), key=lambda edit: (-edit.span.start, -edit.span.end)):
            text = text[: edit.span.start] + edit.text + text[edit.span.end :]
        found.append(file if text == file.text else SourceFile(file.name, text, file.origin))
    return tuple(found)

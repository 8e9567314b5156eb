"""Applying fixes until there is nothing left to mend, without ever making a file worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Many
from typing import Final

from falcokit.diagnostic import Diagnostic, Edit, Fix
from falcokit.document import Mapping, Node, Sequence
from falcokit.fix.deprecated import fix_for
from falcokit.lint import LintResult
from falcokit.record import Record
from falcokit.ruleset.items import IgnoredItem
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


def fix_files(files: Many[SourceFile], lint: Callable[[Many[SourceFile]], LintResult], *, unsafe: bool) -> Fixed:
    """Mend what *lint* finds in *files* and can be mended; *unsafe* fixes too where asked for.

    A fix after which a file has errors that it had not, or the finding still, is taken back.
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
        if not _better(result, then, chosen):
            # One of them does harm, or no good: each alone, then.
            for pair in chosen:
                after, then = _applied(current, [pair], lint)
                if _better(result, then, [pair]):
                    break
                refused.add(_key(pair[0]))
            else:
                continue
            chosen = [pair]
        mended += [d for d, _ in chosen]
        current, result = after, then
    return Fixed(current, result, tuple(mended))


def _better(before: LintResult, after: LintResult, chosen: Many[tuple[Diagnostic, Fix]]) -> bool:
    """Whether no error is new, and all *chosen* findings are gone."""
    if _errors(after) - _errors(before):
        return False
    left = Counter([_key(d) for d in before.findings])
    left.subtract([_key(d) for d, _ in chosen])
    return all(count <= left[key] for key, count in Counter([_key(d) for d in after.findings]).items() if key in left)


def _applied(
    files: tuple[SourceFile, ...],
    chosen: Many[tuple[Diagnostic, Fix]],
    lint: Callable[[Many[SourceFile]], LintResult],
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
        if any(edit.span.start > edit.span.end for edit in fix.edits) or _in_aliases(d, result):
            continue
        if any(_touch(edit, other) for edit in fix.edits for other in taken):
            continue
        chosen.append((d, fix))
        taken += fix.edits
    return chosen


def _in_aliases(d: Diagnostic, result: LintResult) -> bool:
    """Whether the item of *d* has an alias: what that stands for is written elsewhere, and may be used twice."""
    for loaded in result.loaded.files:
        for item in loaded.items if loaded.file is d.file else ():
            if not isinstance(item, IgnoredItem) and item.node.start <= d.span.start < item.node.end:
                stack: list[Node] = [item.node]
                while stack:
                    node = stack.pop()
                    if not item.node.start <= node.start <= item.node.end:
                        return True
                    if isinstance(node, Mapping):
                        stack += [part for pair in node.pairs for part in pair]
                    elif isinstance(node, Sequence):
                        stack += node.items
    return False


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

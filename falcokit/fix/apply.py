"""Applying fixes until there is nothing left to mend, without ever making a file worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Many
from typing import Final

from falcokit.diagnostic import Diagnostic, Edit, Fix
from falcokit.document import Mapping, Node, Sequence
from falcokit.fix.deprecated import new_form
from falcokit.fix.syntax import condition_syntax, invalid_value, unknown_key
from falcokit.lint import LintResult
from falcokit.record import Record
from falcokit.ruleset.items import IgnoredItem
from falcokit.source import Origin, SourceFile, Span

__all__ = ["Fixed", "apply_edits", "fix_files"]

_MAX_ROUNDS: Final = 60
_AS_BAD: Final = ("ignored-document", "duplicate-key")


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
    """Whether all *chosen* findings are gone, and no item has more errors: behind one another may come to light."""
    errors = _errors(before)
    if any(count > errors[item] for item, count in _errors(after).items()):
        return False
    edits = [edit for _, fix in chosen for edit in fix.edits]
    still = {(d.kind, d.file.name, d.message, d.span.start) for d in after.findings}
    return all((d.kind, d.file.name, d.message, _moved(d.span, edits)) not in still for d, _ in chosen)


def _moved(span: Span, edits: Many[Edit]) -> int:
    """Where *span* begins once *edits* are made."""
    return span.start + sum(
        len(edit.text) - (edit.span.end - edit.span.start)
        for edit in edits
        if edit.span.file is span.file and edit.span.start < span.start
    )


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
        fix = d.fix or _fix_for(d, result)
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


def _fix_for(d: Diagnostic, result: LintResult) -> Fix | None:
    """How to mend a finding of the loader, None where only its author can."""
    match d.kind:
        case "deprecated-append" | "deprecated-enabled":
            return new_form(d, result)
        case "condition-syntax":
            return condition_syntax(d)
        case "unknown-key":
            return unknown_key(d)
        case "invalid-value":
            return invalid_value(d)
    return None


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
    return d.kind, f"{d.file.name}\0{d.message}\0{d.file.line(d.file.line_column(d.span.start)[0])}"


def _touch(one: Edit, other: Edit) -> bool:
    return one.span.file is other.span.file and one.span.start <= other.span.end and other.span.start <= one.span.end


def _errors(result: LintResult) -> Counter[tuple[str, str]]:
    """How many errors each item has; what Falco would read no more, and others not at all, is as bad as one."""
    return Counter([(d.file.name, _item(d)) for d in result.findings if d.is_error or d.kind in _AS_BAD])


def _item(d: Diagnostic) -> str:
    steps = d.falco.steps if d.falco is not None else ()
    return f"{steps[0].item_type}\0{steps[0].item_name}" if steps else ""


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

"""Taking away what comments silence, and telling of comments that silence nothing any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from falcokit.diagnostic import Diagnostic
from falcokit.record import Record
from falcokit.ruleset.loader import FileResult
from falcokit.suppress.comment import Suppression, read_suppressions

__all__ = ["Suppressed", "suppress"]


class Suppressed(Record):
    """The findings that are left, with those about the comments themselves, and how many were taken away."""

    __slots__ = ("count", "findings")

    def __init__(self, findings: list[Diagnostic], count: int) -> None:
        self.findings: Final = findings
        self.count: Final = count


def suppress(
    findings: Sequence[Diagnostic],
    results: Iterable[FileResult],
    known: frozenset[str],
    looked_for: frozenset[str],
    today: str,
) -> Suppressed:
    """Apply the comments of all files.

    *known* are the names and codes of all findings, *looked_for* those that this run would have given: a comment for
    others is not called unused.  Without *today* no snooze ends.  What keeps Falco from loading a file is not silenced.
    """
    comments: list[Suppression] = []
    about: list[Diagnostic] = []
    for result in results:
        found, wrong = read_suppressions(result, known)
        comments += found
        about += wrong
    if not comments:
        return Suppressed([*findings, *about], 0)
    used: set[tuple[int, str]] = set()
    kept = []
    for d in findings:
        hits = [(n, name) for n, c in enumerate(comments) for name in c.names if _silences(c, name, d)]
        used.update(hits)
        if (d.check is None and d.is_error) or not any(_holds(comments[n], today) for n, _ in hits):
            kept.append(d)
    for number, comment in enumerate(comments):
        about += _about(comment, {name for n, name in used if n == number}, looked_for, today)
    return Suppressed([*kept, *about], len(findings) - len(kept))


def _silences(comment: Suppression, name: str, d: Diagnostic) -> bool:
    return (
        d.span.file is comment.span.file
        and comment.start <= d.span.start < max(comment.end, comment.start + 1)
        and name in (d.kind, d.about.code)
    )


def _holds(comment: Suppression, today: str) -> bool:
    return not comment.until or not today or today <= comment.until


def _about(comment: Suppression, used: set[str], looked_for: frozenset[str], today: str) -> Iterable[Diagnostic]:
    if not _holds(comment, today):
        message = f"this snooze ended on {comment.until}"
        yield Diagnostic("expired-snooze", message, comment.span, "mend what it silenced, or give it another date")
        return
    unused = [name for name in comment.names if name not in used and name in looked_for]
    if unused:
        message = f"there is no {' or '.join(f'`{name}`' for name in unused)} here to silence"
        yield Diagnostic("unused-suppression", message, comment.span, "remove the comment, or put it above the item")

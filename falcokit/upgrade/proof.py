"""That an edit of custom files does what it should and nothing else: by what every name means before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from falcokit.condition import parse
from falcokit.diagnostic import Diagnostic, Edit, Problem
from falcokit.embedded import opened
from falcokit.fix import apply_edits
from falcokit.ruleset.meaning import said
from falcokit.ruleset.ruleset import Named, NamedItem, Ruleset
from falcokit.source import SourceFile, Span
from falcokit.upgrade.changes import Meanings

__all__ = ["Proof", "absence", "binds_whole", "errors_of"]

T = TypeVar("T")
_NAME: Final = "falcokit_nothing_stands_here"
_NOTHING: Final = f"{{list: {_NAME}, items: []}}"
"""What stands in the place of an item to see what is without it."""


class Proof:
    """Edits of the *custom* files against what everything means with them as they are."""

    def __init__(
        self, now: Meanings, load: Callable[[Sequence[SourceFile]], Ruleset], custom: Sequence[SourceFile]
    ) -> None:
        self._now: Final = now
        self._load: Final = load
        self._custom: Final = custom
        self._worst: Final = len(errors_of(now.ruleset))

    def longest(
        self, subjects: Sequence[T], edits: Callable[[Sequence[T]], Sequence[Edit]], may_change: frozenset[Named]
    ) -> list[T]:
        """As many of *subjects* as can be done together so that nothing changes but the names *may_change* and what uses them."""
        kept: list[T] = []
        pending = [list(subjects)] if subjects else []
        while pending:
            group = pending.pop()
            if self._holds(edits([*kept, *group]), may_change):
                kept += group
            elif len(group) > 1:
                middle = len(group) // 2
                pending += [group[middle:], group[:middle]]
        return [one for one in subjects if any(one is other for other in kept)]

    def edited(self, edits: Sequence[Edit]) -> tuple[SourceFile, ...]:
        """The custom files with *edits* made, those of rules inside of other files in these."""
        outer = {file.name: file for file in self._custom}
        placed = [Edit(Span(outer[edit.span.file.name], edit.span.start, edit.span.end), edit.text) for edit in edits]
        return apply_edits(self._custom, placed)

    def _holds(self, edits: Sequence[Edit], may_change: frozenset[Named]) -> bool:
        if not edits:
            return True
        ruleset = self._load(opened(self.edited(edits))[0])
        if len(errors_of(ruleset)) > self._worst:
            return False
        then = Meanings(ruleset)
        before, after = self._now.ruleset.named, ruleset.named
        names = {*before, *after}
        allowed = self._users(may_change) | self._users(may_change, ruleset)
        return all(
            named in allowed or named == ("list", _NAME) or self._now.whole(named) == then.whole(named)
            for named in names
        )

    def _users(self, names: frozenset[Named], ruleset: Ruleset | None = None) -> set[Named]:
        """*names*, and everything that uses them, directly or through others."""
        found, pending = set(names), list(names)
        while pending:
            for user in (ruleset or self._now.ruleset).users_of(pending.pop()):
                if user not in found:
                    found.add(user)
                    pending.append(user)
        return found


def absence(item: NamedItem) -> Edit:
    """The edit that leaves nothing of *item*, for looking at what is without it."""
    text = item.file.text
    stop = item.node.start + len(text[item.node.start : item.node.end].rstrip())
    return Edit(Span(item.file, item.node.start, stop), _NOTHING)


def binds_whole(condition: str, text: str) -> bool:
    """Whether *text*, put behind *condition*, goes with all of it and not with its last part only."""
    trees = parse(f"{condition} {text}"), parse(f"({condition}) {text}")
    return not any(isinstance(tree, Problem) for tree in trees) and said(trees[0]) == said(trees[1])


def errors_of(ruleset: Ruleset) -> list[Diagnostic]:
    """What Falco would not load for."""
    return [finding for finding in ruleset.loaded.diagnostics if finding.is_error]

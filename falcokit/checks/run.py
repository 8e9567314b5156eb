"""Running checks: each on its own, so that one that fails costs its own findings only."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from traceback import walk_tb
from typing import Final, TypeAlias

from falcokit.checks.check import Check, Finding
from falcokit.diagnostic import Diagnostic, FalcoPlace, Fix
from falcokit.ruleset.items import EngineItem, IgnoredItem, ListItem, MacroItem, PluginsItem, RuleItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import SourceFile, Span

__all__ = ["run_checks"]

_Placed: TypeAlias = "ListItem | MacroItem | RuleItem | EngineItem | PluginsItem"
_ANCHOR: Final = re.compile(r"(?:^|[\s,\[])&\w")
_MAX_FINDINGS = 5000
"""How many findings of one check are enough."""


def run_checks(ruleset: Ruleset, checks: Iterable[Check], *, strict: bool = False) -> list[Diagnostic]:
    """The findings of *checks*; a check that raises becomes a finding itself, or raises with *strict*."""
    found: list[Diagnostic] = []
    items = _Items(ruleset)
    for check in checks:
        try:
            for number, finding in enumerate(check.find(ruleset)):
                if number >= _MAX_FINDINGS:
                    break
                found.append(_stamped(finding, check, items))
        except Exception as error:
            if strict or not ruleset.files:
                raise
            frames = list(walk_tb(error.__traceback__))
            where = f"{frames[-1][0].f_globals.get('__name__', '')}:{frames[-1][1]}"
            message = f"the check `{check.kind.name}` failed at {where}: {type(error).__name__}: {str(error)[:200]}"
            help_text = "this is a mistake in falcokit: please report it, with the rules if you can"
            found.append(Diagnostic("check-failed", message, Span(ruleset.files[-1], 0, 0), help_text))
    return found


def _stamped(finding: Finding, check: Check, items: _Items) -> Diagnostic:
    item = items.at(finding.span)
    place = FalcoPlace(item.file, (item.step,)) if item is not None else None
    return Diagnostic(
        check.kind.name, finding.message, finding.span, finding.help, finding.labels, place, "", "", finding.severity,
        check.kind, None if finding.fix is not None and _takes_anchor(finding.fix) else finding.fix,
    )  # fmt: skip


def _takes_anchor(fix: Fix) -> bool:
    """Whether *fix* takes out the anchor of a node, which an alias elsewhere may need."""
    return any(_ANCHOR.search(edit.span.text) and not _ANCHOR.search(edit.text) for edit in fix.edits)


class _Items:
    """The items of each file by their place; built when the first finding asks."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.by_file: dict[SourceFile, tuple[list[int], list[_Placed]]] = {}

    def at(self, span: Span) -> _Placed | None:
        if not self.by_file:
            for item in [item for result in self.ruleset.loaded.files for item in result.items]:
                if isinstance(item, IgnoredItem):
                    continue
                starts, items = self.by_file.setdefault(item.file, ([], []))
                starts.append(item.node.start)
                items.append(item)
        starts, items = self.by_file.get(span.file, ([], []))
        number = bisect_right(starts, span.start) - 1
        return items[number] if number >= 0 and span.start <= items[number].node.end else None

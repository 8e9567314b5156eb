"""The rules before an upgrade of the defaults and after it, without and with the custom files."""

from __future__ import annotations

from collections.abc import Sequence

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic
from falcokit.embedded import opened
from falcokit.errors import RulesError
from falcokit.ruleset.loader import Memo, load_all
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Origin, SourceFile
from falcokit.upgrade.changes import Meanings, changes
from falcokit.upgrade.proof import errors_of

__all__ = ["Sides", "key_of"]


class Sides:
    """The rules before and after, without and with the custom files."""

    def __init__(
        self, old: Sequence[SourceFile], new: Sequence[SourceFile], custom: Sequence[SourceFile], catalogue: Catalogue
    ) -> None:
        memo = Memo()
        self.outer = tuple(custom)
        self.custom = tuple(opened(custom)[0])

        def load(files: Sequence[SourceFile]) -> Ruleset:
            return _loaded_rules([*new, *files], catalogue, memo)

        self.load = load
        self.old = Meanings(_loaded_rules(old, catalogue, memo))
        self.new = Meanings(_loaded_rules(new, catalogue, memo))
        self.before = Meanings(_loaded_rules([*old, *self.custom], catalogue, memo)) if custom else self.old
        self.after = Meanings(self.load(self.custom)) if custom else self.new
        self.changes = changes(self.old, self.new)
        self.by_name = {(change.kind, change.name): change for change in self.changes}
        self.known = {key_of(finding) for finding in errors_of(self.before.ruleset)}
        self.errors = [
            finding
            for finding in errors_of(self.after.ruleset)
            if finding.file.origin is Origin.CUSTOM or key_of(finding) not in self.known
        ]


def _loaded_rules(files: Sequence[SourceFile], catalogue: Catalogue, memo: Memo) -> Ruleset:
    """The rules in *files*, those that stand in other files as well.  Raises `falcokit.RulesError` where nothing can be read."""
    loaded = load_all(opened(files)[0], catalogue, memo)
    if loaded.compilation is None:
        first = next((one for one in loaded.diagnostics if one.is_error), None)
        if first is None:
            raise RulesError("there are no rules")
        line, column = first.file.line_column(first.span.start)
        raise RulesError(f"{first.file.name}:{line + 1}:{column + 1}: {first.message}")
    return Ruleset(loaded)


def key_of(finding: Diagnostic) -> tuple[str, str, str, int]:
    # Defaults lie elsewhere than before.
    name = finding.file.name if finding.file.origin is Origin.CUSTOM else ""
    return finding.kind, finding.message, name, finding.span.start if name else 0

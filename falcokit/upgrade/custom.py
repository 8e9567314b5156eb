"""What an upgrade of the default rules means for each custom item."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic, Edit
from falcokit.fix import apply_edits
from falcokit.record import Record
from falcokit.ruleset.collector import Definition
from falcokit.ruleset.default_index import Dated, dated, homes
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition, RuleDefinition, joined
from falcokit.ruleset.items import ListItem, MacroItem, RuleItem, RuleUpdate
from falcokit.ruleset.loader import Loaded, Memo, load_all
from falcokit.ruleset.meaning import changed_keys, members, same_condition
from falcokit.ruleset.removal import has_comment, removal
from falcokit.ruleset.ruleset import Named, NamedItem, Ruleset, defines, name_span
from falcokit.source import SourceFile, Span
from falcokit.upgrade.changes import Change, Meanings, changes
from falcokit.upgrade.rebase import Conflict, Rebased, as_item, rebased

__all__ = ["STATES", "Upgrade", "Verdict", "upgrade"]

STATES: Final = {
    "broken": "does not load any more",
    "dead": "hook gone",
    "hides": "hides changes",
    "gone": "base gone",
    "part": "partly in the default",
    "redundant": "now part of the default",
    "needed": "still needed",
}
"""What can be true of a custom item after an upgrade, the worst first, as it is said."""
_SAYS_SO: Final = "the default says so itself"


class Verdict(Record):
    """What the upgrade means for the item at *span*: one of `STATES` and the reason.

    ``hidden`` is the change of the default that it hides, ``copied`` the release that it is a copy of; ``text`` is the item as
    it could be now, empty where it is not needed, None where nothing is proposed; ``edits`` make it so, and there are none
    where a comment would be lost.  ``conflicts`` are what cannot be put together.
    """

    __slots__ = ("conflicts", "copied", "edits", "hidden", "kind", "name", "reason", "span", "state", "text")

    def __init__(
        self,
        span: Span,
        kind: str,
        name: str,
        state: str,
        reason: str,
        hidden: Change | None = None,
        copied: Dated | None = None,
        text: str | None = None,
        edits: tuple[Edit, ...] = (),
        conflicts: tuple[Conflict, ...] = (),
    ) -> None:
        self.span: Final = span
        self.kind: Final = kind
        self.name: Final = name
        self.state: Final = state
        self.reason: Final = reason
        self.hidden: Final = hidden
        self.copied: Final = copied
        self.text: Final = text
        self.edits: Final = edits
        self.conflicts: Final = conflicts


class Upgrade(Record):
    """What changed in the default rules, what that means for custom items, and the custom files with all edits made.

    ``problems`` are errors of the new rules with the custom files that no item stands for.
    """

    __slots__ = ("changes", "files", "problems", "verdicts")

    def __init__(
        self,
        changes: tuple[Change, ...],
        verdicts: tuple[Verdict, ...],
        files: tuple[SourceFile, ...],
        problems: tuple[Diagnostic, ...],
    ) -> None:
        self.changes: Final = changes
        self.verdicts: Final = verdicts
        self.files: Final = files
        self.problems: Final = problems


class _Sides:
    """The rules before and after, without and with the custom files."""

    def __init__(
        self, old: Sequence[SourceFile], new: Sequence[SourceFile], custom: Sequence[SourceFile], catalogue: Catalogue
    ) -> None:
        memo = Memo()
        self.catalogue = catalogue
        self.memo = memo
        self.new_files = tuple(new)
        self.old = Meanings(Ruleset(load_all(old, catalogue, memo)))
        self.new = Meanings(Ruleset(load_all(new, catalogue, memo)))
        self.before = Ruleset(load_all([*old, *custom], catalogue, memo)) if custom else self.old.ruleset
        self.after = Ruleset(load_all([*new, *custom], catalogue, memo)) if custom else self.new.ruleset
        self.changes = changes(self.old, self.new)
        self.by_name = {(change.kind, change.name): change for change in self.changes}
        known = {_key(finding) for finding in _errors(self.before.loaded)}
        self.errors = [finding for finding in _errors(self.after.loaded) if _key(finding) not in known]


def upgrade(
    old: Sequence[SourceFile], new: Sequence[SourceFile], custom: Sequence[SourceFile], catalogue: Catalogue
) -> Upgrade:
    """What it means to load *custom* on top of the default rules *new* instead of *old*; all in load order."""
    sides = _Sides(old, new, custom, catalogue)
    verdicts = []
    taken: set[int] = set()
    for item in sides.after.custom_items:
        mine = [finding for finding in sides.errors if _inside(finding, item)]
        taken |= {id(finding) for finding in mine}
        verdict = _verdict(sides, item)
        if mine and verdict.state != "gone":
            verdict = verdict.replaced(state="broken", reason=mine[0].message)
        verdicts.append(verdict)
    left = tuple([finding for finding in sides.errors if id(finding) not in taken])
    verdicts, files = _proven(sides, verdicts, custom)
    return Upgrade(sides.changes, tuple(verdicts), files, left)


def _proven(
    sides: _Sides, verdicts: list[Verdict], custom: Sequence[SourceFile]
) -> tuple[list[Verdict], tuple[SourceFile, ...]]:
    """The verdicts, without the edits that would break something, and the files with those that are left."""
    worst = len(_errors(sides.after.loaded))
    files = apply_edits(custom, [edit for verdict in verdicts for edit in verdict.edits])
    if len(_errors(load_all([*sides.new_files, *files], sides.catalogue, sides.memo))) <= worst:
        return verdicts, files
    kept: list[Edit] = []
    found = []
    for verdict in verdicts:
        if verdict.edits:
            files = apply_edits(custom, [*kept, *verdict.edits])
            if len(_errors(load_all([*sides.new_files, *files], sides.catalogue, sides.memo))) > worst:
                verdict = verdict.replaced(edits=())
            kept += verdict.edits
        found.append(verdict)
    return found, apply_edits(custom, kept)


def _errors(loaded: Loaded) -> list[Diagnostic]:
    return [finding for finding in loaded.diagnostics if finding.is_error]


def _key(finding: Diagnostic) -> tuple[str, str, str, int]:
    return finding.kind, finding.message, finding.file.name, finding.span.start


def _inside(finding: Diagnostic, item: NamedItem) -> bool:
    return finding.file is item.file and item.node.start <= finding.span.start <= item.node.end


def _verdict(sides: _Sides, item: NamedItem) -> Verdict:
    named = (item.step.item_type, item.name.text)
    old, new = sides.old.ruleset.definition(named), sides.new.ruleset.definition(named)
    kind, name = named
    base = Verdict(name_span(item), kind, name, "needed", "")

    if old is None and new is None:
        return base.replaced(reason="it is not one of the default rules")
    hook = sides.old.ruleset.is_hook(named, old) or (new is not None and sides.new.ruleset.is_hook(named, new))
    if hook and (dead := _dead(sides, named)):
        return base.replaced(state="dead", reason=dead)
    if new is None:
        return _without_base(sides, item, named, base)
    state = _state_before(sides.after, named, item)
    if state is None:
        return base.replaced(reason="it is defined by this item first")
    if hook:
        now, earlier = sides.after.rules_using(named), sides.before.rules_using(named)
        lost = [rule for rule in earlier if rule not in now]
        more = f"; it does not reach {_names(lost)} any more" if lost else ""
        return base.replaced(reason=f"{_names(now)} {'asks' if len(now) == 1 else 'ask'} it{more}")
    if defines(item):
        return _of_copy(sides, item, named, old, new, base)
    if isinstance(item, RuleItem):
        assert isinstance(new, RuleDefinition)
        return _of_override(sides, item, named, new, base)
    return _of_append(item, new, base)


def _dead(sides: _Sides, named: Named) -> str:
    """Why what is put into the hook *named* lets nothing through any more; empty if it does."""
    if sides.after.rules_using(named):
        return ""
    asked = sides.before.rules_using(named)
    if not asked:
        return "no rule asks it, nor did one before: what it lets through is let through nowhere"
    gone = [rule for rule in asked if rule not in sides.after.compilation.rules]
    left = [rule for rule in asked if rule not in gone]
    parts = [f"{_names(left)} {'asks' if len(left) == 1 else 'ask'} it no longer"] if left else []
    if gone:
        parts.append(f"{_names(gone)} {'is' if len(gone) == 1 else 'are'} gone{_moved(('rule', gone[0]))}")
    return f"these whitelists are dead: {', '.join(parts)}"


def _moved(named: Named) -> str:
    """Where the newest public rules have what has left a file."""
    found = homes(named)
    return f", look in {found[0]}" if found else ""


def _without_base(sides: _Sides, item: NamedItem, named: Named, base: Verdict) -> Verdict:
    """An item on a default that is not there any more."""
    kind, name = named
    state, reason = "gone", f"the default {kind} is gone{_moved(named)}, and nothing uses this one"
    if not defines(item):
        reason = f"there is no {kind} `{name}` to change any more{_moved(named)}: Falco would not load this"
    elif kind == "rule":
        reason = f"the default rule is gone{_moved(named)}: this copy runs on, and nobody keeps it up"
    elif users := sides.after.users_of(named):
        verb = "uses" if len(users) == 1 else "use"
        state, reason = "needed", f"the default {kind} is gone, {_names([one for _, one in users])} {verb} it"
    return base.replaced(state=state, reason=reason)


def _state_before(ruleset: Ruleset, named: Named, item: NamedItem) -> Definition | None:
    """What *named* stood for before *item*."""
    state: Definition | None = None
    for other, after in ruleset.states(named):
        if other is item:
            return state
        state = after
    return state


def _of_copy(
    sides: _Sides, item: NamedItem, named: Named, old: Definition | None, new: Definition, base: Verdict
) -> Verdict:
    """An item that takes the place of a default."""
    mine = next(after for other, after in sides.after.states(named) if other is item)
    base = base.replaced(copied=dated(named, mine))
    if not _differing(new, mine):
        copy = old is not None and not _differing(old, mine)
        reason = "it is a copy of the default" if copy else "it is what the default says now"
        return base.replaced(state="redundant", reason=reason, text="", edits=_taken_out(item))
    if old is None:
        reason = f"the defaults have a {named[0]} of this name now, which it hides"
        return base.replaced(state="hides", reason=reason)
    # A copy of some release as it was has nothing of its own, whichever release was run.
    merged = Rebased((), ()) if base.copied is not None and _is_plain(mine) else rebased(old, mine, new)
    proposed, edits = _as_override(item, named, merged)
    base = base.replaced(text=proposed, edits=edits)
    changed = _differing(old, new)
    if changed or (base.copied is not None and proposed == ""):
        what = f": {', '.join(changed)}" if changed else " since it was copied"
        reason = f"it hides what changed in the default{what}"
        return base.replaced(state="hides", reason=reason, hidden=sides.by_name.get(named), conflicts=merged.conflicts)
    return base.replaced(reason="the default has not changed, but the next change will be hidden")


def _is_plain(definition: Definition) -> bool:
    """Whether *definition* has nothing that the index of releases does not tell."""
    return not isinstance(definition, RuleDefinition) or (definition.enabled and not definition.exceptions)


def _differing(one: Definition, other: Definition) -> tuple[str, ...]:
    """The keys in which two definitions of a name say something else."""
    if isinstance(one, ListDefinition) and isinstance(other, ListDefinition):
        return () if members(one) == members(other) else ("items",)
    if isinstance(one, MacroDefinition) and isinstance(other, MacroDefinition):
        return () if same_condition(one, other, True) else ("condition",)
    if isinstance(one, RuleDefinition) and isinstance(other, RuleDefinition):
        return tuple([key for key in changed_keys(one, other, True) if key != "desc"])
    return ("kind",)


def _as_override(item: NamedItem, named: Named, merged: Rebased) -> tuple[str | None, tuple[Edit, ...]]:
    """The item with nothing but what it adds, and the edits that make it so."""
    if merged.conflicts:
        return None, ()
    if not merged.entries:
        return "", _taken_out(item)
    node, text = item.node, item.file.text
    first = node.pairs[0][0]
    end = "\r\n" if "\r\n" in text else "\n"
    shown = as_item(*named, merged.entries)
    if node.flow or has_comment(text, node.start, node.end):
        return shown, ()
    indent = " " * item.file.line_column(first.start)[1]
    stop = node.start + len(text[node.start : node.end].rstrip())
    return shown, (Edit(Span(item.file, node.start, stop), as_item(*named, merged.entries, indent, end)),)


def _taken_out(item: NamedItem) -> tuple[Edit, ...]:
    edit = removal(item)
    return () if edit is None else (edit,)


def _of_append(item: NamedItem, new: Definition, base: Verdict) -> Verdict:
    """Text or items that are put behind those of a default macro or list."""
    if isinstance(item, ListItem) and isinstance(new, ListDefinition):
        own = [written.text for written in item.items]
        there = [text for text in own if text in members(new)]
        if own and len(there) == len(own):
            return base.replaced(
                state="redundant", reason="the default list has all of it", text="", edits=_taken_out(item)
            )
        if there:
            return base.replaced(state="part", reason=f"the default list has {_names(there)} now")
        return base.replaced(reason="the default list has none of it")
    added = item.condition if isinstance(item, MacroItem) else None
    if added is not None and isinstance(new, MacroDefinition):
        grown = new.replaced(condition=(*new.condition, added))
        if same_condition(new, grown, True):
            return base.replaced(state="redundant", reason=_SAYS_SO, text="", edits=_taken_out(item))
    return base.replaced(reason="the default does not say it")


def _of_override(sides: _Sides, item: RuleItem, named: Named, new: RuleDefinition, base: Verdict) -> Verdict:
    """Keys of a default rule that are added to or replaced."""
    old = sides.old.ruleset.definition(named)
    hides: list[str] = []
    idle: list[str] = []
    needed: list[str] = []
    for key, same, changed in _keys(item.updates, old, new):
        (idle if same else hides if changed else needed).append(key)
    if hides:
        reason = f"it hides what changed in the default: {', '.join(hides)}"
        return base.replaced(state="hides", reason=reason, hidden=sides.by_name.get(named))
    if needed:
        more = f"; of it the default says {_names(idle)} itself" if idle else ""
        state = "part" if idle else "needed"
        return base.replaced(state=state, reason=f"the default does not say it: {', '.join(needed)}{more}")
    return base.replaced(state="redundant", reason=_SAYS_SO, text="", edits=_taken_out(item))


def _keys(
    updates: Iterable[RuleUpdate], old: Definition | None, new: RuleDefinition
) -> Iterable[tuple[str, bool, bool]]:
    """For each key that is changed: whether the new default says the same, and whether it hides what changed in it."""
    was = old if isinstance(old, RuleDefinition) else None
    for update in updates:
        for key in ("condition", "output", "desc"):
            written = getattr(update, key)
            if written is None:
                continue
            mine = (*getattr(new, key), written) if update.operation == "append" else (written,)
            if key == "condition":
                same = same_condition(new, new.replaced(condition=mine), True)
            else:
                same = " ".join(joined(mine).split()) == " ".join(joined(getattr(new, key)).split())
            moved = was is not None and " ".join(joined(getattr(was, key)).split()) != " ".join(joined(getattr(new, key)).split())  # fmt: skip
            if key == "condition" and was is not None:
                moved = not same_condition(was, new, True)
            yield key, same, moved and update.operation == "replace" and key != "desc"
        for key in ("priority", "enabled", "capture", "capture_duration", "warn_evttypes", "skip_if_unknown_filter"):
            value = getattr(update, key)
            if value is not None:
                yield key, value == getattr(new, key), was is not None and getattr(was, key) != getattr(new, key)
        if update.tags is not None:
            tags = frozenset([written.text for written in update.tags])
            same = tags <= new.tags if update.operation == "append" else tags == new.tags
            yield "tags", same, update.operation == "replace" and was is not None and was.tags != new.tags
        if update.exceptions is not None:
            yield "exceptions", False, False


def _names(names: Sequence[str]) -> str:
    shown = [f"`{name}`" for name in names[:3]]
    if len(names) > 3:
        return f"{', '.join(shown)} and {len(names) - 3} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "nothing"

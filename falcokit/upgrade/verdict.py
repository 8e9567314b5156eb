"""What an upgrade of the default rules means for one custom item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from falcokit.diagnostic import Edit
from falcokit.record import Record
from falcokit.ruleset.collector import Definition
from falcokit.ruleset.default_index import Dated, dated, homes
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition, RuleDefinition, joined
from falcokit.ruleset.items import ListItem, MacroItem, RuleItem, RuleUpdate
from falcokit.ruleset.meaning import changed_keys, members, same_condition
from falcokit.ruleset.removal import has_comment, removal
from falcokit.ruleset.ruleset import Named, NamedItem, defines, name_span
from falcokit.source import Origin, SourceFile, Span
from falcokit.upgrade.changes import Change
from falcokit.upgrade.proof import binds_whole
from falcokit.upgrade.rebase import Conflict, Rebased, as_item, rebased, unquoted
from falcokit.upgrade.sides import Sides

__all__ = ["STATES", "Verdict", "verdict_of"]

STATES: Final = {
    "broken": "does not load",
    "turned": "means something else",
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

    __slots__ = (
        "conflicts",
        "copied",
        "edits",
        "hidden",
        "item",
        "kind",
        "name",
        "obstacle",
        "reason",
        "span",
        "state",
        "text",
    )

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
        obstacle: str = "",
        item: NamedItem | None = None,
    ) -> None:
        self.obstacle: Final = obstacle
        self.item: Final = item
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


def verdict_of(sides: Sides, item: NamedItem, broken: bool) -> Verdict:
    named = (item.step.item_type, item.name.text)
    old, new = sides.old.ruleset.definition(named), sides.new.ruleset.definition(named)
    kind, name = named
    base = Verdict(name_span(item), kind, name, "needed", "", item=item)

    if old is None and new is None:
        return base.replaced(reason="it is not one of the default rules")
    hook = sides.old.ruleset.is_hook(named, old) or (new is not None and sides.new.ruleset.is_hook(named, new))
    if hook and (dead := _dead(sides, named)):
        return base.replaced(state="dead", reason=dead)
    chain = _Chain(sides, named, item)
    if new is None:
        return _without_base(sides, item, named, chain, base)
    if chain.mine is None:
        return base if broken else base.replaced(reason="it does not load")
    if chain.previous is None:
        return base.replaced(reason="it is defined by this item first")
    own = defines(item) and (old is None or _differing(old, new) or not _differing(new, chain.mine))
    if hook and not own:
        now, earlier = sides.after.ruleset.rules_using(named), sides.before.ruleset.rules_using(named)
        lost = [rule for rule in earlier if rule not in now]
        more = f"; it does not reach {_names(lost)} any more" if lost else ""
        asks = f"{_names(now)} {'asks' if len(now) == 1 else 'ask'} it" if now else "rules that are not compiled ask it"
        base = base.replaced(reason=f"{asks}{more}")
        return _turned(chain, base)
    if defines(item):
        return _of_copy(sides, item, named, chain, old, new, base)
    base = _turned(chain, base)
    if base.state == "turned":
        return base
    if isinstance(item, RuleItem):
        assert isinstance(new, RuleDefinition)
        return _of_override(sides, item, named, chain, new, base)
    return _of_append(sides, item, named, chain, new, base)


class _Chain:
    """What custom items do to one name, one after the other: what it stood for before *item* and after it, whether the item
    is the first of them, and those behind it."""

    def __init__(self, sides: Sides, named: Named, item: NamedItem) -> None:
        states = sides.after.ruleset.states(named)
        at = next((number for number, (one, _) in enumerate(states) if one is item), None)
        self.item = item
        self.mine = states[at][1] if at is not None else None
        self.previous = states[at - 1][1] if at else None
        self.first = not any(one.file.origin is Origin.CUSTOM for one, _ in states[: at or 0])
        self.later = [one for one, _ in states[at + 1 :]] if at is not None else []
        earlier = sides.before.ruleset.states(named)
        was = next((number for number, (one, _) in enumerate(earlier) if one is item), None)
        self.was = earlier[was - 1][1] if was else None

    @property
    def appended(self) -> str:
        """What later items put behind the condition."""
        return " ".join([text for one in self.later for text in _appended(one)])


def _appended(item: NamedItem) -> list[str]:
    """The texts that *item* puts behind a condition."""
    if isinstance(item, MacroItem) and item.operation == "append" and item.condition is not None:
        return [item.condition.text]
    if isinstance(item, RuleItem):
        return [one.condition.text for one in item.updates if one.operation == "append" and one.condition is not None]
    return []


def _turned(chain: _Chain, base: Verdict) -> Verdict:
    """*base*, or what is wrong where text that is put behind a condition is bound by another part of it than before."""
    texts = " ".join(_appended(chain.item))
    before, now = chain.was, chain.previous
    conditions = (MacroDefinition, RuleDefinition)
    if not texts or not isinstance(before, conditions) or not isinstance(now, conditions):
        return base
    if binds_whole(joined(before.condition), texts) and not binds_whole(joined(now.condition), texts):
        reason = (
            "the default consists of alternatives now, and what is put behind it binds to the last of them only:"
            " use a hook or an exception"
        )
        return base.replaced(state="turned", reason=reason)
    return base


def _dead(sides: Sides, named: Named) -> str:
    """Why what is put into the hook *named* lets nothing through any more; empty if it does."""
    if sides.after.ruleset.rules_using(named) or sides.after.mentions(named):
        return ""
    asked = sides.before.ruleset.rules_using(named)
    if not asked:
        return "no rule asks it, nor did one before: what it lets through is let through nowhere"
    gone = [rule for rule in asked if rule not in sides.after.ruleset.compilation.rules]
    left = [rule for rule in asked if rule not in gone]
    parts = [f"{_names(left)} {'asks' if len(left) == 1 else 'ask'} it no longer"] if left else []
    if gone:
        parts.append(f"{_names(gone)} {'is' if len(gone) == 1 else 'are'} gone{_moved(('rule', gone[0]))}")
    return f"these whitelists are dead: {', '.join(parts)}"


def _moved(named: Named) -> str:
    """Where the newest public rules have what has left a file."""
    found = homes(named)
    return f", look in {found[0]}" if found else ""


def _without_base(sides: Sides, item: NamedItem, named: Named, chain: _Chain, base: Verdict) -> Verdict:
    """An item on a default that is not there any more."""
    kind, name = named
    state, reason = "gone", f"the default {kind} is gone{_moved(named)}, and nothing uses this one"
    if not defines(item) and chain.previous is not None:
        state, reason = "needed", f"the default {kind} is gone; it changes the one that you define yourself"
    elif not defines(item):
        reason = f"there is no {kind} `{name}` to change any more{_moved(named)}: Falco would not load this"
    elif kind == "rule":
        reason = f"the default rule is gone{_moved(named)}: this copy runs on, and nobody keeps it up"
    elif users := sides.after.ruleset.users_of(named):
        verb = "uses" if len(users) == 1 else "use"
        state, reason = "needed", f"the default {kind} is gone, {_names([one for _, one in users])} {verb} it"
    return base.replaced(state=state, reason=reason)


def _of_copy(
    sides: Sides, item: NamedItem, named: Named, chain: _Chain, old: Definition | None, new: Definition, base: Verdict
) -> Verdict:
    """An item that takes the place of a default."""
    mine = chain.mine
    assert mine is not None
    base = base.replaced(copied=dated(named, mine))
    alone = chain.first and not chain.later
    if not _differing(new, mine) or (alone and sides.after.whole(named) == sides.new.whole(named)):
        copy = old is not None and not _differing(old, mine)
        reason = "it is a copy of the default" if copy else "it is what the default says now"
        return _removed(item, base.replaced(state="redundant", reason=reason))
    if old is None:
        reason = f"the defaults have a {named[0]} of this name now, which it hides"
        return base.replaced(state="hides", reason=reason)
    change = sides.by_name.get(named)
    changed = [*_differing(old, new)]
    if not changed and (lost := _passed_by(sides, named)):
        changed = [", ".join(f"{kind} {name}" for kind, name in lost[:3])]
    # A copy of some release as it was has nothing of its own, whichever release was run.
    stale = base.copied is not None and _is_plain(mine) and _is_substantial(mine)
    merged = Rebased((), ()) if stale else rebased(old, mine, new)
    hides = bool(changed) or (stale and not merged.entries)
    if not chain.first:
        merged = Rebased((), merged.conflicts)
    elif not merged.conflicts:
        base = _as_override(item, named, chain, merged, new, base)
    if hides:
        what = f": {', '.join(changed)}" if changed else " since it was copied"
        reason = f"it hides what changed in the default{what}"
        return base.replaced(state="hides", reason=reason, hidden=change, conflicts=merged.conflicts)
    return base.replaced(reason="the default has not changed, but the next change will be hidden")


def _passed_by(sides: Sides, named: Named) -> list[Named]:
    """The macros and lists through which the default of *named* was changed, and which what it is now does not use."""
    change = sides.by_name.get(named)
    if change is None or not change.through:
        return []
    used, pending = {named}, [named]
    while pending:
        for inner in sides.after.uses(pending.pop()):
            if inner not in used:
                used.add(inner)
                pending.append(inner)
    return [inner for inner in change.through if inner not in used]


def _removed(item: NamedItem, base: Verdict) -> Verdict:
    """*base* with nothing in the place of the item."""
    edit = removal(item)
    if edit is not None and not _is_utf8(item.file):
        return base.replaced(text="", obstacle="the file is not UTF-8")
    if edit is not None:
        return base.replaced(text="", edits=(edit,))
    comment = has_comment(item, item.file.text.find("\n", item.node.end))
    return base.replaced(
        text="", obstacle="there is a comment in it" if comment else "more than it stands in its lines"
    )


def _is_utf8(file: SourceFile) -> bool:
    """Whether every character of *file* can be written as it was read."""
    return not any("\ud800" <= letter <= "\udfff" for letter in file.text)


def _is_substantial(definition: Definition) -> bool:
    """Whether nobody writes *definition* by himself as some release had it."""
    if isinstance(definition, ListDefinition):
        return len(definition.items) > 2
    return len(joined(definition.condition)) > 40


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


def _as_override(
    item: NamedItem, named: Named, chain: _Chain, merged: Rebased, new: Definition, base: Verdict
) -> Verdict:
    """*base* with the item as nothing but what it adds, and the edits that make it so."""
    if isinstance(new, (MacroDefinition, RuleDefinition)) and chain.appended:
        assert isinstance(chain.mine, (MacroDefinition, RuleDefinition))
        added = [value for key, operation, value in merged.entries if key == "condition" and operation == "append"]
        following = " ".join([joined(new.condition), *[unquoted(value) for value in added]])
        if not binds_whole(following, chain.appended) or not binds_whole(joined(chain.mine.condition), chain.appended):
            return base  # What later items append would be bound by another part.
    if not merged.entries:
        return _removed(item, base)
    node, text = item.node, item.file.text
    shown = as_item(*named, merged.entries)
    if node.flow or has_comment(item) or not _is_utf8(item.file):
        obstacle = (
            "there is a comment in it"
            if has_comment(item)
            else "it is written in braces"
            if node.flow
            else "the file is not UTF-8"
        )
        return base.replaced(text=shown, obstacle=obstacle)
    end = "\r\n" if "\r\n" in text else "\n"
    indent = " " * item.file.line_column(node.pairs[0][0].start)[1]
    stop = node.start + len(text[node.start : node.end].rstrip())
    edit = Edit(Span(item.file, node.start, stop), as_item(*named, merged.entries, indent, end))
    return base.replaced(text=shown, edits=(edit,))


def _of_append(sides: Sides, item: NamedItem, named: Named, chain: _Chain, new: Definition, base: Verdict) -> Verdict:
    """Text or items that are put behind those of a default macro or list."""
    previous = chain.previous
    if isinstance(item, ListItem) and isinstance(previous, ListDefinition):
        own, there_all = [written.text for written in item.items], members(previous)
        there = [text for text in own if text in there_all]
        whose = "the default list" if chain.first else "the list"
        if own and len(there) == len(own):
            return _removed(item, base.replaced(state="redundant", reason=f"{whose} has all of it"))
        if there:
            return base.replaced(state="part", reason=f"{whose} has {_names(there)} now")
        return base.replaced(reason=f"{whose} has none of it")
    if isinstance(previous, MacroDefinition) and isinstance(chain.mine, MacroDefinition):
        alone = chain.first and not chain.later and sides.after.whole(named) == sides.new.whole(named)
        if alone or same_condition(previous, chain.mine, not chain.appended):
            return _removed(item, base.replaced(state="redundant", reason=_SAYS_SO))
    return base.replaced(reason="the default does not say it")


def _of_override(
    sides: Sides, item: RuleItem, named: Named, chain: _Chain, new: RuleDefinition, base: Verdict
) -> Verdict:
    """Keys of a default rule that are added to or replaced."""
    old = sides.old.ruleset.definition(named)
    previous, mine = chain.previous, chain.mine
    assert isinstance(previous, RuleDefinition)
    assert isinstance(mine, RuleDefinition)
    change = sides.by_name.get(named)
    same_meaning = chain.first and not chain.later and sides.after.whole(named) == sides.new.whole(named)
    kept = set(changed_keys(previous, mine, True))
    moved = set(changed_keys(old, new, True)) if isinstance(old, RuleDefinition) else set()
    if _passed_by(sides, named):
        moved.add("condition")
    hides: list[str] = []
    idle: list[str] = []
    needed: list[str] = []
    for update in item.updates:
        for key in _keys(update):
            replaces = update.operation != "append" and key != "desc"
            (idle if key not in kept or same_meaning else hides if replaces and key in moved else needed).append(key)
    if hides:
        reason = f"it hides what changed in the default: {', '.join(hides)}"
        return base.replaced(state="hides", reason=reason, hidden=change)
    if needed:
        more = f"; of it the default says {_names(idle)} itself" if idle else ""
        state = "part" if idle else "needed"
        says = "the default does" if chain.first else "what is before it does"
        return base.replaced(state=state, reason=f"{says} not say it: {', '.join(needed)}{more}")
    return _removed(item, base.replaced(state="redundant", reason=_SAYS_SO))


def _keys(update: RuleUpdate) -> list[str]:
    """The keys that *update* gives something for."""
    names = ("condition", "output", "desc", "priority", "enabled", "capture", "capture_duration", "warn_evttypes",
             "skip_if_unknown_filter", "tags", "exceptions")  # fmt: skip
    return [name for name in names if getattr(update, name) is not None]


def _names(names: Sequence[str]) -> str:
    shown = [f"`{name}`" for name in names[:3]]
    if len(names) > 3:
        return f"{', '.join(shown)} and {len(names) - 3} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "nothing"

"""A copy of a default item put on top of the new default: what it adds is kept, what it does not touch follows the default again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from falcokit.condition import parse
from falcokit.condition.ast import And, Check, Expression, ListValue, Not, Or, Value
from falcokit.condition.render import to_source
from falcokit.diagnostic import Problem
from falcokit.record import Record
from falcokit.ruleset.collector import Definition
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition, RuleDefinition, RuleException, joined
from falcokit.ruleset.meaning import members, said
from falcokit.ruleset.rule_reader import PRIORITIES
from falcokit.whitelist.snippet import scalar

__all__ = ["Conflict", "Rebased", "as_item", "rebased", "unquoted"]

_PLAIN_KEYS: Final = ("enabled", "warn_evttypes", "skip_if_unknown_filter", "capture", "capture_duration")
_YAML_KEYS: Final = {
    "warn_evttypes": "warn_evttypes",
    "skip_if_unknown_filter": "skip-if-unknown-filter",
    "capture_duration": "capture_duration",
}


class Conflict(Record):
    """What cannot be put together in one ``key``: the default that was copied, what was made of it, the default now."""

    __slots__ = ("key", "mine", "theirs", "was")

    def __init__(self, key: str, was: str, mine: str, theirs: str) -> None:
        self.key: Final = key
        self.was: Final = was
        self.mine: Final = mine
        self.theirs: Final = theirs


class Rebased(Record):
    """What is left of a copy: ``entries`` are keys, the operation and the value as YAML; nothing where the new default says it all."""

    __slots__ = ("conflicts", "entries")

    def __init__(self, entries: tuple[tuple[str, str, str], ...], conflicts: tuple[Conflict, ...]) -> None:
        self.entries: Final = entries
        self.conflicts: Final = conflicts


class _Merge:
    """The entries and conflicts found so far."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, str]] = []
        self.conflicts: list[Conflict] = []

    def plain(self, key: str, was: object, mine: object, theirs: object, show: str | None = None) -> None:
        """A key with one value: what was made of it stays, unless the default was changed, too."""
        if mine in (was, theirs):
            return
        shown = scalar(str(mine)) if show is None else show
        if theirs == was:
            self.entries.append((key, "replace", shown))
        else:
            self.conflicts.append(Conflict(key, str(was), str(mine), str(theirs)))


def rebased(was: Definition, mine: Definition, theirs: Definition) -> Rebased:
    """*mine*, a copy of *was*, on top of *theirs*: what it adds, as overrides."""
    merge = _Merge()
    if isinstance(was, ListDefinition) and isinstance(mine, ListDefinition) and isinstance(theirs, ListDefinition):
        _list(merge, was, mine, theirs)
    elif isinstance(was, MacroDefinition) and isinstance(mine, MacroDefinition) and isinstance(theirs, MacroDefinition):
        _condition(merge, joined(was.condition), joined(mine.condition), joined(theirs.condition))
    elif isinstance(was, RuleDefinition) and isinstance(mine, RuleDefinition) and isinstance(theirs, RuleDefinition):
        _rule(merge, was, mine, theirs)
    return Rebased(tuple(merge.entries), tuple(merge.conflicts))


def as_item(
    kind: str, name: str, entries: tuple[tuple[str, str, str], ...], indent: str = "  ", end: str = "\n"
) -> str:
    """The item that overrides *name* with *entries*, without its dash; its keys stand below *indent*."""
    lines = [f"{kind}: {scalar(name)}"]
    for key, _, value in entries:
        lines.append(f"{key}:{'' if value.startswith(chr(10)) else ' '}{value}")
    lines.append("override:")
    lines += [f"  {key}: {operation}" for key, operation, _ in entries]
    rows = "\n".join(lines).split("\n")
    return end.join([rows[0], *[indent + row for row in rows[1:]]])


def unquoted(value: str) -> str:
    """The text that the scalar *value* of an entry stands for."""
    if value[:1] == "'":
        return value[1:-1].replace("''", "'")
    if value[:1] == '"':
        return str(json.loads(value))
    return value


def _list(merge: _Merge, was: ListDefinition, mine: ListDefinition, theirs: ListDefinition) -> None:
    old, own, new = members(was), members(mine), members(theirs)
    if (old - own) & new:
        texts = [", ".join(dict.fromkeys([item.text for item in one.items])) for one in (was, mine, theirs)]
        merge.conflicts.append(Conflict("items", *texts))
        return
    known = old | new
    added = [text for text in dict.fromkeys([item.text for item in mine.items]) if text not in known]
    if added:
        merge.entries.append(("items", "append", f"[{', '.join(map(scalar, added))}]"))


def _condition(merge: _Merge, was: str, mine: str, theirs: str) -> None:
    suffix = _suffix(was, mine, theirs)
    if suffix is None:
        texts = [" ".join(text.split()) for text in (was, mine, theirs)]
        merge.conflicts.append(Conflict("condition", *texts))
    elif suffix:
        merge.entries.append(("condition", "append", scalar(suffix)))


def _suffix(was: str, mine: str, theirs: str) -> str | None:
    """What to append to *theirs* so that it has what *mine* added to *was*; None where that does not do it."""
    trees = [parse(text) for text in (was, mine, theirs)]
    old, own, new = trees
    if isinstance(own, Problem) or isinstance(new, Problem) or isinstance(old, Problem):
        return "" if " ".join(mine.split()) in (" ".join(was.split()), " ".join(theirs.split())) else None
    if said(own) in (said(old), said(new)):
        return ""
    for kind, word in ((And, "and"), (Or, "or")):
        added = _added(kind, old, own)
        if added is None:
            continue
        known = {said(part) for part in _parts(new, kind)}
        left = [part for part in added if said(part) not in known]
        text = " ".join([f"{word} {_operand(part)}" for part in left])
        wanted = {*known, *[said(part) for part in left]}
        got = parse(f"{theirs} {text}")
        if not isinstance(got, Problem) and {said(part) for part in _parts(got, kind)} == wanted:
            return text
    return None


def _added(kind: type[And] | type[Or], old: Expression, own: Expression) -> list[Expression] | None:
    """The parts of the chain *own* that *old* has not; None where *own* lacks some that *old* has."""
    before = {said(part): part for part in _parts(old, kind)}
    after = {said(part): part for part in _parts(own, kind)}
    added = [part for key, part in after.items() if key not in before]
    for key, missing in before.items():
        if key in after:
            continue
        for number, part in enumerate(added):
            more = _longer(missing, part, positive=kind is Or)
            if more is not None:
                added[number] = more
                break
        else:
            return None
    return added


def _longer(before: Expression, after: Expression, *, positive: bool) -> Expression | None:
    """What *after* lets through beyond *before*, where both compare one field with a list and that of *after* is longer."""
    if not positive:
        if not isinstance(before, Not) or not isinstance(after, Not):
            return None
        inner = _longer(before.child, after.child, positive=True)
        return None if inner is None else Not(inner)
    if not isinstance(before, Check) or not isinstance(after, Check):
        return None
    if (before.left, before.operator, before.modifier) != (after.left, after.operator, after.modifier):
        return None
    if not isinstance(before.right, ListValue) or not isinstance(after.right, ListValue) or after.operator != "in":
        return None
    if not set(before.right.texts) <= set(after.right.texts):
        return None
    more = tuple([Value(item.text) for item in after.right.items if item.text not in before.right.texts])
    return Check(after.left, after.operator, after.modifier, ListValue(more))


def _parts(tree: Expression, kind: type[And] | type[Or]) -> Iterator[Expression]:
    """The parts of a chain of *kind*, in order; the tree itself where it is none."""
    if isinstance(tree, kind):
        for child in tree.children:
            yield from _parts(child, kind)
    else:
        yield tree


def _operand(part: Expression) -> str:
    text = to_source(part)
    return f"({text})" if isinstance(part, (And, Or)) else text


def _rule(merge: _Merge, was: RuleDefinition, mine: RuleDefinition, theirs: RuleDefinition) -> None:
    _condition(merge, joined(was.condition), joined(mine.condition), joined(theirs.condition))
    texts = [" ".join(joined(rule.output).split()) for rule in (was, mine, theirs)]
    merge.plain("output", *texts)
    texts = [" ".join(joined(rule.desc).split()) for rule in (was, mine, theirs)]
    if texts[1] not in (texts[0], texts[2]):
        merge.entries.append(("desc", "replace", scalar(texts[1])))
    names = [PRIORITIES[rule.priority].upper() for rule in (was, mine, theirs)]
    merge.plain("priority", *names)
    for key in _PLAIN_KEYS:
        values = [getattr(rule, key) for rule in (was, mine, theirs)]
        merge.plain(_YAML_KEYS.get(key, key), values[0], values[1], values[2], str(values[1]).lower())
    _tags(merge, was.tags, mine.tags, theirs.tags)
    _exceptions(merge, was.exceptions, mine.exceptions, theirs.exceptions)


def _tags(merge: _Merge, was: frozenset[str], mine: frozenset[str], theirs: frozenset[str]) -> None:
    added = mine - was - theirs
    removed = (was - mine) & theirs
    if removed:
        merge.entries.append(("tags", "replace", f"[{', '.join(map(scalar, sorted((theirs - removed) | added)))}]"))
    elif added:
        merge.entries.append(("tags", "append", f"[{', '.join(map(scalar, sorted(added)))}]"))


def _exceptions(
    merge: _Merge,
    was: tuple[RuleException, ...],
    mine: tuple[RuleException, ...],
    theirs: tuple[RuleException, ...],
) -> None:
    before, after, now = [{one.name: _exception(one) for one in rules} for rules in (was, mine, theirs)]
    lost = [name for name in before if name not in after and name in now]
    new = []
    clash = bool(lost)
    for name, (shape, values) in after.items():
        known, old = now.get(name), before.get(name)
        more = [value for value in values if old is None or value not in old[1]]
        if known is None and old is None:
            if values:  # Without any it lets nothing through, and Falco refuses to append it.
                new.append((name, shape, values))
        elif known is None or known[0] != shape or (old is not None and set(old[1]) - set(values)):
            clash = clash or (shape, values) != old
        elif more := [value for value in more if value not in known[1]]:
            new.append((name, "", tuple(more)))
    if clash:
        shown = [str({name: list(one[1]) for name, one in rules.items()}) for rules in (before, after, now)]
        merge.conflicts.append(Conflict("exceptions", *shown))
        return
    if new:
        rows = []
        for name, shape, values in new:
            rows.append(f"\n  - name: {scalar(name)}{shape}\n    values: [{', '.join(values)}]")
        merge.entries.append(("exceptions", "append", "".join(rows)))


def _exception(one: RuleException) -> tuple[str, tuple[str, ...]]:
    """The fields and operators of an exception, and its values, as YAML."""
    shape = f"\n    fields: {_entry(one.fields)}\n    comps: {_entry(one.comps)}"
    return shape, tuple([_entry(value) for value in one.values])


def _entry(entry: object) -> str:
    if isinstance(entry, tuple):
        return f"[{', '.join(map(_entry, entry))}]"
    return scalar(str(getattr(entry, "text", entry)))

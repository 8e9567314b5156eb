"""Names defined more than once: what each definition took the place of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.condition import parse
from falcokit.condition.ast import And, Check, Expression, ListValue, Not, Or
from falcokit.diagnostic import Edit, Problem
from falcokit.record import Record
from falcokit.ruleset.collector import Definition
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition, RuleDefinition, joined
from falcokit.ruleset.items import Entry, Written
from falcokit.ruleset.ruleset import Named, NamedItem, Ruleset, defines, once
from falcokit.source import Span

__all__ = ["Redefinition", "has_comment", "redefinitions", "removal"]


class Redefinition(Record):
    """*item* defines *named* anew: before it stood for *before*, which *base_item* defined, and then for *after*.

    ``last`` tells that no item adds to it later.
    """

    __slots__ = ("after", "base_item", "before", "item", "last", "named")

    def __init__(
        self, named: Named, item: NamedItem, base_item: NamedItem, before: Definition, after: Definition, last: bool
    ) -> None:
        self.named: Final = named
        self.item: Final = item
        self.base_item: Final = base_item
        self.before: Final = before
        self.after: Final = after
        self.last: Final = last

    @property
    def explicit(self) -> bool:
        """Whether the item says under ``override`` that it replaces."""
        return self.item.node.get("override") is not None

    @property
    def same(self) -> bool:
        """Whether the name means what it meant before."""
        return not self.changed

    @property
    def changed(self) -> tuple[str, ...]:
        """The keys that say something else than before; for a list ``items``."""
        before, after = self.before, self.after
        if isinstance(before, ListDefinition) and isinstance(after, ListDefinition):
            return () if _members(before) == _members(after) else ("items",)
        if isinstance(before, MacroDefinition) and isinstance(after, MacroDefinition):
            return () if _same_condition(before, after, self.last) else ("condition",)
        if isinstance(before, RuleDefinition) and isinstance(after, RuleDefinition):
            return tuple(_changed_keys(before, after, self.last))
        return ("kind",)

    def lost(self) -> tuple[str, ...]:
        """The items of the list that the new definition lacks."""
        if isinstance(self.before, ListDefinition) and isinstance(self.after, ListDefinition):
            kept = _members(self.after)
            return tuple([item.text for item in self.before.items if item.text not in kept])
        return ()

    def difference(self) -> str:
        """In what they differ, as the end of a sentence."""
        lost = self.lost()
        if lost:
            shown = ", ".join(f"`{name}`" for name in lost[:3]) + (
                f" and {len(lost) - 3} more" if len(lost) > 3 else ""
            )
            return f", whose {shown} it lacks"
        if self.named[0] == "rule":
            return f" with its own {_and(self.changed)}"
        return ""


@once
def redefinitions(ruleset: Ruleset) -> tuple[Redefinition, ...]:
    """All redefinitions, in the order of the names' first definition."""
    return tuple(_redefinitions(ruleset))


def _redefinitions(ruleset: Ruleset) -> Iterator[Redefinition]:
    for named, definition in ruleset.named.items():
        if len(definition.contributions) < 2:
            continue
        states = ruleset.states(named)
        base: NamedItem | None = None
        for number, (item, after) in enumerate(states):
            if defines(item):
                if base is not None:
                    yield Redefinition(named, item, base, states[number - 1][1], after, number + 1 == len(states))
                base = item


def has_comment(text: str, start: int, end: int) -> bool:
    """Whether something that may be a comment stands in the range."""
    return _COMMENT.search(text, start, end) is not None


_DASH: Final = re.compile(r"[ \t]*-[ \t]+")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#", re.MULTILINE)


def removal(item: NamedItem) -> Edit | None:
    """Taking the whole item out, with the blank lines behind it; None where more than the item stands in its lines, or
    a comment inside it would go as well."""
    text = item.file.text
    start = text.rfind("\n", 0, item.node.start) + 1
    end = text.find("\n", item.node.end) + 1 or len(text)
    alone = _DASH.fullmatch(text, start, item.node.start) and not text[item.node.end : end].strip()
    if not alone or has_comment(text, item.node.start, end):
        return None
    while end < len(text) and text[end : (text.find("\n", end) + 1) or len(text)].strip() == "":
        end = text.find("\n", end) + 1 or len(text)
    return Edit(Span(item.file, start, end), "")


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _and(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _members(definition: ListDefinition) -> set[str]:
    return {item.text for item in definition.items}


def _same_condition(one: MacroDefinition | RuleDefinition, other: MacroDefinition | RuleDefinition, last: bool) -> bool:
    """Whether two conditions are the same but for layout and, where they are the *last* word and no text is put behind
    them, for parentheses and the order of what stands in a chain."""
    texts = [" ".join(joined(definition.condition).split()) for definition in (one, other)]
    if texts[0] == texts[1]:
        return True
    if not last:
        return False
    trees = [parse(text) for text in texts]
    return not any(isinstance(tree, Problem) for tree in trees) and _said(trees[0]) == _said(trees[1])


def _said(tree: Expression | Problem) -> object:
    """What a condition says, whatever the order of its parts."""
    if isinstance(tree, Not):
        return "not", _said(tree.child)
    if isinstance(tree, Check) and isinstance(tree.right, ListValue) and not tree.modifier:
        return tree.left, tree.operator, frozenset(tree.right.texts)
    if not isinstance(tree, (And, Or)):
        return tree
    kind = type(tree)
    parts: set[object] = set()
    stack: list[Expression] = list(tree.children)
    while stack:
        part = stack.pop()
        if isinstance(part, (And, Or)) and type(part) is kind:
            stack += part.children
        else:
            parts.add(_said(part))
    return kind, frozenset(parts)


def _changed_keys(before: RuleDefinition, after: RuleDefinition, last: bool) -> Iterator[str]:
    if not _same_condition(before, after, last):
        yield "condition"
    for key in ("output", "desc"):
        if " ".join(joined(getattr(before, key)).split()) != " ".join(joined(getattr(after, key)).split()):
            yield key
    for key in ("priority", "enabled", "tags", "source"):
        if getattr(before, key) != getattr(after, key):
            yield key
    if _values(before) != _values(after):
        yield "exceptions"


def _values(rule: RuleDefinition) -> list[tuple[object, ...]]:
    return [(e.name, _plain(e.fields), _plain(e.comps), _plain(e.values)) for e in rule.exceptions]


def _plain(entry: Entry | str | tuple[str, ...]) -> object:
    if isinstance(entry, Written):
        return entry.text
    return tuple([_plain(inner) for inner in entry]) if isinstance(entry, tuple) else entry

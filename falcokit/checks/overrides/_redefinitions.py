"""Names defined more than once: what each definition took the place of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.record import Record
from falcokit.ruleset.collector import Definition
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition, RuleDefinition
from falcokit.ruleset.meaning import changed_keys, members, same_condition
from falcokit.ruleset.ruleset import Named, NamedItem, Ruleset, defines, once

__all__ = ["Redefinition", "redefinitions"]


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
            return () if members(before) == members(after) else ("items",)
        if isinstance(before, MacroDefinition) and isinstance(after, MacroDefinition):
            return () if same_condition(before, after, self.last) else ("condition",)
        if isinstance(before, RuleDefinition) and isinstance(after, RuleDefinition):
            return tuple(changed_keys(before, after, self.last))
        return ("kind",)

    def lost(self) -> tuple[str, ...]:
        """The items of the list that the new definition lacks."""
        if isinstance(self.before, ListDefinition) and isinstance(self.after, ListDefinition):
            kept = members(self.after)
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


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _and(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

"""Each comparison of a rule set with the side of `not` it stands on: what lets events through, and what catches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from falcokit.condition.ast import Check, Field, ListValue, Value
from falcokit.record import Record
from falcokit.ruleset.body import Body
from falcokit.ruleset.macros import Bound
from falcokit.source import Span

if TYPE_CHECKING:
    from falcokit.ruleset.ruleset import Ruleset

__all__ = ["Use", "all_uses", "field_of", "place_of", "texts_of"]


class Use(Record):
    """A check in the condition *body*: ``excludes`` where some rule has it behind a `not`, so that it lets events
    through, ``catches`` where some rule has it in front."""

    __slots__ = ("body", "catches", "check", "excludes")

    def __init__(self, body: Body, check: Check, excludes: bool, catches: bool) -> None:
        self.body: Final = body
        self.check: Final = check
        self.excludes: Final = excludes
        self.catches: Final = catches

    def span(self) -> Span:
        """Where the comparison is written."""
        return self.body.locate(self.check.start, self.check.end)


def all_uses(ruleset: Ruleset) -> tuple[Use, ...]:
    """Every check of the bodies asked for, each once.  A hook that no rule uses counts as excluding."""
    asked = {id(body) for body in ruleset.bodies}
    sides: dict[int, set[bool]] = {}
    checks: dict[int, tuple[Body, Check]] = {}
    seen: set[tuple[int, bool]] = set()
    roots = [(rule.bound, False) for rule in ruleset.compilation.rules.values() if rule.bound is not None]
    _walk(roots, asked, seen, sides, checks)
    for name, macro in ruleset.compilation.macros.items():
        if not {(id(macro.bound), False), (id(macro.bound), True)} & seen:
            _walk([(macro.bound, ruleset.is_hook(("macro", name)))], asked, seen, sides, checks)
    return tuple([Use(*checks[key], True in found, False in found) for key, found in sides.items()])


def _walk(
    pending: list[tuple[Bound, bool]],
    asked: set[int],
    seen: set[tuple[int, bool]],
    sides: dict[int, set[bool]],
    checks: dict[int, tuple[Body, Check]],
) -> None:
    while pending:
        bound, negated = pending.pop()
        body, env = bound.body, bound.env
        wanted = id(body) in asked
        if (id(bound), negated) in seen or not (wanted or env):
            continue
        seen.add((id(bound), negated))
        for leaf, behind in bound.sided:
            side = behind is not negated
            if leaf.__class__ is not Check:
                if (inner := env.get(leaf.name)) is not None:  # type: ignore[union-attr]
                    pending.append((inner, side))
            elif wanted:
                key = id(leaf)
                found = sides.get(key)
                if found is None:
                    sides[key] = {side}
                    checks[key] = (body, leaf)
                else:
                    found.add(side)


def field_of(check: Check) -> str:
    """The name of the field on the left, ``""`` for anything else there."""
    return check.left.name if isinstance(check.left, Field) else ""


def texts_of(check: Check) -> tuple[str, ...]:
    """The texts that *check* compares with."""
    right = check.right
    return right.texts if isinstance(right, ListValue) else (right.text,) if isinstance(right, Value) else ()


def place_of(use: Use, number: int) -> Span:
    """Where the text of that *number* among `texts_of` is written."""
    right = use.check.right
    value = right.items[number] if isinstance(right, ListValue) else right
    assert isinstance(value, Value)
    return use.body.locate(value.start, value.end)

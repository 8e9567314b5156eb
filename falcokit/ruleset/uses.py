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
    sides: dict[int, int] = {}
    bounds: dict[int, Bound] = {}
    _walk([(rule.bound, 1) for rule in ruleset.compilation.rules.values() if rule.bound is not None], sides, bounds)
    for name, macro in ruleset.compilation.macros.items():
        if id(macro.bound.body) not in sides:
            _walk([(macro.bound, 2 if ruleset.is_hook(("macro", name)) else 1)], sides, bounds)
    found: list[Use] = []
    for body in ruleset.bodies:
        side, bound = sides.get(id(body), 0), bounds.get(id(body))
        # By whether the check stands behind a `not` in its own text.
        excludes, catches = (bool(side & 2), bool(side & 1)), (bool(side & 1), bool(side & 2))
        found += [
            Use(body, leaf, excludes[negated], catches[negated])
            for leaf, negated in (bound.sided if bound is not None else ())
            if leaf.__class__ is Check
        ]  # fmt: skip
    return tuple(found)


def _walk(pending: list[tuple[Bound, int]], sides: dict[int, int], bounds: dict[int, Bound]) -> None:
    """Note by the bodies of *pending*, and of the macros in them, where each stands: 1 in front of `not`, 2 behind one,
    3 both."""
    seen: set[tuple[int, int]] = set()
    while pending:
        bound, side = pending.pop()
        if (id(bound), side) in seen:
            continue
        seen.add((id(bound), side))
        key = id(bound.body)
        sides[key] = sides.get(key, 0) | side
        bounds.setdefault(key, bound)
        if bound.env:
            for leaf, negated in bound.sided:
                if leaf.__class__ is not Check and (inner := bound.env.get(leaf.name)) is not None:  # type: ignore[union-attr]
                    pending.append((inner, 3 - side if negated else side))


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

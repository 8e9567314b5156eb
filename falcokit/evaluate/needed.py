"""What an event has to tell for a condition to hold, as far as few fields and the texts they are known to have say so.

Who keeps events by these fields then asks the condition of few of them only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from falcokit.condition.ast import And, Check, Expression, Not, Or
from falcokit.evaluate.leaf import Leaves
from falcokit.record import Record

__all__ = ["AllOf", "AnyOf", "Need", "OneOf", "needed"]

Texts: TypeAlias = "Callable[[str], Sequence[str] | None]"


class OneOf(Record):
    """The ``field`` is not known to be another text than one of ``texts``."""

    __slots__ = ("field", "texts")

    def __init__(self, field: str, texts: tuple[str, ...]) -> None:
        self.field: Final = field
        self.texts: Final = texts


class AllOf(Record):
    """All of ``needs`` are met."""

    __slots__ = ("needs",)

    def __init__(self, needs: tuple[Need, ...]) -> None:
        self.needs: Final = needs


class AnyOf(Record):
    """One of ``needs`` is met."""

    __slots__ = ("needs",)

    def __init__(self, needs: tuple[Need, ...]) -> None:
        self.needs: Final = needs


Need: TypeAlias = OneOf | AllOf | AnyOf


def needed(tree: Expression, leaves: Leaves, texts: Texts, others: Sequence[str]) -> Need | None:
    """What events need for *tree*, without names of macros, to hold for sure; None where that cannot be told.

    *texts* gives the texts that a field is known to have, None where it is not known; events that have one of the texts *others* may be
    known by another one.
    """
    if isinstance(tree, Check):
        leaf = leaves.of(tree)
        if len(leaf.fields) != 1:
            return None
        (field,) = leaf.fields
        known = texts(field)
        if known is None or any(leaf.decided({field: text}) for text in others):
            return None
        return OneOf(field, tuple([text for text in known if leaf.decided({field: text})]))
    if isinstance(tree, Not) or not isinstance(tree, (And, Or)):
        return None  # It holds, too, where a field has no text at all.
    needs = [needed(child, leaves, texts, others) for child in tree.children]
    told = tuple([need for need in needs if need is not None])
    if isinstance(tree, And):
        return AllOf(told) if told else None
    return AnyOf(told) if len(told) == len(needs) else None

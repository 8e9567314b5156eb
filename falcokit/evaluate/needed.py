"""What an event has to tell for a condition to hold, as far as few fields and the text it is written as say so.

Who keeps events by these fields, or can search in their texts, then asks the condition of few of them only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from falcokit.catalogue import FieldUse
from falcokit.condition.ast import And, Check, Expression, Field, ListValue, Not, Or, Value
from falcokit.evaluate.leaf import Leaf, Leaves
from falcokit.evaluate.values import TEXTS
from falcokit.record import Record

__all__ = ["AllOf", "AnyOf", "Has", "Need", "OneOf", "needed"]

Texts: TypeAlias = "Callable[[str], Sequence[str] | None]"


class OneOf(Record):
    """The ``field`` is not known to be another text than one of ``texts``."""

    __slots__ = ("field", "texts")

    def __init__(self, field: str, texts: tuple[str, ...]) -> None:
        self.field: Final = field
        self.texts: Final = texts


class Has(Record):
    """The event is written with ``text`` in it: letters, figures and signs that JSON writes as they are, or as ``\\u00`` and two figures."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text: Final = text


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


Need: TypeAlias = OneOf | Has | AllOf | AnyOf

_PLAIN: Final = re.compile(r"[A-Za-z0-9 ._-]{3,}")
_MOST: Final = 20
"""As many needs of one kind are told: more take longer to meet than they save."""


def needed(tree: Expression, leaves: Leaves, texts: Texts, others: Mapping[str, Sequence[str]]) -> Need | None:
    """What events need for *tree*, without names of macros, to hold for sure; None where that cannot be told.

    *texts* gives the texts that a field is known to have, None where they are not known; where it is one of its texts in *others* it may be
    known as another one.
    """
    if isinstance(tree, Check):
        leaf = leaves.of(tree)
        known = texts(leaf.fields[0]) if len(leaf.fields) == 1 else None
        if known is None:
            return _written(leaf, leaves)
        if any(leaf.decided({leaf.fields[0]: text}) for text in others.get(leaf.fields[0], ())):
            return None
        return OneOf(leaf.fields[0], tuple([text for text in known if leaf.decided({leaf.fields[0]: text})]))
    if isinstance(tree, Not) or not isinstance(tree, (And, Or)):
        return None  # It holds, too, where a field has no text at all.
    needs = [needed(child, leaves, texts, others) for child in tree.children]
    told = [need for need in needs if need is not None]
    every = isinstance(tree, And)
    return _together(told, every) if told and (every or len(told) == len(needs)) else None


def _together(needs: Sequence[Need], every: bool) -> Need | None:
    """That all of *needs* are met, or one of them; those of the same field as one."""
    by_field: dict[str, dict[str, None]] = {}
    rest: list[Need] = []
    for need in needs:
        if not isinstance(need, OneOf):
            rest.append(need)
        elif (before := by_field.get(need.field)) is None:
            by_field[need.field] = dict.fromkeys(need.texts)
        elif every:
            by_field[need.field] = {text: None for text in need.texts if text in before}
        else:
            before.update(dict.fromkeys(need.texts))
    if len(rest) > _MOST and not every:
        return None
    found = (*[OneOf(field, tuple(known)) for field, known in by_field.items()], *rest[:_MOST])
    return AllOf(found) if every else AnyOf(found)


def _written(leaf: Leaf, leaves: Leaves) -> Need | None:
    """What an event has to be written with for a check of one text; None where it may hold without any."""
    check = leaf.check
    if leaf.given or check.modifier or leaves.source != "syscall" or not isinstance(check.left, Field):
        return None
    use = leaves.catalogue.resolve(leaf.fields[0], leaves.source)
    if not isinstance(use, FieldUse) or use.is_list or use.type not in TEXTS:
        return None
    if check.operator in ("=", "==", "contains", "startswith", "endswith") and isinstance(check.right, Value):
        wanted: tuple[str, ...] = (check.right.text,)
    elif check.operator == "in" and isinstance(check.right, ListValue):
        wanted = check.right.texts
    else:
        return None
    found = [max(_PLAIN.findall(text), key=len, default="") for text in wanted]
    return AnyOf(tuple(map(Has, found))) if all(found) and 0 < len(found) <= _MOST else None

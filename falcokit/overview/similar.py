"""Which forms of outputs are alike: the rare ones go with what they are most like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from falcokit.record import Record

__all__ = ["Form", "Likeness", "likenesses"]

_PIECE: Final = re.compile(r"(?:[\w.\[\]]{1,100}=(?:(?![\s(|]+[\w.\[\]]{1,100}=)[^\n]){0,2000}|[^\s(|]+)")
_ENOUGH: Final = 0.7
"""How large a share of its parts a form must have in common with another."""
_RARE: Final = 0.001
"""Up to which share of all events a form is rare; one event always is."""
_FEW: Final = 0.05
"""Up to which share of the events of a row may have another value than the one that is shown."""
_MAX_TRIED: Final = 100


class Form(Record):
    """A form of the outputs of *rule*: its ``text``, and the ``count`` of its events."""

    __slots__ = ("count", "rule", "text")

    def __init__(self, rule: str, text: str, count: int) -> None:
        self.rule: Final = rule
        self.text: Final = text
        self.count: Final = count


class Likeness:
    """Forms that are taken for one: their numbers, and the parts in which they differ."""

    def __init__(self, number: int, form: Form, parts: Sequence[tuple[int, int]]) -> None:
        self.numbers: Final = [number]
        self.rule: Final = form.rule
        self._text: Final = form.text
        self._parts: Final = parts
        self._count = form.count
        self._open: dict[int, int] = {}

    @property
    def text(self) -> str:
        """The text of the commonest form, with marks where the others differ; what nearly all have in common stays in front of one."""
        found, at = [], 0
        for number, (start, end) in enumerate(self._parts):
            if number in self._open:
                part = self._text[start:end]
                key, sign, _ = part.partition("=")
                closing = ")" if part.count(")") > part.count("(") else ""
                if self._open[number] <= self._count * _FEW:
                    last = closing if part.endswith(")") else ""
                    mark = f"{part.removesuffix(last)}|...{last}"
                else:
                    mark = f"{key}=<{key}>{closing}" if sign else "<*>"
                found += [self._text[at:start], mark]
                at = end
        return "".join([*found, self._text[at:]])

    def likeness(self, text: str, parts: Sequence[tuple[int, int]]) -> float:
        """The share of its parts that *text* has in common, those aside in which it may differ."""
        same = sum(
            number in self._open or self._text[mine[0] : mine[1]] == text[other[0] : other[1]]
            for number, (mine, other) in enumerate(zip(self._parts, parts, strict=True))
        )
        return same / len(parts) if parts else 0.0

    def take(self, number: int, form: Form, parts: Sequence[tuple[int, int]]) -> None:
        """Let the form *number* be one of these."""
        self.numbers.append(number)
        self._count += form.count
        for place, (mine, other) in enumerate(zip(self._parts, parts, strict=True)):
            if self._text[mine[0] : mine[1]] != form.text[other[0] : other[1]]:
                self._open[place] = self._open.get(place, 0) + form.count


def likenesses(forms: Sequence[Form]) -> list[Likeness]:
    """*forms* put together, the commonest first.

    A form that is not rare stands for itself.  A rare one goes with the one of its rule, with the same keys in the same order,
    that it has most parts in common with, if these are enough.
    """
    rare = max(1, int(sum(form.count for form in forms) * _RARE))
    found: list[Likeness] = []
    alike: dict[object, list[Likeness]] = {}
    for number in sorted(range(len(forms)), key=lambda number: (-forms[number].count, forms[number].text)):
        form = forms[number]
        parts = [piece.span() for piece in _PIECE.finditer(form.text)]
        keys = tuple(
            [form.text[start:end].partition("=")[0] if "=" in form.text[start:end] else "" for start, end in parts]
        )
        group = alike.setdefault((form.rule, keys), [])
        if form.count <= rare and group:
            best = max(group[:_MAX_TRIED], key=lambda one: one.likeness(form.text, parts))
            if best.likeness(form.text, parts) >= _ENOUGH:
                best.take(number, form, parts)
                continue
        likeness = Likeness(number, form, parts)
        found.append(likeness)
        group.append(likeness)
    return found

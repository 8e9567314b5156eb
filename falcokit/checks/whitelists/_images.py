"""Comparisons of images and containers, by the side of `not` they stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use, place_of, texts_of
from falcokit.source import Span

__all__ = ["IMAGE_FIELDS", "compares_whole", "flagged"]

IMAGE_FIELDS: Final = ("container.image.repository", "container.image")
T = TypeVar("T")


def flagged(
    ruleset: Ruleset, fields: tuple[str, ...], test: Callable[[Use, str], T | None]
) -> Iterator[tuple[str, Span, T]]:
    """The texts compared with one of *fields* of which *test* has something to say, each place once."""
    seen = set()
    for use in [use for field in fields for use in ruleset.uses_of(field)]:
        for number, text in enumerate(texts_of(use.check)):
            answer = test(use, text)
            if answer is None:
                continue
            span = place_of(use, number)
            key = (span.file, span.start, span.end)
            if key not in seen:
                seen.add(key)
                yield text, span, answer


def compares_whole(use: Use) -> bool:
    """Whether the check compares whole texts."""
    return use.check.operator in ("=", "==", "in", "!=") and not use.check.modifier

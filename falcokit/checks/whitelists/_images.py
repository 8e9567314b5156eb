"""Comparisons of images, by the side of `not` they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use, compared, field_of
from falcokit.source import Span

__all__ = ["IMAGE_FIELDS", "excluding", "repository_values"]

IMAGE_FIELDS: Final = ("container.image.repository", "container.image")
_EQUAL: Final = ("=", "==", "in", "!=")


def excluding(ruleset: Ruleset, fields: tuple[str, ...]) -> Iterator[tuple[Use, str, Span]]:
    """What whitelists compare one of *fields* with: the use, the text and its place, each place once."""
    yield from _values(ruleset, fields, excluding_only=True)


def repository_values(ruleset: Ruleset) -> Iterator[tuple[Use, str, Span]]:
    """The texts that ``container.image.repository`` is compared with as a whole."""
    for use, text, span in _values(ruleset, ("container.image.repository",), excluding_only=False):
        if use.check.operator in _EQUAL and not use.check.modifier:
            yield use, text, span


def _values(ruleset: Ruleset, fields: tuple[str, ...], *, excluding_only: bool) -> Iterator[tuple[Use, str, Span]]:
    seen = set()
    for use in ruleset.uses:
        if field_of(use.check) not in fields or (excluding_only and not use.excludes):
            continue
        for text, span in compared(use):
            key = (span.file, span.start, span.end)
            if key not in seen:
                seen.add(key)
                yield use, text, span

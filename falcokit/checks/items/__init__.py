"""The checks of the family, in the order of their codes."""

from __future__ import annotations

from typing import Final

from falcokit.checks.check import Check
from falcokit.checks.items.duplicate_key import duplicate_key
from falcokit.checks.items.engine_version_of_falco import engine_version_of_falco
from falcokit.checks.items.ignored_beside_append import ignored_beside_append
from falcokit.checks.items.ignored_beside_enabled import ignored_beside_enabled
from falcokit.checks.items.typographic_character import typographic_character
from falcokit.checks.items.unknown_exception_key import unknown_exception_key

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (
    unknown_exception_key,
    duplicate_key,
    ignored_beside_append,
    ignored_beside_enabled,
    engine_version_of_falco,
    typographic_character,
)

"""The checks of the family, in the order of their codes."""

from __future__ import annotations

from typing import Final

from falcokit.checks.check import Check
from falcokit.checks.items.comma_in_list_item import comma_in_list_item
from falcokit.checks.items.duplicate_key import duplicate_key
from falcokit.checks.items.engine_version_of_falco import engine_version_of_falco
from falcokit.checks.items.engine_version_too_old import engine_version_too_old
from falcokit.checks.items.exception_never_applies import exception_never_applies
from falcokit.checks.items.exception_without_values import exception_without_values
from falcokit.checks.items.ignored_beside_append import ignored_beside_append
from falcokit.checks.items.ignored_beside_enabled import ignored_beside_enabled
from falcokit.checks.items.merged_list_items import merged_list_items
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
    exception_without_values,
    exception_never_applies,
    engine_version_too_old,
    merged_list_items,
    comma_in_list_item,
)

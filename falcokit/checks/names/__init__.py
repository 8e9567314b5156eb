"""The checks of the family, in the order of their codes."""

from __future__ import annotations

from typing import Final

from falcokit.checks.check import Check
from falcokit.checks.names.duplicate_name import duplicate_name
from falcokit.checks.names.name_collision import name_collision
from falcokit.checks.names.name_differs_by_case import name_differs_by_case

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (
    name_collision,
    name_differs_by_case,
    duplicate_name,
)

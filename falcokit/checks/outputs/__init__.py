"""The checks of the family, in the order of their codes."""

from __future__ import annotations

from typing import Final

from falcokit.checks.check import Check
from falcokit.checks.outputs.field_without_percent import field_without_percent
from falcokit.checks.outputs.missing_identity import missing_identity

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (
    missing_identity,
    field_without_percent,
)

"""The checks of the family, in the order of their codes."""

from __future__ import annotations

from typing import Final

from falcokit.checks.check import Check
from falcokit.checks.outputs.field_without_percent import field_without_percent
from falcokit.checks.outputs.half_read_field import half_read_field
from falcokit.checks.outputs.missing_identity import missing_identity
from falcokit.checks.outputs.output_without_fields import output_without_fields
from falcokit.checks.outputs.repeated_output_field import repeated_output_field

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (
    missing_identity,
    field_without_percent,
    half_read_field,
    repeated_output_field,
    output_without_fields,
)

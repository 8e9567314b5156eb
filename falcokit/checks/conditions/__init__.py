"""The checks of the family, in the order of their codes."""

from __future__ import annotations

from typing import Final

from falcokit.checks.check import Check
from falcokit.checks.conditions.always_true_chain import always_true_chain
from falcokit.checks.conditions.empty_list import empty_list
from falcokit.checks.conditions.expensive_first import expensive_first
from falcokit.checks.conditions.field_never_filled import field_never_filled
from falcokit.checks.conditions.glob_in_compare import glob_in_compare
from falcokit.checks.conditions.legacy_image_field import legacy_image_field
from falcokit.checks.conditions.mixed_and_or import mixed_and_or
from falcokit.checks.conditions.nearly_a_list import nearly_a_list
from falcokit.checks.conditions.never_true import never_true
from falcokit.checks.conditions.null_compare import null_compare
from falcokit.checks.conditions.operator_in_value import operator_in_value
from falcokit.checks.conditions.process_name_too_long import process_name_too_long
from falcokit.checks.conditions.repeated_list_item import repeated_list_item
from falcokit.checks.conditions.repeated_operand import repeated_operand
from falcokit.checks.conditions.simple_regex import simple_regex
from falcokit.checks.conditions.undefined_list import undefined_list
from falcokit.checks.conditions.unreachable_list_item import unreachable_list_item

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (
    null_compare,
    never_true,
    always_true_chain,
    mixed_and_or,
    process_name_too_long,
    glob_in_compare,
    empty_list,
    repeated_operand,
    legacy_image_field,
    simple_regex,
    expensive_first,
    nearly_a_list,
    repeated_list_item,
    unreachable_list_item,
    operator_in_value,
    undefined_list,
    field_never_filled,
)

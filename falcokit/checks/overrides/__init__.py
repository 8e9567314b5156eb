"""The checks of the family, in the order of their codes."""

from __future__ import annotations

from typing import Final

from falcokit.checks.check import Check
from falcokit.checks.overrides.appended_precedence import appended_precedence
from falcokit.checks.overrides.identical_copy import identical_copy
from falcokit.checks.overrides.redefined_elsewhere import redefined_elsewhere
from falcokit.checks.overrides.replace_repeats import replace_repeats
from falcokit.checks.overrides.replaced_default import replaced_default
from falcokit.checks.overrides.reset_by_later_file import reset_by_later_file
from falcokit.checks.overrides.retired_default import retired_default
from falcokit.checks.overrides.shadowed_default import shadowed_default
from falcokit.checks.overrides.taken_by_earlier_rule import taken_by_earlier_rule
from falcokit.checks.overrides.wide_change import wide_change

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (
    shadowed_default,
    identical_copy,
    replaced_default,
    redefined_elsewhere,
    reset_by_later_file,
    appended_precedence,
    wide_change,
    replace_repeats,
    retired_default,
    taken_by_earlier_rule,
)

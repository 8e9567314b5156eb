"""The checks of the family, in the order of their codes."""

from __future__ import annotations

from typing import Final

from falcokit.checks.check import Check
from falcokit.checks.versions.newer_falco_needed import newer_falco_needed

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (newer_falco_needed,)

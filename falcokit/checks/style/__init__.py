"""The checks of the family, in the order of their codes."""

from __future__ import annotations

from typing import Final

from falcokit.checks.check import Check
from falcokit.checks.style.desc_says_nothing import desc_says_nothing
from falcokit.checks.style.missing_tags import missing_tags
from falcokit.checks.style.mitre_tag import mitre_tag
from falcokit.checks.style.name_style import name_style
from falcokit.checks.style.priority_spelling import priority_spelling

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (
    missing_tags,
    priority_spelling,
    desc_says_nothing,
    mitre_tag,
    name_style,
)

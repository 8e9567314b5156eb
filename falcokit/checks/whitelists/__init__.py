"""The checks of the family, in the order of their codes."""

from __future__ import annotations

from typing import Final

from falcokit.checks.check import Check
from falcokit.checks.whitelists.always_true_hook import always_true_hook
from falcokit.checks.whitelists.container_name_match import container_name_match
from falcokit.checks.whitelists.dead_exclusion import dead_exclusion
from falcokit.checks.whitelists.dead_hook import dead_hook
from falcokit.checks.whitelists.digest_repository import digest_repository
from falcokit.checks.whitelists.loose_image_match import loose_image_match
from falcokit.checks.whitelists.missing_field_excluded import missing_field_excluded
from falcokit.checks.whitelists.missing_registry import missing_registry
from falcokit.checks.whitelists.namespace_wide import namespace_wide
from falcokit.checks.whitelists.tag_in_repository import tag_in_repository

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (
    dead_hook,
    always_true_hook,
    loose_image_match,
    tag_in_repository,
    digest_repository,
    container_name_match,
    missing_registry,
    namespace_wide,
    missing_field_excluded,
    dead_exclusion,
)

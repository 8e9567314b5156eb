"""The checks: what Falco accepts and authors do not mean.  One file a check, one folder a family."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from falcokit.checks.check import Check, Finding, check
from falcokit.checks.run import run_checks

__all__ = ["FAMILIES", "Check", "Finding", "all_checks", "check", "run_checks"]

FAMILIES: Final = {
    "items": (50, "what is written in items and does nothing"),
    "names": (150, "names that mean two things"),
    "overrides": (350, "items that change what other items defined"),
    "conditions": (450, "conditions that do not say what is meant"),
    "whitelists": (550, "hooks, exceptions and what they let through"),
    "outputs": (650, "outputs that leave out what somebody will need"),
    "versions": (850, "what the Falco that is aimed at cannot read"),
    "style": (950, "conventions, asked for by --pedantic"),
}
"""The families in the order of their codes: the first code of each (the range has fifty), and what it is about."""


@cache
def all_checks() -> tuple[Check, ...]:
    """All checks, in the order of their codes."""
    return tuple(check for family in FAMILIES for check in import_module(f"falcokit.checks.{family}").CHECKS)

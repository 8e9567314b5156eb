"""What changes with releases of the default rules, and what that means for custom rules."""

from falcokit.upgrade.changes import Change
from falcokit.upgrade.custom import Upgrade, upgrade
from falcokit.upgrade.rebase import Conflict
from falcokit.upgrade.verdict import STATES, Verdict

__all__ = ["STATES", "Change", "Conflict", "Upgrade", "Verdict", "upgrade"]

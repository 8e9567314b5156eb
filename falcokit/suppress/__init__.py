"""Comments in rules files that silence findings, with a reason and, for a snooze, an end."""

from falcokit.suppress.apply import Suppressed, suppress
from falcokit.suppress.comment import Suppression, read_suppressions

__all__ = ["Suppressed", "Suppression", "read_suppressions", "suppress"]

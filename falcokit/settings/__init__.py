"""What a project wants of falcokit: which findings, how bad, and a few facts about it.  Pure; the disk is `workspace`'s."""

from falcokit.settings.choice import Choice, parse_names
from falcokit.settings.options import Options
from falcokit.settings.read import Settings, read_settings

__all__ = ["Choice", "Options", "Settings", "parse_names", "read_settings"]

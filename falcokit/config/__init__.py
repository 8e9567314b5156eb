"""Falco's own configuration file: which rules it loads and runs.  Touches no disk; a `Reader` does that."""

from falcokit.config.falco import FalcoConfig, read_config
from falcokit.config.reader import MAX_FILES, PathKind, Reader
from falcokit.config.selection import Selection, is_enabled, matches_pattern

__all__ = [
    "MAX_FILES", "FalcoConfig", "PathKind", "Reader", "Selection", "is_enabled", "matches_pattern", "read_config",
]  # fmt: skip

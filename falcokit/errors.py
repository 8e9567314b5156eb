"""What falcokit raises: misuse and a broken environment.  What users write in rules never raises, it is diagnosed.

::

    FalcokitError
     +- CatalogueError   a catalogue of fields that cannot be used
     +- ConditionError   a condition handed to `compile_condition` that Falco refuses
     +- ConfigError      a Falco configuration with which Falco would not start
     +- RulesError       rules that Falco would not load, where a command or call needs them loaded
"""

from __future__ import annotations

__all__ = ["CatalogueError", "ConditionError", "ConfigError", "FalcokitError", "RulesError"]


class FalcokitError(Exception):
    """Any error of falcokit's own."""


class CatalogueError(FalcokitError):
    """A catalogue file is not what it must be."""


class ConditionError(FalcokitError):
    """A condition is refused; ``offset`` is the byte of its UTF-8 at which Falco reports the error."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class ConfigError(FalcokitError):
    """A configuration cannot be used: the text names file, line and column where there is one."""


class RulesError(FalcokitError):
    """Falco would not load the rules, so there is nothing to evaluate; the text is the first finding."""

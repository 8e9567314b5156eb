"""What one lint is asked for: a value that is cheap to make, for the command line asks its cache with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from falcokit.record import Record
from falcokit.settings.choice import Choice

__all__ = ["Options"]


class Options(Record):
    """``choice`` of findings; ``hook_names`` are shell patterns of hooks, none for the usual ones; ``target`` is the Falco
    version aimed at, if any; ``today`` is the day for snoozes as YYYY-MM-DD, without one no snooze ends.  ``changed`` are the changed lines, counted from 0, of
    the files that changed, by name, where only what changed is to be reported.  ``rule_matching`` is ``first`` or ``all``,
    as in the configuration of Falco.  With ``strict`` a check that fails raises.
    """

    __slots__ = ("changed", "choice", "hook_names", "rule_matching", "strict", "target", "today")

    def __init__(
        self,
        choice: Choice | None = None,
        hook_names: tuple[str, ...] = (),
        target: str = "",
        today: str = "",
        strict: bool = False,
        changed: Mapping[str, tuple[tuple[int, int], ...]] | None = None,
        rule_matching: str = "first",
    ) -> None:
        self.choice: Final = Choice() if choice is None else choice
        self.hook_names: Final = hook_names
        self.target: Final = target
        self.today: Final = today
        self.strict: Final = strict
        self.changed: Final = changed
        self.rule_matching: Final = rule_matching

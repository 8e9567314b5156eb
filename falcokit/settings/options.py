"""What one lint is asked for: a value that is cheap to make, for the command line asks its cache with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from falcokit.record import Record
from falcokit.settings.choice import Choice

if TYPE_CHECKING:
    from falcokit.config import FalcoConfig

__all__ = ["Options"]


class Options(Record):
    """``choice`` of findings; ``hook_names`` are shell patterns of hooks, none for the usual ones; ``target`` is the Falco
    version aimed at, if any; ``today`` is the day for snoozes as YYYY-MM-DD, without one no snooze ends.  ``changed`` are the changed lines, counted from 0, of
    the files that changed, by name, where only what changed is to be reported.  ``config`` is the configuration of
    Falco, where it is known.  With ``strict`` a check that fails raises.
    """

    __slots__ = ("changed", "choice", "config", "hook_names", "strict", "target", "today")

    def __init__(
        self,
        choice: Choice | None = None,
        hook_names: tuple[str, ...] = (),
        target: str = "",
        today: str = "",
        strict: bool = False,
        changed: Mapping[str, tuple[tuple[int, int], ...]] | None = None,
        config: FalcoConfig | None = None,
    ) -> None:
        self.choice: Final = Choice() if choice is None else choice
        self.hook_names: Final = hook_names
        self.target: Final = target
        self.today: Final = today
        self.strict: Final = strict
        self.changed: Final = changed
        self.config: Final = config

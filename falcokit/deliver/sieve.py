"""Which events an integration gets: those of its rules and priorities that its condition holds for, and of one form so many in a while."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Final

from falcokit.event import Event
from falcokit.forward.integration import Integration
from falcokit.forward.options import PRIORITIES
from falcokit.overview.severity import rank_of
from falcokit.overview.template import Templates

__all__ = ["Sieve"]

_SECOND: Final = 10**9
_MOST_FORMS: Final = 20_000
"""How many forms are remembered; behind that all are forgotten, and an event may go once more."""


class Sieve:
    """What lets events of *integration* through, one after the other; ``filtered`` and ``repeated`` count those it did not."""

    def __init__(self, integration: Integration) -> None:
        """Raises `ConfigError` for a filter that is no condition."""
        self._holds: Final = _holds(integration.filter) if integration.filter else None
        self._rules: Final = tuple([one.strip() for one in integration.text("rules").split(",") if one.strip()])
        priority = integration.text("priority")
        self._least: Final = PRIORITIES.index(priority) if priority != PRIORITIES[-1] else None
        self._all: Final = self._holds is None and not self._rules and self._least is None
        self._span: Final = int(integration.dedup * _SECOND)
        self._templates = Templates()
        self._burst: Final[int] = integration.option("burst")
        self._last: dict[int, tuple[int, int]] = {}
        self.filtered = 0
        self.repeated = 0
        self.open: Final = self._all and not self._span
        """Whether everything goes through."""

    def lets(self, event: Event, now: int) -> bool:
        """Whether *event*, seen at *now* (nanoseconds since 1970), is sent."""
        if not self._all and not self._is_meant(event):
            self.filtered += 1
            return False
        if self._span and self._is_repeated(event, now):
            self.repeated += 1
            return False
        return True

    def _is_meant(self, event: Event) -> bool:
        header = event.header
        rank = rank_of(header.priority) if self._least is not None else None
        if self._least is not None and (rank is None or rank > self._least):
            return False
        names = [name for name in (header.rule, header.policy) if name]
        if self._rules and not any(fnmatchcase(name, pattern) for name in names for pattern in self._rules):
            return False
        return self._holds is None or self._holds(event)

    def _is_repeated(self, event: Event, now: int) -> bool:
        if len(self._templates.found) > _MOST_FORMS:
            self._templates, self._last = Templates(), {}
        header = event.header
        form = self._templates.number(header.rule or header.policy, header.output, event.fields)
        # By the events' own clock, so that a backlog is thinned out as it would have been.
        moment = now if header.time is None else header.time
        began, count = self._last.get(form, (moment, 0))
        if abs(moment - began) >= self._span:
            began, count = moment, 0
        self._last[form] = began, count + 1
        return count >= self._burst


def _holds(text: str) -> Callable[[Event], bool]:
    from falcokit.errors import ConditionError, ConfigError
    from falcokit.validation import holds_for

    try:
        return holds_for(text)
    except ConditionError as error:
        raise ConfigError(f"its filter is no condition: {error}") from None

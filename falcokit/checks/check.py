"""What a check is: a function from a rule set to findings, whose docstring is its page and whose examples are its tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from falcokit.diagnostic import Confidence, Fix, Kind, Label, Severity
from falcokit.record import Record
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["Check", "Finding", "check"]


class Finding(Record):
    """What a check has to say about one place; the runner adds the code, so that no check can report as another.

    ``message`` says what is wrong, ``help`` what to write, ``labels`` are further places; ``severity`` differs from
    that of the check only where the case at hand is worse or better.
    """

    __slots__ = ("fix", "help", "labels", "message", "severity", "span")

    def __init__(
        self,
        span: Span,
        message: str,
        help: str = "",
        labels: tuple[Label, ...] = (),
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> None:
        self.span: Final = span
        self.message: Final = message
        self.help: Final = help
        self.labels: Final = labels
        self.fix: Final = fix
        self.severity: Final = severity


class Check(Record):
    """One check: ``kind`` is what its findings are, ``find`` makes them, ``page`` is its documentation.

    ``pedantic`` ones run only where they are asked for: they are about style.
    """

    __slots__ = ("find", "kind", "page", "pedantic")

    def __init__(self, kind: Kind, find: Callable[[Ruleset], Iterator[Finding]], page: str, pedantic: bool) -> None:
        self.kind: Final = kind
        self.find: Final = find
        self.page: Final = page
        self.pedantic: Final = pedantic

    @property
    def family(self) -> str:
        """The folder the check stands in."""
        return self.find.__module__.split(".")[-2]


def check(
    code: str,
    severity: Severity,
    confidence: Confidence = Confidence.HIGH,
    *,
    pedantic: bool = False,
) -> Callable[[Callable[[Ruleset], Iterator[Finding]]], Check]:
    """Make a check of a function: its name is the check's, the first line of its docstring what it is about."""

    def make(find: Callable[[Ruleset], Iterator[Finding]]) -> Check:
        page = find.__doc__ or ""
        about = page.partition("\n")[0].rstrip(".")
        kind = Kind(find.__name__.replace("_", "-"), code, "", severity, about[:1].lower() + about[1:], confidence)
        return Check(kind, find, page, pedantic)

    return make

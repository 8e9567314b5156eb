"""What a test file says."""

from __future__ import annotations

from typing import Final

from falcokit.record import Record
from falcokit.source import SourceFile, Span

__all__ = ["Case", "Expected", "Named", "Setup", "TestFile"]


class Named(Record):
    """A text of a test file, and where it stands."""

    __slots__ = ("span", "text")

    def __init__(self, text: str, span: Span) -> None:
        self.text: Final = text
        self.span: Final = span


class Expected(Record):
    """What is expected: the rules that ``fires``, stay ``silent`` or are ``unknown`` for what the event does not tell.

    ``nothing`` is where a case says that no rule fires at all.  ``output`` are pairs of a rule (None: the one that fires) and
    the text of its alert; ``reason`` are fields or checks that must be among those that decide.
    """

    __slots__ = ("fires", "nothing", "output", "reason", "silent", "unknown")

    def __init__(
        self,
        fires: tuple[Named, ...] = (),
        silent: tuple[Named, ...] = (),
        unknown: tuple[Named, ...] = (),
        nothing: Span | None = None,
        output: tuple[tuple[Named | None, Named], ...] = (),
        reason: tuple[Named, ...] = (),
    ) -> None:
        self.fires: Final = fires
        self.silent: Final = silent
        self.unknown: Final = unknown
        self.nothing: Final = nothing
        self.output: Final = output
        self.reason: Final = reason


class Setup(Record):
    """What a case runs on: the source of its events, rules switched on, and macros and lists that stand for something else.

    ``source`` is None where the event tells; ``enable_all`` switches every rule on.
    """

    __slots__ = ("enable", "enable_all", "lists", "macros", "source")

    def __init__(
        self,
        source: Named | None = None,
        enable: tuple[Named, ...] = (),
        enable_all: bool = False,
        macros: tuple[tuple[Named, Named], ...] = (),
        lists: tuple[tuple[Named, tuple[Named, ...]], ...] = (),
    ) -> None:
        self.source: Final = source
        self.enable: Final = enable
        self.enable_all: Final = enable_all
        self.macros: Final = macros
        self.lists: Final = lists

    def on_top_of(self, other: Setup) -> Setup:
        """This one, and what only *other* says."""
        macros = {name.text: (name, body) for name, body in (*other.macros, *self.macros)}
        lists = {name.text: (name, items) for name, items in (*other.lists, *self.lists)}
        return Setup(
            self.source or other.source,
            other.enable + self.enable,
            other.enable_all or self.enable_all,
            tuple(macros.values()),
            tuple(lists.values()),
        )


class Case(Record):
    """One case: an event, and what is expected.

    ``fields`` are pairs of a field expression and the node or value it has; with ``path`` they are laid over the events of
    that file (``line`` picks one).  ``complete`` says whether a field that is absent has no value; None: as its kind of event has it.
    """

    __slots__ = ("complete", "every", "expected", "fields", "line", "name", "path", "setup", "span")

    def __init__(
        self,
        name: str,
        span: Span,
        fields: tuple[tuple[Named, object], ...],
        expected: Expected,
        setup: Setup,
        path: Named | None = None,
        every: bool = False,
        line: int | None = None,
        complete: bool | None = None,
    ) -> None:
        self.name: Final = name
        self.span: Final = span
        self.fields: Final = fields
        self.expected: Final = expected
        self.setup: Final = setup
        self.path: Final = path
        self.every: Final = every
        self.line: Final = line
        self.complete: Final = complete


class TestFile(Record):
    """A test file: the rules files it names (``rules``, None where it names none), what lies below them (``defaults``: paths,
    None for the usual ones), and its cases."""

    __slots__ = ("cases", "defaults", "file", "rule_matching", "rules")
    __test__ = False

    def __init__(
        self,
        file: SourceFile,
        rules: tuple[Named, ...] | None,
        defaults: tuple[Named, ...] | None,
        rule_matching: str,
        cases: tuple[Case, ...],
    ) -> None:
        self.file: Final = file
        self.rules: Final = rules
        self.defaults: Final = defaults
        self.rule_matching: Final = rule_matching
        self.cases: Final = cases

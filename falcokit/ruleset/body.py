"""The text of one condition on its way from the file to its tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from falcokit.condition import parse
from falcokit.condition.ast import Check, Expression, Identifier, byte_to_char
from falcokit.condition.walk import leaves
from falcokit.diagnostic import Problem
from falcokit.record import Record
from falcokit.ruleset.definitions import joined, mapped
from falcokit.ruleset.items import Written
from falcokit.ruleset.lists import CompiledList, Splice, TooLargeError, Work, replay, substitute, words
from falcokit.source import MappedText, Span

__all__ = ["Body", "Parsed", "Part", "Texts", "make_body"]

Part: TypeAlias = "str | Written"
"""A piece of the text that exceptions add: made up, or written in a file."""


class Parsed(Record):
    """A parsed text: its tree or syntax problem, and the checks and names of the tree in the order written."""

    __slots__ = ("leaves", "tree")

    def __init__(self, tree: Expression | Problem, leaves: tuple[Check | Identifier, ...]) -> None:
        self.tree: Final = tree
        self.leaves: Final = leaves


class Texts:
    """The texts parsed so far, and the work left for putting lists into more of them."""

    __slots__ = ("parsed", "work")

    def __init__(self) -> None:
        self.parsed: dict[str, Parsed] = {}
        self.work = Work()


class Body(Record):
    """A condition: ``raw`` as joined, ``text`` with exceptions, ``final`` with lists, and its tree or syntax problem.

    ``lists`` are the lists put in; ``names`` are all words that could name a list, put in or not: while no definition
    of these changes, neither does the body.
    """

    __slots__ = ("exceptions", "final", "lists", "names", "parsed", "parts", "raw", "splices", "text")

    def __init__(
        self,
        parts: tuple[Written, ...],
        exceptions: tuple[Part, ...],
        raw: str,
        text: str,
        final: str,
        splices: tuple[Splice, ...],
        lists: dict[str, CompiledList],
        names: frozenset[str],
        parsed: Parsed,
    ) -> None:
        self.parts: Final = parts
        self.exceptions: Final = exceptions
        self.raw: Final = raw
        self.text: Final = text
        self.final: Final = final
        self.splices: Final = splices
        self.lists: Final = lists
        self.names: Final = names
        self.parsed: Final = parsed

    @property
    def tree(self) -> Expression | Problem:
        """The tree of the final text, or why it has none."""
        return self.parsed.tree

    def locate(self, start: int, end: int) -> Span:
        """Where bytes ``[start, end)`` of the final text are written."""
        text = _with_places(self)
        start, end = byte_to_char(self.final, start), byte_to_char(self.final, end)
        span = text.locate(start, end)
        if span is None:
            part = self.parts[0]
            return Span(part.file, part.node.start, part.node.end)
        return span

    @property
    def used_lists(self) -> tuple[str, ...]:
        """The names of the lists put in, each once, in order of use."""
        return tuple(dict.fromkeys([splice.name for splice in self.splices]))


_latest: list[tuple[Body, MappedText]] = []
"""The text with places that was asked for last: findings of one condition come one after the other."""


def _with_places(body: Body) -> MappedText:
    """The final text of *body*, each character with the place it was written at."""
    if _latest and _latest[0][0] is body:
        return _latest[0][1]
    text = mapped(body.parts)
    if body.exceptions:
        from falcokit.ruleset.exception_text import mapped_parts

        text = "(" + text + ")" + mapped_parts(list(body.exceptions))
    text = replay(text, body.splices, body.lists)
    _latest[:] = [(body, text)]
    return text


def make_body(
    parts: tuple[Written, ...],
    exceptions: list[Part],
    lists: Mapping[str, CompiledList],
    odd_lists: frozenset[str],
    texts: Texts,
) -> Body:
    """The body of the condition made of *parts*; *odd_lists* are the lists whose names contain delimiters.

    *texts* remembers what was parsed before.
    """
    raw = joined(parts)
    text = raw
    if exceptions:
        from falcokit.ruleset.exception_text import text_of

        text = f"({raw}){text_of(exceptions)}"
    names = frozenset(words(text))
    found = names & lists.keys() | odd_lists
    splices: tuple[Splice, ...] = ()
    final = text
    used: dict[str, CompiledList] = {}
    if found:
        try:
            substitution = substitute(text, found, lists, texts.work)
            final, splices = substitution.text, substitution.splices
        except TooLargeError:
            problem = Problem("too-large", "the condition grows too large when lists are put in", 0, 0, len(raw))
            return Body(parts, tuple(exceptions), raw, text, text, (), {}, names, Parsed(problem, ()))
        if splices:
            used = {splice.name: lists[splice.name] for splice in splices}
            names = names.union(*[words(compiled.text) for compiled in used.values()])
    parsed = texts.parsed.get(final)
    if parsed is None:
        tree = parse(final)
        parsed = texts.parsed[final] = Parsed(tree, () if isinstance(tree, Problem) else leaves(tree))
    return Body(parts, tuple(exceptions), raw, text, final, splices, used, names, parsed)

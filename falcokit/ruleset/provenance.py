"""What was put into a condition at the place of a problem: an item of a list, or a value of an exception."""

from __future__ import annotations

from collections.abc import Iterable

from falcokit.ruleset.body import Body
from falcokit.ruleset.definitions import RuleException
from falcokit.ruleset.items import Entry, Written
from falcokit.source import Span

__all__ = ["help_for_inserted", "list_of"]


def list_of(body: Body, span: Span) -> str | None:
    """The list put into *body* whose item stands at *span*; None where no item of a list does."""
    for name in body.used_lists:
        if any(_holds(item, span) for item in body.lists[name].items):
            return name
    return None


def help_for_inserted(body: Body, start: int, span: Span, exceptions: Iterable[RuleException] = ()) -> str:
    """What to write instead where the syntax problem at byte *start*, shown at *span*, comes from a value put in."""
    quote = """quote it once more, such as '"a (b)"'"""
    name = list_of(body, span)
    if name is not None:
        help_text = f"Falco puts the items of the list `{name}` in wherever its name stands, as they are: {quote}"
        return f"{help_text}, or rename the list if a macro of this name is meant"
    for exception in exceptions:
        if not any(_holds(value, span) for value in exception.values):
            continue
        made_up = span.start == span.end
        if made_up and body.final.encode("utf-8", "surrogateescape")[start : start + 1] == b"(":
            return f"a comp of the exception `{exception.name}` takes one value: give no list, or write `in` as comp"
        return f"Falco puts the values of the exception `{exception.name}` into the condition as they are: {quote}"
    return ""


def _holds(entry: Entry, span: Span) -> bool:
    if isinstance(entry, Written):
        return entry.file is span.file and entry.node.start <= span.start <= entry.node.end
    return entry is not None and any(_holds(inner, span) for inner in entry)

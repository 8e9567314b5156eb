"""What the commands about events share: where the events are, and which of them are meant."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Annotated, Final, Optional

import typer

from falcokit.cli.below import or_fail
from falcokit.cli.options import fail, say

if TYPE_CHECKING:
    from falcokit.event import Damaged, Event
    from falcokit.history.query import Filter
    from falcokit.history.store import History
    from falcokit.validation import EventCondition

__all__ = [
    "Files",
    "Image",
    "Last",
    "Namespace",
    "Priority",
    "Rule",
    "Search",
    "Since",
    "Store",
    "Until",
    "Where",
    "chosen",
    "condition",
    "opened",
    "read",
    "teller",
]

Files = Annotated[Optional[list[str]], typer.Argument(metavar="[EVENTS]...", help="Files of events, - is standard input; without any the history.")]  # fmt: skip
Store = Annotated[
    Optional[str], typer.Option("--store", metavar="FILE", help="The history; by default the user's own.")
]
Since = Annotated[str, typer.Option(metavar="TIME", help="From then on: 2026-11-27, 2026-11-27T10:00, 6h ago as 6h.")]
Until = Annotated[str, typer.Option(metavar="TIME", help="Until before then.")]
Last = Annotated[
    str, typer.Option(metavar="SPAN", help="The last 30m, 6h, 2d or 2w; of files, before their newest event.")
]
Rule = Annotated[Optional[list[str]], typer.Option("--rule", metavar="NAME", help="Of this rule or policy; shell patterns too; repeatable.")]  # fmt: skip
Priority = Annotated[str, typer.Option(metavar="NAME", help="Of this priority and more urgent ones, such as warning.")]
Image = Annotated[Optional[list[str]], typer.Option("--image", metavar="NAME", help="Of this image; shell patterns too; repeatable.")]  # fmt: skip
Namespace = Annotated[Optional[list[str]], typer.Option("--namespace", metavar="NAME", help="In this Kubernetes namespace; repeatable.")]  # fmt: skip
Search = Annotated[str, typer.Option(metavar="TEXT", help="With this text in what is shown, whatever the case.")]
Where = Annotated[
    str,
    typer.Option(
        metavar="CONDITION",
        help="For which this condition on fields, as in a rule but without macros and lists, holds for sure.",
    ),
]
_UNREADABLE: Final = re.compile("[\ud800-\udfff]")
"""What stands for bytes of the command line that are no text."""
_SPAN: Final = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MAX_TOLD: Final = 20
_SMALL: Final = 1 << 22
"""Bytes of a file up to which its events are kept in memory."""


def opened(files: list[str] | None, store: str | None) -> AbstractContextManager[History]:
    """The events of *files*, or those of the history.  It is entered once: nothing is left of files behind it."""
    from falcokit.history.store import default_path, in_memory, open_to_read, temporary
    from falcokit.workspace.event_files import size_of

    if not files:
        # It is not closed: the end of the process does that at once.
        return nullcontext(or_fail(lambda: open_to_read(store or default_path())))
    if store:
        fail("give either files of events or --store")
    from falcokit.history.beside import is_worth_it
    from falcokit.history.importing import import_events

    small = all(0 < size_of(path) < _SMALL for path in files)
    if not small:
        _end_in_order()
    history = in_memory() if small else or_fail(temporary)
    try:
        for path in files:
            events = read(path)
            or_fail(lambda: import_events(history, events, teller(), beside=is_worth_it([path])))  # noqa: B023  # called at once
    except BaseException:
        history.close()
        raise
    history.ask_at_full()
    return history


def _end_in_order() -> None:
    """Take away what is there for a while, whoever ends the process; but for one that is killed."""
    import signal

    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


def read(path: str) -> Iterator[Event | Damaged]:
    """The events of the file at *path*; ends the run where it cannot be read."""
    from falcokit.workspace.event_files import events_in, unreadable

    if (trouble := unreadable(path)) is not None:
        fail(f"cannot read {path}: {trouble.reason}")
    if path == "-" and sys.stdin is not None and sys.stdin.isatty():
        fail("no events: name a file, or hand them over on standard input")
    if _is_history(path):
        fail(f"{path} is a history: name it with --store")
    return events_in(path)


def _is_history(path: str) -> bool:
    """Whether it is a database of DuckDB, as its first bytes say."""
    if not os.path.isfile(path):
        return False
    with suppress(OSError), open(path, "rb") as stream:
        return stream.read(12)[8:] == b"DUCK"
    return False


def teller() -> Callable[[Damaged], None]:
    """What says on standard error where there is no event, of the first such places."""
    told = 0

    def tell(place: Damaged) -> None:
        nonlocal told
        told += not place.note
        if not place.note and told <= _MAX_TOLD:
            say(f"{place.name}:{place.line}: {place.reason}")
            if told == _MAX_TOLD:
                say("what else is no event is not told")

    return tell


def chosen(
    history: History,
    files: list[str] | None,
    *,
    since: str = "",
    until: str = "",
    last: str = "",
    rule: list[str] | None = None,
    priority: str = "",
    image: list[str] | None = None,
    namespace: list[str] | None = None,
    search: str = "",
    where: str = "",
) -> Filter:
    """Which events the options mean; ends the run where one cannot be read."""
    from falcokit.event.header import priority_of
    from falcokit.history.query import Filter, newest
    from falcokit.overview.severity import rank_of

    for option, texts in (("rule", rule), ("image", image), ("namespace", namespace), ("search", [search])):
        if any(not text.isascii() and _UNREADABLE.search(text) for text in texts or ()):
            fail(f"--{option} is no UTF-8")
    start, end = _moment("since", since), _moment("until", until)
    if last:
        if since:
            fail("give either --since or --last")
        span = _span(last)
        if not span:
            fail(f"--last takes a span such as 30m, 6h, 2d or 2w, not '{last}'")
        begin = newest(history, time.time_ns()) if files else time.time_ns()
        start = (begin or 0) - span if end is None else end - span
    rank = rank_of(priority_of(priority)) if priority else None
    if priority and rank is None:
        fail(
            f"there is no priority '{priority}': emergency, alert, critical, error, warning, notice, informational, debug"
        )
    if start is not None and end is not None and start >= end:
        fail("--until is not after --since: no event can be between them")
    test = condition(where) if where else None
    return Filter(start, end, tuple(rule or ()), rank, tuple(image or ()), tuple(namespace or ()), search, test)


def condition(text: str) -> EventCondition:
    """The condition *text* for events of every source; ends the run where it is none."""
    from falcokit.errors import ConditionError
    from falcokit.forward.filter import list_names, means_header
    from falcokit.validation import holds_for

    try:
        found = holds_for(text)
    except ConditionError as error:
        if means_header(text):
            fail("--where is about fields of events: choose rules with --rule, priorities with --priority")
        fail(f"--where: {error}")
    for name in list_names(text)[:3]:
        say(f"note: `{name[:60]}` in --where is taken for a value: lists of rules are not known here")
    return found


def _moment(option: str, text: str) -> int | None:
    """A point in time, or a span before now, in nanoseconds since 1970."""
    if not text:
        return None
    from falcokit.event.times import read_time

    span = _span(text)
    if span is not None:
        return time.time_ns() - span
    full = f"{text}T00:00" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
    if found := re.fullmatch(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(Z|[+-]\d\d:?\d\d)?", full):
        full = f"{found[1]}:00{found[2] or ''}"
    moment = read_time(full)
    if moment is None:
        fail(f"--{option} takes a time such as 2026-11-27T10:00 (UTC) or a span such as 6h, not '{text}'")
    return moment


def _span(text: str) -> int | None:
    found = _SPAN.fullmatch(text.strip())
    return int(found[1]) * _UNITS[found[2]] * 10**9 if found is not None else None

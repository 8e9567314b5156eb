"""Lists of events: as a table for people, as JSON, CSV and Markdown.  All of them say what `row` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from falcokit.overview.severity import PRIORITIES, level_of, old_number
from falcokit.report.text import plain

if TYPE_CHECKING:
    from falcokit.history.query import Entry
    from falcokit.overview.bursts import Burst

__all__ = ["columns_of", "fitted", "iso", "markdown_cell", "painted", "row", "severity", "to_csv", "to_json", "to_markdown", "to_table"]  # fmt: skip

_ID_SHOWN: Final = 8
"""How many letters of an identifier are shown: nearly always enough to find the event by."""
_ENTITY: Final = 40
"""How many columns of what follows the name have to be there for a list of one line each."""
_LONG: Final = 400
_BLOCK: Final = 500
"""How many lines are put together at once."""
_COLOURS: Final = {"high": "31", "medium": "38;5;208", "low": "33", "info": "36"}
_OF_ENTRY: Final = (
    "host", "container", "container_id", "image", "tag", "digest", "cluster", "namespace", "deployment", "pod", "process", "parent", "user", "file",
)  # fmt: skip
_FORMULA: Final = tuple("=+-@\t\r＝＋－＠")
"""What spreadsheets take for the beginning of a formula."""
_NONE: Final = "(none)"


def iso(time: int) -> str:
    """A moment in nanoseconds since 1970 as text: UTC, to the nanosecond."""
    try:
        return f"{datetime.fromtimestamp(time // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{time % 10**9:09}Z"
    except (ValueError, OverflowError, OSError):
        return str(time)


def row(burst: Burst[Entry], labels: Sequence[str]) -> dict[str, Any]:
    """One line of a list as data, with keys that stay: docs/events.md tells what they mean."""
    entry = burst.newest
    level = level_of(entry.rank)
    return {
        "id": entry.key,
        "time": iso(entry.time),
        "oldest": iso(burst.oldest),
        "count": burst.count,
        "priority": PRIORITIES[entry.rank] if entry.rank is not None and entry.rank < len(PRIORITIES) else None,
        "severity": entry.rank,
        "level": level or None,
        "old_severity": old_number(level),
        "type": entry.tile,
        "rule": entry.rule,
        "policy": entry.policy,
        "source": entry.source,
        "entity": dict(zip(labels, burst.paths[0], strict=True)),
        "entities": len(burst.paths),
        "actions": list(burst.actions),
        **{name: getattr(entry, name) for name in _OF_ENTRY},
        "protocol": entry.proto,
        "client": entry.client,
        "server": entry.server,
        "port": entry.port,
        "output": entry.output,
    }


def to_json(rows: Iterable[dict[str, Any]], about: dict[str, Any]) -> Iterator[str]:
    """One document, in pieces: what is told *about* the list, and its lines as ``events``."""
    import json

    head = json.dumps({"version": 1, **about}, ensure_ascii=True)
    yield head[:-1] + ', "events": ['
    between = "\n"
    for block in _blocks(rows):
        yield between + ",\n".join([json.dumps(one) for one in block])
        between = ",\n"
    yield "\n]}\n"


def to_csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A header and a record a line, as RFC 4180 has it; cells that a spreadsheet would calculate begin with an apostrophe."""
    import csv
    import io

    header = False
    for block in _blocks(rows):
        text = io.StringIO()
        writer = csv.writer(text)
        if not header:
            writer.writerow(block[0])
            header = True
        writer.writerows([[_csv_cell(_flat(value)) for value in one.values()] for one in block])
        yield text.getvalue()


def to_markdown(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A table for a ticket or a wiki."""
    yield "| when | severity | type | rule or policy | entity | actions | count | id |\n| --- | --- | --- | --- | --- | --- | ---: | --- |\n"
    for block in _blocks(rows):
        lines = []
        for one in block:
            cells = (
                _short(one["time"]),
                one["priority"] or "",
                one["type"],
                _name(one),
                _entity(one),
                ", ".join(one["actions"]),
                str(one["count"]),
                one["id"],
            )
            lines.append("| " + " | ".join(map(markdown_cell, cells)) + " |\n")
        yield "".join(lines)


def to_table(rows: Iterable[dict[str, Any]], *, colour: bool, width: int) -> Iterator[str]:
    """For people: one line each where *width* allows it, else two."""
    for block in _blocks(rows):
        words = max(len(_word(one)) for one in block)
        told = [(one, *_told(one)) for one in block]
        left = max(columns_of(name + count) for _, name, count, *_ in told)
        head = 20 + 2 + 2 + words + 2 + 2 + 2
        room = width - (_ID_SHOWN + 2 + head + left + 2)
        wide = room >= min(max(columns_of(entity + more) for *_, entity, more in told), _ENTITY)
        lines = []
        for one, name, count, entity, more in told:
            start = f"{_short(one['time']):<20}  {severity(one, colour, words)}  {plain(one['type'][:2]):<2}  "
            identifier = one["id"][:_ID_SHOWN]
            if wide:
                space = " " * (left - columns_of(name + count) + 2)
                lines.append(
                    f"{identifier}  {start}{painted(name, '1', colour)}{count}{space}{_rest(entity, more, room)}"
                )
            else:
                name = fitted(name, width - head - len(count))
                lines.append(f"{start}{painted(name, '1', colour)}{count}")
                lines.append(f"{identifier:<20}  {_rest(entity, more, width - 22)}")
        yield "".join([line + "\n" for line in lines])


def severity(one: dict[str, Any], colour: bool, width: int = 0) -> str:
    """The dot and the word for the priority of a line, filled up to *width* letters."""
    word = f"{_word(one):<{width}}"
    return painted(f"● {word}", _COLOURS[one["level"]], colour) if one["level"] else f"  {word}"


def painted(text: str, how: str, colour: bool) -> str:
    """*text* in the manner *how* of a terminal."""
    return f"\x1b[{how}m{text}\x1b[0m" if colour else text


def fitted(text: str, width: int) -> str:
    """*text*, safe for a terminal, cut to *width* columns."""
    shown = plain(text[: 4 * max(width, 1)])
    if len(text) <= 4 * width and columns_of(shown) <= width:
        return shown
    while shown and columns_of(shown) > width - 1:
        shown = shown[: -max(1, (columns_of(shown) - width) // 2)]
    return shown + "…"


def columns_of(text: str) -> int:
    """How many columns of a terminal *text* takes."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum([0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text])


def markdown_cell(text: str) -> str:
    """*text* in one cell of a table, none of it markup."""
    found = plain(" ".join(text.split()))
    for letter in "\\`*_[]<>|~#!&@":
        found = found.replace(letter, f"\\{letter}")
    return found.replace("://", ":\\//")


def _told(one: dict[str, Any]) -> tuple[str, str, str, str]:
    """The name of what a line is about, the count of a burst, whose it is, and the rest."""
    count = f" ({one['count']})" if one["count"] > 1 else ""
    more = [", ".join(one["actions"]), f"policy {one['policy']}" if one["rule"] and one["policy"] else ""]
    rest = "".join([f" · {plain(part[:_LONG])}" for part in more if part])
    return plain(_name(one)[:_LONG]), count, plain(_entity(one)[:_LONG]), rest


def _rest(entity: str, more: str, room: int) -> str:
    """Both in *room* columns; the first gives way."""
    if columns_of(entity + more) > room:
        entity = fitted(entity, max(room - columns_of(more), room // 2))
    return fitted(entity + more, room)


def _word(one: dict[str, Any]) -> str:
    return "Info" if one["priority"] == "Informational" else one["priority"] or "-"


def _short(time: str) -> str:
    return time if "." not in time else time.partition(".")[0] + "Z"


def _name(one: dict[str, Any]) -> str:
    return str(one["rule"] or one["policy"] or one["output"][:200] or "(no rule)")


def _entity(one: dict[str, Any]) -> str:
    """Whose event it is along the grouping, from the widest to the narrowest."""
    values = list(one["entity"].values())
    if one["entities"] > 1:
        values = [*values[:-1], f"{one['entities']} entities"]
    return " > ".join([value for value in values if value]) or _NONE


def _flat(value: Any) -> object:
    if isinstance(value, dict):
        return " > ".join([one for one in value.values() if one])
    return ", ".join(value) if isinstance(value, list) else value


def _csv_cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = "\n".join([plain(line) for line in value.split("\n")])
    return f"'{text}" if text.startswith(_FORMULA) else text


def _blocks(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    source = iter(rows)
    while block := list(islice(source, _BLOCK)):
        yield block

"""Looking for a text in what lists show, and only where it can be.

What Falco writes before an output, its head, is kept as the columns ``time`` and ``rank`` (`table`): a text may stand in it, or begin in it
and end behind it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final, NamedTuple

from falcokit.history.letters import SEARCHED, can_tell, may_have
from falcokit.history.store import History
from falcokit.history.table import MOMENT
from falcokit.overview.severity import PRIORITIES

__all__ = ["looking_for", "reach"]

_FIGURE: Final = re.compile("[0-9]")
_POINT: Final = MOMENT.index(".")
_TIME_OF_DAY: Final = "(time // 3600000000000 % 24 * 10000 + time // 60000000000 % 60 * 100 + time // 1000000000 % 60)"
"""The figures of hour, minute and second as one number, in SQL."""


def looking_for(text: str, within: str) -> tuple[str, *tuple[str, ...]]:
    """What looks for *text* in what lists show, in SQL with its values, in the columns of the parts that *within* chooses."""
    # The faster of two ways, where no letter of the text has a meaning of its own.
    plain = not {"%", "_", "\\"} & set(text)
    found, values = [], []
    if within != "false":
        test, value = ("{} ILIKE ?", f"%{text}%") if plain else ("contains(lower({}), lower(?))", text)
        columns = [test.format(f'"{name}"') for name in SEARCHED]
        found.append(f"({within} AND ({' OR '.join(columns)}))")
        values += [value] * len(columns)
    for place, ranks in _places(text).items():
        asked = ["headed"]
        if len(ranks) < len(PRIORITIES):
            asked.append(f"rank IN ({', '.join(map(str, sorted(ranks)))})")
        if place.moment:
            asked.append(place.moment)
        if place.rest:
            if place.whole:
                asked.append(within)
            asked.append("output ILIKE ?" if plain else "starts_with(lower(output), lower(?))")
            values.append(f"{place.rest}%" if plain else place.rest)
        found.append(f"({' AND '.join(asked)})")
    return f"({' OR '.join(found) or 'false'})", *values


def reach(history: History, text: str) -> str:
    """The parts of the history whose columns can have *text*, in SQL."""
    if not can_tell(text):
        return "true"
    parts = history.all("SELECT part, letters FROM parts UNION ALL SELECT part, letters FROM begun")
    found = may_have(text, [letters for _, letters in parts])
    if all(found):
        return "true"
    numbers = [str(part) for (part, _), one in zip(parts, found, strict=True) if one]
    return f"part IN ({', '.join(numbers)})" if numbers else "false"


class _Place(NamedTuple):
    """A place where a text may begin in a head."""

    moment: str
    """What is asked of the moment, in SQL."""
    whole: bool
    """Whether none of the text stands in the moment."""
    rest: str
    """What of the text stands behind the head."""


def _places(text: str) -> dict[_Place, set[int]]:
    """Where *text* may begin in a head, with the ranks of the priorities that the head has."""
    shape = _FIGURE.sub("0", text.encode("ascii", "replace").decode().lower())
    places = defaultdict(set)
    for rank, word in enumerate(PRIORITIES):
        head = f"{MOMENT}{word} ".lower()
        for start in range(len(head)):
            size = min(len(text), len(head) - start)
            if head.startswith(shape[:size], start):
                in_moment = text[: max(0, len(MOMENT) - start)]
                places[_Place(_asked(in_moment, start), not in_moment, text[size:])].add(rank)
    return places


def _asked(text: str, start: int) -> str:
    """That a moment has *text* at *start*, in SQL; nothing where all have it."""
    split = max(0, _POINT - start)
    asked = []
    for number, some, end in (
        (_TIME_OF_DAY, text[:split], MOMENT[start + len(text[:split]) : _POINT]),
        ("time", text[split:], MOMENT[max(start, _POINT) + len(text[split:]) :]),
    ):
        if figures := "".join(_FIGURE.findall(some)):
            asked.append(f"{number} // {10 ** end.count('0')} % {10 ** len(figures)} = {int(figures)}")
    return " AND ".join(asked)

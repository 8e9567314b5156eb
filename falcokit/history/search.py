"""Looking for a text in what lists show, and only where it can be.

What Falco writes before an output, its moment and priority, is kept in columns of its own (`table`): a text may stand in it, or begin
in it and end behind it.
"""

from __future__ import annotations

import re
from typing import Final

from falcokit.history.letters import SEARCHED, may_have
from falcokit.history.store import History
from falcokit.history.table import MOMENT, OUTPUT
from falcokit.overview.severity import PRIORITIES

__all__ = ["looking_for", "reach"]

_MOMENT: Final = "00:00:00.000000000: "
"""The shape of `MOMENT`."""
_FIGURE: Final = re.compile("[0-9]")


def looking_for(text: str, within: str) -> tuple[str, *tuple[str, ...]]:
    """What looks for *text* in what lists show, in SQL with its values, in the columns of the parts that *within* chooses."""
    # The faster of two ways, where no letter of the text has a meaning of its own.
    plain = not {"%", "_", "\\"} & set(text)
    test, value = ("{} ILIKE ?", f"%{text}%") if plain else ("contains(lower({}), lower(?))", text)
    columns = [] if within == "false" else [test.format(f'"{name}"') for name in SEARCHED]
    found = [f"({within} AND ({' OR '.join(columns)}))"] if columns else []
    words = dict(enumerate(word.lower() for word in PRIORITIES))
    ranks = [rank for rank, word in words.items() if text.lower() in f": {word} "]
    if ranks:
        found.append(f"(headed AND rank IN ({', '.join(map(str, ranks))}))")
    heads = [f"{_MOMENT}{word} " for rank, word in words.items() if rank not in ranks]
    if any(_begins_in(text, head) or (_is_in(text, head) and not _is_in(text, _MOMENT)) for head in heads):
        columns.append(OUTPUT)
        found.append(test.format(f"({OUTPUT})"))
    elif heads and _is_in(text, _MOMENT):
        columns.append(MOMENT)
        found.append(f"(headed AND {test.format(MOMENT)})")
    return f"({' OR '.join(found) or 'false'})", *[value] * len(columns)


def reach(history: History, text: str) -> str:
    """The parts of the history whose columns can have *text*, in SQL."""
    if not text or _is_in(text, _MOMENT) or _begins_in(text, _MOMENT):
        return "true"
    parts = history.all("SELECT part, letters FROM parts UNION ALL SELECT part, letters FROM begun")
    found = may_have(text, [letters for _, letters in parts])
    if found is None or all(found):
        return "true"
    numbers = [str(part) for (part, _), one in zip(parts, found, strict=True) if one]
    return f"part IN ({', '.join(numbers)})" if numbers else "false"


def _is_in(text: str, head: str) -> bool:
    """Whether *text* may stand in *head*, whatever the figures in it."""
    return _FIGURE.sub("0", text.lower()) in head


def _begins_in(text: str, head: str) -> bool:
    """Whether *text* may begin in *head* and end behind it, whatever the figures in it."""
    shape = _FIGURE.sub("0", text.lower())
    return any(head.endswith(shape[:size]) for size in range(1, len(shape)))

"""Points in time as events write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

__all__ = ["read_time", "read_times"]

_TEXT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,30}))?\s?(?:([Zz]|UTC)|([+-])(\d\d):?(\d\d)?)?.{0,10}",
    re.ASCII,
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = ((10**17, 1), (10**14, 10**3), (10**11, 10**6), (0, 10**9))
"""From these on numbers are nano-, micro-, milliseconds, seconds: each begins in 1973 and ends where the next begins."""


def read_time(value: object) -> int | None:
    """Nanoseconds since 1970 of a time written as text (RFC 3339 and close to it; without a zone UTC) or as a number.

    Numbers are told apart by their size: seconds, milli-, micro- or nanoseconds.  None for anything else.  A text may have up to
    ten characters behind a zone, which some tools write twice: the first one counts.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        if not 0 < value < 2**63:
            return None
        return round(value * 10**9) if value < _UNITS[2][0] else read_time(int(value))
    if isinstance(value, int):
        if not 0 < value < 2**64:
            return None
        time = next(value * unit for start, unit in _UNITS if value >= start)
        return time if time < 2**64 else None
    if not isinstance(value, str):
        return None
    # As Falco writes it: many alerts share a second, so that is read once.
    if value[19:20] == "." and value[29:] == "Z" and (rest := value[20:29]).isdecimal() and rest.isascii():
        second = _second(value[:19])
        return None if second is None else second + int(rest)
    if value.isdecimal() and value.isascii() and len(value) < 21:
        return read_time(int(value))
    found = _TEXT.fullmatch(value.strip()) if len(value) < 100 else None
    return _of_text(found) if found is not None else None


def read_times(texts: Sequence[str]) -> list[int | None]:
    """`read_time` of each of *texts*: faster where all are as Falco writes them."""
    rests = [text[20:29] for text in texts]
    whole = "".join(rests)
    usual = {(len(text), text[19:20], text[29:]) for text in texts} <= {(30, ".", "Z")}
    if not usual or (whole and not (whole.isascii() and whole.isdecimal())):
        return [read_time(text) for text in texts]
    heads = [text[:19] for text in texts]
    seconds = {head: _second(head) for head in {*heads}}
    return [
        None if (second := seconds[head]) is None else second + int(rest)
        for head, rest in zip(heads, rests, strict=True)
    ]


@lru_cache(1024)
def _second(text: str) -> int | None:
    found = _TEXT.fullmatch(text)
    return _of_text(found) if found is not None else None


def _of_text(found: re.Match[str]) -> int | None:
    offset = timedelta()
    if found[9]:
        offset = timedelta(hours=int(found[10]), minutes=int(found[11] or 0)) * (1 if found[9] == "+" else -1)
    try:
        moment = datetime(*[int(found[n]) for n in range(1, 7)], tzinfo=UTC) - offset  # type: ignore[arg-type, misc]
    except (ValueError, OverflowError):
        return None
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    time = seconds * 10**9 + int((found[7] or "0")[:9].ljust(9, "0"))
    return time if 0 <= time < 2**64 else None

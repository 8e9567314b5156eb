"""Text alerts: a time, a priority, the message; and what loggers put in front of lines."""

from __future__ import annotations

import re
from typing import Final

from falcokit.event.times import read_time
from falcokit.record import Record

__all__ = ["TextLine", "read_text_line", "unprefixed"]

_WORDS: Final = "Emergency|Alert|Critical|Error|Warning|Notice|Informational|Info|Debug"
_ALERT: Final = re.compile(
    rf"(\d{{4}}-\d\d-\d\d[T ])?(\d\d:\d\d:\d\d)(\.\d{{1,9}})?((?:Z|[+-]\d\d:?\d\d)?): ({_WORDS})(?: |$)",
    re.ASCII | re.IGNORECASE,
)
_MAX_PREFIXES: Final = 4
_PREFIXES: Final = (
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S{0,16} (?:stdout|stderr) [FP] ", re.ASCII),  # container runtimes
    re.compile(r"<\d{1,3}>1 \S{1,40} \S{1,255} \S{1,48} \S{1,128} \S{1,32} (?:-|\[.{0,1000}?\]) (?:\ufeff)?", re.ASCII),  # RFC 5424
    re.compile(r"(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{8,30}) \S{1,255} [\w./-]{1,64}(?:\[\d{1,10}\])?: ", re.ASCII),  # syslog
)  # fmt: skip


class TextLine(Record):
    """A text alert; ``time`` is None where the line has no date."""

    __slots__ = ("message", "priority", "time")

    def __init__(self, priority: str, message: str, time: int | None) -> None:
        self.priority: Final = priority
        self.message: Final = message
        self.time: Final = time


def read_text_line(line: str) -> TextLine | None:
    """The alert that *line* is; None if it is none."""
    found = _ALERT.match(line)
    if found is None:
        return None
    time = read_time(f"{found[1]}{found[2]}{found[3] or ''}{found[4]}") if found[1] else None
    return TextLine(found[5], line[found.end() :].strip(), time)


def unprefixed(line: str) -> str:
    """*line* without what container runtimes and syslog put in front of it, one after the other."""
    for _ in range(_MAX_PREFIXES):
        found = next((found for prefix in _PREFIXES if (found := prefix.match(line)) is not None), None)
        if found is None:
            break
        line = line[found.end() :]
    return line

"""Falco's priorities on the scales of others; places in each are the numbers of priorities, Emergency (0) to Debug (7)."""

from __future__ import annotations

from typing import Final

__all__ = ["CEF", "DEFAULT", "LEEF", "OTLP", "number_of"]

_NUMBERS: Final = {
    word: number
    for number, word in enumerate(
        ("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug")
    )
}
DEFAULT: Final = 5
"""The severity of syslog for events that tell none: Notice."""
CEF: Final = (10, 9, 8, 7, 6, 4, 2, 1)
"""From 0 to 10: low to 3, medium to 6, high to 8, very high."""
LEEF: Final = (10, 9, 8, 7, 6, 4, 2, 1)
"""From 1 to 10."""
OTLP: Final = (
    (21, "FATAL"), (19, "ERROR3"), (18, "ERROR2"), (17, "ERROR"), (13, "WARN"), (10, "INFO2"), (9, "INFO"), (5, "DEBUG"),
)  # fmt: skip
"""The numbers that OpenTelemetry's data model has for the severities of syslog, and their short names."""


def number_of(priority: str) -> int | None:
    """The number of *priority*, which is syslog's as well; None where there is none."""
    return _NUMBERS.get(priority)

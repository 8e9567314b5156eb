"""What is counted of each integration, as numbers, as plain data, and as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["COUNTERS", "GAUGES", "Counts", "prometheus"]

COUNTERS: Final = {
    "read": "Events that were read.",
    "unreadable": "Places in what was read that are no event.",
    "gaps": "Times that something of a log was gone before it was read, or may have been.",
    "filtered": "Events that the filter left out.",
    "repeated": "Events left out because one of the same form had just gone.",
    "sent": "Events that were handed over.",
    "acknowledged": "Events that the receiver said it has taken.",
    "retried": "Events that had to be handed over again.",
    "replayed": "Events that were sent again because a connection broke that has no acknowledgement.",
    "refused": "Events that the receiver does not take.",
    "dropped": "Events for which the spool had no room.",
    "maybe_lost": "Events that were sent shortly before such a connection broke, and not again.",
}
"""Counters since the start of a run, and what they count."""
GAUGES: Final = {
    "queue_bytes": "Bytes that wait to be sent.",
    "lag_seconds": "How old the oldest event is that is on its way.",
    "up": "Whether the receiver took the last events (1), or did not (0).",
}
"""What goes up and down."""


class Counts:
    """The numbers of one integration; ``trouble`` is what is wrong now, ``delivered`` when it went well last (nanoseconds since 1970)."""

    def __init__(self) -> None:
        self.read = self.unreadable = self.gaps = self.filtered = self.repeated = self.sent = self.acknowledged = 0
        self.retried = self.replayed = self.refused = self.dropped = self.maybe_lost = 0
        self.queue_bytes = 0
        self.lag_seconds = 0.0
        self.up = 1
        self.trouble = ""
        self.delivered = 0

    def data(self) -> dict[str, Any]:
        """All of it by name."""
        return dict(vars(self))


def prometheus(counts: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """The numbers of integrations by name, in Prometheus' text format."""
    every = list(counts)
    lines: list[str] = []
    for table, kind, ending in ((COUNTERS, "counter", "_total"), (GAUGES, "gauge", "")):
        for name, meaning in table.items():
            full = f"falcokit_forward_{name}{ending}"
            lines += [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}"]
            lines += [f'{full}{{integration="{_quoted(one)}"}} {data[name]}' for one, data in every]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

"""Splunk's HTTP Event Collector."""

from __future__ import annotations

from typing import Any, Final

from falcokit.event import Event
from falcokit.forward.enrich import enriched, host_of
from falcokit.forward.fit import fitted
from falcokit.forward.integration import Integration
from falcokit.forward.text import json_bytes

__all__ = ["hec_event"]

_SECOND: Final = 10**9


def hec_event(integration: Integration, event: Event, now: int | None = None) -> bytes:
    """*event* as the collector takes it: the enriched event, its labels as indexed fields, its time to the nanosecond."""
    header = event.header
    document = enriched(event, integration)
    rule = {"rule": header.rule} if header.rule else {}
    fields = {pair["key"]: pair["value"] for pair in document["eventLabels"]} | rule
    about: dict[str, Any] = {}
    time = header.time if header.time is not None else now
    if host := host_of(event, integration):
        about["host"] = host
    for name in ("source", "sourcetype", "index"):
        if value := integration.option(name):
            about[name] = value
    size = integration.max_size
    about["fields"] = fields
    head = json_bytes(about)
    if len(head) > size // 2:  # Labels that nobody can index: they stay in the event.
        about["fields"] = rule if len(header.rule) < 100 else {}
        about["host"] = about.get("host", "")[:100]
        head = json_bytes(about)
    # A float has no room for nanoseconds.
    stamp = b"" if time is None else b'"time":%d.%09d,' % divmod(time, _SECOND)
    room = size - len(head) - len(stamp) - len(b',"event":')
    return b"{" + stamp + head[1:-1] + b',"event":' + (fitted(document, room) or b"{}") + b"}"

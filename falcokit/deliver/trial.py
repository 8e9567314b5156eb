"""One event to an integration, and what its receiver says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import orjson

from falcokit.deliver.outcome import Refused, Trouble
from falcokit.deliver.sinks import open_sink
from falcokit.event import Event
from falcokit.event.reader import read_events
from falcokit.forward.integration import Integration
from falcokit.forward.render import render

__all__ = ["sample", "try_out"]


def sample(moment: int) -> Event:
    """An alert of the moment *moment* (nanoseconds since 1970) that says that it is a test."""
    seconds, rest = divmod(moment, 10**9)
    time = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    document = {
        "hostname": "falcokit",
        "output": f"{time[11:]}.{rest:09}: Notice This is a test of falcokit forward (user=nobody)",
        "output_fields": {"user.name": "nobody"},
        "priority": "Notice",
        "rule": "Test of falcokit forward",
        "source": "syscall",
        "tags": ["test"],
        "time": f"{time}.{rest:09}Z",
    }
    return next(one for one in read_events((orjson.dumps(document),), "test") if isinstance(one, Event))


def try_out(integration: Integration, event: Event) -> tuple[bool, str]:
    """Send *event* once: whether it was taken, and what the receiver said.  Raises `ConfigError`."""
    return asyncio.run(_try_out(integration, event))


async def _try_out(integration: Integration, event: Event) -> tuple[bool, str]:
    sink = open_sink(integration)
    try:
        answer = await sink.send([render(integration, event)])
        if answer.refused:
            return False, f"refused: {next(iter(answer.refused.values()))}"
        if answer.again:
            return False, answer.reason
        await sink.close(5.0)
        return not sink.notes, sink.notes[0] if sink.notes else answer.said
    except Trouble as trouble:
        return False, str(trouble)
    except Refused as refused:
        return False, f"refused: {refused}"
    finally:
        await sink.close(1.0)

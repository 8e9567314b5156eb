"""OpenTelemetry logs over HTTP, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from falcokit.deliver.outcome import Answer, Trouble
from falcokit.deliver.sinks.http import Client, checked
from falcokit.deliver.sinks.sink import Direct
from falcokit.forward.integration import Integration
from falcokit.forward.render import framed
from falcokit.forward.target import url_of

__all__ = ["Otlp"]


class Otlp(Direct):
    """A collector."""

    def __init__(self, integration: Integration) -> None:
        super().__init__()
        self._integration: Final = integration
        self._client: Final = Client(integration, url_of(integration))

    async def send(self, messages: Sequence[bytes]) -> Answer:
        """Export *messages*.  Raises `Trouble` and `Refused`."""
        reply = checked(self._client.where, await self._client.post(framed(self._integration, messages)))
        found = reply.object() if reply.body.strip() else {}
        if found is None:
            raise Trouble(f"{self._client.where}: its answer is not that of a collector: check the URL", lasting=True)
        part = found.get("partialSuccess")
        part = part if isinstance(part, dict) else {}
        count = part.get("rejectedLogRecords", 0)
        text = str(count)
        rejected = min(int(text), len(messages)) if text.isdecimal() and len(text) < 10 else 0
        reason = str(part.get("errorMessage") or "it does not say why")[:200]
        # It says how many, and not which; they must not be sent again.
        refused = dict.fromkeys(range(len(messages) - rejected, len(messages)), f"{self._client.where}: {reason}")
        return Answer(refused=refused, said=f"HTTP {reply.status}")

    async def close(self, patience: float) -> None:
        """End the connections."""
        await self._client.close()

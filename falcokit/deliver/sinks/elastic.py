"""The bulk interface of Elasticsearch and OpenSearch, which answers for each document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from falcokit.deliver.outcome import Answer, Trouble
from falcokit.deliver.sinks.http import Client, checked
from falcokit.deliver.sinks.sink import Direct
from falcokit.forward.integration import Integration
from falcokit.forward.render import framed
from falcokit.forward.target import url_of

__all__ = ["Bulk"]

_LATER: Final = frozenset((408, 429, 500, 502, 503, 504))
_CONFLICT: Final = 409
"""A document of the same identifier is there: an earlier try had arrived."""


class Bulk(Direct):
    """A cluster."""

    window = 2

    def __init__(self, integration: Integration) -> None:
        super().__init__()
        self._integration: Final = integration
        self._client: Final = Client(integration, url_of(integration))

    async def send(self, messages: Sequence[bytes]) -> Answer:
        """Index *messages*.  Raises `Trouble` and `Refused`."""
        where = self._client.where
        reply = checked(where, await self._client.post(framed(self._integration, messages)))
        found = reply.json()
        items = found.get("items")
        if not isinstance(items, list) or len(items) != len(messages):
            raise Trouble(
                f"{where}: its answer does not tell what became of each event: is it a bulk interface?", lasting=True
            )
        again: list[int] = []
        refused: dict[int, str] = {}
        reason = ""
        for number, item in enumerate(items):
            status, said = _result(item)
            if 200 <= status < 300 or status == _CONFLICT:
                continue
            if status == 400:
                refused[number] = f"{where}: {said or 'it is refused'}"
            elif status in _LATER or status >= 500:
                again.append(number)
                reason = f"{where}: it is busy ({status}{': ' + said if said else ''})"
            else:
                # No such index, no right to write to it, an index that is closed: events are not at fault.
                raise Trouble(
                    f"{where}: {status}{': ' + said if said else ''}: check the index and the rights", lasting=True
                )
        return Answer(again, refused, reason, f"HTTP {reply.status}, {len(items)} items")

    async def close(self, patience: float) -> None:
        """End the connections."""
        await self._client.close()


def _result(item: Any) -> tuple[int, str]:
    """The status of a document, and what is said of it."""
    result = next(iter(item.values()), None) if isinstance(item, dict) else None
    if not isinstance(result, dict) or not isinstance(result.get("status"), int):
        return 500, "no status"
    error = result.get("error")
    said = error.get("reason") or error.get("type") if isinstance(error, dict) else error
    return result["status"], str(said)[:200] if said else ""

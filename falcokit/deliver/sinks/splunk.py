"""Splunk's HTTP Event Collector, with its acknowledgement where that is asked for."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import orjson

from falcokit.deliver.outcome import Answer, Refused, Trouble
from falcokit.deliver.sinks.http import Client, Reply, checked
from falcokit.deliver.sinks.sink import Direct
from falcokit.forward.integration import Integration
from falcokit.forward.render import framed
from falcokit.forward.target import url_of

__all__ = ["Splunk"]

_EVENT: Final = "/services/collector/event"
_ACK: Final = "/services/collector/ack"
_TOKENS: Final = {1: "the token is disabled", 2: "it wants a token", 3: "it does not understand the token", 4: "it does not know the token: check secrets.token", 16: "it does not take the token", 21: "it does not know the token: check secrets.token", 22: "the token is disabled"}  # fmt: skip
_SETTINGS: Final = {
    7: "there is no such index for this token: check options.index",
    10: "it wants acknowledgement: set options.ack",
    11: "it does not know the channel",
    14: "acknowledgement is off for this token: clear options.ack, or switch it on in Splunk",
}
_BUSY: Final = frozenset((8, 9, 18, 19, 20, 23, 24, 25, 26))
_EVENTS: Final = frozenset((5, 6, 12, 13, 15))
_TOO_LARGE: Final = 27
_FIRST_LOOK, _LONGEST_LOOK = 0.1, 5.0
_PATIENCE: Final = 120.0
"""Seconds after which what is not acknowledged is sent again."""


class Splunk(Direct):
    """A collector."""

    def __init__(self, integration: Integration) -> None:
        super().__init__()
        self._integration: Final = integration
        url = url_of(integration)
        self._client: Final = Client(integration, url)
        self._acks: Final = bool(integration.option("ack"))
        self._told_after: Final = float(integration.option("timeout"))
        self._patience: Final = max(_PATIENCE, float(integration.option("timeout")))
        self._channel: Final = str(uuid.uuid4())
        self._ack_url: Final = f"{url.removesuffix(_EVENT)}{_ACK}?channel={self._channel}"
        self._waiting: Final[dict[int, asyncio.Future[None]]] = {}
        self._looking: asyncio.Task[None] | None = None
        self.window = 8 if self._acks else 2

    async def send(self, messages: Sequence[bytes]) -> Answer:
        """Send *messages*; with acknowledgement it returns when they are indexed.  Raises `Trouble` and `Refused`."""
        reply = await self._client.post(framed(self._integration, messages), self._headers())
        answer = self._understood(reply, len(messages))
        if not self._acks or answer.again or answer.refused:
            return answer
        number = reply.json().get("ackId")
        if not isinstance(number, int) or isinstance(number, bool):
            raise Trouble(f"{self._client.where}: {_SETTINGS[14]}", lasting=True)
        await self._acknowledged(number)
        return Answer(said=f"HTTP {reply.status}, indexed")

    def _headers(self) -> dict[str, str]:
        return {"X-Splunk-Request-Channel": self._channel} if self._acks else {}

    def _understood(self, reply: Reply, count: int) -> Answer:
        """What *reply* says of a batch of *count* events."""
        where, found = self._client.where, reply.json()
        code = found.get("code")
        if 200 <= reply.status < 300:
            if code != 0:
                raise Trouble(f"{where}: its answer is not that of a collector: check the URL", lasting=True)
            return Answer(said=f"HTTP {reply.status}, {str(found.get('text'))[:60]}")
        if code in _TOKENS:
            raise Trouble(f"{where}: {_TOKENS[code]}", reply.after, lasting=True)
        if code in _SETTINGS:
            raise Trouble(f"{where}: {_SETTINGS[code]}", reply.after, lasting=True)
        if code in _BUSY:
            raise Trouble(f"{where}: it is busy ({str(found.get('text'))[:60]})", reply.after)
        if code in _EVENTS:
            said = f"{where}: {str(found.get('text'))[:100]}"
            wrong = found.get("invalid-event-number")
            if isinstance(wrong, int) and 0 <= wrong < count and count > 1:
                # What is before it may be in, what is behind it is not.
                return Answer([number for number in range(count) if number != wrong], {wrong: said}, said)
            raise Refused(said)
        if code == _TOO_LARGE:
            raise Refused(f"{where}: it is too large")
        checked(where, reply)
        raise Trouble(f"{where}: HTTP {reply.status}")

    async def _acknowledged(self, number: int) -> None:
        """Wait until the batch of that number is indexed.  Raises `Trouble` where that takes too long, or it is forgotten."""
        old = self._waiting.pop(number, None)
        if old is not None and not old.done():
            # It counts from the beginning: it was started anew, and knows nothing of the batch before.
            old.set_exception(Trouble(f"{self._client.where}: it has forgotten what it was to index"))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        slow = loop.call_later(self._told_after, self._is_slow)
        self._waiting[number] = future
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait_for(future, self._patience)
        except TimeoutError:
            raise Trouble(f"{self._client.where}: it did not index events in {self._patience:g} seconds") from None
        finally:
            slow.cancel()
            if self._waiting.get(number) is future:
                del self._waiting[number]

    def _is_slow(self) -> None:
        self.waits = (
            f"{self._client.where}: it has taken events, and not said for {self._told_after:g} seconds that they are indexed; "
            f"after {self._patience:g} they are sent again"
        )

    async def _look(self) -> None:
        """Ask what is indexed, for as long as something waits."""
        pause = _FIRST_LOOK
        while self._waiting:
            await asyncio.sleep(pause)
            numbers = list(self._waiting)
            try:
                body = orjson.dumps({"acks": numbers})
                reply = checked(self._client.where, await self._client.post(body, self._headers(), self._ack_url))
                told = reply.json().get("acks")
            except Trouble as trouble:
                told = None
                if trouble.broken:
                    # Started anew, it would never say that it has them.
                    for one in self._waiting.values():
                        if not one.done():
                            one.set_exception(Trouble(str(trouble), broken=True))
                    self._waiting.clear()
            except Refused:
                told = None
            done = 0
            for number in numbers:
                future = self._waiting.get(number)
                if isinstance(told, dict) and told.get(str(number)) is True and future is not None:
                    done += 1
                    self.waits = ""
                    if not future.done():
                        future.set_result(None)
                    self._waiting.pop(number, None)
            pause = _FIRST_LOOK if done else min(pause * 1.5, _LONGEST_LOOK)

    async def close(self, patience: float) -> None:
        """End the connections."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
        await self._client.close()

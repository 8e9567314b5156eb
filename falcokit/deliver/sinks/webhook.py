"""JSON by HTTP POST, signed where a key is given."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from falcokit.deliver.outcome import Answer, Refused, Trouble
from falcokit.deliver.secret import secret_of
from falcokit.deliver.sinks.http import Client, checked
from falcokit.deliver.sinks.sink import Direct
from falcokit.errors import ConfigError
from falcokit.forward.integration import Integration
from falcokit.forward.render import framed, signed
from falcokit.forward.target import url_of

__all__ = ["Webhook"]


class Webhook(Direct):
    """Whatever takes JSON; a status from 200 to 299 says that it has it."""

    def __init__(self, integration: Integration) -> None:
        super().__init__()
        self._integration: Final = integration
        self._single: Final = integration.text("body") == "single"
        self._client: Final = Client(integration, url_of(integration))

    async def send(self, messages: Sequence[bytes]) -> Answer:
        """Post *messages*, together or one after the other.  Raises `Trouble` and `Refused`."""
        if not self._single or len(messages) == 1:
            return await self._post(messages)
        refused: dict[int, str] = {}
        for number, message in enumerate(messages):
            try:
                await self._post([message])
            except Refused as error:
                refused[number] = str(error)
            except Trouble as trouble:
                if not number:
                    raise
                return Answer(range(number, len(messages)), refused, str(trouble))
        return Answer(refused=refused)

    async def _post(self, messages: Sequence[bytes]) -> Answer:
        body = framed(self._integration, messages)
        try:
            key = secret_of(self._integration, "signing_key")
        except ConfigError as error:
            raise Trouble(str(error), lasting=True) from None
        proof = signed(body, key, time.time()) if key else {}
        reply = checked(self._client.where, await self._client.post(body, proof))
        return Answer(said=f"HTTP {reply.status}")

    async def close(self, patience: float) -> None:
        """End the connections."""
        await self._client.close()

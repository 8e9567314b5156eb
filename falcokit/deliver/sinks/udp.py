"""Syslog over UDP: each message a datagram, sent and forgotten.  What gets lost on the way nobody learns."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from falcokit.deliver.outcome import Answer
from falcokit.deliver.sinks.address import first_address, shown_address, trouble_of
from falcokit.deliver.sinks.sink import Direct
from falcokit.forward.integration import Integration
from falcokit.forward.target import address_of

__all__ = ["Udp"]

_AT_ONCE: Final = 16
"""Datagrams after which others get a turn, so that the receiver on the same machine has one."""


class Udp(Direct):
    """A receiver of datagrams."""

    acknowledges = False

    def __init__(self, integration: Integration) -> None:
        super().__init__()
        self._host, self._port = address_of(integration)
        self._where: Final = shown_address(self._host, self._port)
        self._timeout: Final = float(integration.option("timeout"))
        self._socket: socket.socket | None = None

    async def send(self, messages: Sequence[bytes]) -> Answer:
        """Send every message.  Raises `Trouble` where the system already knows that nobody takes them."""
        refused: dict[int, str] = {}
        sock = self._socket or await self._connect()
        for number, message in enumerate(messages):
            try:
                await self._put(sock, message)
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    self._end()
                    if number:
                        # What is before it went out, as far as anyone can tell.
                        again = range(number, len(messages))
                        return Answer(again, refused, str(trouble_of(self._where, error)))
                    raise trouble_of(self._where, error) from None
                refused[number] = "it is larger than a datagram can be: set max_size, or use TCP"
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
        return Answer(refused=refused, said="sent; UDP has no answer")

    async def close(self, patience: float) -> None:
        """Let go."""
        self._end()

    async def _connect(self) -> socket.socket:
        family, address = await first_address(self._host, self._port, socket.SOCK_DGRAM, self._timeout)
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect(address)
        except OSError as error:
            sock.close()
            raise trouble_of(self._where, error) from None
        self._socket = sock
        return sock

    async def _put(self, sock: socket.socket, message: bytes) -> None:
        try:
            sock.send(message)
        except BlockingIOError:
            try:
                await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(sock, message), self._timeout)
            except TimeoutError:
                raise OSError(errno.ENOBUFS, "no room") from None

    def _end(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._socket = None

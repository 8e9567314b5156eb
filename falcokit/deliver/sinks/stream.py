"""Syslog over TCP and TLS.  Nobody says what has arrived: what was sent last is kept, and sent again where the connection breaks.

A batch leaves the window once the other machine's system has its bytes and some time has gone by; how much the window can hold is
more than what two systems keep for a connection.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from falcokit.deliver.outcome import Answer, Trouble
from falcokit.deliver.sinks.address import first_address, shown_address, trouble_of
from falcokit.deliver.sinks.tls import context_of
from falcokit.forward.integration import Integration
from falcokit.forward.render import framed
from falcokit.forward.target import address_of

__all__ = ["Stream"]

_WINDOW: Final = 1 << 23
"""Bytes that are kept to be sent again at most: a receiver's system keeps 6 MiB unless it is told otherwise."""
_AGE: Final = 5.0
"""Seconds after which what its system has counts as read by the receiver."""
_BUFFER: Final = 1 << 18
_MOST_SAID: Final = 1 << 16
"""Bytes that a receiver may say; it has nothing to say."""


class _Sent:
    """A batch in the window: its bytes, how many messages, the byte of the connection that it ends at, when it was sent."""

    __slots__ = ("count", "data", "end", "moment")

    def __init__(self, data: bytes, count: int) -> None:
        self.data: Final = data
        self.count: Final = count
        self.end = 0
        self.moment = 0.0


class Stream:
    """A receiver at the other end of a connection."""

    window: Final = 1
    acknowledges: Final = False

    def __init__(self, integration: Integration) -> None:
        self._integration: Final = integration
        self._host, self._port = address_of(integration)
        self._where: Final = shown_address(self._host, self._port)
        self._timeout: Final = float(integration.option("timeout"))
        self._tls: Final = context_of(integration) if integration.option("transport") == "tls" else None
        self._line: _Line | None = None
        self._sent: Final[deque[_Sent]] = deque()
        self._kept = 0
        self._gone: Final[deque[tuple[float, int]]] = deque(maxlen=10_000)
        """When batches left the window for want of room, and how many messages they had."""
        self.notes: Final[list[str]] = []
        self.replayed = 0
        self.maybe_lost = 0

    @property
    def unsettled(self) -> int:
        """How many of the last batches would be sent again."""
        return len(self._sent)

    async def send(self, messages: Sequence[bytes]) -> Answer:
        """Send *messages*, after what has to be sent again.  Raises `Trouble`."""
        line = await self._connected()
        batch = _Sent(framed(self._integration, messages), len(messages))
        await self._put(line, batch)
        self._sent.append(batch)
        self._kept += len(batch.data)
        await self._make_room(line)
        return Answer(said="sent; syslog has no answer")

    async def tend(self) -> None:
        """Let old batches go; connect again where some are left and the connection broke.  Raises `Trouble`."""
        if self._line is not None and self._line.lost.done() and not self._sent:
            self._drop()
        if self._sent:
            self._forget(await self._connected())

    async def close(self, patience: float) -> None:
        """Send what is left, and wait until the receiver ends the connection as well: then it has read everything."""
        line = self._line
        if line is None:
            return
        end = monotonic() + patience
        with suppress(Trouble, TimeoutError):
            async with asyncio.timeout(patience):
                while line.waiting() and not line.lost.done():
                    await asyncio.wait((line.lost,), timeout=0.01)
                if line.transport.can_write_eof():
                    line.transport.write_eof()
                else:
                    line.transport.close()
                await asyncio.wait((line.lost,), timeout=max(0.0, end - monotonic()))
                if line.lost.done() and line.lost.result() is None and not line.refused:
                    self._sent.clear()
                    self._kept = 0
        if self._sent:
            count = sum(batch.count for batch in self._sent)
            self.notes.append(
                f"{self._where} did not end the connection in order: the last {_messages(count)} will be sent again"
            )
        self._drop()

    async def _connected(self) -> _Line:
        line = self._line
        if line is not None and not line.lost.done():
            return line
        if line is not None:
            reason = trouble_of(self._where, line.lost.result()) if not line.refused else line.refused
            self._drop()
            self._told_lost(str(reason))
        line = await self._connect()
        self._line = line
        for batch in self._sent:
            await self._put(line, batch)
            self.replayed += batch.count
        return line

    def _told_lost(self, reason: str) -> None:
        again = sum(batch.count for batch in self._sent)
        since = monotonic() - _AGE
        lost = sum(count for moment, count in self._gone if moment > since)
        self._gone.clear()
        self.maybe_lost += lost
        if not again:
            return  # It was idle: receivers end such connections.
        more = f"; {_messages(lost)} sent before these may be lost" if lost else ""
        self.notes.append(f"{reason}; the last {_messages(again)} are sent again{more}")

    async def _connect(self) -> _Line:
        loop = asyncio.get_running_loop()
        family, address = await first_address(self._host, self._port, socket.SOCK_STREAM, self._timeout)
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if sys.platform == "linux":
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(max(self._timeout, 5.0) * 1000))
            name = self._integration.text("server_name") or self._host
            async with asyncio.timeout(self._timeout):
                await loop.sock_connect(sock, address)
                _, line = await loop.create_connection(
                    lambda: _Line(self._where),
                    sock=sock,
                    ssl=self._tls,
                    server_hostname=name if self._tls is not None else None,
                )
        except (OSError, TimeoutError, ValueError) as error:
            sock.close()
            raise trouble_of(self._where, error) from None
        except BaseException:
            sock.close()
            raise
        return line

    async def _put(self, line: _Line, batch: _Sent) -> None:
        line.transport.write(batch.data)
        line.written += len(batch.data)
        batch.end, batch.moment = line.written, monotonic()
        await self._wait(line, line.room)

    async def _wait(self, line: _Line, news: asyncio.Event) -> None:
        """Until *news*.  Raises `Trouble` where the connection breaks, or nothing moves for too long."""
        while not news.is_set():
            before = line.waiting()
            waiter = asyncio.ensure_future(news.wait())
            try:
                await asyncio.wait((waiter, line.lost), timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiter.cancel()
            if not news.is_set() and not line.lost.done() and line.waiting() >= before:
                line.transport.abort()
                await asyncio.wait((line.lost,))
                raise Trouble(f"{self._where}: it takes nothing")
            if line.lost.done():
                break
        if line.lost.done():
            raise line.refused or trouble_of(self._where, line.lost.result())

    async def _make_room(self, line: _Line) -> None:
        self._forget(line)
        while self._kept > _WINDOW and len(self._sent) > 1 and not line.lost.done():
            # The other system does not take it as fast: so few bytes are not worth a waiter.
            await asyncio.wait((line.lost,), timeout=0.02)
            self._forget(line)

    def _forget(self, line: _Line) -> None:
        """Let batches go that the other system has, and that are old, or too many."""
        if not self._sent:
            return
        taken = line.written - line.waiting()
        now = monotonic()
        while self._sent and self._sent[0].end <= taken:
            oldest = self._sent[0]
            old = now - oldest.moment > _AGE
            if not old and self._kept <= _WINDOW:
                return
            if not old:
                self._gone.append((now, oldest.count))
            self._kept -= len(oldest.data)
            self._sent.popleft()

    def _drop(self) -> None:
        if self._line is not None:
            self._line.transport.abort()
        self._line = None


class _Line(asyncio.Protocol):
    """A connection: how many bytes were ``written``, whether there is ``room`` for more, and whether it is ``lost``."""

    transport: asyncio.Transport

    def __init__(self, where: str) -> None:
        self._where: Final = where
        self.written = 0
        self.lost: Final[asyncio.Future[Exception | None]] = asyncio.get_running_loop().create_future()
        self.room: Final = asyncio.Event()
        self.room.set()
        self.refused: Trouble | None = None
        self._said = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(_BUFFER)

    def waiting(self) -> int:
        """Bytes that the other system has not got yet, at most."""
        held = self.transport.get_write_buffer_size()
        sock = self.transport.get_extra_info("socket")
        try:
            queued: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0]
        except (OSError, ValueError, AttributeError):
            queued = 0
        return held + queued

    def data_received(self, data: bytes) -> None:
        self._said += len(data)
        if self._said > _MOST_SAID:
            self.refused = Trouble(f"{self._where}: it talks without end, which is no syslog", lasting=True)
            self.transport.abort()

    def pause_writing(self) -> None:
        self.room.clear()

    def resume_writing(self) -> None:
        self.room.set()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(error)


def _messages(count: int) -> str:
    return f"{count} message" + "s" * (count != 1)

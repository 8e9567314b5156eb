"""A connection on which messages go one way, and what is known of how far the receiver has read them."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import ssl
import struct
import sys
import termios
from contextlib import suppress
from time import monotonic
from typing import Final

from falcokit.deliver.outcome import Trouble
from falcokit.deliver.sinks.address import first_address, trouble_of

__all__ = ["Line", "connected"]

_BUFFER: Final = 1 << 18
_MOST_SAID: Final = 1 << 16
"""Bytes that a receiver may say; it has nothing to say."""
_PROBES: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds of silence after which the other system is asked whether it is there, so that nobody between takes the line for dead."""


class Line(asyncio.Protocol):
    """A connection to *where*: how many bytes were ``written``, whether there is ``room`` for more, whether it is ``lost``.

    ``read`` is how many bytes the receiver has read for sure, once it has ended the connection; None where that is not known.
    ``refused`` is why we ended it.
    """

    transport: asyncio.Transport

    def __init__(self, where: str, plain: bool) -> None:
        self.where: Final = where
        self.made: Final = monotonic()
        self.written = 0
        self.read: int | None = None
        self.lost: Final[asyncio.Future[Exception | None]] = asyncio.get_running_loop().create_future()
        self.room: Final = asyncio.Event()
        self.room.set()
        self.refused: Trouble | None = None
        self._plain: Final = plain
        self._said = 0
        self._ended = False

    def write(self, data: bytes) -> None:
        """Write *data*; wait for ``room`` afterwards."""
        self.transport.write(data)
        self.written += len(data)

    def waiting(self) -> int:
        """Bytes that the other system has not got yet, at most."""
        held = self.transport.get_write_buffer_size()
        sock = self.transport.get_extra_info("socket")
        try:
            queued: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0]
        except (OSError, ValueError, AttributeError):
            queued = 0
        return held + queued

    async def end(self, patience: float) -> bool:
        """End it in order: whether the receiver did so too within *patience* seconds, and so has read everything."""
        end = monotonic() + patience
        while self.waiting() and not self.lost.done() and monotonic() < end:
            await asyncio.wait((self.lost,), timeout=0.01)
        if not self.lost.done():
            self._ended = True
            with suppress(OSError):  # It has just been reset.
                if self.transport.can_write_eof():
                    self.transport.write_eof()
                else:
                    self.transport.close()
            await asyncio.wait((self.lost,), timeout=max(0.0, end - monotonic()))
        if not self.lost.done() or self.refused or self.lost.result() is not None:
            return False
        return self.read == self.written if self._plain else self._ended

    async def refuse(self, trouble: Trouble) -> None:
        """End it at once, because of *trouble*."""
        self.refused = self.refused or trouble
        self.transport.abort()
        await asyncio.wait((self.lost,))

    @property
    def trouble(self) -> Trouble:
        """Why it is lost."""
        return self.refused or trouble_of(self.where, self.lost.result())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(_BUFFER)

    def data_received(self, data: bytes) -> None:
        self._said += len(data)
        if self._said > _MOST_SAID:
            self.refused = Trouble(f"{self.where}: it talks without end, which is no syslog", lasting=True)
            self.transport.abort()

    def eof_received(self) -> None:
        # A system ends a connection so only where the program has read everything that arrived; else it resets it.  Of TLS it is the
        # program that says so, and it may say it beforehand.
        if self._plain:
            self.read = self.written - max(0, self.waiting() - self._ended)

    def pause_writing(self) -> None:
        self.room.clear()

    def resume_writing(self) -> None:
        self.room.set()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(error)


async def connected(where: str, host: str, port: int, tls: ssl.SSLContext | None, name: str, patience: float) -> Line:
    """A connection to *port* of *host*, shown as *where*; with *tls* to one who proves to be *name*.  Raises `Trouble`."""
    loop = asyncio.get_running_loop()
    family, address = await first_address(host, port, socket.SOCK_STREAM, patience)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if sys.platform == "linux":
            for option, value in _PROBES.items():
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(max(patience, 5.0) * 1000))
        async with asyncio.timeout(patience):
            await loop.sock_connect(sock, address)
            _, line = await loop.create_connection(
                lambda: Line(where, tls is None), sock=sock, ssl=tls, server_hostname=name if tls is not None else None
            )
    except (OSError, TimeoutError, ValueError) as error:
        sock.close()
        raise trouble_of(where, error) from None
    except BaseException:
        sock.close()
        raise
    return line

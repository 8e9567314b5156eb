"""Syslog over TCP and TLS.  Nobody says what has arrived: what was sent is kept, and sent again where the connection breaks.

A receiver that breaks one connection after the other before it has read what is sent again would get the same for ever.  Then only so
many bytes go on one connection, which is ended in order: that is the one way to know that they were read.  The number is halved until it
goes well; what breaks a connection all by itself, where another message does not, is given up.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from time import monotonic
from typing import Final

from falcokit.deliver.outcome import Answer, Trouble
from falcokit.deliver.sinks.address import shown_address
from falcokit.deliver.sinks.line import Line, connected
from falcokit.deliver.sinks.tls import context_of
from falcokit.deliver.sinks.window import ROOM, YOUNG, Window
from falcokit.forward.integration import Integration
from falcokit.forward.render import framed
from falcokit.forward.target import address_of

__all__ = ["Stream"]

_TRIES: Final = 3
"""How often in a row a connection breaks soon, or a message breaks one, before something is done about it."""
_STEADY: Final = 8
"""Connections that end in order before more goes on one."""
_PROBE: Final = 0.5
"""Seconds in which somebody says so who does not want a connection, such as a server of TLS 1.3 without a certificate of ours: what is
sent meanwhile makes its reason get lost."""


class Stream:
    """A receiver at the other end of a connection."""

    window: Final = 1
    acknowledges: Final = False
    waits: Final = ""

    def __init__(self, integration: Integration) -> None:
        self._integration: Final = integration
        self._host, self._port = address_of(integration)
        self._where: Final = shown_address(self._host, self._port)
        self._timeout: Final = float(integration.option("timeout"))
        self._tls: Final = context_of(integration) if integration.option("transport") == "tls" else None
        self._line: Line | None = None
        self._window: Final = Window()
        self._wary = False
        """Whether the last connection broke soon."""
        self._short = 0
        """How many did, one after the other."""
        self._quota = 0
        """How many bytes go on one connection at most; 0 for as many as there are."""
        self._ended = 0
        """How many connections ended in order with this quota."""
        self._alone = 0
        """How many connections broke on which the message went alone that is the next one."""
        self._swapped = False
        """Whether it is tried meanwhile what another message does."""
        self.notes: Final[list[str]] = []
        self.given_up: Final[list[bytes]] = []
        self.replayed = 0
        self.maybe_lost = 0

    @property
    def unsettled(self) -> int:
        """How many of the last batches would be sent again."""
        return self._window.batches

    async def send(self, messages: Sequence[bytes]) -> Answer:
        """Send *messages*, after what has to be sent again.  Raises `Trouble`."""
        await self._flush()
        await self._connected()
        self._window.put(messages)
        try:
            await self._flush()
        except Trouble as trouble:
            # It is kept: what comes next finds the connection broken, and sends all of it again.
            self.notes.append(str(trouble))
        await self._make_room()
        return Answer(said="sent; syslog has no answer")

    async def tend(self) -> None:
        """Let old batches go; connect again where something is to be sent again.  Raises `Trouble`."""
        if self._line is not None and self._line.lost.done():
            self._lost(self._line)
        await self._flush()
        self._forget()

    async def close(self, patience: float) -> None:
        """Send what is left, and wait until the receiver ends the connection as well: then it has read everything."""
        line, self._line = self._line, None
        if line is None:
            return
        if await line.end(patience) and not self._window.pending:
            self._window.ended(line.written, monotonic(), -1.0)
        else:
            told = str(line.trouble) if line.lost.done() else f"{self._where}: it did not end the connection in order"
            self.maybe_lost += self._window.ended(line.read, monotonic())
            if again := self._window.again:
                self.notes.append(f"{told}; the last {_messages(again)} will be sent again")
        line.transport.abort()

    async def _connected(self) -> Line:
        if self._line is not None and self._line.lost.done():
            self._lost(self._line)
        if self._line is None:
            name = self._integration.text("server_name") or self._host
            line = await connected(self._where, self._host, self._port, self._tls, name, self._timeout)
            if (self._wary or self._tls is not None) and not self._quota:
                await asyncio.wait((line.lost,), timeout=_PROBE)
                if line.lost.done():
                    raise _lasting(line, str(line.trouble))
            self._line = line
        return self._line

    async def _flush(self) -> None:
        """Write what is to be written.  Raises `Trouble` where the connection breaks, or nothing moves for too long."""
        while self._window.pending or (self._quota and self._window.written):
            line = await self._connected()
            piece = self._window.next(self._quota)
            if self._quota and line.written and (piece is None or line.written + piece.size > self._quota):
                await self._finish(line)
            elif piece is not None:
                self.replayed += len(piece.messages) if piece.moment else 0
                line.write(framed(self._integration, piece.messages))
                self._window.wrote(line.written, monotonic())
                await self._wait(line)

    async def _wait(self, line: Line) -> None:
        """Until there is room for more, or the connection is lost."""
        while not line.room.is_set() and not line.lost.done():
            before = line.waiting()
            waiter = asyncio.ensure_future(line.room.wait())
            try:
                await asyncio.wait((waiter, line.lost), timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiter.cancel()
            if not line.room.is_set() and not line.lost.done() and line.waiting() >= before:
                await line.refuse(Trouble(f"{self._where}: it takes nothing"))
        if line.lost.done():
            self._lost(line)

    async def _finish(self, line: Line) -> None:
        """End a connection that has had its share.  Raises `Trouble`."""
        if not await line.end(self._timeout):
            if not line.lost.done():
                await line.refuse(Trouble(f"{self._where}: it does not read what it gets"))
            self._lost(line)
            return
        line.transport.abort()
        self._line = None
        self._window.ended(line.written, monotonic(), -1.0)
        self._is_well()
        self._ended += 1
        if self._ended >= _STEADY:
            self._ended = 0
            self._quota = self._quota * 2 if self._quota < ROOM else 0

    def _is_well(self) -> None:
        """The receiver has read what it got."""
        self._alone = 0
        if self._swapped:
            # So it is the message.
            self._swapped = False
            self.given_up.extend(self._window.give_up())

    def _lost(self, line: Line) -> None:
        """Take note of a connection that has broken.  Raises `Trouble` where there is reason to wait."""
        line.transport.abort()
        self._line = None
        soon = monotonic() - line.made < YOUNG
        count, kept = self._window.written, self._window.bytes
        lost = self._window.ended(line.read, monotonic(), -1.0 if self._quota else YOUNG)
        again = self._window.again
        self._wary = soon and bool(again)
        self._short = self._short + 1 if self._wary and not line.refused else 0
        if again and not self._quota:
            self.maybe_lost += lost
            more = f"; {_messages(lost)} sent before these may be lost" if lost else ""
            told = f"{line.trouble}; the last {_messages(again)} are sent again{more}"
            if self._short >= _TRIES and not isinstance(line.lost.result(), ssl.SSLError):
                self._quota, self._ended = max(1, line.written // 2), 0
                self.notes.append(f"{told}; {self._short} connections broke one after the other: now few messages go on one, until it is known that they were read")  # fmt: skip
            elif self._wary or line.refused:
                raise _lasting(line, told)
            else:
                self.notes.append(told)
        elif again and self._window.bytes < kept:
            self._is_well()
        elif again:
            self._is_halved(line, count)
        elif line.refused:
            raise line.refused

    def _is_halved(self, line: Line, count: int) -> None:
        """Make less of what goes on one connection, after one with *count* messages.  Raises `Trouble`."""
        if not count:
            raise line.trouble
        self._quota, self._ended = max(1, min(self._quota, line.written) // 2), 0
        if line.refused:
            raise line.refused
        if count > 1:
            return
        self._quota = 1
        if self._swapped:
            # It is the receiver, and not the message.
            self._window.swap()
            self._swapped, self._alone = False, 0
        else:
            self._alone += 1
            if self._alone >= _TRIES and self._window.swap():
                self._swapped = True
                return
        raise line.trouble

    async def _make_room(self) -> None:
        self._forget()
        while self._window.is_full and self._line is not None and not self._line.lost.done():
            # The other system does not take it as fast: so few bytes are not worth a waiter.
            await asyncio.wait((self._line.lost,), timeout=0.02)
            self._forget()

    def _forget(self) -> None:
        if self._line is not None:
            self._window.forget(self._line.written - self._line.waiting(), monotonic())


def _lasting(line: Line, told: str) -> Trouble:
    """The trouble that *line* was lost, in which waiting alone does not help where it is one of TLS."""
    return Trouble(told, lasting=line.trouble.lasting or isinstance(line.lost.result(), ssl.SSLError))


def _messages(count: int) -> str:
    return f"{count} message" + "s" * (count != 1)

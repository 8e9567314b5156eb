"""The HTTP server: Falco's ``http_output``, falcosidekick's webhook, and whatever else posts events."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from aiohttp import hdrs, web

from falcokit.errors import ConfigError
from falcokit.receive.body import MAX_BODY, Refused, lines_of, unpacked
from falcokit.receive.folding import Folding
from falcokit.receive.http import Bodies, answered, reply, served, token_given
from falcokit.receive.intake import Intake
from falcokit.receive.spool import Spool
from falcokit.record import Record

__all__ = ["Counts", "is_loopback", "receive"]

_LARGE: Final = 1 << 16
"""Bytes from which on a body is read beside the server, so that others are answered meanwhile."""


class Counts(Record):
    """How many events were ``kept`` on disk and acknowledged, how many were ``new`` in the history, and how many bytes are ``left``
    in the spool."""

    __slots__ = ("kept", "left", "new")

    def __init__(self, kept: int, new: int, left: int) -> None:
        self.kept: Final = kept
        self.new: Final = new
        self.left: Final = left


def receive(
    address: tuple[str, int],
    spool: Spool,
    store: str,
    token: str,
    limit: int,
    say: Callable[[str], object],
    ready: Callable[[str, int], object],
) -> Counts:
    """Take events at *address* until SIGINT or SIGTERM; *ready* is told where, once it is so.

    What is acknowledged is in *spool*, which holds *limit* bytes at most, and soon in the history at *store*.  Without a *token*
    everyone may send.  *say* is told in sentences of what goes wrong.  Raises `ConfigError`.
    """
    return asyncio.run(_receive(address, _Receiver(spool, store, token, limit, say), ready))


async def _receive(address: tuple[str, int], receiver: _Receiver, ready: Callable[[str, int], object]) -> Counts:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with served(receiver.answer, address) as (host, port):
        ready(host, port)
        writing = loop.create_task(receiver.intake.run())
        folding = loop.create_task(receiver.folding.until(stop))
        await stop.wait()
    await folding
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
    return await receiver.end()


class _Receiver:
    """What answers requests."""

    def __init__(self, spool: Spool, store: str, token: str, limit: int, say: Callable[[str], object]) -> None:
        self.intake: Final = Intake(spool, limit)
        self.folding: Final = Folding(spool, store, say)
        self._spool: Final = spool
        self._token: Final = token
        self._bodies: Final = Bodies(
            MAX_BODY, f"a body of more than {MAX_BODY} bytes is refused: send the events in parts"
        )
        self._reader: Final = ThreadPoolExecutor(1)
        self._kept = 0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """The answer to *request*; 200 says that all its events are on disk."""
        return await answered(request, self._answer, self._trouble)

    def _trouble(self, error: OSError) -> None:
        self.folding.tell(f"cannot write {self._spool.folder}: {(error.strerror or 'it failed').lower()}")

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.method in ("GET", "HEAD") and request.path == "/healthz":
            return reply(503, "the spool is full") if self.intake.full else reply(200, "ok")
        if request.method not in ("POST", "PUT"):
            return reply(405, "events are sent by POST", Allow="POST, PUT")
        if hdrs.ORIGIN in request.headers:
            # A page that someone looks at on this machine could write into the history.
            raise Refused(403, "web pages cannot send events")
        if not token_given(request, self._token, in_address=True):
            return reply(401, "the token is missing, or is another one", **{"WWW-Authenticate": "Bearer"})
        async with self._bodies.body(request) as body:
            return await self._take(body, request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower())

    async def _take(self, body: bytes, encoding: str) -> web.Response:
        if len(body) < _LARGE and not encoding and body[:1] in (b"{", b"["):
            lines, trouble = lines_of(body)
        else:
            loop = asyncio.get_running_loop()
            lines, trouble = await loop.run_in_executor(self._reader, lambda: lines_of(unpacked(body, encoding)))
        await self.intake.keep(lines)
        self._kept += len(lines)
        return reply(200, f"{len(lines)} kept" + (f"; not all was an event: {trouble}" if trouble else ""))

    async def end(self) -> Counts:
        """Put in what is left."""
        await self.folding.end()
        return Counts(self._kept, self.folding.new, self._spool.size)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on *host*.  Raises `ConfigError` for a name that nobody knows."""
    import ipaddress

    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ConfigError(f"cannot listen on {host}: there is no such host") from None
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)

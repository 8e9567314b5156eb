"""The HTTP server: Falco's ``http_output``, falcosidekick's webhook, and whatever else posts events."""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from aiohttp import hdrs, web

from falcokit.errors import ConfigError
from falcokit.history.store import Held
from falcokit.receive.body import MAX_BODY, Refused, lines_of, unpacked
from falcokit.receive.fold import fold
from falcokit.receive.intake import Full, Intake
from falcokit.receive.spool import Spool
from falcokit.record import Record

__all__ = ["Counts", "is_loopback", "receive"]

_MAX_CONNECTIONS: Final = 512
"""How many there may be, and as many more as come at one time."""
_BACKLOG: Final = 128
_MAX_HELD: Final = 1 << 26
"""Bytes of bodies that are in memory at once."""
_BODY_TIMEOUT: Final = 20.0
"""Seconds in which a body has to be there."""
_IDLE: Final = 75.0
"""Seconds that a connection may be without a request, or a request without the end of its head."""
_FOLD_EVERY: Final = 1.0
_PATIENCE: Final = 1.0
_LONG_WAIT: Final = 30
"""How often the history was not to be had before it is told."""
_LAST_PATIENCE: Final = 15.0
"""Seconds that the end waits for others who have the history."""
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
    silent = logging.getLogger("falcokit.receive")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False  # Addresses can have tokens in them.
    server = web.Server(
        receiver.answer,
        access_log=None,
        logger=silent,
        auto_decompress=False,  # It would unpack without a limit.
        keepalive_timeout=_IDLE,
        lingering_time=5.0,
    )
    runner = web.ServerRunner(server, shutdown_timeout=5.0)
    await runner.setup()

    def connect() -> asyncio.Protocol:
        return server() if len(server.connections) < _MAX_CONNECTIONS else _Busy()

    try:
        listening = await loop.create_server(connect, *address, backlog=_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else "it failed"
        raise ConfigError(f"cannot listen on {address[0]}:{address[1]}: {reason}") from None
    ready(*listening.sockets[0].getsockname()[:2])
    writing = loop.create_task(receiver.intake.run())
    folding = loop.create_task(receiver.fold_until(stop))
    await stop.wait()
    listening.close()
    await runner.cleanup()
    await folding
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
    return await receiver.end()


class _Receiver:
    """What answers requests."""

    def __init__(self, spool: Spool, store: str, token: str, limit: int, say: Callable[[str], object]) -> None:
        self.intake: Final = Intake(spool, limit)
        self._spool: Final = spool
        self._store: Final = store
        self._token: Final = token.encode()
        self._say: Final = say
        self._reader: Final = ThreadPoolExecutor(1)
        self._folder: Final = ThreadPoolExecutor(1)
        self._held = self._kept = self._new = self._waits = 0
        self._trouble = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """The answer to *request*; 200 says that all its events are on disk."""
        try:
            return await self._answer(request)
        except Refused as refused:
            return _answer(refused.status, str(refused))
        except Full:
            return _answer(503, "the spool is full, events have to wait: send them again later")
        except OSError as error:
            if isinstance(error, ConnectionError):
                raise
            self._tell(f"cannot write {self._spool.folder}: {(error.strerror or 'it failed').lower()}")
            return _answer(503, "the disk does not take events: send them again later")

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.method in ("GET", "HEAD") and request.path == "/healthz":
            return _answer(503, "the spool is full") if self.intake.full else _answer(200, "ok")
        if request.method not in ("POST", "PUT"):
            return _answer(405, "events are sent by POST", Allow="POST, PUT")
        if hdrs.ORIGIN in request.headers:
            # A page that someone looks at on this machine could write into the history.
            raise Refused(403, "web pages cannot send events")
        if not self._may(request):
            return _answer(401, "the token is missing, or is another one", **{"WWW-Authenticate": "Bearer"})
        if (request.content_length or 0) > MAX_BODY:
            raise Refused(413, f"a body of more than {MAX_BODY} bytes is refused: send the events in parts")
        pieces: list[bytes] = []
        held = 0
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # That was no answer yet.
        try:
            async with asyncio.timeout(_BODY_TIMEOUT):
                while piece := await request.content.readany():
                    held += len(piece)
                    self._held += len(piece)
                    if held > MAX_BODY:
                        raise Refused(413, f"a body of more than {MAX_BODY} bytes is refused: send the events in parts")
                    if self._held > _MAX_HELD:
                        raise Full
                    pieces.append(piece)
            body = b"".join(pieces)
            pieces.clear()
            return await self._take(body, request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower())
        except TimeoutError:
            return _answer(408, f"the body was not there after {_BODY_TIMEOUT:.0f} seconds")
        except web.RequestPayloadError:
            return _answer(400, "the body is not what its head says")
        finally:
            self._held -= held

    async def _take(self, body: bytes, encoding: str) -> web.Response:
        if len(body) < _LARGE and not encoding and body[:1] in (b"{", b"["):
            lines, trouble = lines_of(body)
        else:
            loop = asyncio.get_running_loop()
            lines, trouble = await loop.run_in_executor(self._reader, lambda: lines_of(unpacked(body, encoding)))
        await self.intake.keep(lines)
        self._kept += len(lines)
        return _answer(200, f"{len(lines)} kept" + (f"; not all was an event: {trouble}" if trouble else ""))

    def _may(self, request: web.BaseRequest) -> bool:
        if not self._token:
            return True
        kind, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if kind.lower() != "bearer":
            given = request.query.get("token", "")
        return hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)

    async def fold_until(self, stop: asyncio.Event) -> None:
        """Put what is in the spool into the history every now and then, until *stop* is set."""
        while not stop.is_set():
            await self._fold(_PATIENCE)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _FOLD_EVERY)

    async def end(self) -> Counts:
        """Put in what is left."""
        before = -1
        while not self._spool.empty and self._spool.size != before:
            before = self._spool.size
            if not await self._fold(_LAST_PATIENCE):
                break
        return Counts(self._kept, self._new, self._spool.size)

    async def _fold(self, patience: float) -> bool:
        loop = asyncio.get_running_loop()
        try:
            self._new += await loop.run_in_executor(
                self._folder, fold, self._spool, self._store, patience, self._say_from_thread(loop)
            )
        except Held as held:
            # Others read: they will be done.
            self._waits += 1
            if self._waits == _LONG_WAIT:
                self._tell(f"{held}; events wait in the spool")
            return False
        except (ConfigError, OSError) as error:
            self._tell(str(error))
            return False
        self._trouble, self._waits = "", 0
        return True

    def _say_from_thread(self, loop: asyncio.AbstractEventLoop) -> Callable[[str], object]:
        return lambda sentence: loop.call_soon_threadsafe(self._say, sentence)

    def _tell(self, trouble: str) -> None:
        """Say it, but not again and again."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._say(f"{trouble}; trying again")


class _Busy(asyncio.Protocol):
    """Refuses a connection while there are enough."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        transport.close()


def _answer(status: int, sentence: str, **headers: str) -> web.Response:
    if status == 503:
        headers["Retry-After"] = "1"
    # What was sent comes back in it: nothing may take it for a page.
    response = web.Response(
        status=status, text=sentence + "\n", headers={"X-Content-Type-Options": "nosniff", **headers}
    )
    if status in (401, 403, 408, 413, 503):
        response.force_close()
    return response


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on *host*.  Raises `ConfigError` for a name that nobody knows."""
    import ipaddress

    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ConfigError(f"cannot listen on {host}: there is no such host") from None
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)

"""What every receiver is made of: a server at one address, bodies within limits, tokens, answers in a sentence."""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import hdrs, web

from falcokit.errors import ConfigError
from falcokit.receive.body import Refused
from falcokit.receive.intake import Full

__all__ = ["Bodies", "answered", "reply", "served", "token_given"]

_BACKLOG: Final = 128
_MAX_CONNECTIONS: Final = 512
"""How many there may be, and as many more as come at one time."""
_MAX_HELD: Final = 1 << 26
"""Bytes of bodies that are in memory at once."""
_BODY_TIMEOUT: Final = 20.0
"""Seconds in which a body has to be there."""
_IDLE: Final = 75.0
"""Seconds that a connection may be without a request, or a request without the end of its head."""
_HANDSHAKE: Final = 10.0


@asynccontextmanager
async def served(
    answer: Callable[[web.BaseRequest], Awaitable[web.Response]],
    address: tuple[str, int],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[tuple[str, int]]:
    """Requests at *address* get what *answer* says; gives host and port.  At the end those that have begun get their answers.

    Raises `ConfigError` where nobody can listen there.
    """
    loop = asyncio.get_running_loop()
    silent = logging.getLogger("falcokit.receive")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False  # Addresses can have tokens in them.
    if tls is not None:
        loop.set_exception_handler(lambda *_: None)  # Connections that break off during a handshake are no news.
    server = web.Server(
        answer,
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

    patience = _HANDSHAKE if tls is not None else None
    try:
        listening = await loop.create_server(
            connect, *address, backlog=_BACKLOG, ssl=tls, ssl_handshake_timeout=patience
        )
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)  # The text of the error says the address again.
        reason = os.strerror(number).lower() if number and number > 0 else "it failed"
        raise ConfigError(f"cannot listen on {address[0]}:{address[1]}: {reason}") from None
    try:
        yield listening.sockets[0].getsockname()[:2]
    finally:
        listening.close()
        await runner.cleanup()


class _Busy(asyncio.Protocol):
    """Refuses a connection while there are enough."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        transport.close()


class Bodies:
    """The bodies of requests: of *most* bytes each, and of so many together as have room in memory; *too_large* says the first."""

    def __init__(self, most: int, too_large: str) -> None:
        self._most: Final = most
        self._too_large: Final = too_large
        self._held = 0

    @asynccontextmanager
    async def body(self, request: web.BaseRequest) -> AsyncIterator[bytes]:
        """The body of *request*, which counts until it is done with.  Raises `Refused`, `Full`."""
        if (request.content_length or 0) > self._most:
            raise Refused(413, self._too_large)
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # That was no answer yet.
        pieces: list[bytes] = []
        held = 0
        try:
            try:
                async with asyncio.timeout(_BODY_TIMEOUT):
                    while piece := await request.content.readany():
                        held += len(piece)
                        self._held += len(piece)
                        if held > self._most:
                            raise Refused(413, self._too_large)
                        if self._held > _MAX_HELD:
                            raise Full
                        pieces.append(piece)
            except TimeoutError:
                raise Refused(408, f"the body was not there after {_BODY_TIMEOUT:.0f} seconds") from None
            except web.RequestPayloadError:
                raise Refused(400, "the body is not what its head says") from None
            body = b"".join(pieces)
            pieces.clear()
            yield body
        finally:
            self._held -= held


def token_given(request: web.BaseRequest, token: str, *, in_address: bool = False) -> bool:
    """Whether *request* has *token* behind ``Bearer``, or with *in_address* as ``?token=``; everyone has an empty one."""
    if not token:
        return True
    kind, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if kind.lower() != "bearer":
        given = request.query.get("token", "") if in_address else ""
    return hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())


async def answered(
    request: web.BaseRequest,
    answer: Callable[[web.BaseRequest], Awaitable[web.Response]],
    tell: Callable[[OSError], object],
) -> web.Response:
    """What *answer* says, or why the events are not taken; *tell* is told where the disk is the reason."""
    try:
        return await answer(request)
    except Refused as refused:
        return reply(refused.status, str(refused))
    except Full:
        return reply(503, "the spool is full, events have to wait: send them again later")
    except ConnectionError:
        raise
    except OSError as error:
        tell(error)
        return reply(503, "the disk does not take events: send them again later")


def reply(status: int, sentence: str, **headers: str) -> web.Response:
    """An answer that says *sentence*."""
    if status == 503:
        headers["Retry-After"] = "1"
    # What was sent comes back in it: nothing may take it for a page.
    response = web.Response(
        status=status, text=sentence + "\n", headers={"X-Content-Type-Options": "nosniff", **headers}
    )
    if status in (401, 403, 408, 413, 503):
        response.force_close()
    return response

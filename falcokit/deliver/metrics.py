"""The numbers of a run for Prometheus, over HTTP on this machine only."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable
from typing import Final

from aiohttp import web

from falcokit.errors import ConfigError

__all__ = ["serve_metrics"]

_MOST_CONNECTIONS: Final = 32
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


async def serve_metrics(address: tuple[str, int], text: Callable[[], str]) -> Callable[[], object]:
    """Answer ``GET /metrics`` at *address* with *text*; what ends it is returned.  Raises `ConfigError`."""
    host, port = address
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port)
        if not all(ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_loopback for one in found):
            raise ConfigError(
                f"metrics are for this machine only: give an address such as 127.0.0.1:{port}, not {host}"
            )
    except (OSError, UnicodeError):
        raise ConfigError(f"there is no host {host}") from None

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET"})
        # A page that was led here by a name of its own must not read them.
        if request.host.rpartition(":")[0].strip("[]") not in (*_LOCAL, host):
            return web.Response(status=403)
        if request.path != "/metrics":
            return web.Response(status=404, text="the numbers are at /metrics\n")
        return web.Response(text=text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    silent = logging.getLogger("falcokit.deliver")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False
    server = web.Server(answer, access_log=None, logger=silent, keepalive_timeout=5.0)
    runner = web.ServerRunner(server, shutdown_timeout=1.0)
    await runner.setup()

    def connect() -> asyncio.Protocol:
        return server() if len(server.connections) < _MOST_CONNECTIONS else _Busy()

    try:
        listening = await loop.create_server(connect, host, port)
    except OSError as error:
        await runner.cleanup()
        raise ConfigError(f"cannot listen on {host}:{port}: {(error.strerror or 'it failed').lower()}") from None
    return listening.close


class _Busy(asyncio.Protocol):
    """Refuses a connection while there are enough."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()

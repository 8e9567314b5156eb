"""The address behind a name, and what is said where there is none or nobody answers."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import Any

from falcokit.deliver.outcome import Trouble

__all__ = ["first_address", "shown_address", "trouble_of"]


async def first_address(
    host: str, port: int, kind: socket.SocketKind, patience: float
) -> tuple[socket.AddressFamily, Any]:
    """The first address that *host* stands for.  Raises `Trouble`."""
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(loop.getaddrinfo(host, port, type=kind), patience)
    except (OSError, UnicodeError):
        raise Trouble(f"there is no host {host}") from None
    except TimeoutError:
        raise Trouble(f"looking up {host} takes too long") from None
    return found[0][0], found[0][4]


def shown_address(host: str, port: int) -> str:
    """How an address is written."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def trouble_of(where: str, error: BaseException | None) -> Trouble:
    """What *error*, that came up with the receiver at *where*, means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = str(error.verify_message or "it is not trusted").rstrip(".")
        return Trouble(f"{where}: its certificate is refused: {reason[:200]}", lasting=True)
    if isinstance(error, ssl.SSLError):
        return Trouble(f"{where}: TLS failed: {(error.reason or 'it was ended').replace('_', ' ').lower()[:200]}")
    if isinstance(error, TimeoutError):
        return Trouble(f"{where}: it does not answer")
    if isinstance(error, ConnectionResetError | BrokenPipeError) or error is None:
        return Trouble(f"{where}: it ended the connection", broken=True)
    if isinstance(error, OSError):
        reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "the connection failed"
        return Trouble(f"{where}: {reason}", broken=True)
    return Trouble(f"{where}: {type(error).__name__}")

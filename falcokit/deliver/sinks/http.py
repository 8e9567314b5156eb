"""Requests to a receiver: nothing in its answers is trusted, no redirect is followed, and no error repeats a URL or a header."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import orjson

from falcokit.deliver.outcome import Refused, Trouble
from falcokit.deliver.retry import seconds_after
from falcokit.deliver.secret import headers
from falcokit.deliver.sinks.address import trouble_of
from falcokit.deliver.sinks.tls import context_of
from falcokit.forward.integration import Integration

__all__ = ["Client", "Reply", "checked"]

_MOST_SAID: Final = 1 << 23
"""Bytes of an answer that are read at most: one with a line for each of ten thousand events has less."""
_SMALLEST_PACKED: Final = 512
_AGENT: Final = "falcokit"
_NONE: Final[Mapping[str, str]] = {}


class Reply:
    """An answer: its ``status``, its ``body`` as far as it was read, the seconds that it asks to wait."""

    __slots__ = ("after", "body", "cut", "status")

    def __init__(self, status: int, body: bytes, after: float | None, cut: bool) -> None:
        self.status: Final = status
        self.body: Final = body
        self.after: Final = after
        self.cut: Final = cut

    def json(self) -> Any:
        """The object that it is; an empty one where it is none."""
        return self.object() or {}

    def object(self) -> dict[str, Any] | None:
        """The object that it is; None where it is none."""
        try:
            found = orjson.loads(self.body)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def text(self) -> str:
        """Its beginning, for people."""
        return " ".join(self.body[:400].decode("utf-8", "replace").split())[:160]


class Client:
    """What sends requests to the receiver of *integration*."""

    def __init__(self, integration: Integration, url: str) -> None:
        """Raises `ConfigError`."""
        self._url: Final = url
        parts = urlsplit(url)
        self.where: Final = parts.netloc
        self.path: Final = parts.path
        self._integration: Final = integration
        self._gzip: Final = bool(integration.option("gzip"))
        self._timeout: Final = float(integration.option("timeout"))
        self._tls: Final = context_of(integration) if parts.scheme.lower() == "https" else True
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, more: Mapping[str, str] = _NONE, url: str = "") -> Reply:
        """The answer to *body*, sent with the headers of the integration and *more*.  Raises `Trouble` where there is none."""
        send = {**headers(self._integration), **more}
        if self._gzip and len(body) >= _SMALLEST_PACKED and not url:
            body = gzip.compress(body, 6, mtime=0)
            send["Content-Encoding"] = "gzip"
        try:
            async with asyncio.timeout(self._timeout):
                async with self._opened().post(
                    url or self._url, data=body, headers=send, allow_redirects=False, ssl=self._tls
                ) as answer:
                    pieces: list[bytes] = []
                    size = 0
                    while size <= _MOST_SAID and (piece := await answer.content.readany()):
                        pieces.append(piece)
                        size += len(piece)
                    if size > _MOST_SAID:
                        answer.close()
                    after = seconds_after(answer.headers.get("Retry-After", ""), time.time())
                    return Reply(answer.status, b"".join(pieces), after, size > _MOST_SAID)
        except aiohttp.ClientConnectorCertificateError as error:
            raise trouble_of(self.where, error.certificate_error) from None
        except aiohttp.ClientConnectorDNSError:
            raise Trouble(f"{self.where}: there is no such host") from None
        except aiohttp.ClientConnectorError as error:
            raise trouble_of(self.where, error.os_error) from None
        except TimeoutError:
            raise Trouble(f"{self.where}: it does not answer in {self._timeout:g} seconds") from None
        except aiohttp.ServerDisconnectedError:
            raise Trouble(f"{self.where}: it ended the connection", broken=True) from None
        except aiohttp.ClientPayloadError:
            raise Trouble(f"{self.where}: its answer has no end", broken=True) from None
        except aiohttp.ClientOSError as error:
            raise trouble_of(self.where, error) from None
        except aiohttp.ClientError:
            raise Trouble(f"{self.where}: its answer is no HTTP") from None
        except (OSError, ValueError) as error:
            raise trouble_of(self.where, error) from None

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,  # It would unpack without a limit.
                headers={"User-Agent": _AGENT, "Accept-Encoding": "identity"},
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                connector=aiohttp.TCPConnector(limit=16),
                trust_env=False,
            )
        return self._session


def checked(where: str, reply: Reply) -> Reply:
    """*reply* where it says that all is well, by what every HTTP receiver means.  Raises `Trouble` and `Refused`."""
    status = reply.status
    if 200 <= status < 300:
        return reply
    said = f": {reply.text()}" if reply.body else ""
    if 300 <= status < 400:
        raise Trouble(
            f"{where}: it sends elsewhere (HTTP {status}), and redirects are not followed: write the right URL",
            lasting=True,
        )
    if status in (400, 413, 422):
        raise Refused(f"{where}: HTTP {status}{said}")
    if status == 401 or status == 403 or status == 407:
        raise Trouble(f"{where}: it does not let us in (HTTP {status}): check the secrets", reply.after, lasting=True)
    if status in (408, 425, 429) or status >= 500:
        raise Trouble(f"{where}: it is busy or broken (HTTP {status})", reply.after)
    raise Trouble(f"{where}: HTTP {status}{said}: check the URL", reply.after, lasting=True)

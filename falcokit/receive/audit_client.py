"""Sending audit events as the webhook backend of an API server does: one POST for each list, no redirects."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from socket import SHUT_RDWR
from threading import Timer
from typing import Final
from urllib.parse import urlsplit

from falcokit.errors import ConfigError
from falcokit.record import Record

__all__ = ["Reply", "Webhook", "webhook_at"]

_MAX_ANSWER: Final = 4096
"""Bytes of an answer that are read."""


class Reply(Record):
    """What was answered: the HTTP ``status``, and the beginning of the ``text``; 0 and a sentence where there was no answer."""

    __slots__ = ("status", "text")

    def __init__(self, status: int, text: str) -> None:
        self.status: Final = status
        self.text: Final = text

    @property
    def accepted(self) -> bool:
        """Whether the events were taken, as the API server sees it."""
        return 200 <= self.status < 300


class Webhook:
    """What takes events at *host*, *port* and *path*; ``shown`` is its address as it can be printed."""

    def __init__(
        self, host: str, port: int, path: str, tls: ssl.SSLContext | None, headers: Mapping[str, str], timeout: float
    ) -> None:
        self._host: Final = host
        self._port: Final = port
        self._path: Final = path
        self._tls: Final = tls
        self._headers: Final = {"Content-Type": "application/json", "Accept": "application/json, */*", **headers}
        self._timeout: Final = timeout
        shown = f"[{host}]" if ":" in host else host
        self.shown: Final = f"{'http' if tls is None else 'https'}://{shown}:{port}{path}"

    def send(self, body: bytes) -> Reply:
        """Send one list of events; the whole takes no longer than the timeout."""
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        else:
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)
        late = Timer(self._timeout, _cut, (connection,))
        late.daemon = True
        try:
            late.start()
            connection.request("POST", self._path, body, self._headers)
            answer = connection.getresponse()
            text = answer.read(_MAX_ANSWER).decode("utf-8", "replace")
            return Reply(answer.status, " ".join(text.split()))
        except TimeoutError:
            return Reply(0, f"no answer within {self._timeout:g} seconds")
        except ssl.SSLCertVerificationError as error:
            return Reply(0, f"the certificate is not believed: {error.verify_message.lower()}")
        except ssl.SSLError as error:
            return Reply(0, f"TLS failed: {(error.reason or 'no agreement').lower().replace('_', ' ')}")
        except (OSError, http.client.HTTPException) as error:
            if late.finished.is_set():
                return Reply(0, f"no answer within {self._timeout:g} seconds")
            if isinstance(error, OSError):
                return Reply(0, (error.strerror or "the connection failed").lower())
            return Reply(0, "the answer is no HTTP")
        finally:
            late.cancel()
            connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        try:
            connection.sock.shutdown(SHUT_RDWR)
        except OSError:
            return  # It is closed.


def webhook_at(url: str, *, ca: str = "", cert: str = "", key: str = "", token: str = "", timeout: float) -> Webhook:
    """What takes events at *url*; *ca*, *cert* and *key* are files for TLS.  Raises `ConfigError`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError("this is no URL: write http://ADDRESS:9765/k8s-audit") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError("the URL has to begin with http:// or https://, as in http://127.0.0.1:9765/k8s-audit")
    if parts.username is not None:
        raise ConfigError("names and passwords do not belong into a URL: give a token by --token-file")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if any(not " " < letter < "\x7f" for letter in path) or any(letter <= " " for letter in host):
        raise ConfigError("the URL has a character in it that has to be escaped")
    tls = None
    if parts.scheme == "https":
        tls = _context(ca, cert, key)
    elif ca or cert or key:
        raise ConfigError("certificates are for https://")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Webhook(host, port or (443 if tls is not None else 80), path, tls, headers, timeout)


def _context(ca: str, cert: str, key: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot use {ca}: {_reason(error, 'it has no certificate')}") from None
    if cert or key:
        if not cert:
            raise ConfigError("--key needs a --cert beside it")
        with_key(context, cert, key)
    return context


def with_key(context: ssl.SSLContext, cert: str, key: str) -> None:
    """Give *context* a certificate and its key, which may be in the same file.  Raises `ConfigError`."""

    def refuse() -> str:
        raise ConfigError(f"the key of {cert} is encrypted: give one that is not")

    try:
        context.load_cert_chain(cert, key or None, refuse)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot use {cert}{f' with {key}' if key else ''}: {_reason(error, 'certificate and key do not fit')}"
        ) from None


def _reason(error: Exception, otherwise: str) -> str:
    if isinstance(error, ssl.SSLError) or not isinstance(error, OSError):
        return otherwise
    return (error.strerror or otherwise).lower()

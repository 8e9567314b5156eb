"""A webhook for Kubernetes audit events: what an API server sends, matched at once, as Falco with its plugin would.

What it takes is what the plugin k8saudit takes (source.go in falcosecurity/plugins): POST, application/json, 12 MiB at most.  It answers
200 once alerts are printed and safe on disk, so that what was not acknowledged is sent again; the plugin answers before it looks.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import signal
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from aiohttp import hdrs, web

from falcokit.errors import ConfigError
from falcokit.evaluate import Matcher
from falcokit.evaluate.output import AlertFormat, json_line, text_line
from falcokit.event import AuditEvent, audit_events
from falcokit.history.store import Held
from falcokit.receive.body import Refused
from falcokit.receive.fold import fold
from falcokit.receive.intake import Full, Intake
from falcokit.receive.spool import Spool
from falcokit.record import Record

__all__ = ["KEPT", "MAX_BATCH", "Door", "Seen", "Total", "Watch", "receive_audit"]

MAX_BATCH: Final = 12_582_912
"""Bytes that a body may have: the plugin's webhookMaxBatchSize."""
KEPT: Final = ("alerts", "events", "all")
"""What can be put into the history: alerts about events, the events themselves, or both."""
_SPOOL: Final = 1 << 30
"""Bytes that may wait for the history."""
_SOURCE: Final = "k8s_audit"
_KIND: Final = '{"kind":"Event","apiVersion":"audit.k8s.io/v1",'
_MAX_CONNECTIONS: Final = 256
_MAX_HELD: Final = 1 << 26
"""Bytes of bodies that are in memory at once."""
_BODY_TIMEOUT: Final = 30.0
_IDLE: Final = 75.0
"""Seconds that a connection may be without a request, or a request without the end of its head."""
_FOLD_EVERY: Final = 1.0
_PATIENCE: Final = 1.0
_LAST_PATIENCE: Final = 15.0


class Door(Record):
    """Where events come in: host and port of ``address``, ``path``, a ``token`` if senders have to give one, and ``tls``."""

    __slots__ = ("address", "path", "tls", "token")

    def __init__(self, address: tuple[str, int], path: str, token: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.address: Final = address
        self.path: Final = path
        self.token: Final = token
        self.tls: Final = tls


class Seen(Record):
    """What one body held: how many ``events``, on how many of them rules ``fired``, what is ``printed``, the ``lines`` to keep."""

    __slots__ = ("events", "fired", "lines", "printed")

    def __init__(self, events: int, fired: int, printed: str, lines: list[bytes]) -> None:
        self.events: Final = events
        self.fired: Final = fired
        self.printed: Final = printed
        self.lines: Final = lines


class Watch:
    """Asks *matcher* about events, and writes alerts as Falco does: texts, or with *json* objects, one a line.

    *keep* is one of `KEPT`, empty where nothing is kept.
    """

    def __init__(self, matcher: Matcher, *, json: bool, keep: str, host: str) -> None:
        self._matcher: Final = matcher
        self._json: Final = json
        self._keep: Final = keep
        self._host: Final = host
        self._formats: Final[dict[str, AlertFormat]] = {}

    def see(self, body: bytes) -> Seen:
        """What is in *body*.  Raises `Refused` where there is no event."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise Refused(400, "the body is no UTF-8") from None
        events = audit_events(text)
        if not events:
            raise Refused(
                400, "the body is neither an Event nor an EventList of audit.k8s.io, or has no event with a time"
            )
        printed: list[str] = []
        lines: list[bytes] = []
        fired = 0
        for event in events:
            if self._keep in ("events", "all"):
                lines.append(_written(event))
            rules = self._matcher.fired(event, _SOURCE)
            fired += bool(rules)
            for rule in rules:
                form = self._formats.get(rule.name)
                if form is None:
                    form = self._formats[rule.name] = AlertFormat(rule, self._matcher.catalogue)
                time = event.get("evt.rawtime")
                alert = form.alert(event, time if isinstance(time, int) else None, self._host)
                line = json_line(alert)
                printed.append((line.decode() if self._json else text_line(alert)) + "\n")
                if self._keep in ("alerts", "all"):
                    lines.append(line)
        return Seen(len(events), fired, "".join(printed), lines)


def _written(event: AuditEvent) -> bytes:
    """The event by itself; in a list it did not say its kind."""
    text = event.compact()
    if event.get("json.value[/kind]") != "Event":
        text = _KIND + text.removeprefix("{")
    return text.encode("utf-8", "replace").replace(b"\n", b" ")


class Total(Record):
    """What a run has seen: ``events``, on how many rules ``fired``, how many rows are ``new`` in the history, what is ``left``.

    ``unread`` says that the run ended because nobody reads what it prints.
    """

    __slots__ = ("events", "fired", "left", "new", "unread")

    def __init__(self, events: int, fired: int, new: int, left: int, unread: bool = False) -> None:
        self.unread: Final = unread
        self.events: Final = events
        self.fired: Final = fired
        self.new: Final = new
        self.left: Final = left


def receive_audit(
    door: Door,
    watch: Watch,
    spool: Spool | None,
    store: str,
    most: int,
    show: Callable[[str], bool],
    say: Callable[[str], object],
    ready: Callable[[str, int], object],
) -> Total:
    """Take events until SIGINT or SIGTERM, or *most* events if that is not 0; *ready* is told where, once it is so.

    *show* prints alerts, and is False where nobody reads them any more, which ends it as well.  With a *spool* what the watch keeps goes
    by way of it into the history at *store*.  *say* is told in sentences of what goes wrong.  Raises `ConfigError`.
    """
    return asyncio.run(_receive(door, _Receiver(door, watch, spool, store, most, show, say), ready))


async def _receive(door: Door, receiver: _Receiver, ready: Callable[[str, int], object]) -> Total:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, receiver.stop.set)
    silent = logging.getLogger("falcokit.receive.audit")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False
    loop.set_exception_handler(lambda *_: None)  # Connections that break off during a handshake are no news.
    server = web.Server(
        receiver.answer,
        access_log=None,
        logger=silent,
        auto_decompress=False,
        keepalive_timeout=_IDLE,
        lingering_time=5.0,
    )
    runner = web.ServerRunner(server, shutdown_timeout=10.0)
    await runner.setup()

    def connect() -> asyncio.Protocol:
        return server() if len(server.connections) < _MAX_CONNECTIONS else _Busy()

    host, port = door.address
    patience = 10.0 if door.tls is not None else None
    try:
        listening = await loop.create_server(
            connect, host, port, backlog=256, ssl=door.tls, ssl_handshake_timeout=patience
        )
    except (OSError, OverflowError) as error:
        strerror = getattr(error, "strerror", None) or "it failed"
        raise ConfigError(f"cannot listen on {host}:{port}: {strerror.lower()}") from None
    ready(*listening.sockets[0].getsockname()[:2])
    writing = loop.create_task(receiver.write())
    folding = loop.create_task(receiver.fold_until_stop())
    await receiver.stop.wait()
    listening.close()
    await runner.cleanup()
    await folding
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
    return await receiver.end()


class _Receiver:
    """What answers requests."""

    def __init__(
        self,
        door: Door,
        watch: Watch,
        spool: Spool | None,
        store: str,
        most: int,
        show: Callable[[str], bool],
        say: Callable[[str], object],
    ) -> None:
        self.stop: Final = asyncio.Event()
        self._door: Final = door
        self._watch: Final = watch
        self._spool: Final = spool
        self._intake: Final = Intake(spool, _SPOOL) if spool is not None else None
        self._store: Final = store
        self._most: Final = most
        self._show: Final = show
        self._say: Final = say
        self._token: Final = door.token.encode()
        # One thread: events are numbered, and alerts are printed, in the order in which they come.
        self._worker: Final = ThreadPoolExecutor(1)
        self._folder: Final = ThreadPoolExecutor(1)
        self._held = self._events = self._fired = self._new = 0
        self._trouble = ""
        self._unread = False

    async def write(self) -> None:
        """Write what is to be kept, for ever."""
        if self._intake is not None:
            await self._intake.run()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """The answer to *request*; 200 says that all its events were looked at, and kept if they are to be."""
        try:
            return await self._answer(request)
        except Refused as refused:
            return _answer(refused.status, str(refused))
        except Full:
            return _answer(503, "there is no room: send the events again later")
        except OSError as error:
            if isinstance(error, ConnectionError):
                raise
            self._tell(f"cannot write: {(error.strerror or 'it failed').lower()}")
            return _answer(503, "the disk does not take events: send them again later")

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.method in ("GET", "HEAD") and request.path == "/healthz":
            return (
                _answer(503, "there is no room")
                if self._intake is not None and self._intake.full
                else _answer(200, "ok")
            )
        if request.path != self._door.path:
            raise Refused(404, f"events are taken at {self._door.path}")
        if request.method != "POST":
            return _answer(405, "events are sent by POST", Allow="POST")
        if hdrs.ORIGIN in request.headers:
            raise Refused(403, "web pages cannot send events")
        if not self._may(request):
            return _answer(401, "the token is missing, or is another one", **{"WWW-Authenticate": "Bearer"})
        if request.content_type != "application/json":
            raise Refused(400, "the content type has to be application/json")
        if request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower() not in ("", "identity"):
            raise Refused(415, "the body has to come as it is, not packed")
        body = await self._body(request)
        try:
            return await self._take(body)
        finally:
            self._held -= len(body)

    async def _body(self, request: web.BaseRequest) -> bytes:
        too_large = f"a body of more than {MAX_BATCH} bytes is refused, by Falco's plugin as well"
        if (request.content_length or 0) > MAX_BATCH:
            raise Refused(413, too_large)
        pieces: list[bytes] = []
        held = 0
        try:
            async with asyncio.timeout(_BODY_TIMEOUT):
                while piece := await request.content.readany():
                    pieces.append(piece)
                    held += len(piece)
                    self._held += len(piece)
                    if held > MAX_BATCH:
                        raise Refused(413, too_large)
                    if self._held > _MAX_HELD:
                        raise Full
        except BaseException as error:
            self._held -= held
            if isinstance(error, TimeoutError):
                raise Refused(408, f"the body was not there after {_BODY_TIMEOUT:.0f} seconds") from None
            if isinstance(error, web.RequestPayloadError):
                raise Refused(400, "the body is not what its head says") from None
            raise
        return b"".join(pieces)

    async def _take(self, body: bytes) -> web.Response:
        loop = asyncio.get_running_loop()
        seen = await loop.run_in_executor(self._worker, self._watch.see, body)
        if self._intake is not None and seen.lines:
            await self._intake.keep(seen.lines)
        shown = not seen.printed or await loop.run_in_executor(self._worker, self._show, seen.printed)
        self._events += seen.events
        self._fired += seen.fired
        self._unread = self._unread or not shown
        if not shown or (self._most and self._events >= self._most):
            self.stop.set()
        return _answer(200, f"{seen.events} received, rules fired on {seen.fired}")

    def _may(self, request: web.BaseRequest) -> bool:
        if not self._token:
            return True
        kind, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)

    async def fold_until_stop(self) -> None:
        """Put what is in the spool into the history every now and then."""
        while self._spool is not None and not self.stop.is_set():
            await self._fold(_PATIENCE)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), _FOLD_EVERY)

    async def end(self) -> Total:
        """Put in what is left."""
        before = -1
        while self._spool is not None and not self._spool.empty and self._spool.size != before:
            before = self._spool.size
            if not await self._fold(_LAST_PATIENCE):
                break
        return Total(
            self._events, self._fired, self._new, self._spool.size if self._spool is not None else 0, self._unread
        )

    async def _fold(self, patience: float) -> bool:
        assert self._spool is not None
        loop = asyncio.get_running_loop()

        def say(sentence: str) -> None:
            loop.call_soon_threadsafe(self._say, sentence)

        try:
            self._new += await loop.run_in_executor(self._folder, fold, self._spool, self._store, patience, say)
        except Held:
            return False  # Others read: they will be done.
        except (ConfigError, OSError) as error:
            self._tell(str(error))
            return False
        self._trouble = ""
        return True

    def _tell(self, trouble: str) -> None:
        """Say it, but not again and again."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._say(f"{trouble}; trying again")


class _Busy(asyncio.Protocol):
    """Ends a connection while there are enough."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _answer(status: int, sentence: str, **headers: str) -> web.Response:
    if status == 503:
        headers["Retry-After"] = "1"
    response = web.Response(
        status=status, text=sentence + "\n", headers={"X-Content-Type-Options": "nosniff", **headers}
    )
    if status in (401, 403, 408, 413, 503):
        response.force_close()
    return response

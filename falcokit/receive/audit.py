"""A webhook for Kubernetes audit events: what an API server sends, matched at once, as Falco with its plugin would.

What it takes is what the plugin k8saudit takes (source.go in falcosecurity/plugins): POST, application/json, 12 MiB at most.  It answers
200 once alerts are printed and safe on disk, so that what was not acknowledged is sent again; the plugin answers before it looks.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from aiohttp import hdrs, web

from falcokit.evaluate import Matcher
from falcokit.evaluate.output import AlertFormat, json_line, text_line
from falcokit.event import AuditEvent, audit_events
from falcokit.receive.body import Refused
from falcokit.receive.folding import Folding
from falcokit.receive.http import Bodies, answered, reply, served, token_given
from falcokit.receive.intake import Intake
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
    async with served(receiver.answer, door.address, door.tls) as (host, port):
        ready(host, port)
        folding, writing = loop.create_task(receiver.fold()), loop.create_task(receiver.write())
        await receiver.stop.wait()
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
        self._folding: Final = Folding(spool, store, say) if spool is not None else None
        self._most: Final = most
        self._show: Final = show
        self._bodies: Final = Bodies(
            MAX_BATCH, f"a body of more than {MAX_BATCH} bytes is refused, by Falco's plugin as well"
        )
        # One thread: events are numbered, and alerts are printed, in the order in which they come.
        self._worker: Final = ThreadPoolExecutor(1)
        self._events = self._fired = 0
        self._unread = False

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """The answer to *request*; 200 says that all its events were looked at, and kept if they are to be."""
        return await answered(request, self._answer, self._trouble)

    def _trouble(self, error: OSError) -> None:
        if self._folding is not None:
            self._folding.tell(f"cannot write: {(error.strerror or 'it failed').lower()}")

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.method in ("GET", "HEAD") and request.path == "/healthz":
            full = self._intake is not None and self._intake.full
            return reply(503, "the spool is full") if full else reply(200, "ok")
        if request.path != self._door.path:
            raise Refused(404, f"events are taken at {self._door.path}")
        if request.method != "POST":
            return reply(405, "events are sent by POST", Allow="POST")
        if hdrs.ORIGIN in request.headers:
            raise Refused(403, "web pages cannot send events")
        if not token_given(request, self._door.token):
            return reply(401, "the token is missing, or is another one", **{"WWW-Authenticate": "Bearer"})
        if request.content_type != "application/json":
            raise Refused(400, "the content type has to be application/json")
        if request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower() not in ("", "identity"):
            raise Refused(415, "the body has to come as it is, not packed")
        async with self._bodies.body(request) as body:
            return await self._take(body)

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
        return reply(200, f"{seen.events} received, rules fired on {seen.fired}")

    async def fold(self) -> None:
        """Put what is kept into the history, until the end."""
        if self._folding is not None:
            await self._folding.until(self.stop)

    async def write(self) -> None:
        """Write what is to be kept, for ever."""
        if self._intake is not None:
            await self._intake.run()

    async def end(self) -> Total:
        """Put in what is left."""
        if self._spool is None or self._folding is None:
            return Total(self._events, self._fired, 0, 0, self._unread)
        await self._folding.end()
        return Total(self._events, self._fired, self._folding.new, self._spool.size, self._unread)

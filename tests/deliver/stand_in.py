"""Receivers over HTTP that are as strict as the real ones: a Splunk collector, a bulk interface, a webhook, an OTLP collector.

What they take is on disk before they say so.  Run as a program (``stand_in.py KIND PORT JOURNAL``) one can be killed at any moment.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

TOKEN = "0c6ed6bc-2a1c-4a3c-9d2e-0c6ed6bc2a1c"
KEY = b"a key of sixteen"
PATHS = {"hec": "/services/collector/event", "ack": "/services/collector/event", "bulk": "/_bulk", "webhook": "/hook", "otlp": "/v1/logs"}  # fmt: skip


class Wrong(Exception):
    """A request is refused: status, and the body of the answer."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def said(code: int, text: str, status: int = 400, **more: Any) -> Wrong:
    """A refusal as Splunk writes it."""
    return Wrong(status, {"text": text, "code": code, **more})


class StandIn:
    """A receiver of one kind in a thread of its own.

    ``answers`` has what is answered to the next requests instead: a status with a body and headers; ``taken`` is what it took.
    """

    def __init__(self, kind: str, journal: Path, port: int = 0, ssl: Any = None) -> None:
        self.kind = kind
        self.answers: deque[Callable[[bytes], web.StreamResponse]] = deque()
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.taken: list[dict[str, Any]] = []
        self._ids: set[str] = set()
        if journal.exists():  # What stands before the end of the last line that is whole.
            for one in journal.read_bytes().rpartition(b"\n")[0].splitlines():
                self.taken.append(json.loads(one))
                self._ids.add(self.taken[-1].get("_id", ""))
            os.truncate(journal, journal.read_bytes().rfind(b"\n") + 1)
        self._journal = open(journal, "ab", buffering=0)  # noqa: SIM115  # until `close`
        self._acks: dict[tuple[str, int], int] = {}
        self._channels: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.port = port
        self._ssl = ssl
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    @property
    def url(self) -> str:
        return f"http{'s' * (self._ssl is not None)}://127.0.0.1:{self.port}" + (
            PATHS["webhook"] if self.kind == "webhook" else ""
        )

    def join(self) -> None:
        self._thread.join()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._journal.close()

    def _run(self) -> None:
        async def start() -> web.ServerRunner:
            server = web.Server(self._answer)
            runner = web.ServerRunner(server, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self._ssl, reuse_address=True)
            await site.start()
            self.port = runner.addresses[0][1]
            return runner

        runner = self._loop.run_until_complete(start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()  # aiohttp has unpacked it where it was gzip.
        self.requests.append((request.path_qs, dict(request.headers), body))
        if self.answers and not request.path.endswith("/ack"):
            answer = self.answers.popleft()(body)
            if isinstance(answer, Endless):
                return await answer.send(request)
            return answer
        try:
            if request.method != "POST":
                raise Wrong(405, {})
            return web.json_response(getattr(self, f"_{'hec' if self.kind == 'ack' else self.kind}")(request, body))
        except Wrong as wrong:
            return web.json_response(wrong.body, status=wrong.status)

    def _take(self, documents: list[dict[str, Any]]) -> None:
        data = b"".join(json.dumps(one).encode() + b"\n" for one in documents)
        self._journal.write(data)
        os.fsync(self._journal.fileno())
        self.taken += documents

    def _hec(self, request: web.BaseRequest, body: bytes) -> Any:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Splunk":
            raise said(2, "Token is required", 401)
        if token != TOKEN:
            raise said(4, "Invalid token", 403)
        channel = request.headers.get("X-Splunk-Request-Channel") or request.query.get("channel", "")
        if self.kind == "ack":
            if not channel:
                raise said(10, "Data channel is missing")
            try:
                uuid.UUID(channel)
            except ValueError:
                raise said(11, "Invalid data channel") from None
        if request.path == "/services/collector/ack":
            found = {}
            for number in json.loads(body)["acks"]:
                # What was taken is indexed a moment later, and told once.
                looks = self._acks.get((channel, number))
                if looks is not None:
                    self._acks[channel, number] = looks + 1
                found[str(number)] = looks is not None and looks >= 1
                if found[str(number)]:
                    del self._acks[channel, number]
            return {"acks": found}
        if request.path != PATHS["hec"]:
            raise Wrong(404, {"text": "The requested URL was not found on this server.", "code": 404})
        events, text, at = [], body.decode(), 0
        while at < len(text):
            try:
                event, at = json.JSONDecoder().raw_decode(text, at)
            except ValueError:
                raise said(6, "Invalid data format", **{"invalid-event-number": len(events)}) from None
            while at < len(text) and text[at] in " \r\n":
                at += 1
            self._check(event, len(events))
            events.append(event)
        if not events:
            raise said(5, "No data")
        self._take(events)
        if self.kind != "ack":
            return {"text": "Success", "code": 0}
        number = self._channels.get(channel, 0)
        self._channels[channel] = number + 1
        self._acks[channel, number] = 0
        return {"text": "Success", "code": 0, "ackId": number}

    def _check(self, event: Any, number: int) -> None:
        if not isinstance(event, dict) or set(event) - {
            "time",
            "host",
            "source",
            "sourcetype",
            "index",
            "fields",
            "event",
        }:
            raise said(6, "Invalid data format", **{"invalid-event-number": number})
        if "event" not in event:
            raise said(12, "Event field is required", **{"invalid-event-number": number})
        if not event["event"]:
            raise said(13, "Event field cannot be blank", **{"invalid-event-number": number})
        fields = event.get("fields", {})
        if not isinstance(fields, dict) or any(isinstance(one, dict) for one in fields.values()):
            raise said(15, "Error in handling indexed fields", **{"invalid-event-number": number})
        if not isinstance(event.get("time", 0), (int, float)):
            raise said(6, "Invalid data format", **{"invalid-event-number": number})
        if event.get("index", "main") not in ("main", "security"):
            raise said(7, "Incorrect index", **{"invalid-event-number": number})

    def _bulk(self, request: web.BaseRequest, body: bytes) -> Any:
        if request.path != PATHS["bulk"]:
            raise Wrong(404, {"error": "no handler found"})
        if request.headers.get("Authorization") not in (
            f"ApiKey {TOKEN}",
            "Basic " + base64.b64encode(b"elastic:pass word").decode(),
        ):
            raise Wrong(401, {"error": {"type": "security_exception"}, "status": 401})
        if request.headers.get("Content-Type") != "application/x-ndjson":
            raise Wrong(406, {"error": "Content-Type header is not supported"})
        rows = body.split(b"\n")
        if rows.pop() != b"" or len(rows) % 2:
            raise Wrong(400, {"error": {"type": "illegal_argument_exception", "reason": "The bulk request must be terminated by a newline [\\n]"}, "status": 400})  # fmt: skip
        items, new = [], []
        for action, document in zip(rows[::2], rows[1::2], strict=True):
            ((kind, about),) = json.loads(action).items()
            found = json.loads(document)
            if kind == "create" and about["_id"] in self._ids:
                items.append({kind: {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "document already exists"}}})  # fmt: skip
                continue
            self._ids.add(about["_id"])
            new.append(found | {"_id": about["_id"], "_index": about["_index"]})
            items.append({kind: {"status": 201, "_id": about["_id"]}})
        self._take(new)
        return {"took": 1, "errors": any("error" in next(iter(one.values())) for one in items), "items": items}

    def _webhook(self, request: web.BaseRequest, body: bytes) -> Any:
        name, moment = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        proof = base64.b64encode(hmac.new(KEY, f"{name}.{moment}.".encode() + body, hashlib.sha256).digest()).decode()
        if (
            not hmac.compare_digest(request.headers.get("webhook-signature", ""), f"v1,{proof}")
            or abs(time.time() - int(moment)) > 300
        ):
            raise Wrong(401, {})
        found = (
            json.loads(body)
            if request.headers["Content-Type"] == "application/json"
            else [json.loads(one) for one in body.splitlines()]
        )
        self._take(found if isinstance(found, list) else [found])
        return {}

    def _otlp(self, request: web.BaseRequest, body: bytes) -> Any:
        if request.path != PATHS["otlp"] or request.headers["Content-Type"] != "application/json":
            raise Wrong(404, {})
        records = [
            one
            for resource in json.loads(body)["resourceLogs"]
            for scope in resource["scopeLogs"]
            for one in scope["logRecords"]
        ]
        for one in records:
            if not (isinstance(one["timeUnixNano"], str) and one["timeUnixNano"].isdecimal() and 0 < one["severityNumber"] < 25 and "body" in one):  # fmt: skip
                raise Wrong(400, {"code": 3, "message": "bad record"})
        self._take(records)
        return {"partialSuccess": {}}


class Endless(web.StreamResponse):
    """An answer without an end."""

    async def send(self, request: web.BaseRequest) -> web.StreamResponse:
        self.enable_chunked_encoding()
        await self.prepare(request)
        while True:
            await self.write(b" " * 65536)


def answer(status: int, body: Any = None, **headers: str) -> Callable[[bytes], web.StreamResponse]:
    """What makes an answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.json_response(body if body is not None else {}, status=status, headers=named)


if __name__ == "__main__":
    StandIn(sys.argv[1], Path(sys.argv[3]), int(sys.argv[2])).join()

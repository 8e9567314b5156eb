"""Events as messages of an integration, and messages as what is sent at once."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from falcokit.event import Event
from falcokit.forward.integration import Integration
from falcokit.forward.webhook import signed

__all__ = ["framed", "headers_of", "render", "signed", "together"]


def render(integration: Integration, event: Event, now: int | None = None) -> bytes:
    """*event* as one message of *integration*, without what its transport puts around it.

    No event makes two messages of one, or one of more than ``max_size`` bytes.  *now* is the moment (nanoseconds since 1970) of
    events that tell none.  Of a bulk interface a message is the action and the document, on two lines.
    """
    match integration.kind:
        case "syslog":
            from falcokit.forward.syslog import syslog_message

            return syslog_message(integration, event, now)
        case "splunk":
            from falcokit.forward.splunk import hec_event

            return hec_event(integration, event, now)
        case "elastic":
            from falcokit.forward.elastic import bulk_action

            return bulk_action(integration, event, now)
        case "otlp":
            from falcokit.forward.otlp import log_record

            return log_record(integration, event, now)
        case "webhook":
            return _json(integration, event)
        case _:
            return _line(integration, event)


def framed(integration: Integration, messages: Sequence[bytes]) -> bytes:
    """*messages* as one write or one request: at most as many as go `together`."""
    match integration.kind:
        case "syslog" if integration.option("transport") == "udp":
            (message,) = messages
            return message
        case "syslog":
            from falcokit.forward.syslog import framed_stream

            return framed_stream("octet" if integration.option("transport") == "tls" else integration.option("framing"), messages)  # fmt: skip
        case "splunk":
            return b"\n".join(messages)
        case "otlp":
            from falcokit.forward.otlp import export_request

            return export_request(integration, messages)
        case "webhook":
            from falcokit.forward.webhook import body_of

            return body_of(integration.option("body"), messages)
        case _:
            return b"".join([message + b"\n" for message in messages])


def together(integration: Integration) -> int:
    """How many messages can go at once."""
    one = (integration.kind == "syslog" and integration.option("transport") == "udp") or (
        integration.kind == "webhook" and integration.option("body") == "single"
    )
    return 1 if one else int(integration.option("batch"))


def headers_of(integration: Integration, secrets: Mapping[str, str]) -> dict[str, str]:
    """The headers of requests: what they carry, and who sends them, with *secrets* by their names."""
    lines = integration.kind == "elastic" or (integration.kind == "webhook" and integration.option("body") == "lines")
    found = {"Content-Type": "application/x-ndjson" if lines else "application/json"}
    if password := secrets.get("password"):
        pair = f"{integration.option('user')}:{password}"
        found["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif token := secrets.get("token"):
        scheme = {"splunk": "Splunk", "elastic": "ApiKey"}.get(integration.kind, "Bearer")
        found["Authorization"] = f"{scheme} {token}"
    return found


def _json(integration: Integration, event: Event) -> bytes:
    from falcokit.forward.enrich import enriched
    from falcokit.forward.fit import fitted

    return fitted(enriched(event, integration), integration.max_size)


def _line(integration: Integration, event: Event) -> bytes:
    match integration.option("message"):
        case "json":
            return _json(integration, event)
        case "cef":
            from falcokit.forward.cef import cef

            return cef(integration, event, integration.max_size)
        case "leef":
            from falcokit.forward.leef import leef

            return leef(integration, event, integration.max_size)
        case _:
            from falcokit.forward.facts import text_of
            from falcokit.forward.text import cut, inert

            return cut(inert(text_of(event)), integration.max_size).encode()

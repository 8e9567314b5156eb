"""What can be set for an integration beside what all have: one table for the reader, the command line and the pages."""

from __future__ import annotations

from typing import Final

from falcokit.record import Record

__all__ = ["FACILITIES", "KINDS", "OPTIONS", "PRIORITIES", "SECRETS", "Option", "Secret", "options_of", "secrets_of"]

KINDS: Final = {
    "syslog": "syslog over UDP, TCP or TLS (RFC 3164, 5424, 5425)",
    "splunk": "Splunk's HTTP Event Collector",
    "elastic": "the bulk interface of Elasticsearch and OpenSearch",
    "webhook": "JSON by HTTP POST",
    "file": "lines in a file, or `-` for standard output",
    "otlp": "OpenTelemetry logs by HTTP",
}
"""The kinds of integrations, and what each is."""
FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit",
    "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
"""The facilities of syslog; their places are their numbers."""
PRIORITIES: Final = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")
"""The priorities of Falco, most urgent first."""
_HTTP: Final = ("splunk", "elastic", "webhook", "otlp")
_NETWORK: Final = ("syslog", *_HTTP)
_ALL: Final = tuple(KINDS)


class Option(Record):
    """Something that integrations of ``kinds`` can have, and its ``default``, whose type is that of its values.

    A text may be one of ``choices`` only, a number is from ``low`` to ``high``; ``what`` is what help says of it.
    """

    __slots__ = ("choices", "default", "high", "kinds", "low", "what")

    def __init__(
        self,
        kinds: tuple[str, ...],
        default: str | int | float | bool,
        what: str,
        choices: tuple[str, ...] = (),
        low: float = 0,
        high: float = 0,
    ) -> None:
        self.kinds: Final = kinds
        self.default: Final = default
        self.what: Final = what
        self.choices: Final = choices
        self.low: Final = low
        self.high: Final = high


class Secret(Record):
    """A secret that integrations of ``kinds`` can have; those of ``required`` must."""

    __slots__ = ("kinds", "required", "what")

    def __init__(self, kinds: tuple[str, ...], what: str, required: tuple[str, ...] = ()) -> None:
        self.kinds: Final = kinds
        self.what: Final = what
        self.required: Final = required


OPTIONS: Final[dict[str, Option]] = {
    "transport": Option(("syslog",), "udp", "How messages travel: UDP and TCP to port 514, TLS (RFC 5425) to port 6514.", ("udp", "tcp", "tls")),
    "protocol": Option(("syslog",), "rfc5424", "The form of messages.", ("rfc5424", "rfc3164")),
    "framing": Option(("syslog",), "octet", "What tells messages apart on TCP: their length in front (RFC 6587), or a line feed behind; TLS always has the length.", ("octet", "lf")),
    "facility": Option(("syslog",), "user", "The facility of messages.", FACILITIES),
    "message": Option(("syslog", "file"), "json", "What a message says: the enriched event, the text of the alert, CEF (ArcSight) or LEEF 2.0 (QRadar).", ("json", "output", "cef", "leef")),
    "app_name": Option(("syslog",), "falco", "APP-NAME of RFC 5424, the tag of RFC 3164."),
    "hostname": Option(_ALL, "", "The host of events that tell none."),
    "sd_id": Option(("syslog",), "event@32473", "The name of the structured data (RFC 5424): a name, @, your private enterprise number; empty for no structured data."),
    "bom": Option(("syslog",), True, "Begin texts that are not plain ASCII with the byte order mark that RFC 5424 asks for."),
    "index": Option(("splunk", "elastic"), "", "The index; of Elasticsearch also a data stream (default: falco-events)."),
    "index_by": Option(("elastic",), "none", "Put the date of the event (UTC) behind the name of the index.", ("none", "day", "month")),
    "source": Option(("splunk",), "falco", "The source that events have in Splunk."),
    "sourcetype": Option(("splunk",), "_json", "The source type that events have in Splunk."),
    "ack": Option(("splunk",), False, "Ask whether events are indexed before they count as delivered (indexer acknowledgement)."),
    "user": Option(("elastic",), "", "The user that --password belongs to."),
    "body": Option(("webhook",), "array", "What one request carries: a JSON array of events, one event, or one event a line.", ("array", "single", "lines")),
    "service_name": Option(("otlp",), "falco", "The attribute service.name of the resource."),
    "gzip": Option(_HTTP, False, "Compress requests."),
    "verify": Option(_NETWORK, True, "Check the certificate of the receiver."),
    "ca": Option(_NETWORK, "", "A PEM file with the certificates to trust instead of the system's."),
    "client_cert": Option(_NETWORK, "", "A PEM file with the certificate to show to the receiver."),
    "client_key": Option(_NETWORK, "", "The PEM file with its key, where the certificate's file has none."),
    "server_name": Option(("syslog",), "", "The name that the receiver's certificate must have, where it is not that of the address."),
    "rules": Option(_ALL, "", "Only events of rules, or policies, that match one of these shell patterns, with commas between them."),
    "priority": Option(_ALL, "debug", "Only events of this priority and more urgent ones.", PRIORITIES),
    "burst": Option(_ALL, 1, "How many events of one form go in the time of --dedup.", (), 1, 10_000),
    "timeout": Option(_NETWORK, 10.0, "Seconds that the receiver has to answer.", (), 0.1, 600),
    "batch": Option(_ALL, 500, "How many events are sent together at most.", (), 1, 10_000),
    "linger": Option(_ALL, 1.0, "Seconds that events wait for others to be sent together with.", (), 0, 600),
    "max_size": Option(_ALL, 0, "Bytes that a message has at most; what is longer is cut, and marked (0: 8192 for syslog, else 1048576).", (), 0, 1 << 24),
    "spool": Option(_ALL, 256, "MiB that are kept on disk at most while the receiver is down.", (), 1, 1 << 20),
}  # fmt: skip
"""Options by their names in the file; on the command line they have dashes."""

SECRETS: Final[dict[str, Secret]] = {
    "token": Secret(_HTTP, "The token of the HTTP Event Collector, the API key of Elasticsearch, a bearer token elsewhere.", ("splunk",)),
    "password": Secret(("elastic",), "The password of --user."),
    "signing_key": Secret(("webhook",), "What requests are signed with (HMAC-SHA256, by the Standard Webhooks specification)."),
}  # fmt: skip
"""Secrets by their names in the file, which has only where they are: ``env:NAME`` or ``file:PATH``."""


def options_of(kind: str) -> dict[str, Option]:
    """The options of integrations of *kind*."""
    return {name: option for name, option in OPTIONS.items() if kind in option.kinds}


def secrets_of(kind: str) -> dict[str, Secret]:
    """The secrets of integrations of *kind*."""
    return {name: secret for name, secret in SECRETS.items() if kind in secret.kinds}

"""Where messages are handed over: one module for each way."""

from __future__ import annotations

from falcokit.deliver.secret import with_target
from falcokit.deliver.sinks.sink import Sink
from falcokit.forward.integration import Integration

__all__ = ["Sink", "open_sink"]


def open_sink(integration: Integration) -> Sink:
    """What delivers to *integration*; nothing is connected yet.  Raises `ConfigError`."""
    integration = with_target(integration)
    match integration.kind:
        case "syslog" if integration.option("transport") == "udp":
            from falcokit.deliver.sinks.udp import Udp

            return Udp(integration)
        case "syslog":
            from falcokit.deliver.sinks.stream import Stream

            return Stream(integration)
        case "file":
            from falcokit.deliver.sinks.file import Lines

            return Lines(integration)
        case "splunk":
            from falcokit.deliver.sinks.splunk import Splunk

            return Splunk(integration)
        case "elastic":
            from falcokit.deliver.sinks.elastic import Bulk

            return Bulk(integration)
        case "otlp":
            from falcokit.deliver.sinks.otlp import Otlp

            return Otlp(integration)
        case _:
            from falcokit.deliver.sinks.webhook import Webhook

            return Webhook(integration)

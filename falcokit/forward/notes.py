"""What is worth knowing about an integration before it is used."""

from __future__ import annotations

from falcokit.forward.enrich import USUAL
from falcokit.forward.integration import Integration

__all__ = ["notes"]


def notes(integration: Integration) -> tuple[str, ...]:
    """A sentence for each thing that someone may not want."""
    found = []
    syslog = integration.kind == "syslog"
    transport = integration.text("transport")
    if transport == "udp":
        found.append("UDP tells nobody of what is lost: take TCP or TLS for what must arrive")
    if transport == "tcp":
        found.append("what the receiver had not read when a connection broke is sent again, and some of it may be lost: syslog has no acknowledgement")  # fmt: skip
    if integration.target.lower().startswith("http://"):
        what = "events and secrets go" if integration.secrets else "events go"
        found.append(f"{what} unencrypted: take https:// outside of this machine")
    if (not syslog or transport == "tls") and integration.kind != "file" and not integration.option("verify"):
        found.append("the receiver's certificate is not checked: anyone on the way can read and change events")
    if syslog and integration.option("protocol") == "rfc3164" and integration.max_size > 1024:
        found.append("RFC 3164 has messages of up to 1024 bytes: give --max-size 1024 to old receivers")
    if integration.filter:
        from falcokit.forward.filter import list_names

        found += [f"`{name[:60]}` in its filter is taken for a value: lists of rules are not known here" for name in list_names(integration.filter)[:3]]  # fmt: skip
    found += [f"the label {name} takes the place of what events say of theirs" for name in integration.labels if name in USUAL]  # fmt: skip
    return tuple(found)

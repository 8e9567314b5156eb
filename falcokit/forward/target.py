"""Where an integration's events go: an address, a URL, a path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from falcokit.forward.integration import Integration

__all__ = ["address_of", "is_reference", "shown", "url_of", "wrong_target"]

_PATHS: Final = {"splunk": "/services/collector/event", "elastic": "/_bulk", "otlp": "/v1/logs", "webhook": ""}
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?))(?::(\d{1,5}))?", re.ASCII)  # fmt: skip
_URL: Final = re.compile(r"(https?)://([^/?#@\\]+)(/[^?#\\]*)?(\?[^#]*)?", re.ASCII | re.IGNORECASE)
_REFERENCE: Final = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:/[^\0-\x1f\x7f]{1,1023}", re.ASCII)
"""Where a URL is that is a secret as a whole."""
_VISIBLE: Final = re.compile(r"[!-~]{1,2000}", re.ASCII)


def wrong_target(kind: str, target: str) -> str:
    """What is wrong with *target* for an integration of *kind*, and what to write; nothing where it is well.

    It does not repeat the target, which may have a password in it.
    """
    if kind == "file":
        ok = target == "-" or (target.startswith("/") and not target.endswith("/") and len(target) < 4096 and target.isprintable())  # fmt: skip
        return "" if ok else "must be the absolute path of a file, or `-` for standard output"
    if kind == "syslog":
        found = _HOST.fullmatch(target)
        if found is None:
            return "must be an address: `host`, `host:port` or `[ipv6]:port`"
        return "" if found[3] is None or 0 < int(found[3]) < 65536 else "must have a port from 1 to 65535"
    if kind == "webhook" and _REFERENCE.fullmatch(target):
        return ""
    if "@" in target.partition("//")[2].partition("/")[0]:
        return "must have no user and no password in it: say where the secret is with `secrets`"
    found = _URL.fullmatch(target) if _VISIBLE.fullmatch(target) else None
    if found is None:
        return "must be a URL: `https://host:port`"
    host = _HOST.fullmatch(found[2])
    if host is None or (host[3] is not None and not 0 < int(host[3]) < 65536):
        return "must be a URL with a host and a port from 1 to 65535: `https://host:port`"
    if found[4] and kind != "webhook":
        return "must have no `?` in it: `https://host:port`"
    return ""


def address_of(integration: Integration) -> tuple[str, int]:
    """The host and the port of a syslog server: 514 by default, 6514 for TLS."""
    found = _HOST.fullmatch(integration.target)
    if found is None:
        raise ValueError("no address")
    default = 6514 if integration.option("transport") == "tls" else 514
    return found[1] or found[2], int(found[3]) if found[3] else default


def url_of(integration: Integration) -> str:
    """The URL that requests go to: the path of the interface is put behind the target where it is not there yet."""
    path = _PATHS[integration.kind]
    base = integration.target if integration.kind == "webhook" else integration.target.rstrip("/")
    return base if not path or base.endswith(path) else base + path


def is_reference(target: str) -> bool:
    """Whether *target* tells where the URL of a webhook is, in a variable or a file."""
    return _REFERENCE.fullmatch(target) is not None


def shown(integration: Integration) -> str:
    """The target as it may be shown: what stands behind the host of a webhook may be a secret."""
    found = _URL.fullmatch(integration.target) if integration.kind == "webhook" else None
    if found is None or (not found[4] and found[3] in (None, "/")):
        return integration.target
    return f"{found[1]}://{found[2]}/..."

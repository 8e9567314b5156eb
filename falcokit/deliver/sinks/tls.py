"""Encryption as an integration asks for it; the receiver is checked unless it says otherwise."""

from __future__ import annotations

import ssl

from falcokit.errors import ConfigError
from falcokit.forward.integration import Integration

__all__ = ["context_of"]


def context_of(integration: Integration) -> ssl.SSLContext:
    """The TLS settings of *integration*.  Raises `ConfigError` for certificates that cannot be read."""
    ca, cert, key = integration.text("ca"), integration.text("client_cert"), integration.text("client_key")
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{integration.name}: {ca} has no certificates to trust ({_reason(error)})") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not integration.option("verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        try:
            # Nobody is there to be asked for the password of a key.
            context.load_cert_chain(cert, key or None, lambda: "")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{integration.name}: cannot use the client certificate {cert} ({_reason(error)})"
            ) from None
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "it is no PEM file of the kind that is needed"
    return (getattr(error, "strerror", None) or "it failed").lower()

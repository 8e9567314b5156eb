"""Secrets, read where they are said to be when they are needed, and never told."""

from __future__ import annotations

import os
import stat
from typing import Final

from falcokit.deliver.outcome import Trouble
from falcokit.errors import ConfigError
from falcokit.forward.integration import Integration
from falcokit.forward.render import headers_of
from falcokit.forward.target import is_reference, wrong_target
from falcokit.forward.webhook import wrong_key

__all__ = ["headers", "secret_of", "with_target"]

_LONGEST: Final = 1 << 16
_OPEN: Final = stat.S_IRWXO | stat.S_IWGRP
"""A group may read: that is how a service that is not root is given what belongs to root."""


def secret_of(integration: Integration, name: str) -> str:
    """The secret *name*; empty where the integration has none.  Raises `ConfigError`, which never says what was found."""
    reference = integration.secrets.get(name, "")
    value = _read(integration, name, reference) if reference else ""
    if name == "signing_key" and value and (problem := wrong_key(value)):
        raise ConfigError(f"{integration.name}: what {reference} has {problem}")
    return value


def with_target(integration: Integration) -> Integration:
    """*integration* with its URL in the place of where that is.  Raises `ConfigError`, which never says what was found."""
    if integration.kind != "webhook" or not is_reference(integration.target):
        return integration
    url = _read(integration, "URL", integration.target)
    problem = "must be a URL: `https://host:port`" if is_reference(url) else wrong_target(integration.kind, url)
    if problem:
        raise ConfigError(f"{integration.name}: what is in {integration.target} {problem}")
    return integration.replaced(target=url)


def _read(integration: Integration, name: str, reference: str) -> str:
    kind, _, where = reference.partition(":")
    if kind == "env":
        value = os.environ.get(where, "")
        if not value:
            raise ConfigError(f"{integration.name}: the variable {where} for its {name} is not set")
    else:
        try:
            with open(where, "rb") as stream:
                found = os.fstat(stream.fileno())
                if found.st_uid not in (0, os.geteuid()):
                    raise ConfigError(f"{integration.name}: {where} belongs to another user")
                if found.st_mode & _OPEN:
                    mode = f"mode {stat.S_IMODE(found.st_mode):04o}"
                    raise ConfigError(
                        f"{integration.name}: {where} is open to others ({mode}): run chmod 600 on it first"
                    )
                value = stream.read(_LONGEST).decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or "it failed").lower()
            raise ConfigError(f"{integration.name}: cannot read {where} for its {name}: {reason}") from None
    value = value.strip()
    if not value or not value.isprintable():
        raise ConfigError(
            f"{integration.name}: what {reference} has is no {name}: it is empty, or has control characters"
        )
    return value


def headers(integration: Integration) -> dict[str, str]:
    """The headers of its requests, with its secrets as they are now.  Raises `Trouble` where one cannot be read."""
    try:
        found = {name: secret_of(integration, name) for name in integration.secrets}
    except ConfigError as error:
        raise Trouble(str(error).removeprefix(f"{integration.name}: "), lasting=True) from None
    return headers_of(integration, found)

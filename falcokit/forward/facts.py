"""What an event says about one thing, wherever it says it: for the formats that have a place for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

from falcokit.event import Event
from falcokit.event.form import AUDIT

__all__ = ["address", "container_of", "text", "text_of", "whole"]

_AUDIT: Final = ("ka.user.name", "ka.verb", "ka.target.resource", "ka.target.namespace", "ka.target.name", "ka.response.code")  # fmt: skip
_ADDRESS: Final = re.compile(r"[0-9A-Fa-f:.]{2,45}", re.ASCII)
_SILENT: Final = ("", "<NA>")


def text_of(event: Event) -> str:
    """*event* in words: its output, or else who did what, or its rule or policy."""
    if event.form is AUDIT:
        return " ".join([str(value) for name in _AUDIT if (value := event.fields.get(name)) is not None])
    header = event.header
    return header.output or header.rule or header.policy


def text(fields: Mapping[str, object], *names: str) -> str:
    """The first of the fields *names* that is a text that says something; of a list its first."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, str) and value not in _SILENT:
            return value
    return ""


def whole(fields: Mapping[str, object], names: tuple[str, ...], high: int) -> int | None:
    """The first of the fields *names* that is a whole number from 1 to *high*."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 19:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= high:
            return value
    return None


def address(fields: Mapping[str, object], *names: str) -> str:
    """The first of the fields *names* that is an address of the internet protocol."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and _ADDRESS.fullmatch(value):
            try:
                return str(ip_address(value))
            except ValueError:
                continue
    return ""


def container_of(event: Event) -> tuple[str, str]:
    """The container of *event* and its image, empty where there is none; what only the text of an alert tells does not count."""
    own = text(event.fields, "container.id") or event.header.container_id or ""
    if own in ("", "host"):
        return "", ""
    image = event.container.image
    if not image.certain:
        return own, ""
    return own, image.repository + (f":{image.tag}" if image.tag else "")

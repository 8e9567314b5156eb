"""Events: every form that Falco, its companions and Kubernetes write them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from falcokit.event.audit import AuditEvent, audit_events

if TYPE_CHECKING:
    from falcokit.event.event import Event
    from falcokit.event.form import Form
    from falcokit.event.identity import Container, Image
    from falcokit.event.reader import Damaged, read_events

__all__ = ["AuditEvent", "Container", "Damaged", "Event", "Form", "Image", "audit_events", "read_events"]

_HOMES = {"Container": "identity", "Damaged": "reader", "Event": "event", "Form": "form", "Image": "identity", "read_events": "reader"}  # fmt: skip


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'falcokit.event' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"falcokit.event.{home}"), name)

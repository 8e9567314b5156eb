"""Which field someone may have meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["suggest_fields"]

_KNOWN: Final = {
    "pod.name": "k8s.pod.name", "ns.name": "k8s.ns.name", "namespace": "k8s.ns.name", "image": "container.image",
    "k8s.namespace.name": "k8s.ns.name", "k8s.namespace": "k8s.ns.name", "container.image.name": "container.image",
    "container.repository": "container.image.repository", "container.tag": "container.image.tag",
    "process.name": "proc.name", "proc.command": "proc.cmdline", "proc.commandline": "proc.cmdline",
    "proc.parent": "proc.pname", "proc.parent.name": "proc.pname", "proc.path": "proc.exepath",
    "proc.user": "user.name", "user": "user.name", "file.name": "fd.name", "fd.path": "fd.name", "fd.file": "fd.name",
    "fd.dip": "fd.sip", "fd.dport": "fd.sport", "fd.srcip": "fd.cip", "fd.dstip": "fd.sip",
    "evt.name": "evt.type", "event.type": "evt.type", "syscall": "syscall.type", "proc.ppid.name": "proc.pname",
    "ka.user": "ka.user.name", "ka.namespace": "ka.target.namespace", "ka.resource": "ka.target.resource",
}  # fmt: skip
"""Names from other tools and older releases, and what Falco calls the same thing."""


def suggest_fields(text: str, fields: Mapping[str, object]) -> tuple[str, ...]:
    """Up to two of *fields*, best first."""
    name = text.partition("[")[0]
    if len(name) > 100:
        return ()
    known = _KNOWN.get(name)
    if known is not None and known in fields:
        return (known,)
    if name.lower() in fields:
        return (name.lower(),)
    import difflib

    return tuple(difflib.get_close_matches(name, fields, 2, 0.78))

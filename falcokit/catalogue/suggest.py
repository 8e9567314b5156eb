"""Which field someone may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from falcokit.catalogue.field import Field

__all__ = ["suggest_fields"]

_KNOWN: Final = {
    # Kubernetes and containers: other tools' names, and those of Falco's Kubernetes audit log by mistake
    "pod": "k8s.pod.name", "pod.name": "k8s.pod.name", "k8s.pod": "k8s.pod.name", "k8s.pod.namespace": "k8s.ns.name",
    "ns": "k8s.ns.name", "ns.name": "k8s.ns.name", "namespace": "k8s.ns.name", "k8s.namespace": "k8s.ns.name",
    "k8s.namespace.name": "k8s.ns.name", "kubernetes.pod.name": "k8s.pod.name", "pod.label": "k8s.pod.label",
    "kubernetes.namespace.name": "k8s.ns.name", "image": "container.image", "container": "container.id",
    "container.image.name": "container.image.repository", "container.image.repo": "container.image.repository",
    "container.repository": "container.image.repository", "container.tag": "container.image.tag",
    "container.image_id": "container.image.id", "container.runtime": "container.type", "k8s.label": "k8s.pod.label",
    # processes
    "process.name": "proc.name", "process": "proc.name", "proc.comm": "proc.name", "proc.command": "proc.cmdline",
    "proc.commandline": "proc.cmdline", "process.cmdline": "proc.cmdline", "proc.arg": "proc.args",
    "proc.parent": "proc.pname", "proc.parent.name": "proc.pname", "proc.ppid.name": "proc.pname",
    "proc.parent.cmdline": "proc.pcmdline", "proc.parent.exe": "proc.pexe", "proc.gparent": "proc.aname",
    "proc.path": "proc.exepath", "proc.exe.path": "proc.exepath", "proc.exe_path": "proc.exepath",
    "proc.user": "user.name", "proc.uid": "user.uid", "proc.gid": "group.gid", "proc.tid": "thread.tid",
    "user": "user.name", "user.id": "user.uid", "user.login": "user.loginname", "proc.ancestor": "proc.aname",
    "user.gid": "group.gid",
    # files and connections
    "file": "fd.name", "file.name": "fd.name", "file.path": "fd.name", "fd.path": "fd.name", "fd.file": "fd.name",
    "fd.dir": "fd.directory", "fd.dip": "fd.sip", "fd.dport": "fd.sport", "fd.srcip": "fd.cip", "fd.dstip": "fd.sip",
    "fd.srcport": "fd.cport", "fd.dstport": "fd.sport", "fd.protocol": "fd.l4proto",
    # events
    "evt": "evt.type", "evt.name": "evt.type", "event.type": "evt.type", "evt.syscall": "syscall.type",
    "syscall": "syscall.type", "syscall.name": "syscall.type", "evt.timestamp": "evt.time", "evt.result": "evt.res",
    "evt.error": "evt.res",
    # the audit log
    "ka.user": "ka.user.name", "ka.username": "ka.user.name", "ka.namespace": "ka.target.namespace",
    "ka.resource": "ka.target.resource", "ka.target.ns": "ka.target.namespace", "ka.name": "ka.target.name",
    "ka.verbs": "ka.verb", "ka.code": "ka.response.code",
}  # fmt: skip
"""Names from other tools and older releases, and what Falco calls the same thing."""


def suggest_fields(text: str, names: Iterable[str], fields: Mapping[str, Field]) -> tuple[str, ...]:
    """Up to two of *names* that fit, best first; deprecated and hidden ones are never suggested."""
    name = text.partition("[")[0]
    if len(name) > 100:
        return ()
    known = _KNOWN.get(name.lower())
    if known is not None and fields.get(known) is not None:
        return (known,)
    if fields.get(name.lower()) is not None:
        return (name.lower(),)
    import difflib

    near = [fields[found] for found in difflib.get_close_matches(name, names, 6, 0.78) if fields.get(found)]
    return tuple(field.name for field in near if not field.deprecated and not field.hidden)[:2]

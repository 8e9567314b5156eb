"""Whether the pieces of an audit integration fit together: each by itself, and each pair that has to agree."""

from __future__ import annotations

from falcokit.audit.consistency.falco import falco, listening_of
from falcokit.audit.consistency.finding import TARGETS, Finding, Target
from falcokit.audit.consistency.pieces import KINDS, Piece, Pieces, pieces_of, server_of
from falcokit.audit.consistency.policy import policy
from falcokit.audit.consistency.server import server as server_checks
from falcokit.audit.consistency.webhook import kubeconfig, service, sink
from falcokit.diagnostic import Severity
from falcokit.source import Span

__all__ = ["KINDS", "TARGETS", "Finding", "Piece", "Pieces", "Target", "check", "pieces_of"]


def check(pieces: Pieces, target: Target, minor: int | None = None) -> tuple[Finding, ...]:
    """What is wrong in *pieces* that are to send events to *target*, by place; what is missing among them is not asked for.

    *minor* is the version of Kubernetes, 34 for 1.34, where the files do not tell; without any it is a current one.
    """
    servers = [
        one if one.minor is not None else one.replaced(minor=minor) for one in map(server_of, pieces.of("apiserver"))
    ]
    minor = next((one.minor for one in servers if one.minor is not None), minor)
    listening = next((one for piece in pieces.of("falco") if (one := listening_of(piece)) is not None), None)
    services, sinks = pieces.of("service"), pieces.of("sink")
    sends = bool(sinks or pieces.of("kubeconfig"))
    found = [Finding("yaml", Severity.ERROR, span, said) for span, said in pieces.broken]
    for files, severity, said in (
        (pieces.unread, Severity.INFO, "this is not looked into"),
        (pieces.strange, Severity.WARNING, "nothing in this file is part of an audit integration"),
    ):
        found += [Finding("unknown-file", severity, Span(file, 0, 0), said) for file in files]
    for piece in pieces.found:
        match piece.kind:
            case "kubeconfig":
                found += kubeconfig(piece, target, listening, servers, services)
            case "sink":
                found += sink(piece, target, listening, minor)
            case "falco":
                found += falco(piece, target, sends, servers)
            case "policy":
                found += policy(piece, minor)
            case "service":
                found += service(piece, target, listening)
    for server in servers:
        found += server_checks(server, bool(sinks))
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.span.file.name, one.span.start, -one.severity)))

"""What does not fit, and what events are sent to."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

from falcokit.audit.consistency.pieces import Piece
from falcokit.diagnostic import Severity
from falcokit.document import Node
from falcokit.record import Record
from falcokit.source import Span

__all__ = ["TARGETS", "Finder", "Finding", "Listening", "Target", "number", "split"]


class Target(Record):
    """What audit events are sent to, by default at ``port`` and ``path``; ``about`` says what it is."""

    __slots__ = ("about", "name", "path", "port")

    def __init__(self, name: str, about: str, port: int, path: str) -> None:
        self.name: Final = name
        self.about: Final = about
        self.port: Final = port
        self.path: Final = path


TARGETS: Final = {
    "falco": Target("falco", "Falco's plugin k8saudit", 9765, "/k8s-audit"),
    "sysdig": Target("sysdig", "the service of the Sysdig agent", 7765, "/k8s_audit"),
}


class Finding(Record):
    """Something that does not fit: its ``kind`` in a word, how bad it is, where, a sentence, and what to ``write``."""

    __slots__ = ("kind", "message", "severity", "span", "write")

    def __init__(self, kind: str, severity: Severity, span: Span, message: str, write: str = "") -> None:
        self.kind: Final = kind
        self.severity: Final = severity
        self.span: Final = span
        self.message: Final = message
        self.write: Final = write


class Listening(Record):
    """Where the plugin listens, by its open_params."""

    __slots__ = ("path", "port", "scheme")

    def __init__(self, scheme: str, port: int, path: str) -> None:
        self.scheme: Final = scheme
        self.port: Final = port
        self.path: Final = path


class Finder:
    """Makes findings about one *piece*."""

    def __init__(self, piece: Piece) -> None:
        self._piece = piece

    def error(self, kind: str, node: Node | None, message: str, write: str = "") -> Finding:
        """Nothing works like this, or it stops the API server or Falco."""
        return Finding(kind, Severity.ERROR, self._piece.span(node), message, write)

    def warning(self, kind: str, node: Node | None, message: str, write: str = "") -> Finding:
        """It may be meant, but mostly is not."""
        return Finding(kind, Severity.WARNING, self._piece.span(node), message, write)

    def info(self, kind: str, node: Node | None, message: str, write: str = "") -> Finding:
        """Good to know."""
        return Finding(kind, Severity.INFO, self._piece.span(node), message, write)


def split(text: str) -> SplitResult | None:
    """The parts of a URL, None where it is none."""
    try:
        url = urlsplit(text)
        _ = url.port, url.hostname
    except ValueError:
        return None
    return url


def number(text: str) -> int | None:
    """The whole number that *text* is."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else None

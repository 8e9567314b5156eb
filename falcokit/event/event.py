"""One event, whatever it was written as: the fields it gives, and what else it says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import orjson

from falcokit.event.audit import AuditEvent
from falcokit.event.form import Form
from falcokit.event.header import Header, header_of, source_of
from falcokit.event.identity import Container, container_of

__all__ = ["Event", "is_internal"]


def is_internal(rule: str) -> bool:
    """Whether alerts of this *rule* tell of Falco itself: no rules file has it."""
    return rule.startswith("Falco internal")


class Event:
    """One event of a file.

    ``fields`` maps full field expressions (``proc.aname[2]``) to values as they were written: texts, numbers, truth values, lists.
    A field that is None is known to have no value.  What an absent one means is the form's: ``form.complete`` says that it
    has no value either, as in Falco; otherwise it is unknown.  ``document`` is the whole JSON value, or the text of a text line;
    ``name`` and ``line`` (from 1) are the place it was read at.  What an event says beside its fields is worked out when asked for.
    """

    __slots__ = ("_header", "_text", "document", "fields", "form", "line", "name")

    def __init__(
        self,
        fields: Mapping[str, object],
        form: Form,
        document: Any = None,
        name: str = "",
        line: int = 0,
        text: bytes = b"",
    ) -> None:
        self.fields: Final = fields
        self.form: Final = form
        self.document: Final = document
        self.name: Final = name
        self.line: Final = line
        self._header: Header | None = None
        self._text: Final = text

    @property
    def header(self) -> Header:
        """What the event says beside its fields."""
        if self._header is None:
            self._header = header_of(self.form, self.document, self.fields)
        return self._header

    @property
    def source(self) -> str:
        """The source it comes from, such as ``syscall``; empty where it does not tell."""
        return source_of(self.form, self.document, self.fields)

    @property
    def rule(self) -> str:
        """The rule that fired; empty where there is none.  A policy of Sysdig is none."""
        return self.header.rule

    @property
    def priority(self) -> str:
        """Falco's word for its priority, such as ``Warning``; empty where it has none."""
        return self.header.priority

    @property
    def time(self) -> int | None:
        """Nanoseconds since 1970 (UTC)."""
        return self.header.time

    @property
    def output(self) -> str:
        """The text of the alert."""
        return self.header.output

    @property
    def host(self) -> str:
        """The name of the host it happened on."""
        return self.header.host

    @property
    def written(self) -> str:
        """The event in one line of its own, as it can be read again: JSON, or the text of a text line."""
        if self._text:  # A line that is this event and nothing else.
            return self._text.decode().strip()
        if isinstance(self.fields, AuditEvent):
            return self.fields.compact()
        if isinstance(self.document, str):
            return self.document
        document = self.document if self.document is not None else dict(self.fields)
        try:
            return orjson.dumps(document).decode()
        except TypeError:  # A number of more than 64 bits.
            return json.dumps(document, separators=(",", ":"))

    @property
    def internal(self) -> bool:
        """Whether Falco tells of itself: drops, metrics."""
        return self.source == "internal" or is_internal(self.rule)

    @property
    def container(self) -> Container:
        """The container it happened in, with its image."""
        # Events of a cloud or a cluster have no container either, and no host.
        told = self.header.container_id if self.source in ("", "syscall") else self.header.container_id or None
        return container_of(self.fields, self.header.labels, self.header.output, told)

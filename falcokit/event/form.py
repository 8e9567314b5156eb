"""The forms that events are written in."""

from __future__ import annotations

from typing import Final

from falcokit.record import Record

__all__ = ["AUDIT", "FALCO", "FIELDS", "LEGACY", "RUNTIME", "TEXT", "Form"]


class Form(Record):
    """A form: its ``name``, and whether events in it are ``complete``: what they lack has no value.

    Alerts are not: they carry the fields of an output, or those that somebody chose.
    """

    __slots__ = ("complete", "name")

    def __init__(self, name: str, complete: bool) -> None:
        self.name: Final = name
        self.complete: Final = complete


FALCO: Final = Form("falco", False)
"""A JSON alert of Falco, of any age, or what falcosidekick makes of it: ``rule`` and ``output_fields``."""
TEXT: Final = Form("text", False)
"""A text alert of Falco: time, priority, message."""
LEGACY: Final = Form("sysdig-legacy", False)
"""A Sysdig policy event with ``fields`` and ``eventLabels`` as pairs of key and value."""
RUNTIME: Final = Form("sysdig", False)
"""A Sysdig event with ``content``, as forwarded or as the feed of secure events has it."""
AUDIT: Final = Form("kubernetes-audit", True)
"""An event of the Kubernetes audit log, not an alert about one."""
FIELDS: Final = Form("fields", True)
"""A plain object of field expressions and values, by itself or below ``fields``."""

"""Event types as sets of codes.

A set is an int used as a bit mask: one bit for each of Falco's event codes, and above them one for each system call
that has no event of its own (all of these share codes 0 and 1), so that the names can be told apart again.  The set
of all leaves out old and internal events, as Falco's does: those are only in a set that names them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from falcokit.data import read_data

__all__ = ["EventTypes"]


class EventTypes:
    """Falco's event types."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._codes: Final[dict[str, list[int]]] = data["codes"]
        self._count: Final[int] = data["count"]
        self._generic: Final = {name: self._count + number for number, name in enumerate(data["generic"])}
        self._syscalls: Final = frozenset(data["syscalls"])
        self._twins: Final[dict[str, str]] = data["twins"]
        self._masks: Final[dict[str, int]] = {}
        self.code_mask: Final[int] = (1 << self._count) - 1
        unlisted = 0
        for name in data["unlisted"]:
            for code in self._codes[name]:
                unlisted |= 1 << code
        self.all_codes: Final[int] = ((1 << (self._count + len(self._generic))) - 1) & ~unlisted

    def is_known(self, name: str) -> bool:
        """Whether ``evt.type`` can be compared with *name*: an event, a system call, or the empty text."""
        return name in self._codes or name in self._syscalls or not name or name == "syscall"

    def names(self, names: Iterable[str]) -> int:
        """The set of the codes of *names*; names without an event of their own give the generic pair."""
        mask = 0
        for name in names:
            found = self._masks.get(name)
            if found is None:
                found = self._masks[name] = self._mask(name)
            mask |= found
        return mask

    def _mask(self, name: str) -> int:
        mask = 0
        for code in self._codes.get(name, ()):
            if code >= 2:
                mask |= 1 << code
        if name in self._generic:
            mask |= 1 << self._generic[name]
        if not mask & self.code_mask and name in self._syscalls:
            mask |= 3
        return mask

    def count(self, mask: int) -> int:
        """How many event codes *mask* has."""
        return (mask & self.code_mask).bit_count()

    def described(self, mask: int) -> tuple[str, ...]:
        """The names that ``falco -L`` lists for *mask*, sorted; asynchronous events are always among them."""
        found = {"asyncevent"}
        for name, codes in self._codes.items():
            if name != "syscall" and any(mask >> code & 1 for code in codes if code >= 2):
                found.add(name)
        found.update([self._twins[name] for name in found if name in self._twins])
        found.update(name for name, bit in self._generic.items() if mask >> bit & 1)
        return tuple(sorted(found))

    def all_names(self) -> tuple[str, ...]:
        """Every name that can stand behind ``evt.type``, sorted."""
        return tuple(sorted({*self._codes, *self._syscalls} - {"NA"}))

    def codes(self, name: str) -> tuple[int, ...]:
        """The event codes of *name*; the generic pair for a system call without an event of its own."""
        mask = self._mask(name) & self.code_mask
        return tuple(code for code in range(self._count) if mask >> code & 1)

    def is_syscall(self, name: str) -> bool:
        """Whether *name* is a system call."""
        return name in self._syscalls

    def category(self, name: str) -> str:
        """What the events of *name* are about, as evt.category tells it: file, net, process and others."""
        return _about().get(name, ("", ""))[0]

    def describe(self, name: str) -> str:
        """One line on what the events of *name* are, empty for a name that is no event."""
        return _about().get(name, ("", ""))[1]


@cache
def _about() -> dict[str, tuple[str, str]]:
    about: dict[str, tuple[str, str]] = json.loads(read_data("schemas", "catalogue/event_types.json"))
    return about

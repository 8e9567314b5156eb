"""The fields that look at all ancestors of a process, worked out from those of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ANCESTORS", "ancestors_of"]

_PARENT: Final = {
    "proc.aname": "proc.pname", "proc.aexe": "proc.pexe", "proc.aexepath": "proc.pexepath", "proc.acmdline": "proc.pcmdline",
    "proc.apid": "proc.ppid", "proc.aenv": "",
}  # fmt: skip
ANCESTORS: Final = tuple(_PARENT)
"""Without an index these are those of all ancestors, of which one is enough; an event may give a sequence."""
_MAX_LEVEL: Final = 20


def ancestors_of(field: str, event: Mapping[str, object]) -> list[object]:
    """The values of *field* (of `ANCESTORS`) at the ancestors that *event* tells of one by one."""
    names = (_PARENT[field], *[f"{field}[{level}]" for level in range(1, _MAX_LEVEL)])
    return [value for name in names if (value := event.get(name)) is not None]

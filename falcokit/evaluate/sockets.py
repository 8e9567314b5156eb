"""The fields that look at both ends of a connection, worked out from those of each end.

Falco fills ``fd.ip``, ``fd.port`` and ``fd.net`` in conditions only, so no alert carries them: an alert has one end or both in
``fd.cip`` and ``fd.sip`` (or ``fd.lip`` and ``fd.rip``), or only ``fd.name``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["BOTH_ENDS", "ends_of"]

BOTH_ENDS: Final = {
    "fd.ip": (("fd.cip", "fd.sip"), ("fd.lip", "fd.rip")),
    "fd.net": (("fd.cip", "fd.sip"), ("fd.lip", "fd.rip")),
    "fd.port": (("fd.cport", "fd.sport"), ("fd.lport", "fd.rport")),
}
"""The pairs of fields of which each tells both ends."""
_CONNECTION: Final = re.compile(r"([0-9a-fA-F.:]{2,45}):(\d{1,5})->([0-9a-fA-F.:]{2,45}):(\d{1,5})", re.ASCII)
_SERVER: Final = re.compile(r"((?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*):(\d{1,5})", re.ASCII)


def ends_of(field: str, event: Mapping[str, object]) -> tuple[tuple[object, ...], bool]:
    """The values of *field* (of `BOTH_ENDS`) at the ends that *event* tells of, and whether these are all there are."""
    for pair in BOTH_ENDS[field]:
        found = [event.get(one) for one in pair]
        if None not in found:
            return tuple(found), True
    name = event.get("fd.name")
    if isinstance(name, str):
        port = field == "fd.port"
        if (match := _CONNECTION.fullmatch(name)) is not None:
            texts = (match[2], match[4]) if port else (match[1], match[3])
            return (tuple(map(int, texts)) if port else texts), True
        if (match := _SERVER.fullmatch(name)) is not None:
            return ((int(match[2]),) if port else (match[1],)), True
    single = [value for pair in BOTH_ENDS[field] for one in pair if (value := event.get(one)) is not None]
    # A file's name means that there is no connection; an end alone leaves the other open.
    known = all(one in event for pair in BOTH_ENDS[field] for one in pair) or (
        isinstance(name, str) and name[:1] == "/"
    )
    return tuple(single), known

"""Enriched events in no more bytes than there are: always whole JSON, marked where something is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from falcokit.forward.text import CUT, json_bytes

__all__ = ["fitted"]

_FIRST: Final = (
    "id", "@timestamp", "timestamp", "timestampNs", "timestampRFC3339Nano", "severity", "name", "source", "containerId", "ruleType", "policyId",
    "event", "rule", "host", "container", "orchestrator", "output", "message", "eventLabels", "fields",
)  # fmt: skip
"""What is kept before all else."""
_MARK: Final = {"truncated": True}
_MAX_CHARACTERS: Final = 1 << 16
"""How much of a text is looked at when it is cut."""


def fitted(document: Mapping[str, Any], size: int, encode: Callable[[Any], bytes] = json_bytes) -> bytes:
    """*document* as JSON of at most *size* bytes, made by *encode*.

    Where it is larger, what matters most is kept, texts are cut, lists have fewer elements, and ``truncated`` is true; nothing where not even that fits.
    """
    data = encode(document)
    if len(data) <= size:
        return data
    found: dict[str, Any] = dict(_MARK)
    used = len(encode(found))
    if used > size:
        return b""
    for key in (*[key for key in _FIRST if key in document], *[key for key in document if key not in _FIRST]):
        room = size - used - len(encode(key)) - 2
        if room < 4:
            continue
        value = _smaller(document[key], room, size // 3, encode)
        if value is not _NOTHING:
            found[key] = value
            used = size - room + len(encode(value))
    data = encode(found)
    while len(data) > size:  # The parts of a text may be written otherwise than the whole.
        found.popitem()
        data = encode(found)
    return data


_NOTHING: Final = object()


def _smaller(value: Any, room: int, share: int, encode: Callable[[Any], bytes]) -> Any:
    """*value*, or as much of it as *room* has, in *share* bytes at most where it is a text that has to be cut."""
    data = encode(value)
    if len(data) <= room:
        return value
    if isinstance(value, str):
        room = min(room, share)
        length = min(len(value), room, _MAX_CHARACTERS)
        while length > 8:
            if len(encode(value[:length] + CUT)) <= room:
                return value[:length] + CUT
            length = length * 3 // 4
        return _NOTHING
    if isinstance(value, list):
        some, used = [], 2
        for one in value:
            length = len(encode(one)) + 1
            if used + length <= room:
                some.append(one)
                used += length
            elif room - used < 16:
                break
        return some
    return _NOTHING

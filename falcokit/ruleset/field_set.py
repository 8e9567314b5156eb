"""Which fields conditions compare, as bit masks: quick to join, and to ask whether two conditions share one.

Beyond `MAX_FIELDS` different fields all others share a bit, so an answer is "maybe" or a certain "no".
"""

from __future__ import annotations

from typing import Final

from falcokit.condition.ast import Check, Field
from falcokit.ruleset.operands import glued

__all__ = ["MAX_FIELDS", "bit_of", "field_bit"]

MAX_FIELDS: Final = 1024
_bits: dict[str, int] = {"evt.num": 0, "": 0}
"""`evt.num` is in no set: rules use it for what always or never holds, whatever happened."""


def field_bit(name: str) -> int:
    """The mask with the one bit of the field *name*, argument included."""
    bit = _bits.get(name)
    if bit is None:
        # A process that lives long meets names without end: these share one bit.
        bit = 1 << min(len(_bits), MAX_FIELDS)
        if len(_bits) < MAX_FIELDS:
            _bits[name] = bit
    return bit


def bit_of(check: Check) -> int:
    """The mask of the field on the left of *check*; nothing for a transformer."""
    left = check.left
    if left.__class__ is not Field:
        return 0
    if left.argument is None and left.name in _bits:
        return _bits[left.name]
    return field_bit(glued(left))

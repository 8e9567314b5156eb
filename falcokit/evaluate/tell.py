"""Reasons of answers in words."""

from __future__ import annotations

import json

from falcokit.evaluate.given import GIVEN
from falcokit.evaluate.walk import Reason

__all__ = ["shown", "told"]


def told(reason: Reason) -> str:
    """*reason* in one sentence: the check, whether it holds, and what the event gives for its fields."""
    text = _shortened(reason.text(), 120)
    if reason.holds is None:
        fields = " and ".join([f"`{name}`" for name, _ in reason.values])
        return f"`{text}` is open: the event does not tell {fields}"
    # What the engine gives itself is not missing where the event does not carry it.
    told_by_event = [(name, value) for name, value in reason.values if value is not None or name not in GIVEN]
    values = ", ".join([f"`{name}` is {shown(value)}" for name, value in told_by_event])
    return f"`{text}` {'holds' if reason.holds else 'does not hold'}" + (f": {values}" if values else "")


def shown(value: object) -> str:
    """A value of a field, on one line and not too long."""
    if value is None:
        return "missing"
    return _shortened(json.dumps(value, ensure_ascii=False, default=str), 80)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."

"""Text that can do nothing but be read: on one line, without control characters, never longer than it may be."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

__all__ = ["CUT", "ascii_json", "cut", "inert", "json_bytes", "told"]

CUT: Final = "...[cut]"
"""What marks a text that was too long."""
_UNSAFE: Final = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_UNSAFE_BYTES: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf")
_NOT_ASCII: Final = re.compile("[^\0-\x7f]")
_MAX_DEPTH: Final = 64
_MAX_BITS: Final = 13_000


def inert(text: str) -> str:
    """*text* with control characters as ``#012``, the octal number of each, and what else breaks lines or is no text as U+FFFD."""
    if text.isprintable():  # Without them for certain, and the usual case.
        return text
    return _UNSAFE.sub(lambda found: f"#{ord(found[0]):03o}" if found[0] < "\xa0" else "\ufffd", text)


def cut(text: str, size: int, mark: str = CUT) -> str:
    """*text* where its UTF-8 has at most *size* bytes, else its beginning and *mark*; *text* is `inert`."""
    if len(text) * 4 <= size:
        return text
    data = text.encode()
    if len(data) <= size:
        return text
    kept = data[: max(size - len(mark.encode()), 0)].decode("utf-8", "ignore")
    return (kept + mark) if size >= len(mark.encode()) else ""


def told(value: object) -> str:
    """*value*, of a field or label, as text; empty where it has none."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join([text for one in value[:100] if (text := told(one) if not isinstance(one, list) else "")])
    if isinstance(value, dict):
        return json_bytes(value).decode()
    return str(value) if not isinstance(value, int) or value.bit_length() < _MAX_BITS else ""


def json_bytes(value: Any) -> bytes:
    """*value* as JSON on one line of UTF-8, whatever an event has in it; nothing in it ends a line for anyone."""
    try:
        data = orjson.dumps(value)
    except TypeError:  # A number of more than 64 bits, half of a surrogate pair, what nests too deep.
        data = json.dumps(_safe(value, 0), separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()
    if data.isascii() and b"\x7f" not in data:
        return data
    return _UNSAFE_BYTES.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), data)


def ascii_json(data: bytes) -> bytes:
    """The JSON text *data* in ASCII."""
    return data if data.isascii() else _NOT_ASCII.sub(_escaped, data.decode()).encode()


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def _safe(value: Any, depth: int) -> Any:
    """*value* as any reader of JSON takes it."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        return {_safe(str(key), depth): _safe(one, depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple)) and depth < _MAX_DEPTH:
        return [_safe(one, depth + 1) for one in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, int):
        return value if value.bit_length() < _MAX_BITS else None
    return None

"""From bytes to text, losing nothing."""

from __future__ import annotations

from typing import Final

__all__ = ["decode", "first_invalid"]

_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip


def decode(data: bytes) -> str:
    """The text of *data*: UTF-8, or what its byte order mark says; bytes that are no text become lone surrogates."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    return data.decode("utf-8", "surrogateescape")


def first_invalid(text: str) -> int | None:
    """The first character of a decoded text that stands for a byte that is no UTF-8."""
    if text.isascii():
        return None
    import re

    found = re.search("[\udc80-\udcff]", text)
    return found.start() if found else None

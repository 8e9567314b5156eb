"""Which texts a batch of events may have: a bit for each four letters in a row.

A search reads only the batches with all the fours of what is looked for.  A bit stands for several fours, so that a batch may be read
for nothing; one that has the text is never left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy

__all__ = ["NONE", "SEARCHED", "both", "letters_of", "may_have"]

SEARCHED: Final = ("rule", "policy", "container", "image", "host", "namespace", "pod", "process", "user", "output")
"""The columns of texts that are searched."""

_BITS: Final = 1 << 16
NONE: Final = bytes(_BITS // 8)
"""No text."""
_AT_ONCE: Final = 1 << 16
_MOMENT: Final = re.compile(r"\n\d\d:\d\d:\d\d\.\d{9}: ", re.ASCII)
"""All figures there are would be in it."""


def letters_of(texts: Iterable[str]) -> bytes:
    """The bits of *texts*: ``_BITS`` of them, eight in a byte.  The moments that they begin with do not count."""
    import numpy

    seen = numpy.zeros(_BITS, dtype=numpy.uint8)
    whole = _MOMENT.sub("\n", "\n".join(["", *texts]))
    for written in [whole.lower()] if whole.isascii() else [whole.lower(), _simply_lower(whole)]:
        letters = numpy.frombuffer(written.encode("utf-8", "replace"), dtype=numpy.uint8)
        for start in range(0, len(letters), _AT_ONCE):
            seen[_places(letters[start : start + _AT_ONCE + 3])] = 1
    return numpy.packbits(seen).tobytes()


def both(one: bytes, other: bytes) -> bytes:
    """The bits of the texts of both."""
    return (int.from_bytes(one, "big") | int.from_bytes(other, "big")).to_bytes(len(NONE), "big")


def may_have(text: str, parts: Sequence[bytes]) -> list[bool] | None:
    """Whether *text* may be among the texts of each of *parts*; None where that cannot be told.

    What is in the moment that a text begins with, or begins there, is not to be asked for.
    """
    import numpy

    if len(text) < 4 or not text.isascii() or "\n" in text:
        return None
    places = _places(numpy.frombuffer(text.lower().encode(), dtype=numpy.uint8))
    bits = numpy.frombuffer(b"".join(parts), dtype=numpy.uint8).reshape(len(parts), len(NONE))
    # The first bit of a byte is its highest.
    there = (bits[:, places >> 3] >> (7 - (places & 7)).astype(numpy.uint8)) & 1
    return [bool(one) for one in there.min(axis=1)]


def _places(letters: numpy.ndarray[Any, numpy.dtype[numpy.uint8]]) -> numpy.ndarray[Any, numpy.dtype[numpy.intp]]:
    """The number of the bit of each four of *letters*."""
    import numpy

    wide = letters.astype(numpy.uint32)
    fours = wide[:-3] | wide[1:-2] << 8 | wide[2:-1] << 16 | wide[3:] << 24
    # Fibonacci hashing: the upper bits of the product, whose own upper bits are cut off.
    return (fours * numpy.uint32(2_654_435_769) >> 16).astype(numpy.intp)


def _simply_lower(text: str) -> str:
    """*text* in small letters, one for each: where Unicode has more, others take the first."""
    return "".join([letter.lower()[:1] for letter in text])

"""Which texts a batch of events may have: a bit for each three letters in a row, and one for each four.

A search reads only the batches with all the threes and fours of what is looked for.  A bit stands for several of them, so that a batch may
be read for nothing; one that has the text is never left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy

__all__ = ["NONE", "SEARCHED", "both", "can_tell", "letters_of", "may_have"]

SEARCHED: Final = ("rule", "policy", "container", "image", "host", "namespace", "pod", "process", "user", "output")
"""The columns of texts that are searched."""

_BITS: Final = 1 << 16
_SIZES: Final = (3, 4)
NONE: Final = bytes(len(_SIZES) * _BITS // 8)
"""No text."""
_AT_ONCE: Final = 1 << 16


def letters_of(texts: Iterable[str]) -> bytes:
    """The bits of *texts*, eight in a byte: ``_BITS`` of them for threes, then as many for fours."""
    import numpy

    seen = numpy.zeros((len(_SIZES), _BITS), dtype=numpy.uint8)
    whole = "\n".join(texts)
    for written in [whole.lower()] if whole.isascii() else [whole.lower(), _simply_lower(whole)]:
        letters = numpy.frombuffer(written.encode("utf-8", "replace"), dtype=numpy.uint8)
        for start in range(0, len(letters), _AT_ONCE):
            for bits, places in zip(seen, _places(letters[start : start + _AT_ONCE + _SIZES[-1] - 1]), strict=True):
                bits[places] = 1
    return numpy.packbits(seen).tobytes()


def both(one: bytes, other: bytes) -> bytes:
    """The bits of the texts of both."""
    return (int.from_bytes(one, "big") | int.from_bytes(other, "big")).to_bytes(len(NONE), "big")


def can_tell(text: str) -> bool:
    """Whether `may_have` can tell of *text*."""
    return len(text) >= _SIZES[0] and text.isascii() and "\n" not in text


def may_have(text: str, parts: Sequence[bytes]) -> list[bool]:
    """Whether *text*, of which it `can_tell`, may be among the texts of each of *parts*."""
    import numpy

    found = _places(numpy.frombuffer(text.lower().encode(), dtype=numpy.uint8))
    places = numpy.concatenate([some + number * _BITS for number, some in enumerate(found)])
    bits = numpy.frombuffer(b"".join(parts), dtype=numpy.uint8).reshape(len(parts), len(NONE))
    # The first bit of a byte is its highest.
    there = (bits[:, places >> 3] >> (7 - (places & 7)).astype(numpy.uint8)) & 1
    return [bool(one) for one in there.min(axis=1)]


def _places(letters: numpy.ndarray[Any, numpy.dtype[numpy.uint8]]) -> list[numpy.ndarray[Any, numpy.dtype[numpy.intp]]]:
    """The numbers of the bits of each three of *letters*, and of each four."""
    import numpy

    wide = letters.astype(numpy.uint32)
    threes = wide[:-2] | wide[1:-1] << 8 | wide[2:] << 16
    fours = threes[:-1] | wide[3:] << 24
    # Fibonacci hashing: the upper bits of the product, whose own upper bits are cut off.
    return [(some * numpy.uint32(2_654_435_769) >> 16).astype(numpy.intp) for some in (threes, fours)]


def _simply_lower(text: str) -> str:
    """*text* in small letters, one for each: where Unicode has more, others take the first."""
    return "".join([letter.lower()[:1] for letter in text])

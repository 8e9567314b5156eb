"""A text made of pieces, each of which knows where it came from.

Falco works on text three times before it parses a condition: YAML folds it, ``append`` joins it, lists are put into
it.  `MappedText` goes through all three, so a place in the last text can be shown in the file that the characters were
written in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from falcokit.record import Record
from falcokit.source.file import Span

__all__ = ["MappedText", "Origins"]

Origins = Callable[[int, int], Span]
"""From a range of a piece's text to the place it was written at; called only when a finding needs it."""


class _Piece(Record):
    __slots__ = ("offset", "origins", "text")

    def __init__(self, text: str, offset: int, origins: Origins | None) -> None:
        self.text: Final = text
        self.offset: Final = offset
        self.origins: Final = origins


class MappedText:
    """An immutable text whose characters know their place; ``+`` and slices keep the places.

    Pieces made up on the way (a joining blank, parentheses) have no place of their own: `locate` then gives the
    nearest piece that has one.
    """

    __slots__ = ("_pieces", "text")

    def __init__(self, pieces: Iterable[_Piece]) -> None:
        self._pieces: Sequence[_Piece] = tuple(p for p in pieces if p.text)
        self.text = "".join(p.text for p in self._pieces)

    @classmethod
    def written(cls, text: str, origins: Origins) -> MappedText:
        """A text that stands in a file; *origins* tells where each range of it does."""
        return cls((_Piece(text, 0, origins),))

    @classmethod
    def made_up(cls, text: str) -> MappedText:
        """A text that stands nowhere."""
        return cls((_Piece(text, 0, None),))

    @classmethod
    def joined(cls, parts: Iterable[MappedText | str]) -> MappedText:
        """All *parts*, one after the other."""
        pieces: list[_Piece] = []
        for part in parts:
            if isinstance(part, str):
                pieces.append(_Piece(part, 0, None))
            else:
                pieces.extend(part._pieces)
        return cls(pieces)

    def __len__(self) -> int:
        return len(self.text)

    def __str__(self) -> str:
        return self.text

    def __add__(self, other: MappedText | str) -> MappedText:
        return MappedText((*self._pieces, *(MappedText.made_up(other) if isinstance(other, str) else other)._pieces))

    def __radd__(self, other: str) -> MappedText:
        return MappedText.made_up(other) + self

    def __getitem__(self, part: slice) -> MappedText:
        start, end, step = part.indices(len(self.text))
        if step != 1:
            raise ValueError("a text is sliced without a step")
        found, at = [], 0
        for piece in self._pieces:
            low, high = max(start - at, 0), min(end - at, len(piece.text))
            if low < high:
                found.append(_Piece(piece.text[low:high], piece.offset + low, piece.origins))
            at += len(piece.text)
        return MappedText(found)

    def locate(self, start: int, end: int) -> Span | None:
        """The place of the range ``[start, end)``, or None for a text that stands nowhere.

        A range over several pieces gives the part of it that lies in the first placed piece.  A range without any
        placed character gives the end of the placed piece before it or, for an opening parenthesis and where there is
        none before, the beginning of the one after.
        """
        at, before, after, opens = 0, None, None, False
        for piece in self._pieces:
            stop = at + len(piece.text)
            if piece.origins is not None:
                if start < stop and max(end, start + 1) > at:
                    low, high = max(start, at), max(min(end, stop), max(start, at))
                    return piece.origins(piece.offset + low - at, piece.offset + high - at)
                if stop <= start:
                    before = (piece, len(piece.text))
                elif after is None:
                    after = (piece, 0)
            elif at <= start < stop:
                opens = piece.text[start - at :].strip(' "') == "("
            at = stop
        nearest = (after or before) if opens else (before or after)
        if nearest is None:
            return None
        piece, offset = nearest
        assert piece.origins is not None
        return piece.origins(piece.offset + offset, piece.offset + offset)

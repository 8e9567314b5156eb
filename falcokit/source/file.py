"""A file as read, and a range of its characters."""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum
from functools import cached_property
from typing import Final

from falcokit.record import Record

__all__ = ["Origin", "SourceFile", "Span"]


class Origin(Enum):
    """Whose file it is: default files are read-only and their own findings are not shown unless asked for."""

    DEFAULT = "default"
    CUSTOM = "custom"


class SourceFile:
    """A named text.  ``name`` is what users are shown; ``text`` is decoded, its byte order mark kept.

    A file inside another has the text of the outer one with all else blanked; ``shown`` is then the outer text as it is,
    of the same length, and lines are counted in it.
    ``holes`` are places whose text is made up; ``wrapped`` tells that items are written as ``- rule: {name: ...}``.

    Compared by identity: the same file loaded twice is two files.
    """

    def __init__(
        self,
        name: str,
        text: str,
        origin: Origin = Origin.CUSTOM,
        *,
        shown: str = "",
        holes: tuple[tuple[int, int], ...] = (),
        wrapped: bool = False,
    ) -> None:
        self.name = name
        self.text = text
        self.origin = origin
        self.shown = shown
        self.holes = holes
        self.wrapped = wrapped

    def __repr__(self) -> str:
        return f"SourceFile({self.name!r})"

    @cached_property
    def _line_starts(self) -> list[int]:
        # A byte order mark is no character of the first line, for Falco as for editors.
        text = self.shown or self.text
        starts, at = [int(text.startswith("\ufeff"))], -1
        while (at := text.find("\n", at + 1)) >= 0:
            starts.append(at + 1)
        if "\r" in text:
            lone = (i + 1 for i, c in enumerate(text) if c == "\r" and text[i + 1 : i + 2] != "\n")
            starts = sorted({*starts, *lone})
        return starts

    def line_column(self, offset: int) -> tuple[int, int]:
        """The zero-based line and column, in characters, of character *offset*."""
        line = max(bisect_right(self._line_starts, offset) - 1, 0)
        return line, max(offset - self._line_starts[line], 0)

    def line(self, number: int) -> str:
        """The text of the zero-based line *number*, without its end."""
        starts = self._line_starts
        if not 0 <= number < len(starts):
            return ""
        end = starts[number + 1] if number + 1 < len(starts) else len(self.text)
        return (self.shown or self.text)[starts[number] : end].rstrip("\r\n")

    @property
    def line_count(self) -> int:
        """How many lines the text has; a text without line ends has one."""
        return len(self._line_starts)


class Span(Record):
    """The half-open range ``[start, end)`` of characters of *file*."""

    __slots__ = ("end", "file", "start")

    def __init__(self, file: SourceFile, start: int, end: int) -> None:
        self.file: Final = file
        self.start: Final = start
        self.end: Final = end

    @property
    def text(self) -> str:
        """The characters of the range."""
        return self.file.text[self.start : self.end]

"""The lines of a stream of bytes, which may be gzip, in constant memory."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

__all__ = ["numbered_lines"]

_PIECE: Final = 1 << 20
_BLANK: Final = b" \t\r\n\f\v"
_BRACKET: Final = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+(["{}\[\]])', re.DOTALL)
"""Up to the next bracket outside of texts, or to the quote of a text that is not closed."""

_UTF_16: Final = re.compile(rb"(?:[^\0]\0){2}|(?:\0[^\0]){2}", re.DOTALL)
"""Letters of UTF-16 that no mark is before."""

_Piece: TypeAlias = "bytes | str"
"""Something that was read, or a sentence that says why it cannot be."""


def numbered_lines(
    chunks: Iterator[bytes], max_line: int, between: Callable[[], bool]
) -> Iterator[tuple[int, bytes | str]]:
    """The lines of *chunks* with their numbers, without their ends; a sentence stands for what cannot be read.

    An array on one long line comes element by element, each as a line of that number, where *between* says that the line is
    not a part of a document.  Audit events are left together, because Falco's plugin takes or drops lines as a whole.
    """
    number = 0
    begun: _Begun | None = None
    for chunk in _without_mark(_unpacked(chunks)):
        if isinstance(chunk, str):
            # Nothing comes behind it: what was read before is told first.
            for part in begun.end() if begun is not None else ():
                yield number + 1, part
            yield number + 1, chunk
            return
        if begun is not None:
            piece, newline, chunk = chunk.partition(b"\n")
            for part in begun.add(piece):
                yield number + 1, part
            if not newline:
                continue
            number += 1
            for part in begun.end():
                yield number, part
            begun = None
        lines = chunk.split(b"\n")
        rest = lines.pop()
        long = len(chunk) > max_line
        for line in lines:
            number += 1
            yield number, _too_long(max_line) if long and len(line) > max_line else line
        if rest:
            begun = _Begun(max_line, between)
            for part in begun.add(rest):
                yield number + 1, part
    if begun is not None:
        for part in begun.end():
            yield number + 1, part


def _too_long(size: int) -> str:
    return f"a line of more than {size} bytes is skipped"


class _Begun:
    """A line that goes on in the next chunk: kept, or skipped where it gets too long, or split where it is an array."""

    def __init__(self, max_line: int, between: Callable[[], bool]) -> None:
        self._max_line: Final = max_line
        self._between: Final = between
        self._parts: list[bytes] = []
        self._size = 0
        self._wanted = _PIECE
        """The size at which it is worth to look again: doubled, so that no byte is looked at often."""
        self._skipped = False
        self._depth = 0
        """How many brackets of an array that is split are open; 0 where none is."""

    def add(self, piece: bytes) -> Iterator[_Piece]:
        """What can be told now that the line goes on with *piece*."""
        if self._skipped:
            return
        self._parts.append(piece)
        self._size += len(piece)
        if self._size >= self._wanted and (self._depth or self._splits()):
            yield from self._elements()
        if self._size > self._max_line:
            self._parts, self._skipped = [], True
            yield _too_long(self._max_line)

    def end(self) -> Iterator[_Piece]:
        """What is left where the line ends."""
        if self._skipped:
            return
        if self._depth:
            yield from self._elements()
            if self._depth:
                yield "an array that begins here does not end"
                return
        yield b"".join(self._parts)

    def _splits(self) -> bool:
        self._wanted = self._size * 2
        text = b"".join(self._parts)
        self._parts = [text]
        inside = text.lstrip(_BLANK)
        if inside[:1] != b"[" or b'"auditID"' in text or not self._between():
            return False
        self._parts, self._size, self._depth = [inside[1:]], len(inside) - 1, 1
        return True

    def _elements(self) -> Iterator[bytes]:
        """The elements of the array that are whole."""
        text = b"".join(self._parts)
        at = done = 0
        self._depth = 1
        while self._depth and (found := _BRACKET.match(text, at)) is not None and found[1] != b'"':
            at = found.end()
            if found[1] in b"{[":
                self._depth += 1
                if self._depth > 2:
                    continue
                end = at - 1  # Before an element that is an object or an array others may stand.
            else:
                self._depth -= 1
                if self._depth > 1:
                    continue
                end = at if self._depth else at - 1
            if element := text[done:end].strip(_BLANK + b","):
                yield element
            done = end
        done += not self._depth  # The bracket that closes the array.
        self._parts, self._size = [text[done:]], len(text) - done
        self._wanted = max(_PIECE, self._size * 2)
        self._depth = min(self._depth, 1)


def _without_mark(chunks: Iterator[_Piece]) -> Iterator[_Piece]:
    """*chunks* without the byte order mark of UTF-8; nothing of UTF-16."""
    head = b""
    started = False
    for chunk in chunks:
        if started or isinstance(chunk, str):
            yield chunk
            continue
        head += chunk
        if head[:2] in (b"\xff\xfe", b"\xfe\xff") or _UTF_16.match(head):
            yield "the file is UTF-16: convert it to UTF-8"
            return
        if len(head) >= 4:
            started = True
            yield head.removeprefix(b"\xef\xbb\xbf")
    if head and not started:
        yield head


def _unpacked(chunks: Iterator[bytes]) -> Iterator[_Piece]:
    """*chunks* as they are, or what they are the gzip of."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= 2:
            break
    if head[:2] != b"\x1f\x8b":
        if head:
            yield head
        yield from chunks
        return
    unpacker = zlib.decompressobj(31)
    data: bytes | None = head
    taken = False
    try:
        while data is not None:
            if not taken:
                data = data.lstrip(b"\0")  # Members may be padded.
            while data:
                yield unpacker.decompress(data, _PIECE)
                taken, data = True, unpacker.unconsumed_tail
                if unpacker.eof:  # Another member may follow, as where logs were put together.
                    taken, data = False, unpacker.unused_data.lstrip(b"\0")
                    unpacker = zlib.decompressobj(31)
            data = next(chunks, None)
        if taken:
            yield unpacker.flush()
            yield "the gzip data end too early"
    except zlib.error:
        yield "the gzip data are damaged: what follows is not read"

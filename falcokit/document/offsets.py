"""Where each character of a scalar's text stands in the file, through folding, quotes and escapes.

Only findings need this, so it reads the written text of one scalar again when asked.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from falcokit.document.node import Scalar
from falcokit.source import SourceFile, Span
from falcokit.source.mapped import Origins

__all__ = ["offsets", "origins"]

_HEADER: Final = re.compile(r"[|>]([-+0-9]*)[^\n]*\r?\n?")
_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_PROPERTY: Final = re.compile(r"(?:[!&][^ \t\r\n]*[ \t\r\n]+)+")


def origins(file: SourceFile, scalar: Scalar) -> Origins:
    """A function from ranges of the scalar's text to places in *file*; see `falcokit.source.MappedText.written`."""
    found: list[int] | None = None

    def place(start: int, end: int) -> Span:
        nonlocal found
        if found is None:
            found = offsets(file.text, scalar)
        if not found or start > len(found):
            return Span(file, scalar.start, scalar.end)
        if start == len(found):
            at = found[-1] + 1
            return Span(file, at, at)
        last = found[min(end, len(found)) - 1] + 1 if end > start else found[start]
        return Span(file, found[start], max(last, found[start]))

    return place


def offsets(text: str, scalar: Scalar) -> list[int]:
    """For each character of the scalar's text the offset in *text* it was written at; empty where that fails.

    A character made by an escape stands at its backslash, a blank made by folding at the line end it replaces.
    """
    start = scalar.start
    if (properties := _PROPERTY.match(text, start)) and properties.end() < scalar.end:
        start = properties.end()
    if scalar.style in ("|", ">"):
        pairs = _block(text, start, scalar)
    elif scalar.style == '"':
        pairs = _double(text, start + 1, max(scalar.end - 1, start + 1))
    elif scalar.style == "'":
        pairs = _single(text, start + 1, max(scalar.end - 1, start + 1))
    else:
        pairs = _folded_lines(text, start, scalar.end, literal_ends=False)
    if len(pairs) != len(scalar.value):
        return _aligned(text, scalar)
    return pairs


def _aligned(text: str, scalar: Scalar) -> list[int]:
    """The best that can be said where the written text reads otherwise than expected: word by word, in order."""
    found: list[int] = []
    at = scalar.start
    for part in re.split(r"(\s+)", scalar.value):
        if part and not part.isspace():
            hit = text.find(part, at, scalar.end)
            at = hit if hit >= 0 else at
            found.extend(range(at, at + len(part)))
            at += len(part)
        else:
            found.extend([at] * len(part))
    return found


def _folded_lines(text: str, start: int, end: int, *, literal_ends: bool) -> list[int]:
    """Plain and single-quoted flow scalars: blanks around line ends vanish, one line end is a blank, more are lines."""
    found: list[int] = []
    at = start
    while at < end:
        character = text[at]
        if character in "\r\n" or (character in " \t" and _only_blanks_before_break(text, at, end)):
            breaks = []
            while at < end and text[at] in " \t\r\n":
                if text[at] == "\n" or (text[at] == "\r" and text[at + 1 : at + 2] != "\n"):
                    breaks.append(at)
                at += 1
            if at >= end and not literal_ends:
                break
            found.extend(breaks if len(breaks) == 1 else breaks[1:])
            continue
        found.append(at)
        at += 1
    return found


def _only_blanks_before_break(text: str, at: int, end: int) -> bool:
    while at < end and text[at] in " \t":
        at += 1
    return at < end and text[at] in "\r\n"


def _single(text: str, start: int, end: int) -> list[int]:
    folded = _folded_lines(text, start, end, literal_ends=True)
    found: list[int] = []
    skip = False
    for at, after in pairwise([*folded, -1]):
        if skip:
            skip = False
            continue
        found.append(at)
        skip = text[at] == "'" and after == at + 1 and text[after] == "'"
    return found


def _double(text: str, start: int, end: int) -> list[int]:
    found: list[int] = []
    at = start
    while at < end:
        character = text[at]
        if character == "\\":
            escape = _ESCAPE.match(text, at, end)
            written = escape[0] if escape else "\\"
            if written[1:] in ("\n", "\r"):  # an escaped line end joins the lines
                at += 2
                while at < end and text[at] in " \t\r\n":
                    at += 1
                continue
            found.append(at)
            at += len(written)
        elif character in " \t\r\n" and (character in "\r\n" or _only_blanks_before_break(text, at, end)):
            breaks = []
            while at < end and text[at] in " \t\r\n":
                if text[at] == "\n" or (text[at] == "\r" and text[at + 1 : at + 2] != "\n"):
                    breaks.append(at)
                at += 1
            found.extend(breaks if len(breaks) == 1 else breaks[1:])
        else:
            found.append(at)
            at += 1
    return found


def _block(text: str, start: int, scalar: Scalar) -> list[int]:
    """Literal and folded block scalars: the indentation goes, the header tells what happens to the last line ends."""
    header = _HEADER.match(text, start)
    if header is None:
        return []
    lines: list[tuple[int, int]] = []
    at = header.end()
    while at < len(text):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        lines.append((at, stop - 1 if stop > at and text[stop - 1] == "\r" else stop))
        at = stop + 1
        if at > scalar.end and text[lines[-1][0] : lines[-1][1]].strip(" "):
            break
    while lines and lines[-1][0] >= scalar.end:
        lines.pop()
    digits = re.sub(r"\D", "", header[1])
    indents = [len(text[a:b]) - len(text[a:b].lstrip(" ")) for a, b in lines if text[a:b].strip(" ")]
    if not indents:
        return []
    # An explicit indent is relative to the parent's; the first line with text shows it just as well unless it has more.
    indent = min(indents) if digits else indents[0]
    kept = [(min(a + indent, b), b) for a, b in lines]
    found: list[int] = []
    folded = scalar.style == ">"
    pending: list[int] = []
    previous_more = False
    first = True
    for begin, end in kept:
        if begin == end:
            pending.append(end)
            continue
        more = text[begin] in " \t"
        if not first or pending:
            if folded and not first and not more and not previous_more:
                found.extend(pending[:1] if len(pending) == 1 else pending[1:])
            else:
                found.extend(pending)
        found.extend(range(begin, end))
        pending = [end]
        previous_more, first = more, False
    tail = len(scalar.value) - len(found)
    found.extend((pending * max(tail, 1))[:tail] if pending and tail > 0 else [])
    return found

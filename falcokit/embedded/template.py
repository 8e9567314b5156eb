"""Reading around what a template fills in."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["blanked", "filled"]

_MARK: Final = r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\$\{[^{}\n]*\}|%\{[^{}\n]*\}"
_LINE: Final = re.compile(rf"^[ \t]*(?:(?:{_MARK})[ \t]*)+\r?$", re.MULTILINE | re.DOTALL)
_SILENT: Final = re.compile(
    r"(?:\{%.*?%\}|\{#.*?#\}|\{\{-?\s*(?:/\*|(?:if|else|end|range|with|define|block)\b|\$\w+\s*:?=).*?\}\}|\s)*",
    re.DOTALL,
)
"""Directives that print nothing themselves."""
_INLINE: Final = re.compile(_MARK, re.DOTALL)
_MAX_PLACES: Final = 10_000


def blanked(text: str) -> str:
    """Blanks in place of every character but line ends."""
    return re.sub(r"[^\r\n]", " ", text)


def filled(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """*text* of the same length, in which lines that are directives only are empty, and what stands for a value is a word
    of its length; and the places of which nothing can be said: these words, and the lines before what prints lines."""
    if "{{" not in text and "{%" not in text:
        return text, ()
    holes: list[tuple[int, int]] = []

    def emptied(found: re.Match[str]) -> str:
        if not _SILENT.fullmatch(found[0]) and len(holes) < _MAX_PLACES:
            # What is printed here may well be what the line before it lacks.
            before = text[: found.start()].rstrip()
            holes.append((before.rfind("\n") + 1, found.end()))
        # Line ends, as blanks at the beginning of a block would be its indentation.
        return "\n" * len(found[0])

    lined = _LINE.sub(emptied, text)

    def fill(found: re.Match[str]) -> str:
        if len(holes) >= _MAX_PLACES or found[0].startswith("{#"):
            return blanked(found[0])
        holes.append(found.span())
        return re.sub(r"[^\r\n]", "x", found[0])

    whole = _INLINE.sub(fill, lined)
    return whole, tuple(sorted(holes))

"""Reading around what a template fills in."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["blanked", "filled"]

_MARK: Final = r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\$\{[^{}\n]*\}|%\{[^{}\n]*\}"
_LINE: Final = re.compile(rf"^[ \t]*(?:(?:{_MARK})[ \t]*)+\r?$", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(_MARK, re.DOTALL)
_MAX_PLACES: Final = 10_000


def blanked(text: str) -> str:
    """Blanks in place of every character but line ends."""
    return re.sub(r"[^\r\n]", " ", text)


def filled(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """*text* of the same length, in which lines that are directives only are blank, and what stands for a value is a word
    of its length; and the places of these words."""
    if "{{" not in text and "{%" not in text:
        return text, ()
    lined = _LINE.sub(lambda found: blanked(found[0]), text)
    holes: list[tuple[int, int]] = []

    def fill(found: re.Match[str]) -> str:
        if len(holes) >= _MAX_PLACES or found[0].startswith("{#"):
            return blanked(found[0])
        holes.append(found.span())
        return re.sub(r"[^\r\n]", "x", found[0])

    return _INLINE.sub(fill, lined), tuple(holes)

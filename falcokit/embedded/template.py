"""Reading around what a template fills in."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["blanked", "filled", "is_template"]

_MARK: Final = r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\$\{[^{}\n]*\}|%\{[^{}\n]*\}"
_LINE: Final = re.compile(rf"^[ \t]*(?:(?:{_MARK})[ \t]*)+\r?$", re.MULTILINE | re.DOTALL)
_SILENT: Final = re.compile(
    r"(?:\{%.*?%\}|\{#.*?#\}|\{\{-?\s*(?:/\*|(?:if|else|end|range|with|define|block)\b|\$\w+\s*:?=).*?\}\}|\s)*",
    re.DOTALL,
)
"""Directives that print nothing themselves."""
_EXPRESSION: Final = re.compile(r"\{\{-?\s*[.$(\w][^{}\n]*\}\}|\{%-?\s*\w")
_CONTROL: Final = re.compile(
    r"\{\{-?\s*(if|with|range|define|block|else|end)\b.*?\}\}|\{%[-+]?\s*(if|for|macro|block|filter|call|elif|else|end\w+)\b.*?%\}",
    re.DOTALL,
)
_OPENING: Final = frozenset(("if", "with", "range", "define", "block", "for", "macro", "filter", "call"))
_INLINE: Final = re.compile(_MARK, re.DOTALL)
_MAX_PLACES: Final = 10_000


def blanked(text: str) -> str:
    """Blanks in place of every character but line ends."""
    return re.sub(r"[^\r\n]", " ", text)


def is_template(text: str) -> bool:
    """Whether *text* has expressions of a template in it, even if it can be read without knowing so."""
    return _EXPRESSION.search(text) is not None


def filled(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """*text* of the same length, in which lines that are directives only are empty, and what stands for a value is a word
    of its length; and the places of which nothing can be said: these words, and the lines before what prints lines.

    Of branches the first is read; one expression is one word wherever it stands, and no other one is.
    """
    if "{{" not in text and "{%" not in text:
        return text, ()
    text, holes = _first_branches(text)
    words: dict[str, str] = {}

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
        word = words.setdefault(found[0], _word(len(words)))
        length = len(found[0])
        return re.sub(r"[^\r\n]", "x", found[0]) if "\n" in found[0] else (word + "x" * length)[:length]

    whole = _INLINE.sub(fill, lined)
    return whole, tuple(sorted(holes))


def _word(number: int) -> str:
    """A word of its own for each of the first few thousand numbers, short enough for `{{.}}`."""
    letters = ""
    for _ in range(3):
        number, letter = divmod(number, 26)
        letters += chr(ord("a") + letter)
    return f"x{letters}"


def _first_branches(text: str) -> tuple[str, list[tuple[int, int]]]:
    """*text* with nothing in the place of what stands behind an `else`, up to its end, and where that is."""
    found: list[str] = []
    holes: list[tuple[int, int]] = []
    at, open_, skipped = 0, 0, 0
    for part in _CONTROL.finditer(text):
        word = part[1] or part[2]
        opens, ends, turns = word in _OPENING, word.startswith("end"), word.startswith(("else", "elif"))
        if skipped:
            if ends and open_ == skipped:
                found.append(_nothing(text[at : part.start()]))
                holes.append((at, part.start()))
                at, skipped = part.start(), 0
        elif turns and open_:
            found.append(text[at : part.end()])
            at, skipped = part.end(), open_
        open_ = max(open_ + opens - ends, 0)
    return "".join(found) + text[at:], holes[:_MAX_PLACES]


def _nothing(text: str) -> str:
    """Line ends in place of whole lines, blanks within one."""
    return "\n" * len(text) if "\n" in text else " " * len(text)

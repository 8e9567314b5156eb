"""Fixes of what Falco refuses, where what is meant can be told: operators of other languages, misspelt keys and priorities."""

from __future__ import annotations

import re
from typing import Final

from falcokit.diagnostic import Diagnostic, Edit, Fix
from falcokit.source import Span

__all__ = ["condition_syntax", "invalid_value", "unknown_key"]

_WORDS: Final = {"&&": "and", "||": "or", "!": "not"}
_INVENTED: Final = re.compile(r"&&|\|\||!(?!=|~)|(?:AND|OR|NOT|IN|EXISTS|CONTAINS|STARTSWITH|ENDSWITH)\b")
_CAPITALS_BEFORE: Final = re.compile(r"\b(?:AND|OR|NOT)\b(?=[ \t]*$)")
"""Falco takes such a word for the name of a macro where a check can stand, and stumbles over what comes next."""
_NOT_OPERATOR: Final = re.compile(
    r"(?:(?:not|NOT)[ \t]+|![ \t]*)(in|IN|intersects|pmatch|i?contains|startswith|endswith|i?glob|regex|exists)\b"
)
_FIELD_BEFORE: Final = re.compile(r"(?<![\w.\])])[a-z]\w*\.[\w.]*(?:\[[^\]\n]*\])?[ \t]+$")
_COMPARED_BEFORE: Final = re.compile(
    r"(?:[=<>,]|\b(?:in|intersects|pmatch|i?contains|startswith|endswith|i?glob|regex|oneof|anyof|allof))\s*\(?\s*$"
)
"""Behind these stands a value, even if it reads like a field."""
_COMMA_BEFORE: Final = re.compile(r",\s*$")
_CONDITION_BEFORE: Final = re.compile(r"\bcondition[ \t]*:[ \t]*(?:[>|][-+0-9]*[ \t]*\n[ \t]*)?[\"']?$")
_MEANT: Final = re.compile(r"did you mean `?(\w+)`?\?")


def condition_syntax(d: Diagnostic) -> Fix | None:
    """The operator that is meant in Falco's words, ``not`` in front of its field, no comma at the end of a list."""
    text, at = d.file.text, d.span.start
    line = text.rfind("\n", 0, at) + 1
    found, field = _NOT_OPERATOR.match(text, at), _FIELD_BEFORE.search(text, line, at)
    if found and field and not _COMPARED_BEFORE.search(text, max(field.start() - 40, 0), field.start()):
        moved = Edit(Span(d.file, field.start(), field.start()), "not ")
        rest = Edit(Span(d.file, at, found.end()), found[1].lower())
        return Fix("write `not` before the field", (moved, rest))
    if found := _INVENTED.match(text, at) or _CAPITALS_BEFORE.search(text, max(at - 20, 0), at):
        word = _WORDS.get(found[0], found[0].lower())
        before = "" if text[at - 1 : at] in " \t\n('\"" else " "
        behind = "" if text[found.end() : found.end() + 1] in " \t\n" else " "
        return Fix(f"write `{word}`", (Edit(Span(d.file, found.start(), found.end()), before + word + behind),))
    if text[at : at + 1] == ">" and text[at - 1 : at] == "<":
        return Fix("write `!=`", (Edit(Span(d.file, at - 1, at + 1), "!="),))
    if text[at : at + 1] == ")" and (found := _COMMA_BEFORE.search(text, max(at - 100, 0), at)):
        return Fix("take the comma out", (Edit(Span(d.file, found.start(), found.start() + 1), ""),))
    if "between two checks" in d.help and _CONDITION_BEFORE.search(text, max(at - 300, 0), at):
        # Text that is appended to a condition, mostly to narrow it.
        return Fix("begin with `and`", (Edit(Span(d.file, at, at), "and "),), safe=False)
    return None


def unknown_key(d: Diagnostic) -> Fix | None:
    """The key that is meant."""
    return _replaced(d, d.detail)


def invalid_value(d: Diagnostic) -> Fix | None:
    """The value that is meant."""
    return _replaced(d, d.span.text)


def _replaced(d: Diagnostic, written: str) -> Fix | None:
    meant = _MEANT.fullmatch(d.help)
    if meant is None or d.span.text != written:
        return None
    return Fix(f"write `{meant[1]}`", (Edit(d.span, meant[1]),), safe=False)

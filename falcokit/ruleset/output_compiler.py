"""The small language of outputs: literal text and ``%`` with a field or transformer behind it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from falcokit.catalogue import Catalogue
from falcokit.condition import parse_operand
from falcokit.condition.ast import Field, Operand, Transformer, TransformerList
from falcokit.diagnostic import Problem
from falcokit.ruleset.check_compiler import DEPRECATED_FIELDS
from falcokit.ruleset.operands import Typed, type_of

__all__ = ["OutputResult", "compile_output"]

_TRANSFORMER: Final = re.compile(r"(?:tolower|toupper|b64|basename|len|join|concat|getopt)\(")
_PLAIN: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+(?!\[)").match
_QUOTED: Final = re.compile(r"[ =\\\"'\0\b\f\n\r\t]")


class OutputResult(NamedTuple):
    """A compiled output: its first problem, or the fields it prints and the deprecated ones in its text."""

    problem: Problem | None
    fields: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()


def compile_output(
    text: str, source: str, catalogue: Catalogue, extra_fields: tuple[tuple[str, str | None], ...] = ()
) -> OutputResult:
    """Compile the output *text* of a rule of *source*; *extra_fields* are pairs of a key and its format, if any."""
    extra: list[str] = []
    for key, format_text in extra_fields:
        result = _compile(f"%{key}" if format_text is None else format_text, source, catalogue)
        if isinstance(result, Problem):
            return OutputResult(result._replace(start=0, end=0))
        extra += result
    if not text:
        message = "the output is empty"
        return OutputResult(Problem("empty-output", message, 0, 0, 0, "say what happened, with the fields that tell"))
    found = _compile(text, source, catalogue)
    if isinstance(found, Problem):
        return OutputResult(found)
    deprecated = tuple(name for name in DEPRECATED_FIELDS if name in text) if "evt." in text else ()
    return OutputResult(None, (*extra, *found), deprecated)


def _compile(text: str, source: str, catalogue: Catalogue) -> list[str] | Problem:
    fields: list[str] = []
    at = text.find("%")
    while at >= 0:
        start = at + 1
        # Nearly every field is a plain one with something behind it that cannot belong to it.
        plain = _PLAIN(text, start)
        if plain is not None and catalogue.is_plain(plain[0], source):
            fields.append(plain[0])
            at = text.find("%", plain.end())
            continue
        while text[start : start + 1].isdigit() and text[start].isascii():
            start += 1
        if start >= len(text):
            return _problem(text, "output-syntax", at, start, "the output ends with a `%` that has no field", _PERCENT)
        if _TRANSFORMER.match(text, start):
            end = _transformer(text, start, source, catalogue, fields)
        else:
            found = catalogue.longest(text, start, source)
            if found is None:
                end = None
            else:
                end, use, name = found
                written = name
                if use.argument is not None and end > start + len(name):
                    written = f"{name}[{_quoted(use.argument)}]"
                fields.append(written)
        if end is None:
            return _unknown(text, at, start, source, catalogue)
        at = text.find("%", end)
    return fields


_PERCENT: Final = "there is no way to print a percent sign: write the word, or a field behind it"


def _problem(
    text: str, kind: str, start: int, end: int, message: str, help_text: str = "", unknown: bool = False
) -> Problem:
    before, upto = len(text[:start].encode("utf-8", "surrogateescape")), len(text[:end].encode("utf-8", "surrogateescape"))
    return Problem(kind, message, before, before, upto, help_text, unknown)


_WORD: Final = re.compile(r"[A-Za-z0-9_.\[\]/]+")


def _unknown(text: str, at: int, start: int, source: str, catalogue: Catalogue) -> Problem:
    word = _WORD.match(text, start)
    name = word[0] if word else ""
    name = name.rstrip(".")
    if not name or not name[0].isalpha():
        return _problem(text, "output-syntax", at, start + 1, "there is no field behind this `%`", _PERCENT, True)
    if text[start + len(name) : start + len(name) + 1] == "(":
        message = f"`{name}(...)` is no transformer that works here"
        return _problem(text, "unknown-output-field", at, start + len(name), message, "", True)
    if "." not in name:
        message = f"`{name}` is no field: names of fields have a dot"
    else:
        message = f"there is no field `{name}` for rules of source `{source}`"
    elsewhere = [s for s in catalogue.sources_of(name.partition("[")[0]) if s != source]
    near = catalogue.suggest(name, source)
    help_text = ""
    if elsewhere:
        help_text = f"it belongs to source {', '.join(f'`{s}`' for s in elsewhere)}"
    elif near:
        help_text = "did you mean " + " or ".join(f"`%{n}`" for n in near) + "?"
    return _problem(text, "unknown-output-field", at, start + len(name), message, help_text, True)


def _transformer(text: str, start: int, source: str, catalogue: Catalogue, fields: list[str]) -> int | None:
    """Read a transformer at *start*; its end, or None where it does not parse or compile."""
    piece = text[start:]
    found = parse_operand(piece)
    if found is None:
        return None
    operand, end = found
    if not piece.isascii():
        end = len(piece.encode("utf-8", "surrogateescape")[:end].decode("utf-8", "surrogateescape"))
    typed = type_of(operand, source, catalogue, 0)
    if not isinstance(typed, Typed) and isinstance(operand, Transformer) and operand.argument is not None:
        # Falco takes the longest text that works: the brackets are then literal text.
        end = piece.index(")", operand.arguments[-1].end) + 1
        operand = Transformer(operand.name, operand.arguments)
        typed = type_of(operand, source, catalogue, 0)
    if not isinstance(typed, Typed):
        return None
    _collect(operand, fields)
    return start + end


def _collect(operand: Operand, fields: list[str], *, nested: bool = False) -> None:
    """Fields first, then the transformer's own text; of transformers directly inside each other only the outermost."""
    if isinstance(operand, Field):
        fields.append(written(operand))
    elif isinstance(operand, Transformer):
        for argument in operand.arguments:
            _collect(argument, fields, nested=True)
        if not nested:
            fields.append(written(operand))
    elif isinstance(operand, TransformerList):
        for item in operand.items:
            _collect(item, fields, nested=True)


def written(operand: Operand) -> str:
    """A field, transformer or literal in the form of compiled texts."""
    from falcokit.condition.render import render_operand

    return render_operand(operand)


def _quoted(argument: str) -> str:
    from falcokit.condition.render import quote

    return quote(argument) if not argument or _QUOTED.search(argument) else argument

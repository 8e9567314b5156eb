"""What could stand at a place of a condition, in words: asked of the published grammar."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

__all__ = ["expected", "grammar"]

_MAX_TEXT: Final = 20_000
_WORDS: Final = {
    "FIELD": "a field",
    "TRANSFORMER": "a transformer",
    "IDENTIFIER": "a macro name",
    "NOT": "`not`",
    "LPAR": "`(`",
    "EXISTS": "`exists`",
    "TEXT_OPERATOR": "an operator such as `=` or `contains`",
    "NUMBER_OPERATOR": "`<`, `<=`, `>` or `>=`",
    "LIST_OPERATOR": "`in`, `intersects` or `pmatch`",
    "MODIFIER": "`oneof`, `anyof` or `allof`",
    "BARE": "a value",
    "DOUBLE_QUOTED": "a quoted text",
    "NUMBER": "a number",
    "VAL": "`val(field)`",
    "COMMA": "`,`",
    "RPAR": "`)`",
    "AND": "`and`",
    "OR": "`or`",
    "$END": "the end",
}
"""Terminals of the grammar in the order they are named to people; those left out come with one of these."""


@cache
def grammar() -> Any:
    """The grammar as a lark parser.  Takes some forty milliseconds the first time."""
    from importlib.resources import files

    from lark import Lark

    text = files("falcokit.condition").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="contextual")


def expected(text: str, offset: int) -> tuple[str, ...]:
    """What could stand at character *offset* of *text*, given all that stands before it; empty where nobody can say."""
    from lark.exceptions import LarkError

    if len(text) > _MAX_TEXT:
        return ()
    parser = grammar().parse_interactive(text[:offset])
    try:
        parser.exhaust_lexer()
        accepted = set(parser.accepts())
    except LarkError:
        return ()
    if not accepted & {"FIELD", "NOT"}:
        accepted = {"IDENTIFIER_LIST" if name == "IDENTIFIER" else name for name in accepted}
    return tuple([words for name, words in _WORDS.items() if name in accepted])

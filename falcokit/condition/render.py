"""From trees back to text: Falco's compiled form, and source text that parses to the same tree again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from falcokit.condition.ast import (
    And,
    Check,
    Expression,
    Field,
    Identifier,
    ListValue,
    Not,
    Operand,
    TransformerList,
    Value,
)

__all__ = ["quote", "render", "render_operand", "to_source"]

_SPECIAL: Final = re.compile(r"[ =\\\"'\0\b\f\n\r\t]")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BARE: Final = re.compile("[^()\"' \\t\\b\\n\\v\\f\\r=,\udc80-\udcff]+")
"""A text that needs no quotes; Falco skips a backspace in front of a value as it skips blanks."""
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?")
_ARGUMENT: Final = re.compile(r"[^]\[\"' \t\n\v\f\r]+")


def quote(text: str) -> str:
    """*text* in double quotes, with the escapes of quoted texts."""
    return '"' + "".join([_ESCAPES.get(c, c) for c in text]) + '"'


def _compiled_text(text: str) -> str:
    return quote(text) if _SPECIAL.search(text) else text


def render(node: Expression, expand: Callable[[Identifier], str] | None = None) -> str:
    """The compiled text of a tree, as ``falco -L`` prints it; *expand* gives the text for a macro's name."""
    if isinstance(node, Check):
        return _check(node)
    if isinstance(node, Identifier):
        return node.name if expand is None else expand(node)
    if isinstance(node, Not):
        return f"not {render(node.child, expand)}"
    word = " and " if isinstance(node, And) else " or "
    return "(" + word.join([render(child, expand) for child in node.children]) + ")"


def _check(node: Check) -> str:
    left = render_operand(node.left)
    operator = f"{node.operator} {node.modifier}" if node.modifier else node.operator
    right = node.right
    if right is None:
        return f"{left} {operator}"
    if isinstance(right, ListValue):
        return f"{left} {operator} ({', '.join([_compiled_text(item.text) for item in right.items])})"
    return f"{left} {operator} {render_operand(right)}"


def render_operand(operand: Operand) -> str:
    """The compiled text of a field, transformer or literal."""
    if isinstance(operand, Field):
        return operand.name + _argument(operand.argument)
    if isinstance(operand, Value):
        return _compiled_text(operand.text)
    if isinstance(operand, TransformerList):
        return "(" + ",".join([render_operand(item) for item in operand.items]) + ")"
    inner = ",".join(map(render_operand, operand.arguments))
    return f"{operand.name}({inner}){_argument(operand.argument)}"


def _argument(argument: str | None) -> str:
    if argument is None:
        return ""
    return f"[{_compiled_text(argument)}]" if argument else '[""]'


def to_source(node: Expression, lists: frozenset[str] = frozenset()) -> str:
    """Condition text that parses to *node* again, quoting only where it must: what would stand for one of *lists*, too."""
    return _source(node, lists, top=True)


def _source(node: Expression, lists: frozenset[str], *, top: bool = False) -> str:
    if isinstance(node, Check):
        return _source_check(node, lists)
    if isinstance(node, Identifier):
        return node.name
    if isinstance(node, Not):
        child = _source(node.child, lists)
        return f"not({child})" if isinstance(node.child, Not) else f"not {child}"
    word = " and " if isinstance(node, And) else " or "
    text = word.join([_source(child, lists) for child in node.children])
    return text if top else f"({text})"


def _source_check(node: Check, lists: frozenset[str]) -> str:
    left = _source_operand(node.left)
    operator = f"{node.operator} {node.modifier}" if node.modifier else node.operator
    right = node.right
    if right is None:
        return f"{left} {operator}"
    if isinstance(right, ListValue):
        return f"{left} {operator} ({', '.join([_source_text(item.text, lists) for item in right.items])})"
    if isinstance(right, Value):
        if operator in ("<", "<=", ">", ">="):
            return f"{left} {operator} {right.text}"
        return f"{left} {operator} {_source_text(right.text, lists)}"
    return f"{left} {operator} {_source_operand(right)}"


def _source_text(text: str, lists: frozenset[str]) -> str:
    if _BARE.fullmatch(text) and text not in ("oneof", "anyof", "allof") and text not in lists:
        return text
    return _escaped(text)


def _escaped(text: str) -> str:
    """A quoted text; a backslash at its end is written as ``\\x5c``, since ``\\\\`` would hide the closing quote."""
    inner = "".join([f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else _ESCAPES.get(c, c) for c in text])
    if inner.endswith("\\"):
        inner = inner[:-2] + "\\x5c"
    return f'"{inner}"'


def _source_operand(operand: Operand) -> str:
    if isinstance(operand, Field):
        return operand.name + _source_argument(operand.argument)
    if isinstance(operand, Value):
        return operand.text if not operand.quoted and _NUMBER.fullmatch(operand.text) else _escaped(operand.text)
    if isinstance(operand, TransformerList):
        return "(" + ", ".join([_source_operand(item) for item in operand.items]) + ")"
    inner = ", ".join(map(_source_operand, operand.arguments))
    return f"{operand.name}({inner}){_source_argument(operand.argument)}"


def _source_argument(argument: str | None) -> str:
    if argument is None:
        return ""
    return f"[{argument if _ARGUMENT.fullmatch(argument) else _escaped(argument)}]"

"""JSON as the plugins of Falco read it: more lenient than the standard, and every value keeps its own spelling.

The parser of the k8saudit and json plugins takes unescaped control characters, unknown escapes and odd numbers, and what is
no text is given back as it was written, less the white space between its parts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["JsonError", "JsonValue", "read_json"]

MAX_DEPTH: Final = 300
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_NUMBER: Final = re.compile(r"[+-]?(?:nan|inf)|[0-9.eE+-]*[0-9.eE][0-9.eE+-]*|[+-]{2,}", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"\\(u[dD][89a-fA-F][0-9a-fA-F]{2}(?:\\u[0-9a-fA-F]{4})?|u[0-9a-fA-F]{4}|.)", re.DOTALL)
"""A surrogate takes the escape behind it, whatever that is."""
_SIMPLE: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class JsonError(ValueError):
    """The text is no JSON, not even for the plugins."""


class JsonValue:
    """One value: ``kind`` is ``text``, ``object``, ``array`` or ``other``.

    ``raw`` is what is written for a text or another scalar; ``members`` are the pairs of an object, keys unescaped and raw.
    """

    __slots__ = ("items", "kind", "members", "raw")

    def __init__(
        self,
        kind: str,
        raw: str = "",
        members: Sequence[tuple[str, str, JsonValue]] = (),
        items: Sequence[JsonValue] = (),
    ) -> None:
        self.kind: Final = kind
        self.raw: Final = raw
        self.members: Final = members
        self.items: Final = items

    def get(self, key: str) -> JsonValue | None:
        """The value of the first member *key* of an object."""
        return next((value for name, _, value in self.members if name == key), None)

    def compact(self) -> str:
        """The JSON text as it was written, without blanks between its parts."""
        if self.kind == "object":
            return "{" + ",".join([f"{key}:{value.compact()}" for _, key, value in self.members]) + "}"
        if self.kind == "array":
            return "[" + ",".join([item.compact() for item in self.items]) + "]"
        return self.raw

    def indented(self, indent: str = "") -> str:
        """The JSON text on lines of its own, indented by two blanks."""
        inner = indent + "  "
        if self.kind == "object" and self.members:
            lines = [f"{inner}{key}: {value.indented(inner)}" for _, key, value in self.members]
            return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
        if self.kind == "array" and self.items:
            return "[\n" + ",\n".join([inner + item.indented(inner) for item in self.items]) + f"\n{indent}]"
        return self.compact()

    def text(self) -> str:
        """A text as it reads, up to its first NUL; anything else as `compact`."""
        return self.whole().partition("\0")[0]

    def whole(self) -> str:
        """As `text`, with what stands behind a NUL."""
        return unescaped(self.raw[1:-1]) if self.kind == "text" else self.compact()


def unescaped(text: str) -> str:
    """*text*, the inside of a string, with its escapes read; those that say nothing stay as they are."""
    return _ESCAPE.sub(_escape, text) if "\\" in text else text


def _escape(found: re.Match[str]) -> str:
    word = found[1]
    if word[0] != "u" or len(word) == 1:
        return _SIMPLE.get(word, found[0])
    first = int(word[1:5], 16)
    rest = word[5:]
    if not 0xD800 <= first < 0xE000:
        return chr(first)
    if not rest:
        return found[0]
    second = int(rest[2:], 16)
    if first < 0xDC00 and 0xDC00 <= second < 0xE000:
        return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    return "\N{REPLACEMENT CHARACTER}"


def read_json(text: str) -> JsonValue:
    """The one value of *text*.  Raises `JsonError`."""
    value, at = _value(text, _skip(text, 0), 1)
    if _skip(text, at) != len(text):
        raise JsonError("there is text behind the value")
    return value


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    assert found is not None
    return found.end()


def _value(text: str, at: int, depth: int) -> tuple[JsonValue, int]:
    if depth > MAX_DEPTH:
        raise JsonError(f"nested more than {MAX_DEPTH} levels deep")
    sign = text[at : at + 1]
    if sign == "{":
        return _object(text, at + 1, depth)
    if sign == "[":
        return _array(text, at + 1, depth)
    if sign == '"':
        found = _STRING.match(text, at)
        if found is None:
            raise JsonError("a string is never closed")
        return JsonValue("text", found[0]), found.end()
    for word in ("true", "false", "null"):
        if text.startswith(word, at):
            return JsonValue("other", word), at + len(word)
    number = _NUMBER.match(text, at)
    if number is None or not number[0]:
        raise JsonError("there is no value")
    return JsonValue("other", number[0]), number.end()


def _object(text: str, at: int, depth: int) -> tuple[JsonValue, int]:
    members: list[tuple[str, str, JsonValue]] = []
    at = _skip(text, at)
    if text[at : at + 1] == "}":
        return JsonValue("object"), at + 1
    while True:
        key = _STRING.match(text, _skip(text, at))
        if key is None:
            raise JsonError("there is no key")
        at = _skip(text, key.end())
        if text[at : at + 1] != ":":
            raise JsonError("there is no `:` behind a key")
        value, at = _value(text, _skip(text, at + 1), depth + 1)
        members.append((unescaped(key[1]), key[0], value))
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return JsonValue("object", members=members), at + 1
        if text[at : at + 1] != ",":
            raise JsonError("an object is never closed")
        at += 1


def _array(text: str, at: int, depth: int) -> tuple[JsonValue, int]:
    items: list[JsonValue] = []
    at = _skip(text, at)
    if text[at : at + 1] == "]":
        return JsonValue("array"), at + 1
    while True:
        value, at = _value(text, _skip(text, at), depth + 1)
        items.append(value)
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return JsonValue("array", items=items), at + 1
        if text[at : at + 1] != ",":
            raise JsonError("an array is never closed")
        at += 1

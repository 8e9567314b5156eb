"""What an operand of a check is in an event: a field, a literal, or a transformer over them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition.ast import Field, Operand, Transformer, TransformerList, Value
from falcokit.evaluate.ancestors import ANCESTORS, ancestors_of
from falcokit.evaluate.sockets import BOTH_ENDS, ends_of
from falcokit.evaluate.values import Single, WrongValues, encoded, read_value
from falcokit.record import Record
from falcokit.ruleset.operands import glued

__all__ = ["Event", "Got", "Reader", "compile_operand"]

Event: TypeAlias = "Mapping[str, object]"
"""Values by full field expressions, such as ``proc.aname[2]``; an absent key has no value."""
Got: TypeAlias = "Single | list[Single] | None"
"""A value, the elements of a list field, or None where there is none."""

_LOWER: Final = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))
_UPPER: Final = bytes(c - 32 if 97 <= c <= 122 else c for c in range(256))
_NUL: Final = b"\0"
"""Falco's transformers leave the NUL behind a text in it, where whole texts are compared byte by byte."""


class Reader(Record):
    """How to get an operand from an event: its type once transformed, whether that is a list, and the function."""

    __slots__ = ("get", "is_list", "type")

    def __init__(self, type: str, is_list: bool, get: Callable[[Event], Got]) -> None:
        self.type: Final = type
        self.is_list: Final = is_list
        self.get: Final = get


def compile_operand(operand: Operand, source: str, catalogue: Catalogue, wrong: WrongValues | None = None) -> Reader:
    """The reader of an *operand* that Falco takes in rules of *source*; values of wrong types are noted in *wrong*."""
    if isinstance(operand, Field):
        return _field(operand, source, catalogue, wrong)
    if isinstance(operand, Value):
        text = encoded(operand.text)
        return Reader("CHARBUF", False, lambda event: text)
    if isinstance(operand, TransformerList):
        return _list([compile_operand(item, source, catalogue, wrong) for item in operand.items])
    arguments = [compile_operand(argument, source, catalogue, wrong) for argument in operand.arguments]
    return _transformer(operand, arguments)


def _field(operand: Field, source: str, catalogue: Catalogue, wrong: WrongValues | None) -> Reader:
    key = glued(operand)
    use = catalogue.resolve(key, source)
    assert isinstance(use, FieldUse)
    type_name = use.type
    several = operand.argument is None and (operand.name in ANCESTORS or operand.name in BOTH_ENDS)
    if not use.is_list and not several:

        def single(event: Event) -> Got:
            written = event.get(key)
            value = read_value(written, type_name)
            if value is None and written is not None and wrong is not None:
                wrong.note(key, type_name, written)
            return value

        return Reader(type_name, False, single)
    of_ends = key in BOTH_ENDS

    def elements(event: Event) -> Got:
        written = event.get(key)
        if written is None and several:
            written = ends_of(key, event)[0] if of_ends else ancestors_of(key, event)
        if not isinstance(written, (list, tuple)):
            written = () if written is None else (written,)
        found = [value for item in written if (value := read_value(item, type_name)) is not None]
        if len(found) < len(written) and wrong is not None:
            wrong.note(key, f"list of {type_name}" if use.is_list else type_name, written)
        return found or None

    return Reader(type_name, use.is_list, elements)


def _list(parts: list[Reader]) -> Reader:
    def get(event: Event) -> Got:
        found: list[Single] = []
        for part in parts:
            value = part.get(event)
            if value is None:
                return None
            found += [_text(element) for element in (value if isinstance(value, list) else [value])]
        return found

    return Reader("CHARBUF", True, get)


def _text(value: Single) -> bytes:
    """A value as a text: numbers in decimal."""
    return value.partition(_NUL)[0] if isinstance(value, bytes) else str(int(value)).encode()


def _transformer(operand: Transformer, arguments: list[Reader]) -> Reader:
    name, first = operand.name, arguments[0]
    if name == "val":
        return first
    if name == "len":
        inner = operand.arguments[0]
        if isinstance(inner, Transformer) and inner.name == "getopt" and first.is_list:
            return Reader("UINT64", False, lambda event: _options_length(first.get(event)))
        whole = first.type == "BYTEBUF"
        return Reader("UINT64", False, lambda event: _length(first.get(event), whole))
    if name == "concat":
        return Reader("CHARBUF", False, lambda event: _joined(b"", [part.get(event) for part in arguments]))
    if name == "join":

        def join(event: Event) -> Got:
            separator, parts = first.get(event), arguments[1].get(event)
            if separator is None or isinstance(separator, list) or not isinstance(parts, list):
                return None
            return _joined(_text(separator), parts)

        return Reader("CHARBUF", False, join)
    if name == "getopt":
        return _getopt(operand, first, arguments[1])
    change = _CHANGES[name]
    end = b"" if first.type == "BYTEBUF" else _NUL

    def each(event: Event) -> Got:
        got = first.get(event)
        if got is None:
            return None
        values = got if isinstance(got, list) else [got]
        changed = [change(value.removesuffix(end)) for value in values if isinstance(value, bytes)]
        kept: list[Single] = [value + end for value in changed if value is not None]
        if len(kept) < len(changed):
            return None
        return kept if isinstance(got, list) else kept[0]

    return Reader(first.type, first.is_list, each)


def _decoded(value: bytes) -> bytes | None:
    if len(value) % 4 == 1:
        return None
    padded = value if value.endswith(b"=") else value + b"=" * (-len(value) % 4)
    try:
        decoded = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Unused bits of the last group must be zero.
    return decoded if base64.b64encode(decoded).rstrip(b"=") == value.rstrip(b"=") else None


_CHANGES: Final[Mapping[str, Callable[[bytes], bytes | None]]] = {
    "tolower": lambda value: value.translate(_LOWER),
    "toupper": lambda value: value.translate(_UPPER),
    "basename": lambda value: value.rpartition(b"/")[2],
    "b64": _decoded,
}


def _length(got: Got, whole: bool = False) -> Got:
    """How many elements a list has, how many bytes a text up to its first NUL, a buffer as a *whole*."""
    if got is None:
        return None
    return len(got) if isinstance(got, list) or (whole and isinstance(got, bytes)) else len(_text(got))


def _options_length(got: Got) -> Got:
    """Of a single option Falco counts the bytes, of none it has no length; it ends at several, which are counted here."""
    if not isinstance(got, list) or not got:
        return None
    return _length(got[0]) if len(got) == 1 else len(got)


def _joined(separator: bytes, parts: list[Single] | list[Got]) -> Got:
    found = []
    for part in parts:
        if part is None or isinstance(part, list):
            return None
        found.append(_text(part))
    return separator.join(found)


def _getopt(operand: Transformer, words: Reader, options: Reader) -> Reader:
    letter = encoded(operand.argument) if operand.argument is not None else None

    def get(event: Event) -> Got:
        got, known = words.get(event), options.get(event)
        if not isinstance(got, list) or not isinstance(known, bytes):
            return None
        found = _options([word for word in got if isinstance(word, bytes)], known)
        if letter is None:
            return [part for _, parts in found for part in parts]
        chosen = [parts[-1] for option, parts in found if option == letter]
        return chosen[-1] if chosen else None

    return Reader("CHARBUF", letter is None, get)


def _options(words: list[bytes], known: bytes) -> list[tuple[bytes, tuple[bytes, ...]]]:
    """The options among *words* as getopt(3) finds them, and what each puts into the list: its letter, and its value
    where it takes one; the empty text alone where that is missing.  An unknown one has no letter to ask for."""
    found: list[tuple[bytes, tuple[bytes, ...]]] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == b"--" or word == b"-" or not word.startswith(b"-"):
            break
        if word.startswith(b"--"):
            continue
        rest = word[1:]
        while rest:
            letter, rest = rest[:1], rest[1:]
            place = known.find(letter)
            if letter == b":" or place < 0:
                found.append((b"", (b"?",)))
                continue
            if known[place + 1 : place + 2] != b":":
                found.append((letter, (letter,)))
                continue
            if rest:
                found.append((letter, (letter, rest)))
            elif at < len(words):
                found.append((letter, (letter, words[at])))
                at += 1
            else:
                found.append((letter, (b"",)))
            break
    return found

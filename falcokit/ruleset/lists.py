"""Lists: their items once compiled, and their replacement in the text of conditions, as Falco does it.

Falco puts lists in before it parses anything, wherever their name stands between delimiters.  What is done to the text
is kept as splices, so that the same can be done to the text with places when a finding needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from falcokit.record import Record
from falcokit.ruleset.definitions import ListDefinition
from falcokit.ruleset.items import Written
from falcokit.source import MappedText

__all__ = [
    "MAX_TEXT",
    "CompiledList",
    "Splice",
    "Substitution",
    "TooLargeError",
    "Work",
    "compile_list",
    "quoted",
    "replay",
    "substitute",
    "words",
]  # fmt: skip

MAX_TEXT: Final = 1 << 22
"""The length in characters that a condition may grow to; only lists of addresses come near it."""

_BLANKS: Final = " \t\n\r"
_DELIMITERS: Final = " \t\n\r(),="
words: Final = re.compile(r"[^ \t\n\r(),=]+").findall
"""The stretches of a text between the delimiters of list names."""


class TooLargeError(Exception):
    """A text has outgrown `MAX_TEXT`; becomes a diagnostic where the text belongs to an item."""


class Work:
    """How many characters may still be copied while lists are put in, over all conditions of a load.

    The default rules need 170 thousand.  What is copied is parsed, and a tree takes twenty times the room of its text.
    """

    __slots__ = ("left",)
    LIMIT: Final = 1 << 25

    def __init__(self) -> None:
        self.left = self.LIMIT


class CompiledList(Record):
    """A list with the lists among its items put in, one level deep; ``lists`` names those, ``order`` is its rank."""

    __slots__ = ("definition", "items", "lists", "order", "text")

    def __init__(
        self, definition: ListDefinition, items: tuple[Written, ...], lists: tuple[str, ...], order: int, text: str
    ) -> None:
        self.definition: Final = definition
        self.items: Final = items
        self.lists: Final = lists
        self.order: Final = order
        self.text: Final = text


class Splice(Record):
    """One replacement: characters ``[start, end)`` of the text so far gave way to the items of a list."""

    __slots__ = ("end", "name", "start")

    def __init__(self, start: int, end: int, name: str) -> None:
        self.start: Final = start
        self.end: Final = end
        self.name: Final = name


class Substitution(Record):
    """A text after all lists were put in, and how."""

    __slots__ = ("splices", "text")

    def __init__(self, text: str, splices: tuple[Splice, ...]) -> None:
        self.text: Final = text
        self.splices: Final = splices


def quoted(text: str) -> str:
    """*text* as Falco writes it into a condition: in double quotes when it has a blank and no quote before it."""
    return f'"{text}"' if " " in text and text[0] not in "\"'" else text


def compile_list(
    definition: ListDefinition,
    order: int,
    visible: int,
    lists: Mapping[str, ListDefinition],
    ranks: Mapping[tuple[str, str], tuple[int, int]],
) -> CompiledList:
    """*definition* with the lists it names put in, as far as they were first defined before rank *visible*."""
    found: list[Written] = []
    named: list[str] = []
    size = 0
    for item in definition.items:
        inner = lists.get(item.node.value)
        if inner is not None and ranks["list", inner.name][0] < visible:
            named.append(inner.name)
            found.extend(inner.items)
        else:
            found.append(item)
        if len(found) > MAX_TEXT:
            break
    text = ""
    for item in found:
        piece = quoted(item.node.value)
        size += len(piece) + 2
        if size > MAX_TEXT:
            break
    else:
        text = _joined([quoted(item.node.value) for item in found])
    if size > MAX_TEXT:
        text = "\0"
    return CompiledList(definition, tuple(found), tuple(named), order, text)


def _joined(items: list[str]) -> str:
    """The items with commas between; while nothing has been written no comma is, so empty ones in front vanish."""
    if "" not in items:
        return ", ".join(items)
    first = next((number for number, item in enumerate(items) if item), len(items))
    return ", ".join(items[first:])


def substitute(text: str, found: Iterable[str], lists: Mapping[str, CompiledList], work: Work) -> Substitution:
    """*text* with lists put in, in the order of their definition; *found* are its words that name lists.

    Raises `TooLargeError` when the text grows beyond `MAX_TEXT`, or *work* is used up.
    """
    pending = sorted({lists[name].order: name for name in found}.items())
    splices: list[Splice] = []
    done = -1
    while pending:
        done, name = pending.pop(0)
        compiled = lists[name]
        if compiled.text == "\0":
            raise TooLargeError
        before = len(splices)
        text = _put_in(text, compiled, splices, work)
        if len(splices) > before and compiled.text:
            known = {number for number, _ in pending}
            later = {
                other.order: word
                for word in words(compiled.text)
                if (other := lists.get(word)) is not None and other.order > done and other.order not in known
            }
            if later:
                pending = sorted([*pending, *later.items()])
    return Substitution(text, tuple(splices))


def _put_in(text: str, compiled: CompiledList, splices: list[Splice], work: Work) -> str:
    name, items = compiled.definition.name, compiled.text
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        before, after = text[start - 1 : start], text[end : end + 1]
        if (start == 0 or before in _DELIMITERS) and (not after or after in _DELIMITERS):
            while start > 0 and text[start - 1] in _BLANKS:
                start -= 1
            while end < len(text) and text[end] in _BLANKS:
                end += 1
            if not items:
                if start > 0 and text[start - 1] == ",":
                    start -= 1
                elif text[end : end + 1] == ",":
                    end += 1
            splices.append(Splice(start, end, name))
            text = f"{text[:start]} {items} {text[end:]}" if start > 0 else f"{items} {text[end:]}"
            work.left -= len(text)
            if len(text) > MAX_TEXT or work.left < 0:
                raise TooLargeError
            start += len(items) + 1
        start = text.find(name, start + 1)
    return text


def replay(text: MappedText, splices: Iterable[Splice], lists: Mapping[str, CompiledList]) -> MappedText:
    """The same replacements on the text with places: what a list put in stands where its items are written."""
    from falcokit.document.offsets import origins

    for splice in splices:
        pieces: list[MappedText | str] = []
        started = False
        for item in lists[splice.name].items:
            value = item.node.value
            written = MappedText.written(value, origins(item.file, item.node))
            if started:
                pieces.append(", ")
            pieces += ['"', written, '"'] if quoted(value) != value else [written]
            started = started or bool(value)
        items = MappedText.joined(pieces)
        left = text[: splice.start]
        text = (left + " " if splice.start > 0 else left) + items + " " + text[splice.end :]
    return text

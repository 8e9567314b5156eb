"""Falco's command line as far as it changes the configuration: ``-r PATH`` and ``-o KEY=VALUE``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from falcokit.config.documents import first_document
from falcokit.config.value import Form, Place, Value, option_reader, problem

__all__ = ["Arguments", "assign", "parse_arguments"]

_INDEX: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]{1,9})")
_NO_EFFECT: Final = frozenset(("--dry-run", "-L", "-v", "-U", "--unbuffered"))
_KEY_ADVICE: Final = "write it as `key.subkey`, `list[0].key` or `list[].key`, which adds to the list"


class Arguments(NamedTuple):
    """The paths of ``-r`` and the texts of ``-o``, each in order."""

    rules: tuple[str, ...]
    options: tuple[str, ...]


def parse_arguments(args: Sequence[str]) -> Arguments:
    """Read *args*; raises `falcokit.errors.ConfigError` for what is not ``-r`` or ``-o``."""
    rules: list[str] = []
    options: list[str] = []
    rest = list(reversed(args))
    while rest:
        arg = rest.pop()
        if arg in _NO_EFFECT:
            continue
        name, value = arg, None
        if arg.startswith("--option="):
            name, value = "-o", arg[len("--option=") :]
        elif arg[:2] in ("-r", "-o") and len(arg) > 2:
            name, value = arg[:2], arg[2:]
        if name not in ("-r", "-o", "--option"):
            raise problem(arg, "this argument is not read here", "give `-r PATH` or `-o KEY=VALUE`")
        if value is None:
            if not rest:
                raise problem(arg, "the argument lacks its value", "write it behind it")
            value = rest.pop()
        (rules if name == "-r" else options).append(value)
    return Arguments(tuple(rules), tuple(options))


def assign(root: Value, option: str) -> None:
    """Set what the text of one ``-o`` says: plain text, or in braces a YAML mapping."""
    place = Place(None, 0, f"-o {option}")
    key, equals, text = option.partition("=")
    if not equals:
        raise problem(place, "the option has no `=`", "write it as `key=value` or `key.subkey=value`")
    if text.startswith("{") and text.endswith("}") and len(text) > 1:
        file, reader = option_reader(text, str(place))
        value = reader.value(first_document(file))
    else:
        value = Value(place, Form.TEXT, text)
    node = root
    for step in _steps(key, place):
        node = _child(node, step, place)
    node.become(value)


def _steps(key: str, place: Place) -> list[str | int | None]:
    """The names and positions of *key*; None is a new element at the end."""
    found: list[str | int | None] = []
    name, at, last = "", 0, len(key) - 1
    while at <= last:
        character = key[at]
        if character not in ".[":
            if at > 0 and not name and key[at - 1] != ".":
                raise problem(place, f"a `.` must stand before character {at + 1} of the key", _KEY_ADVICE)
            name += character
        if character in ".[" or at == last:
            if not name:
                raise problem(place, f"a name must stand before character {at + 1} of the key", _KEY_ADVICE)
            found.append(name)
            name = ""
        if character == "[":
            close = key.find("]", at)
            if close < 0:
                raise problem(place, "a `[` of the key is never closed", _KEY_ADVICE)
            found.append(_index(key[at + 1 : close], place))
            at = close
            if at < last and key[at + 1] == ".":
                at += 1
        at += 1
    if not found:
        raise problem(place, "the option has no key", _KEY_ADVICE)
    return found


def _index(text: str, place: Place) -> int | None:
    if not text:
        return None
    match = _INDEX.match(text)
    if match is None:
        raise problem(place, f"`{text}` is no position in a list", _KEY_ADVICE)
    return int(match[1])


def _child(node: Value, step: str | int | None, place: Place) -> Value:
    """The value that *step* leads to from *node*, made where there is none."""
    if step is None:
        if node.form not in (Form.ABSENT, Form.SEQUENCE):
            raise problem(place, f"`[]` adds to a sequence, but {_described(node)}", "give a position instead")
        node.form = Form.SEQUENCE
        node.items.append(Value(place, Form.NULL))
        return node.items[-1]
    if node.form is Form.TEXT:
        raise problem(place, f"the key leads into a text: {_described(node)}", "name the whole key")
    if isinstance(step, int):
        fits = 0 <= step <= len(node.items) and node.form is not Form.TABLE
        if fits:
            node.form = Form.SEQUENCE
            if step == len(node.items):
                node.items.append(Value(place))
            return node.items[step]
        step = str(step)
    node.become_table()
    if step not in node.table:
        node.table[step] = Value(place)
    return node.table[step]


def _described(node: Value) -> str:
    return f"{node.form.value} stands at {node.place}"

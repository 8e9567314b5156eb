"""A configuration file while keys and items are put into it: its text, and what it is to mean.

Only spans are edited, so that comments and layout survive.  What the new text means is compared at the end with the old
meaning plus the changes: a layout that the edits do not understand is refused and never written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeAlias

from falcokit.document import Document, Mapping, Node, Scalar, Sequence, compose, key_text
from falcokit.errors import ConfigError
from falcokit.source import SourceFile

__all__ = ["Draft", "Path", "Value"]

Value: TypeAlias = "str | bool | int | dict[str, Any] | list[Any]"
"""What can be put in."""
Path: TypeAlias = "tuple[str | int, ...]"
"""Keys and positions that lead to a node."""
_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./=+-]*(?::[A-Za-z0-9_./=+-]+)*", re.ASCII)
_FLAG: Final = re.compile(r"--[a-z][a-z0-9_.-]*(?:=[A-Za-z0-9_./,=-]*)?", re.ASCII)
_WORDS: Final = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_LAYOUT: Final = "it is laid out in a way that falcokit cannot change without touching other things"
_MAX_CHARACTERS: Final = 4_000_000


class Draft:
    """The one document of the file *name* with *text* that *fits* says yes to; *what* it is for the sentence if none is.

    Raises `ConfigError` where the file cannot be edited.
    """

    def __init__(self, name: str, text: str, what: str, fits: Callable[[Mapping], bool]) -> None:
        self.name = name
        self._crlf = "\r\n" in text and "\n" not in text.replace("\r\n", "")
        self.text = text.replace("\r\n", "\n") if self._crlf else text
        if len(text) > _MAX_CHARACTERS:
            self.refuse("it is too large")
        fitting = [
            number for number, one in enumerate(self._documents()) if isinstance(one.root, Mapping) and fits(one.root)
        ]
        if len(fitting) != 1:
            self.refuse(f"it is no {what}" if not fitting else f"it holds more than one {what}")
        self._number = fitting[0]
        self._fits = fits
        self.model: Any = self._meaning()

    def refuse(self, why: str) -> NoReturn:
        """Give up with one sentence."""
        raise ConfigError(f"cannot change {self.name}: {why}")

    def at(self, *path: str | int) -> Any:
        """The meaning of the node at *path*: dict, list, text, or None for null and for what is not there."""
        here = self.model
        for step in path:
            if isinstance(step, int):
                here = here[step] if isinstance(here, list) and 0 <= step < len(here) else None
            else:
                here = here.get(step) if isinstance(here, dict) else None
        return here

    def put(self, path: Path, value: Value) -> None:
        """Give the key that *path* ends with the *value*; keys on the way are made.  Nothing where it is so already."""
        if self.at(*path) == _meant(value) and self.at(*path) is not None:
            return
        parent = self.at(*path[:-1])
        if len(path) > 1 and parent in (None, {}):
            self.put(path[:-1], {str(path[-1]): value})
            return
        if not isinstance(parent, dict):
            self.refuse(f"`{_said(path[:-1])}` is no mapping")
        key = str(path[-1])
        mapping = self._node(path[:-1])
        assert isinstance(mapping, Mapping)
        if "<<" in parent:
            self.refuse(f"`{_said(path[:-1])}` is merged from elsewhere with `<<`")
        if key in parent:
            name, node = mapping.key(key), mapping.get(key)
            assert name is not None
            assert node is not None
            self._replace(mapping, name, node, value)
        else:
            self._insert_key(mapping, key, value, path[:-1])
        parent[key] = _meant(value)

    def append(self, path: Path, item: Value) -> None:
        """Put *item* behind those of the sequence at *path*, which is made if need be."""
        there = self.at(*path)
        if there is None or there == []:
            self.put(path, [item])
            return
        if not isinstance(there, list):
            self.refuse(f"`{_said(path)}` is no list")
        sequence = self._node(path)
        assert isinstance(sequence, Sequence)
        last = sequence.items[-1]
        if sequence.flow:
            self._edit(last.end, last.end, ", " + _flow(item))
        else:
            indent = self._dash(sequence)
            self._add_lines(self._end(last), _block_item(item, indent))
        there.append(_meant(item))

    def item(self, path: Path, value: str) -> None:
        """Give the text at *path*, an item of a list, the new *value*, in the quotes that it has."""
        node = self._node(path)
        if not isinstance(node, Scalar) or node.style in ("|", ">"):
            self.refuse(f"`{_said(path)}` is no text on one line")
        if self.at(*path) == value:
            return
        quoted = node.style and not set(value) & set("'\"\\\n")
        self._edit(node.start, node.end, f"{node.style}{value}{node.style}" if quoted else _scalar(value))
        self.at(*path[:-1])[path[-1]] = value

    def rewrite(self, path: Path, change: Callable[[str], str]) -> None:
        """Change the text at *path* as it is written, and what it means, in the same way."""
        node, before = self._node(path), self.at(*path)
        assert isinstance(node, Scalar)
        raw = self.text[node.start : node.end]
        if change(before) != before:
            self._edit(node.start, node.end, change(raw))
            self.at(*path[:-1])[path[-1]] = change(before)

    def finish(self) -> str:
        """The new text, after its meaning was compared with what it is to be."""
        if self._meaning() != self.model:
            self.refuse(_LAYOUT)
        return self.text.replace("\n", "\r\n") if self._crlf else self.text

    # What follows knows the text.

    def _documents(self) -> tuple[Document, ...]:
        file = SourceFile(self.name, self.text)
        documents, error = compose(file)
        if error is not None:
            line, column = file.line_column(error.offset)
            self.refuse(f"it is no YAML at line {line + 1}, column {column + 1}: {error.message}")
        for one in documents:
            if one.unclosed_quote is not None:
                line, column = file.line_column(one.unclosed_quote)
                self.refuse(f"it is no YAML at line {line + 1}, column {column + 1}: the quote is not closed")
        return documents

    def _meaning(self) -> Any:
        root = self._documents()[self._number].root
        assert root is not None
        return self._plain(root)

    def _plain(self, node: Node) -> Any:
        """*node* as dict, list, text or None; aliases are copied, so that a change through one shows."""
        count = 0

        def walk(node: Node) -> Any:
            nonlocal count
            count += 1
            if count > 200_000:
                self.refuse("it has too many values")
            if isinstance(node, Scalar):
                return None if node.null else node.value
            if isinstance(node, Sequence):
                return [walk(item) for item in node.items]
            found: dict[str, Any] = {}
            for key, value in node.pairs:
                if not isinstance(key, Scalar):
                    self.refuse("a key is no text")
                if key_text(key) in found:
                    self.refuse(f"the key `{key_text(key)}` stands twice in one mapping")
                found[key_text(key)] = walk(value)
            return found

        return walk(node)

    def _node(self, path: Path) -> Node:
        here: Node | None = self._documents()[self._number].root
        for step in path:
            if isinstance(step, int):
                here = here.items[step] if isinstance(here, Sequence) else None
            else:
                here = here.get(step) if isinstance(here, Mapping) else None
        if here is None:
            self.refuse(_LAYOUT)  # What was put in before is not read where it was put.
        return here

    def _edit(self, start: int, end: int, new: str) -> None:
        self.text = self.text[:start] + new + self.text[end:]

    def _add_lines(self, end: int, lines: list[str]) -> None:
        """Put *lines* behind the line that character *end* stands in."""
        at = self.text.find("\n", end)
        if at < 0:
            self.text += "\n"
            at = len(self.text) - 1
        self._edit(at + 1, at + 1, "".join([line + "\n" for line in lines]))

    def _end(self, node: Node) -> int:
        """Where the last character of *node* stands, found from its last scalar: block nodes end too late or too soon."""
        if isinstance(node, Scalar) or node.flow:
            return node.end
        if isinstance(node, Sequence):
            last = node.items[-1]
            return self._before(last.start) if _is_empty(last) else self._end(last)
        key, value = node.pairs[-1]
        return key.end if _is_empty(value) else self._end(value)

    def _before(self, offset: int) -> int:
        """The last dash before *offset*."""
        return self.text.rfind("-", 0, offset)

    def _column(self, offset: int) -> int:
        return (
            offset
            - (self.text.rfind("\n", 0, offset) + 1)
            - (self.text.startswith("\ufeff") and "\n" not in self.text[:offset])
        )

    def _dash(self, sequence: Sequence) -> int:
        """The column of the dashes of *sequence*."""
        at = sequence.items[0].start
        while at > 0 and self.text[at - 1] in " \n":
            at -= 1
        if self.text[at - 1 : at] != "-":
            self.refuse("a list is laid out in a way that falcokit does not read")
        return self._column(at - 1)

    def _replace(self, mapping: Mapping, name: Scalar, node: Node, value: Value) -> None:
        """Write *value* in the place of *node*, the value of the key *name*."""
        inside_flow = mapping.flow or (isinstance(value, (str, bool, int)) and not _needs_block(value))
        if _is_empty(node):
            colon = self.text.index(":", name.end) + 1
            if inside_flow:
                self._edit(colon, colon, " " + (_flow(value) if mapping.flow else _scalar(value)))
            else:
                self._add_lines(colon, _below(value, self._column(name.start)))
        elif mapping.flow:
            self._edit(node.start, node.end, _flow(value))
        elif inside_flow and (
            isinstance(node, Scalar) and node.style not in ("|", ">") and "\n" not in self.text[node.start : node.end]
        ):
            self._edit(node.start, node.end, _scalar(value))
        elif isinstance(node, Scalar) or node.flow:
            # A whole value gives way: the line of the key stays, with its comment if the old value left one.
            start, end = node.start, node.end
            while start > name.end and self.text[start - 1] in " \n":
                start -= 1
            head, lines = _written(value, self._column(name.start))
            self._edit(start, end, head)
            if lines:
                self._add_lines(start + len(head), lines)
        else:
            self.refuse("a value that is to change is a block of its own")

    def _insert_key(self, mapping: Mapping, key: str, value: Value, path: Path) -> None:
        if mapping.flow:
            if mapping.pairs:
                end = mapping.pairs[-1][1].end if not _is_empty(mapping.pairs[-1][1]) else mapping.pairs[-1][0].end + 1
                self._edit(end, end, f", {_flow(key)}: {_flow(value)}")
            elif path:
                # An empty mapping gives way to a block of its own.
                self._edit(mapping.start, mapping.end, f"{{{_flow(key)}: {_flow(value)}}}")
            else:
                self.refuse("it is empty")
            return
        indent = self._column(mapping.pairs[0][0].start)
        head, lines = _written(value, indent)
        self._add_lines(self._end(mapping), [" " * indent + _scalar(key) + ":" + head, *lines])


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.null and node.start == node.end


def _said(path: Path) -> str:
    return ".".join([str(step) for step in path]) or "the whole"


def _meant(value: Value) -> Any:
    """*value* as `Draft.at` tells it."""
    if isinstance(value, dict):
        return {key: _meant(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_meant(one) for one in value]
    return _written_simple(value)


def _written_simple(value: str | bool | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _needs_block(value: Value) -> bool:
    return isinstance(value, (dict, list)) or (isinstance(value, str) and "\n" in value)


def _scalar(value: Value) -> str:
    """A scalar on one line."""
    if isinstance(value, (bool, int)):
        return _written_simple(value)
    assert isinstance(value, str)
    if (_PLAIN.fullmatch(value) or _FLAG.fullmatch(value)) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _flow(value: Value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join([f"{_flow(key)}: {_flow(one)}" for key, one in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([_flow(one) for one in value]) + "]"
    return json.dumps(value, ensure_ascii=False)


def _written(value: Value, indent: int) -> tuple[str, list[str]]:
    """What stands behind the colon of a key at column *indent*, and the lines below."""
    if isinstance(value, str) and _is_literal(value):
        lines = [" " * (indent + 2) + line if line else "" for line in value.removesuffix("\n").split("\n")]
        return (" |" if value.endswith("\n") else " |-"), lines
    if isinstance(value, (dict, list)) and value:
        return "", _below(value, indent)
    return " " + (_scalar(value) if not isinstance(value, (dict, list)) else _flow(value)), []


def _is_literal(value: str) -> bool:
    """Whether the text can be written as a block as it is."""
    return (
        "\n" in value
        and value[0] not in " \n\t"
        and not value.endswith("\n\n")
        and all(character == "\n" or character.isprintable() for character in value)
    )


def _below(value: Value, indent: int) -> list[str]:
    """The lines of a collection below a key at column *indent*, or of a text."""
    if isinstance(value, dict):
        return _block_mapping(value, indent + 2)
    if isinstance(value, list):
        return [line for item in value for line in _block_item(item, indent)]
    return [" " * (indent + 2) + _scalar(value)]


def _block_mapping(value: dict[str, Any], indent: int) -> list[str]:
    lines: list[str] = []
    for key, one in value.items():
        head, below = _written(one, indent)
        lines += [" " * indent + _scalar(key) + ":" + head, *below]
    return lines


def _block_item(item: Value, indent: int) -> list[str]:
    if isinstance(item, dict) and item:
        first, *rest = _block_mapping(item, indent + 2)
        return [" " * indent + "- " + first[indent + 2 :], *rest]
    if isinstance(item, list):
        return [" " * indent + "- " + _flow(item)]
    return [" " * indent + "- " + (_scalar(item) if not isinstance(item, dict) else _flow(item))]

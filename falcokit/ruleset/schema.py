"""Falco's schema step: whether the documents of a file have the shape that Falco's own JSON schema asks for.

The step is reported only and stops nothing, and it is stricter than the reading of the items (``enabled: yes`` is read
but fails here).  ``schemas/rules-file.schema.json`` is the same language for editors; tests hold the two together.

Valid files, that is nearly all, are told by a pass that makes no texts.  Shared nodes are looked at once, so aliases
cannot multiply the work, and the number and length of the texts are bounded.
"""

from __future__ import annotations

import re
from collections import abc
from typing import Final, NamedTuple, TypeAlias

from falcokit.document import Document, Mapping, Node, Scalar, Sequence, key_text

__all__ = ["MAX_TEXTS", "schema_warnings"]

MAX_TEXTS: Final = 1_000
"""How many texts are given at most; Falco has no limit."""

_OK: Final = "ok"
_MAX_NAME: Final = 60


class _Leaf(NamedTuple):
    """A scalar: any text, or one of *words*, or a whole number."""

    about: str
    words: frozenset[str] | None = None
    number: bool = False


class _Array(NamedTuple):
    of: _Shape


class _Table(NamedTuple):
    """A mapping of known keys; ``fewest`` is how many it must have."""

    keys: dict[str, _Shape]
    required: tuple[str, ...] = ()
    fewest: int = 0


class _Anything(NamedTuple):
    """What the schema does not look at."""


_Shape: TypeAlias = _Leaf | _Array | _Table | _Anything

_TEXT: Final = _Leaf("a text")
_BOOLEAN: Final = _Leaf("`true` or `false`", frozenset(("true", "false")))
_NUMBER: Final = _Leaf("a whole number", number=True)
_PRIORITY: Final = _Leaf(
    "a priority in upper case",
    frozenset(("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG")),
)
_OPERATION: Final = _Leaf("`append` or `replace`", frozenset(("append", "replace")))
_ANYTHING: Final = _Anything()

_OVERRIDABLE: Final = (
    "items", "desc", "condition", "output", "priority", "enabled", "exceptions", "capture", "capture_duration",
    "tags", "warn_evttypes", "skip-if-unknown-filter",
)  # fmt: skip

_ALTERNATIVE: Final = _Table({"name": _TEXT, "version": _TEXT}, ("name", "version"))
_PLUGIN: Final = _Table({**_ALTERNATIVE.keys, "alternatives": _Array(_ALTERNATIVE)}, ("name", "version"))
_EXCEPTION: Final = _Table(
    {"name": _TEXT, "fields": _ANYTHING, "comps": _ANYTHING, "values": _ANYTHING}, required=("name",)
)
_ITEM: Final = _Table(
    {
        "required_engine_version": _TEXT,
        "required_plugin_versions": _Array(_PLUGIN),
        "list": _TEXT,
        "items": _Array(_TEXT),
        "macro": _TEXT,
        "rule": _TEXT,
        "condition": _TEXT,
        "output": _TEXT,
        "desc": _TEXT,
        "priority": _PRIORITY,
        "source": _TEXT,
        "enabled": _BOOLEAN,
        "capture": _BOOLEAN,
        "capture_duration": _NUMBER,
        "warn_evttypes": _BOOLEAN,
        "skip-if-unknown-filter": _BOOLEAN,
        "tags": _Array(_TEXT),
        "exceptions": _Array(_EXCEPTION),
        "override": _Table(dict.fromkeys(_OVERRIDABLE, _OPERATION), fewest=1),
        "append": _BOOLEAN,
    }
)
_FILE: Final = _Array(_ITEM)

_WHOLE_NUMBER: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]{1,4000})")

_Known: TypeAlias = dict[tuple[int, int], bool]
_Found: TypeAlias = list[tuple[str, str]]


def schema_warnings(documents: abc.Sequence[Document]) -> tuple[bool | None, tuple[str, ...]]:
    """Falco's ``schema_valid`` and ``schema_warnings`` for the documents of one file; None where none was read.

    The texts of several documents are put together, a valid one contributing `ok`.  Falco looks at the first text only,
    so a file whose first document is valid is valid.
    """
    texts: list[str] = []
    known: _Known = {}
    for document in documents:
        root = document.root
        if root is None:
            break  # Falco reads nothing behind an empty document
        if _valid(root, _FILE, known):
            if not texts:
                return True, ()
            texts.append(_OK)
        else:
            found = _problems(root, _FILE, known, {})
            texts += [f"<root>{path}: {message}" for path, message in found]
        if len(texts) >= MAX_TEXTS:
            del texts[MAX_TEXTS - 1 :]
            texts.append("<root>: there is more, left out here")
            break
    return (False, tuple(texts)) if texts else (None, ())


def _valid(node: Node, shape: _Shape, known: _Known) -> bool:
    """Whether *node* has *shape*; *known* are the answers for the collections looked at so far."""
    if shape.__class__ is _Leaf:
        return _valid_leaf(node, shape)
    if shape.__class__ is _Anything:
        return True
    place = (id(node), id(shape))
    answer = known.get(place)
    if answer is None:
        if shape.__class__ is _Array:
            answer = _valid_array(node, shape, known)
        else:
            assert shape.__class__ is _Table
            answer = _valid_table(node, shape, known)
        known[place] = answer
    return answer


def _valid_leaf(node: Node, shape: _Leaf) -> bool:
    if node.__class__ is not Scalar or node.null:
        return False
    if shape.words is not None:
        return node.value in shape.words
    return not shape.number or _is_number(node.value)


def _is_number(text: str) -> bool:
    match = _WHOLE_NUMBER.fullmatch(text)
    return match is not None and -(2**63) <= int(match[1]) < 2**63


def _valid_array(node: Node, shape: _Array, known: _Known) -> bool:
    if node.__class__ is not Sequence:
        return False
    of = shape.of
    items = node.items
    if of is _TEXT:
        return all(not (item.__class__ is not Scalar or item.null) for item in items)
    return all(_valid(item, of, known) for item in items)


def _valid_table(node: Node, shape: _Table, known: _Known) -> bool:
    if node.__class__ is not Mapping:
        return False
    keys = shape.keys
    pairs = node.pairs
    seen = set()
    for key, value in pairs:
        if key.__class__ is not Scalar:
            return False
        name = key.value
        wanted = keys.get(name)
        if wanted is _TEXT:
            if value.__class__ is not Scalar or value.null:
                return False
        elif wanted is None or not _valid(value, wanted, known):
            return False
        seen.add(name)
    if len(seen) != len(pairs) or len(seen) < shape.fewest:
        return False
    return not shape.required or seen.issuperset(shape.required)


def _problems(node: Node, shape: _Shape, known: _Known, told: dict[tuple[int, int], _Found]) -> _Found:
    """What is wrong with *node*, which is not valid: relative paths and messages, innermost first."""
    place = (id(node), id(shape))
    found = told.get(place)
    if found is not None:
        return found
    found = []
    match shape, node:
        case _Array(of), Sequence():
            for number, item in enumerate(node.items):
                if not _valid(item, of, known):
                    inner = _problems(item, of, known, told)
                    found += [(f"[{number}]{path}", message) for path, message in inner]
                    found.append(("", f"element {number} does not fit"))
                    if len(found) >= MAX_TEXTS:
                        break
        case _Table(), Mapping():
            _table_problems(node, shape, known, told, found)
        case _Array(), _:
            found.append(("", "a sequence is needed"))
        case _Table(), _:
            found.append(("", "a mapping is needed"))
        case _Leaf(), _:
            found.append(("", f"{shape.about} is needed"))
        case _:
            raise AssertionError("what may be anything has no problems")
    del found[MAX_TEXTS:]
    if not isinstance(shape, _Leaf):
        told[place] = found
    return found


def _table_problems(
    node: Mapping, shape: _Table, known: _Known, told: dict[tuple[int, int], _Found], found: _Found
) -> None:
    """Add what is wrong with the mapping *node*: values in the order of their keys' names, then keys."""
    first: dict[str, Node] = {}
    for key, value in node.pairs:
        first.setdefault(key_text(key) if isinstance(key, Scalar) else "", value)
    for name in sorted(shape.keys):
        if name in first and not _valid(first[name], shape.keys[name], known):
            inner = _problems(first[name], shape.keys[name], known, told)
            found += [(f"[{name}]{path}", message) for path, message in inner]
            found.append(("", f"the value of `{name}` does not fit"))
    unknown = next((name for name in first if name not in shape.keys), None)
    if unknown is not None:
        shown = unknown if len(unknown) <= _MAX_NAME else unknown[: _MAX_NAME - 3] + "..."
        found.append(("", f"the key `{shown}` is not known here"))
    elif len(first) != len(node.pairs):
        found.append(("", "a key is given twice"))
    for name in shape.required:
        if name not in first:
            found.append(("", f"the key `{name}` is missing"))
    if len(first) < shape.fewest:
        found.append(("", "at least one key is needed"))

"""Falco's JSON schema step, done by hand on nodes: whether each document has the expected shape, and what has not.

The outcome is only reported; it never keeps a file from loading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from falcokit.document import Document, Mapping, Node, Scalar, key_text
from falcokit.document import Sequence as Items

__all__ = ["schema_warnings"]

_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")
_PRIORITIES: Final = frozenset(
    (
        "EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFORMATIONAL", "INFO", "DEBUG",
    )
)  # fmt: skip
_KINDS: Final = {
    **dict.fromkeys(("append", "capture", "enabled", "skip-if-unknown-filter", "warn_evttypes"), "boolean"),
    **dict.fromkeys(
        ("condition", "desc", "list", "macro", "output", "required_engine_version", "rule", "source"), "text"
    ),
    "capture_duration": "integer",
    "exceptions": "exceptions",
    "items": "texts",
    "tags": "texts",
    "override": "override",
    "priority": "priority",
    "required_plugin_versions": "plugins",
}
_OVERRIDES: Final = frozenset(
    (
        "append", "condition", "desc", "enabled", "exceptions", "items", "output", "priority", "tags", "warn_evttypes",
        "skip-if-unknown-filter", "capture", "capture_duration",
    )
)  # fmt: skip
_MAX_TEXTS: Final = 100


def schema_warnings(documents: Sequence[Document]) -> tuple[bool | None, tuple[str, ...]]:
    """Whether the first document is valid, and the texts of all; (None, ()) where there was no document.

    As Falco does, the texts of an invalid later document are dropped from sight when the first one is valid.
    """
    roots = [document.root for document in documents if document.root is not None]
    if not roots:
        return None, ()
    found: list[str] = []
    valid = None
    for root in roots:
        texts = list(_first(_document(root), _MAX_TEXTS))
        if valid is None:
            valid = not texts
        found += texts or ["ok"]
    assert valid is not None
    return valid, () if valid else tuple(found)


def _first(texts: Iterator[str], count: int) -> Iterator[str]:
    for _, text in zip(range(count), texts, strict=False):
        yield text


def _document(root: Node) -> Iterator[str]:
    if not isinstance(root, Items):
        yield "<root>: must be an array"
        return
    seen: set[int] = set()
    for number, item in enumerate(root.items):
        if id(item) in seen:
            continue
        seen.add(id(item))
        where = f"<root>[{number}]"
        if not isinstance(item, Mapping):
            yield f"{where}: must be an object"
            continue
        for name, value in item.pairs:
            key = key_text(name) if isinstance(name, Scalar) else "?"
            kind = _KINDS.get(key)
            if kind is None:
                yield f"{where}: has the unknown property '{key}'"
            elif kind == "text":
                if value.__class__ is not Scalar or value.null:  # type: ignore[union-attr]
                    yield f"{where}[{key}]: must be a string"
            else:
                yield from _value(kind, value, f"{where}[{key}]")


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.null


def _value(kind: str, node: Node, where: str) -> Iterator[str]:
    if kind == "boolean":
        if not (isinstance(node, Scalar) and node.value in ("true", "false")):
            yield f"{where}: must be true or false"
    elif kind == "integer":
        if not (isinstance(node, Scalar) and _INTEGER.fullmatch(node.value)):
            yield f"{where}: must be an integer"
    elif kind == "priority":
        if not (isinstance(node, Scalar) and node.value in _PRIORITIES):
            yield f"{where}: must be one of the priorities in upper case"
    elif kind == "texts":
        if not isinstance(node, Items):
            yield f"{where}: must be an array"
        elif not all(map(_is_text, node.items)):
            yield f"{where}: must contain strings only"
    elif kind == "override":
        yield from _override(node, where)
    elif kind == "exceptions":
        yield from _each(node, where, frozenset(("name", "fields", "comps", "values")), ("name",))
    else:
        yield from _each(node, where, frozenset(("name", "version", "alternatives")), ("name", "version"))


def _override(node: Node, where: str) -> Iterator[str]:
    if not isinstance(node, Mapping) or not node.pairs:
        yield f"{where}: must be an object with at least one property"
        return
    for name, value in node.pairs:
        key = key_text(name) if isinstance(name, Scalar) else "?"
        if key not in _OVERRIDES:
            yield f"{where}: has the unknown property '{key}'"
        elif not (isinstance(value, Scalar) and value.value in ("append", "replace")):
            yield f"{where}[{key}]: must be append or replace"


def _each(node: Node, where: str, known: frozenset[str], required: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(node, Items):
        yield f"{where}: must be an array"
        return
    for number, element in enumerate(node.items):
        inner = f"{where}[{number}]"
        if not isinstance(element, Mapping):
            yield f"{inner}: must be an object"
            continue
        keys = {key_text(key) for key in element.keys()}  # noqa: SIM118  # not a dict
        for key in sorted(keys - known):
            yield f"{inner}: has the unknown property '{key}'"
        for key in required:
            if key not in keys:
                yield f"{inner}: lacks the property '{key}'"
        for name, value in element.pairs:
            key = key_text(name) if isinstance(name, Scalar) else "?"
            if key in ("name", "version") and not _is_text(value):
                yield f"{inner}[{key}]: must be a string"
            elif key == "alternatives" and "alternatives" in known:
                yield from _each(value, f"{inner}[alternatives]", frozenset(("name", "version")), ("name", "version"))

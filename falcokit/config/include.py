"""The configuration files that ``config_files`` names, merged into the main one."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from falcokit.config.documents import first_document
from falcokit.config.reader import MAX_FILES, PathKind, Reader
from falcokit.config.value import Form, Place, Value, ValueReader, problem
from falcokit.document import Mapping as MappingNode
from falcokit.document import Scalar, Sequence, key_text
from falcokit.errors import ConfigError
from falcokit.source import SourceFile

__all__ = ["CONFIG_FILES", "include_files"]

CONFIG_FILES = "config_files"


class _Strategy(Enum):
    """How an included file goes together with what is there."""

    APPEND = "append"
    OVERRIDE = "override"
    ADD_ONLY = "add-only"


class _Entry(NamedTuple):
    path: str
    strategy: _Strategy
    place: Place


def include_files(
    root: Value, main: str, environment: Mapping[str, str], reader: Reader, notes: list[str]
) -> tuple[str, ...]:
    """Merge into *root* what its ``config_files`` names; the names of the files read, in order.

    *main* is the path of the main file, which cannot be included.  What Falco passes over in silence is added to
    *notes*; what keeps it from starting raises `falcokit.errors.ConfigError`.
    """
    read: list[str] = []
    for entry in _entries(root.get(CONFIG_FILES), notes):
        for path in _paths(entry, main, reader, notes):
            if len(read) >= MAX_FILES:
                raise problem(entry.place, f"more than {MAX_FILES} files are included", "include fewer")
            file = reader.read(path)
            _merge(root, file, entry.strategy, environment)
            read.append(file.name)
    return tuple(read)


def _entries(value: Value | None, notes: list[str]) -> Iterable[_Entry]:
    if value is None:
        return ()
    if value.form is Form.TEXT:
        return (_entry(value, notes),)
    if value.form is Form.TABLE:
        notes.append(f"{value.place}: Falco ignores `{CONFIG_FILES}`, which is a mapping; make it a sequence")
    return tuple([_entry(item, notes) for item in value.items]) if value.form is Form.SEQUENCE else ()


def _entry(value: Value, notes: list[str]) -> _Entry:
    advice = "write a path, or a mapping of `path` and `strategy`"
    if value.form is not Form.TABLE:
        path = value.as_text()
        if path is None:
            raise problem(value.place, f"an entry of `{CONFIG_FILES}` is a sequence", advice)
        return _Entry(path, _Strategy.APPEND, value.place)
    written = value.get("path")
    path = written.as_text() if written is not None else None
    if path is None:
        raise problem(value.place, f"an entry of `{CONFIG_FILES}` has no text as `path`", advice)
    chosen = value.get("strategy")
    word = chosen.as_text() if chosen is not None else _Strategy.APPEND.value
    known = {strategy.value: strategy for strategy in _Strategy}
    if word is None:
        raise problem(value.place, "the `strategy` is not a text", f"write one of {', '.join(known)}")
    if word not in known:
        notes.append(f"{value.place}: `{word}` is no strategy, Falco takes append; write one of {', '.join(known)}")
    return _Entry(path, known.get(word, _Strategy.APPEND), value.place)


def _paths(entry: _Entry, main: str, reader: Reader, notes: list[str]) -> Iterable[str]:
    """The files that one entry stands for."""
    path = entry.path
    if posixpath.normpath(reader.name(path)) == posixpath.normpath(reader.name(main)):
        raise problem(entry.place, "the configuration includes itself", "take the main file out of `config_files`")
    match reader.kind(path):
        case PathKind.FILE:
            return (path,)
        case PathKind.FOLDER:
            try:
                return sorted(reader.listing(path), key=os.fsencode)
            except ConfigError as error:
                raise ConfigError(f"{entry.place}: {error}") from error
        case PathKind.MISSING:
            notes.append(f"{entry.place}: `{path}` does not exist: Falco passes over it")
        case PathKind.OTHER:
            notes.append(f"{entry.place}: `{path}` is neither a file nor a folder: Falco passes over it")
        case PathKind.UNKNOWN:
            raise problem(entry.place, f"`{path}` cannot be looked at", "check its links and permissions")
    return ()


def _merge(root: Value, file: SourceFile, strategy: _Strategy, environment: Mapping[str, str]) -> None:
    node = first_document(file)
    values = ValueReader(file, environment)
    if isinstance(node, Sequence) and node.items:
        place = values.place(node)
        raise problem(place, "an included configuration is a sequence", "write it as `key: value`, like falco.yaml")
    if not isinstance(node, MappingNode):
        return
    root.become_table()
    for key_node, value_node in node.pairs:  # with duplicate keys each counts, one after the other
        assert isinstance(key_node, Scalar)
        key = key_text(key_node)
        if key == CONFIG_FILES:
            advice = "name all files in the main configuration"
            raise problem(values.place(key_node), "an included configuration includes files in turn", advice)
        value = values.value(value_node)
        if strategy is _Strategy.ADD_ONLY:
            root.table.setdefault(key, value)
        elif strategy is _Strategy.OVERRIDE or value.form is not Form.SEQUENCE:
            root.table[key] = value
        elif value.items:
            _append(root.table.setdefault(key, Value(value.place)), value, key)


def _append(target: Value, more: Value, key: str) -> None:
    if target.form in (Form.TEXT, Form.TABLE):
        what = f"`{key}` is a sequence here but {target.form.value} at {target.place}"
        raise problem(more.place, what, "make both sequences, or include this file with `strategy: override`")
    target.form = Form.SEQUENCE
    target.items.extend(list(more.items))

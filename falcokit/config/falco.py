"""Falco's configuration, as far as it decides which rules are loaded and run: from files and options to one value."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from falcokit.config.documents import first_document
from falcokit.config.entries import EntryReader
from falcokit.config.include import CONFIG_FILES, include_files
from falcokit.config.options import assign, parse_arguments
from falcokit.config.reader import MAX_FILES, PathKind, Reader
from falcokit.config.selection import Selection, matches_pattern
from falcokit.config.value import Form, Place, Value, ValueReader, problem
from falcokit.errors import ConfigError
from falcokit.ruleset.additions import OutputAddition

__all__ = ["FalcoConfig", "read_config"]

_PRIORITIES: Final = {
    word: number
    for number, words in enumerate(
        (
            ("emergency",), ("alert",), ("critical",), ("error",),
            ("warning",), ("notice",), ("informational", "info"), ("debug",),
        )
    )
    for word in words
}  # fmt: skip
_MATCHING: Final = ("first", "all")


class FalcoConfig(NamedTuple):
    """What a configuration says about rules.

    ``files`` are the names of the configuration files read, ``rules_files`` the paths of the rules files to load, in
    order.  ``minimum_priority`` counts from 0, the most urgent, to 7.  ``plugins`` are the names of the plugins that
    are loaded, None where the configuration says nothing about plugins.  ``notes`` tell what Falco ignores in silence.
    """

    files: tuple[str, ...]
    rules_files: tuple[str, ...]
    selection: tuple[Selection, ...]
    minimum_priority: int
    rule_matching: str
    additions: tuple[OutputAddition, ...]
    plugins: tuple[str, ...] | None
    notes: tuple[str, ...]


def read_config(path: str, args: Sequence[str], environment: Mapping[str, str], reader: Reader) -> FalcoConfig:
    """Read the configuration at *path* as a Falco started with *args* does.

    Raises `falcokit.errors.ConfigError` where Falco would not start; its text has a line for each problem.
    """
    arguments = parse_arguments(args)
    main = reader.read(path)
    values = ValueReader(main, environment)
    root = values.value(first_document(main))
    if root.form is Form.TEXT:
        raise problem(root.place, "the configuration is a text", "write it as `key: value`")
    sequence = root.form is Form.SEQUENCE
    root.become_table()
    notes: list[str] = []
    for option in arguments.options:
        if option.startswith(CONFIG_FILES):  # these alone come before the files that they name
            assign(root, option)
    included = include_files(root, path, environment, reader, notes)
    for option in arguments.options:
        assign(root, option)
    entries = EntryReader(root)
    rules_files = _rules_files(root, entries, arguments.rules, reader)
    if sequence and not rules_files and entries.problems:
        raise problem(
            root.place, "the configuration is a sequence, as rules files are", "give the path of a falco.yaml"
        )
    selection = entries.selection()
    additions = entries.additions()
    plugins = entries.plugins()
    matching = _word(root, "rule_matching", "first", _MATCHING, entries.problems)
    priority = _word(root, "priority", "debug", _PRIORITIES, entries.problems)
    if entries.problems:
        raise ConfigError("\n".join(dict.fromkeys(entries.problems)))
    return FalcoConfig(
        (main.name, *included),
        rules_files,
        selection,
        _PRIORITIES[priority],
        matching,
        additions,
        plugins,
        (*notes, *entries.notes),
    )


def _word(root: Value, key: str, default: str, words: Iterable[str], problems: list[str]) -> str:
    """The word of *key* in lower case; a collection there counts as nothing, as in Falco."""
    value = root.get(key)
    written = value.as_text() if value is not None else None
    if value is None or written is None:
        return default
    if written.isascii() and written.lower() in words:
        return written.lower()
    problems.append(f"{value.place}: `{written}` is no value for `{key}`; write one of {', '.join(words)}")
    return default


def _rules_files(root: Value, entries: EntryReader, given: Sequence[str], reader: Reader) -> tuple[str, ...]:
    """The files to load, in order: those of ``-r`` where there are any, else those of the configuration."""
    old = root.get("rules_file")
    if old is not None:
        # Measured: Falco ends saying that both keys are set, even where `rules_file` stands alone.
        entries.problems.append(f"{old.place}: Falco does not start with `rules_file`; name it `rules_files`")
        return ()
    written = entries.texts("rules_files")
    chosen = [(path, Place(None, 0, f"-r {path}")) for path in given]
    if not given:
        for path, place in written:
            kind = reader.kind(path)
            if kind in (PathKind.MISSING, PathKind.UNKNOWN):
                why = "does not exist" if kind is PathKind.MISSING else "cannot be looked at"
                entries.notes.append(f"{place}: `{path}` {why}: Falco passes over it")
            else:
                chosen.append((path, place))
    if not chosen and not entries.problems:
        place = setting.place if (setting := root.get("rules_files")) is not None else root.place
        what = "none of the rules files exists" if written else "no rules file is given"
        entries.problems.append(f"{place}: {what}; name one under `rules_files`")
    found: list[str] = []
    for path, place in chosen:
        for name in _expanded(path, place, entries, reader):
            if len(found) >= MAX_FILES:
                entries.problems.append(f"{place}: there are more than {MAX_FILES} rules files; give fewer")
                return ()
            found.append(name)
    return tuple(found)


def _expanded(path: str, place: Place, entries: EntryReader, reader: Reader) -> Iterable[str]:
    """The rules files that *path* stands for: itself, or those in the folder, sorted by their bytes."""
    kind = reader.kind(path)
    if kind is PathKind.FOLDER:
        try:
            paths = reader.listing(path)
        except ConfigError as error:
            entries.problems.append(f"{place}: {error}")
            return ()
        return sorted([name for name in paths if _is_yaml(name)], key=os.fsencode)
    if not _is_yaml(path):
        entries.notes.append(f"{place}: `{path}` does not end in `.yaml` or `.yml`: Falco passes over it")
        return ()
    if kind is PathKind.FILE:
        return (path,)
    if kind is PathKind.MISSING:
        entries.problems.append(f"{place}: the rules file `{path}` does not exist; correct the path")
    else:
        entries.problems.append(f"{place}: the rules file `{path}` is {kind.value}; give a file or a folder")
    return ()


def _is_yaml(path: str) -> bool:
    # Falco's patterns find the first `.yaml` of the whole path, so one in the name of a folder hides the file.
    return matches_pattern("*.yaml", path) or matches_pattern("*.yml", path)

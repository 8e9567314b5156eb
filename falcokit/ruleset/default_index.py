"""What the public default rules said in each release, by fingerprint: names and hashes, no text.

``python -m falcokit.maintain.index`` makes the data.  It is read when a finding asks, never before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Final

from falcokit.catalogue import Catalogue
from falcokit.data import read_data
from falcokit.diagnostic import Problem
from falcokit.record import Record
from falcokit.ruleset.collector import Definition
from falcokit.ruleset.definitions import ListDefinition, RuleDefinition, joined
from falcokit.ruleset.items import Written
from falcokit.ruleset.ruleset import Named

__all__ = ["Dated", "Left", "askers", "dated", "fingerprint", "homes", "is_published", "left", "published_names"]

FILE: Final = "default_index.json"


class Dated(Record):
    """A copy equals the default of *family* from release *first* to *last*; it changed in the releases *changed*."""

    __slots__ = ("changed", "family", "first", "last")

    def __init__(self, family: str, first: str, last: str, changed: tuple[str, ...]) -> None:
        self.family: Final = family
        self.first: Final = first
        self.last: Final = last
        self.changed: Final = changed


class Left(Record):
    """A name was in *file* until it left with release *version*."""

    __slots__ = ("file", "version")

    def __init__(self, file: str, version: str) -> None:
        self.file: Final = file
        self.version: Final = version


def fingerprint(definition: Definition) -> str:
    """Eight hexadecimal digits of what *definition* detects by: the members of a list, the condition of the others.

    Layout, blanks, needless parentheses and quotes do not count, nor the order of a list.
    """
    if isinstance(definition, ListDefinition):
        return _hash("\0".join(sorted({item.text for item in definition.items})))
    found = _condition(definition.condition)
    if isinstance(definition, RuleDefinition):
        rest = (str(definition.priority), *sorted(definition.tags), definition.source)
        output = " ".join(joined(definition.output).split())
        return found + _hash("\0".join((output, *rest)))
    return found


def _condition(parts: tuple[Written, ...]) -> str:
    from falcokit.condition import parse
    from falcokit.condition.render import render

    text = joined(parts)
    tree = parse(text)
    return _hash(" ".join(text.split()) if isinstance(tree, Problem) else render(tree))


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


@cache
def _index() -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(read_data("schemas", FILE))
    return data


def _histories(named: Named) -> Iterable[tuple[str, list[str], list[tuple[int, str | None]]]]:
    """For each family that ever had *named*, the stable one first: its releases, and from which of them on it said what (None: nothing)."""
    kind, name = named
    families = _index()[kind].get(name, {})
    for family, spans in sorted(families.items(), key=lambda entry: (entry[0] != "falco-rules", entry[0])):
        yield family, _index()["families"][family]["versions"], [(at, mark) for at, mark in spans]


def dated(named: Named, definition: Definition) -> Dated | None:
    """The release that *definition* is a copy of, the newest where several fit; None for a text of its own, and for a
    copy of what the newest release says."""
    mark = fingerprint(definition)
    for family, versions, spans in _histories(named):
        for number in range(len(spans) - 1, -1, -1):
            if spans[number][1] != mark:
                continue
            later = spans[number + 1 :]
            if not later:
                break
            last = versions[later[0][0] - 1]
            return Dated(family, versions[spans[number][0]], last, tuple([versions[at] for at, _ in later]))
    return None


def left(named: Named) -> Left | None:
    """Where and when *named* left the stable rules, or else another family; None for a name that is there, or never was."""
    found = None
    for family, versions, spans in _histories(named):
        at, mark = spans[-1]
        if mark is None and (found is None or family == "falco-rules"):
            found = Left(_index()["families"][family]["file"], versions[at])
    return found


def homes(named: Named) -> tuple[str, ...]:
    """The files of the newest releases that define *named*; where none does any more, those that did."""
    found = [(_index()["families"][family]["file"], spans[-1][1]) for family, _, spans in _histories(named)]
    return tuple([file for file, mark in found if mark is not None] or [file for file, _ in found])


@cache
def published_names() -> tuple[str, ...]:
    """Shell patterns for the names of the files that the rules of Falco and of its plugins are published as."""
    names = ["falco_rules.yaml", "falco-*_rules.yaml", "application_rules.yaml"]
    for plugin in Catalogue.bundled().plugins:
        names += [f"{name}_rules.yaml" for name in (plugin.name, plugin.source) if name]
    return tuple(names)


@lru_cache(maxsize=1000)
def is_published(path: str) -> bool:
    """Whether the file at *path* has such a name."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return any(fnmatchcase(name, pattern) for pattern in published_names())


def askers(named: Named) -> dict[str, tuple[str, ...]]:
    """The rules of the newest releases that ask the hook *named*, by the file they are in."""
    kind, name = named
    found = _index()["askers"].get(f"{kind}:{name}", {})
    return {_index()["families"][family]["file"]: tuple(rules) for family, rules in found.items()}

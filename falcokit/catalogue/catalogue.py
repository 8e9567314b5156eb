"""The catalogue: which fields exist for which source, with which plugins loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any, Final

from falcokit.catalogue.events import EventTypes
from falcokit.catalogue.field import Field, FieldError, FieldUse, Plugin, field_from
from falcokit.catalogue.resolve import resolve_field
from falcokit.data import read_data
from falcokit.errors import CatalogueError
from falcokit.record import Record

__all__ = ["AUDIT_CLOUDS", "Catalogue"]

_TEXT: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+)")
# A quoted text ends at the first quote of its kind without a backslash before it, as in conditions.
_ARGUMENT: Final = re.compile(r"""\[("(?:[^"]|(?<=\\)")*(?<!\\)"|'(?:[^']|(?<=\\)')*(?<!\\)'|[^]\["' \t\n\v\f\r]+)\]""")
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\", " ": "\\"}
_MAX_NAME: Final = 300
_MAX_SUGGESTED: Final = 300


class _Group(Record):
    """Fields of one plugin for one source; source ``*`` is every source; a field is given in its short form."""

    __slots__ = ("fields", "plugin", "source")

    def __init__(self, plugin: str, source: str, fields: Mapping[str, str]) -> None:
        self.plugin: Final = plugin
        self.source: Final = source
        self.fields: Final = fields


class _Fields(dict[str, Field]):
    """The fields of one source by name, made when first asked for."""

    def __init__(self, specs: dict[str, tuple[str, str, str]]) -> None:
        super().__init__()
        self.specs = specs

    def get(self, name: str, default: Any = None) -> Any:
        """The field of that name."""
        found = super().get(name)
        if found is None:
            spec = self.specs.get(name)
            if spec is None:
                return default
            found = self[name] = field_from(name, *spec)
        return found


class Catalogue:
    """Everything Falco knows with a certain set of plugins; immutable, questions are remembered."""

    def __init__(self, groups: Iterable[_Group], plugins: Iterable[Plugin], data: Mapping[str, Any]) -> None:
        self._groups: Final = tuple(groups)
        self._data: Final = data
        self.plugins: Final = tuple(plugins)
        self.sources: Final = ("syscall", *dict.fromkeys([p.source for p in self.plugins if p.source]))
        self._of_source: Final[dict[str, _Fields]] = {}
        self._suggested: Final[dict[tuple[str, str], tuple[str, ...]]] = {}
        self._resolved: Final[dict[tuple[str, str], FieldUse | FieldError]] = {}

    @staticmethod
    def bundled(plugins: Iterable[str] | None = None) -> Catalogue:
        """Falco's own fields with those of *plugins*, by name; None stands for every plugin that falcokit knows."""
        return _bundled(None if plugins is None else tuple(sorted(set(plugins))))

    @staticmethod
    def from_json(text: str) -> Catalogue:
        """A catalogue with the fields of one JSON text (see `extended`) and those of Falco that fit every source.

        Raises `falcokit.errors.CatalogueError` when the text is not of that shape.
        """
        base = _bundled(())
        return base.extended(text)

    def extended(self, text: str) -> Catalogue:
        """This catalogue with the fields of a plugin of your own: ``{"source", "fields": [{"name", "type", ...}]}``.

        A source ``*`` stands for every source; ``"plugin": {"name", "version"}`` may say which plugin it is, and
        takes the place of one of that name.  Raises `falcokit.errors.CatalogueError` when the text is not of that
        shape, or has a field that Falco or another plugin already has for the source.
        """
        from falcokit.catalogue.own_fields import read_own_fields

        plugin, source, specs = read_own_fields(text)
        groups = tuple(group for group in self._groups if group.plugin != plugin.name)
        for group in groups:
            if source in ("*", group.source) or group.source == "*":
                for name in specs:
                    if name in group.fields:
                        owner = f"plugin {group.plugin}" if group.plugin else "Falco itself"
                        raise CatalogueError(f"the field {name} is already one of {owner}")
        plugins = (*(p for p in self.plugins if p.name != plugin.name), plugin)
        return Catalogue((*groups, _Group(plugin.name, source, specs)), plugins, self._data)

    @property
    def engine_version(self) -> tuple[int, int, int]:
        """The version of the rules engine that the facts were taken from."""
        major, minor, patch = map(int, self._data["engine"].split("."))
        return major, minor, patch

    @cached_property
    def events(self) -> EventTypes:
        """The event types."""
        return EventTypes(self._data["events"])

    @property
    def parameters(self) -> Mapping[str, str]:
        """The names of event parameters (``evt.arg.NAME``) with the type of each."""
        found: Mapping[str, str] = self._data["parameters"]
        return found

    def _fields(self, source: str) -> _Fields:
        found = self._of_source.get(source)
        if found is None:
            specs: dict[str, tuple[str, str, str]] = {}
            for group in self._groups:
                if group.source in (source, "*"):
                    for name, spec in group.fields.items():
                        specs.setdefault(name, (spec, group.plugin, group.source))
            found = self._of_source[source] = _Fields(specs)
        return found

    def resolve(self, text: str, source: str) -> FieldUse | FieldError:
        """What *text* (``name`` or ``name[argument]``) means for rules of *source*."""
        key = (text, source)
        found = self._resolved.get(key)
        if found is None:
            found = resolve_field(text, self._fields(source), self.parameters, self._data["events"]["codes"])
            if len(self._resolved) < 20_000:
                self._resolved[key] = found
        return found

    def longest(self, text: str, start: int, source: str) -> tuple[int, FieldUse, str] | None:
        """The longest piece of *text* from *start* that is a field: its end, its use, and the field as written."""
        found = _TEXT.match(text, start, start + _MAX_NAME * 4)
        if found is None:
            return None
        name = found[0]
        if argument := _ARGUMENT.match(text, found.end(), found.end() + _MAX_NAME * 4):
            inner = _unquoted(argument[1])
            use = None if inner is None else self.resolve(f"{name}[{inner}]", source)
            if isinstance(use, FieldUse):
                return argument.end(), use, name
        for end in range(len(name), 0, -1):
            if end < len(name) and end > _MAX_NAME:
                continue
            piece = name[:end]
            if piece[-1] == "." or "." not in piece:
                continue
            use = self.resolve(piece, source)
            if isinstance(use, FieldUse):
                return start + end, use, piece
        return None

    def fields(self, source: str | None = None) -> Iterator[Field]:
        """The fields for *source*, or all, in the catalogue's order."""
        for group in self._groups:
            if source is None or group.source in (source, "*"):
                for name, spec in group.fields.items():
                    yield field_from(name, spec, group.plugin, group.source)

    def sources_of(self, name: str) -> tuple[str, ...]:
        """The sources that have the field *name*."""
        return tuple(source for source in self.sources if self._fields(source).get(name) is not None)

    def forget_suggestions(self) -> None:
        """Begin a load: each has the same number of searches before it, so that a broken file cannot take minutes."""
        self._suggested.clear()

    def suggest(self, text: str, source: str) -> tuple[str, ...]:
        """Fields for *source* that someone writing *text* may have meant, best first."""
        from falcokit.catalogue.suggest import suggest_fields

        key = (text, source)
        if key not in self._suggested:
            if len(self._suggested) >= _MAX_SUGGESTED:
                return ()
            self._suggested[key] = suggest_fields(text, self._fields(source).specs, self._fields(source))
        return self._suggested[key]

    def describe(self, name: str) -> str:
        """One line on what a field holds, empty where the catalogue has none."""
        return _descriptions().get(name, "")


def _unquoted(text: str) -> str | None:
    """An argument without its quotes, escapes read; None where an escape is wrong."""
    quote = text[0]
    if quote not in "\"'" or "\\" not in text:
        return text[1:-1] if quote in "\"'" else text
    known = {**_ESCAPED, quote: quote}
    wrong = [found for found in _ESCAPE.findall(text) if found not in known and len(found) == 1]
    if wrong:
        return None
    return _ESCAPE.sub(lambda found: known.get(found[1]) or chr(int(found[1][1:], 16)), text[1:-1])


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(read_data("schemas", "catalogue/falco.json"))
    return data


@cache
def _descriptions() -> dict[str, str]:
    descriptions: dict[str, str] = json.loads(read_data("schemas", "catalogue/descriptions.json"))
    return descriptions


AUDIT_CLOUDS: Final = "k8saudit-"
"""How the plugins begin that read the audit log of one cloud, with the source and the fields of ``k8saudit``."""


@cache
def _bundled(names: tuple[str, ...] | None) -> Catalogue:
    data = _data()
    named = names
    if names is not None and any(name.startswith(AUDIT_CLOUDS) for name in names):
        names = (*names, "k8saudit")
    groups = [
        _Group(group["plugin"], group["source"], group["fields"])
        for group in data["fields"]
        if not group["plugin"] or names is None or group["plugin"] in names
    ]
    plugins = [
        Plugin(p["name"], p["version"], p["source"], p.get("id"))
        for p in data["plugins"]
        if names is None or p["name"] in names
    ]
    known = {plugin.name for plugin in plugins}
    if named is not None:
        plugins = [plugin for plugin in plugins if plugin.name in named]
        for name in named:
            if name not in known:
                plugins.append(Plugin(name, "", "k8s_audit" if name.startswith(AUDIT_CLOUDS) else None, None))
    return Catalogue(groups, plugins, data)

"""A user's own plugin fields, from JSON."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from falcokit.catalogue.field import Plugin, spec_of
from falcokit.catalogue.types import TYPES
from falcokit.errors import CatalogueError

__all__ = ["read_own_fields"]

_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+")


def read_own_fields(text: str) -> tuple[Plugin, str, dict[str, str]]:
    """The plugin, its source, and its fields in short form; raises `CatalogueError` naming the place."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CatalogueError(f"the catalogue is not JSON: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("source"), str) or not data["source"]:
        raise CatalogueError('the catalogue must be an object with "source", the name of an event source')
    fields = data.get("fields")
    if not isinstance(fields, list):
        raise CatalogueError('the catalogue must have "fields", an array')
    given = data.get("plugin", {})
    if not isinstance(given, dict):
        raise CatalogueError('"plugin" must be an object with "name" and "version"')
    name, version = given.get("name", data["source"]), given.get("version", "0.1.0")
    if not isinstance(name, str) or not isinstance(version, str) or not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise CatalogueError('"plugin" must have a text "name" and a "version" of the form x.y.z')
    specs: dict[str, str] = {}
    for number, field in enumerate(fields):
        key, spec = _read(number, field)
        if key in specs:
            raise CatalogueError(f"fields[{number}]: the field {key} is there twice")
        specs[key] = spec
    source: str = data["source"]
    return Plugin(name, version, None if source in ("syscall", "*") else source, None), source, specs


def _read(number: int, field: Any) -> tuple[str, str]:
    where = f"fields[{number}]"
    if not isinstance(field, dict):
        raise CatalogueError(f"{where} must be an object")
    name = field.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise CatalogueError(f'{where}: "name" must be words joined by dots, such as my.field')
    where += f" ({name})"
    type_name = field.get("type")
    if not isinstance(type_name, str) or type_name not in TYPES:
        raise CatalogueError(f'{where}: "type" must be one of {", ".join(TYPES)}')
    is_list = field.get("list", False)
    if not isinstance(is_list, bool):
        raise CatalogueError(f'{where}: "list" must be true or false')
    argument = field.get("arg")
    if argument not in (None, "optional", "required"):
        raise CatalogueError(f'{where}: "arg" must be null, "optional" or "required"')
    kinds = field.get("arg_kind", [])
    if not isinstance(kinds, list) or any(kind not in ("index", "key") for kind in kinds) or (kinds and not argument):
        raise CatalogueError(f'{where}: "arg_kind" must be an array of "index" and "key", empty without "arg"')
    return name, spec_of(type_name, is_list, argument, tuple(kinds) or (("key",) if argument else ()))

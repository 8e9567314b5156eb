"""A user's own plugin fields, from JSON as ``schemas/catalogue.schema.json`` describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from falcokit.catalogue.field import Plugin, spec_of
from falcokit.data import read_data
from falcokit.errors import CatalogueError

if TYPE_CHECKING:
    from jsonschema import ValidationError

__all__ = ["read_own_fields"]


def read_own_fields(text: str) -> tuple[Plugin, str, dict[str, str]]:
    """The plugin, its source, and its fields in short form; raises `CatalogueError` naming the place."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CatalogueError(f"the catalogue is not JSON: {error}") from None
    _check(data)
    source: str = data["source"]
    plugin: dict[str, str] = data.get("plugin", {})
    specs: dict[str, str] = {}
    for number, field in enumerate(data["fields"]):
        if field["name"] in specs:
            raise CatalogueError(f"fields[{number}]: the field {field['name']} is there twice")
        argument = field.get("arg")
        kinds = tuple(field.get("arg_kind", ())) or (("key",) if argument else ())
        specs[field["name"]] = spec_of(field["type"], field.get("list", False), argument, kinds)
    known = None if source in ("syscall", "*") else source
    return Plugin(plugin.get("name", source), plugin.get("version", "0.1.0"), known, None), source, specs


def _check(data: Any) -> None:
    # Here and not at the top: the library takes longer to import than a lint takes.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(
        Draft202012Validator(json.loads(read_data("schemas", "catalogue.schema.json"))).iter_errors(data)
    )
    if error is not None:
        raise CatalogueError(f"{_place(data, error)} must be {error.schema['description']}")


def _place(data: Any, error: ValidationError) -> str:
    """Which part of the catalogue is wrong, with the name of the field it belongs to."""
    path = list(error.absolute_path)
    if not path:
        return "the catalogue"
    if path[0] != "fields" or len(path) == 1:
        return f'"{".".join(map(str, path))}"'
    field = data["fields"][path[1]]
    name = field.get("name") if isinstance(field, dict) and path[2:] != ["name"] else None
    where = f"fields[{path[1]}]" + (f" ({name})" if isinstance(name, str) else "")
    return f'{where}: "{path[2]}"' if len(path) > 2 else where

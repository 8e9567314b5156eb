"""The published schemas are schemas, explain themselves, and fit what they describe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from falcokit.catalogue.types import TYPES
from falcokit.data import data_path, read_data

NAMES = sorted(
    str(path.relative_to(data_path("schemas"))) for path in Path(data_path("schemas")).rglob("*.schema.json")
)


def read(name: str) -> dict[str, Any]:
    found = json.loads(read_data("schemas", name))
    assert isinstance(found, dict)
    return found


def properties(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            yield name, inner
        for key, inner in schema.items():
            if key not in (
                "if",
                "then",
                "else",
                "not",
                "allOf",
                "anyOf",
                "oneOf",
            ):  # What they say of a key is no place to describe it.
                yield from properties(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from properties(inner)


def test_all_are_here() -> None:
    assert {"catalogue.schema.json", "event.schema.json", "falcokit.schema.json", "lint-report.schema.json", "rules-file.schema.json", "test-file.schema.json"} <= set(NAMES)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_and_tells_what_it_is(name: str) -> None:
    schema = read(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].startswith("urn:falcokit:schema:")
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("name", ["rules-file.schema.json", "catalogue.schema.json", "catalogue/falco.schema.json", "falcokit.schema.json", "test-file.schema.json"])  # fmt: skip
def test_an_editor_has_something_to_say_of_every_key(name: str) -> None:
    schema = read(name)
    silent = [
        key
        for key, inner in properties(schema)
        if "description" not in inner
        and "description" not in schema.get("$defs", {}).get(inner.get("$ref", "").rpartition("/")[2], {})
    ]
    assert not silent


def test_the_packaged_catalogue_fits_its_schema() -> None:
    Draft202012Validator(read("catalogue/falco.schema.json")).validate(
        json.loads(read_data("schemas", "catalogue/falco.json"))
    )


def test_every_type_of_fields_is_known() -> None:
    assert read("catalogue.schema.json")["$defs"]["field"]["properties"]["type"]["enum"] == list(TYPES)

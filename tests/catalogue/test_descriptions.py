"""Every field and event type is described, briefly, and each in its own words."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from falcokit.catalogue import Catalogue
from falcokit.data import read_data

CATALOGUE = Catalogue.bundled()
FIELDS = tuple(CATALOGUE.fields())
EVENTS = CATALOGUE.events


def test_every_field_is_described_and_nothing_else() -> None:
    described = json.loads(read_data("schemas", "catalogue/descriptions.json"))
    assert list(described) == [field.name for field in FIELDS]
    assert all(CATALOGUE.describe(name) == text for name, text in described.items())


def test_every_event_type_is_described_and_nothing_else() -> None:
    described = json.loads(read_data("schemas", "catalogue/event_types.json"))
    assert set(described) == {*EVENTS.all_names(), "syscall"}


def test_a_description_is_one_short_line() -> None:
    for text in (*(CATALOGUE.describe(field.name) for field in FIELDS), *map(EVENTS.describe, EVENTS.all_names())):
        assert 4 <= len(text) <= 90, text
        assert text == " ".join(text.split())
        assert not text.endswith(".") or text.endswith("..."), text


def test_no_two_fields_share_a_description() -> None:
    assert [text for text, times in Counter(CATALOGUE.describe(f.name) for f in FIELDS).items() if times > 1] == []


def test_deprecated_fields_say_so() -> None:
    silent = [
        field.name
        for field in FIELDS
        if field.deprecated
        and not ("deprecated" in (text := CATALOGUE.describe(field.name)) or text.startswith("Never"))
    ]
    assert silent == []


def test_unknown_names_have_no_description() -> None:
    assert CATALOGUE.describe("proc.nosuch") == EVENTS.describe("nosuch") == EVENTS.category("nosuch") == ""


@pytest.mark.parametrize(
    ("name", "category"), [("openat", "file"), ("connect", "net"), ("execve", "process"), ("fsopen", "other")]
)
def test_categories(name: str, category: str) -> None:
    assert EVENTS.category(name) == category

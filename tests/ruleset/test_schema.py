"""Falco's schema step: against the measured verdicts, and against our own published JSON schema."""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.data import read_data
from falcokit.document import Document, Mapping, Node, Scalar, Sequence, compose
from falcokit.ruleset.schema import MAX_TEXTS, schema_warnings
from falcokit.source import SourceFile

SHARED = Path(__file__).parents[2].parent / "shared"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared corpus is not here")


def read(text: str) -> tuple[Document, ...]:
    documents, error = compose(SourceFile("rules.yaml", text))
    return () if error else documents


def check(text: str) -> tuple[bool | None, tuple[str, ...]]:
    return schema_warnings(read(text))


# --- the measured verdicts


def measured() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each file of each measured case: a name, the text, what Falco said."""
    for path in sorted((SHARED / "conformance" / "cases").glob("*.json")):
        topic = json.loads(path.read_text())
        if topic.get("mode"):
            continue
        expected = json.loads((SHARED / "conformance" / "expected" / path.name).read_text())["cases"]
        for case in topic["cases"]:
            for text, verdict in zip(case["files"], expected[case["id"]].get("files", ()), strict=False):
                yield f"{path.stem}/{case['id']}", text, verdict


def places(texts: tuple[str, ...] | list[str]) -> list[str]:
    """The places the texts are about, in order; several texts in a row about one place count once."""
    found: list[str] = []
    for text in texts:
        match = re.match(r"(?:failed for )?(<root>(?:\[[^\]]*\])*): ", text)
        place = match[1] if match else text
        if found[-1:] != [place]:
            found.append(place)
    return found


@needs_shared
def test_measured_verdicts_and_places() -> None:
    wrong, tried = [], 0
    for name, text, verdict in measured():
        valid, texts = check(text)
        tried += 1
        wanted = verdict.get("schema_valid"), places(verdict.get("schema_warnings") or [])
        if (valid, places(texts)) != wanted:
            wrong.append((name, valid, texts, wanted))
    assert not wrong
    assert tried > 2000


# --- one language, two forms


@functools.cache
def published() -> jsonschema.Draft202012Validator:
    schema = json.loads(read_data("schemas", "rules-file.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class DuplicateKeyError(Exception):
    """A mapping that JSON has no form for."""


def plain(node: Node) -> Any:
    """The value of a node as the schema step takes it: every scalar but null is text."""
    match node:
        case Scalar():
            return None if node.null else node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            table = {"null" if k.null else k.value: plain(v) for k, v in node.pairs if isinstance(k, Scalar)}
            if len(table) != len(node.pairs):
                raise DuplicateKeyError
            return table


def assert_same_verdict(text: str) -> bool:
    """Hold the two forms against each other on the first document of *text*; whether there was anything to compare."""
    documents = read(text)
    if not documents or documents[0].root is None:
        assert check(text)[0] is None
        return False
    try:
        value = plain(documents[0].root)
    except DuplicateKeyError:
        assert check(text)[0] is False
        return False
    assert check(text)[0] is published().is_valid(value), text
    return True


@needs_shared
def test_published_schema_agrees_on_the_measured_cases() -> None:
    assert sum(assert_same_verdict(text) for _, text, _ in measured()) > 2000


@needs_shared
def test_published_schema_agrees_on_upstream_and_custom_files() -> None:
    texts = [
        path.read_bytes().decode("utf-8", "surrogateescape")
        for folder in ("upstream", "custom")
        for path in sorted((SHARED / "corpus" / folder).rglob("*"))
        if path.suffix in (".yaml", ".yml") and path.is_file()
    ]
    assert sum(assert_same_verdict(text) for text in texts) > 50


KEYS = st.sampled_from(
    ["rule", "list", "macro", "items", "tags", "priority", "enabled", "capture_duration", "exceptions", "override",
     "required_plugin_versions", "name", "version", "alternatives", "fields", "condition", "other", "append"]
)  # fmt: skip
SCALARS = st.sampled_from(
    ["a", "true", "yes", "7", "' 7'", "1.5", "~", "''", "INFO", "info", "append", "replace", "'null'", "-3", "+0"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")
        | st.dictionaries(KEYS, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key}: {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(KEYS, VALUES, min_size=1, max_size=3), min_size=1, max_size=3))
def test_published_schema_agrees_on_anything(items: list[dict[str, str]]) -> None:
    lines = ["- {" + ", ".join(f"{key}: {value}" for key, value in item.items()) + "}" for item in items]
    assert assert_same_verdict("\n".join(lines))


@pytest.mark.parametrize("value", [True, "true", 5, "INFO"])
def test_published_schema_takes_what_editors_make_of_scalars(value: Any) -> None:
    # An editor types `desc: 5` as a number before it validates; for Falco it is text.
    assert published().is_valid([{"rule": "R", "desc": value}])


# --- single facts


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~\n", "null\n---\n- rule: x\n"])
def test_without_a_document_there_is_no_verdict(text: str) -> None:
    assert check(text) == (None, ())


def test_only_the_first_document_decides() -> None:
    bad, good = "- priority: info\n", "- priority: INFO\n"
    assert check(f"{good}---\n{bad}") == (True, ())
    valid, texts = check(f"{bad}---\n{good}---\n{bad}")
    assert valid is False
    once = ["<root>[0][priority]", "<root>[0]", "<root>"]
    assert places(texts) == [*once, "ok", *once]


def test_documents_behind_an_empty_one_are_not_looked_at() -> None:
    assert check("- priority: info\n---\n~\n---\n- rule: x\n")[1] == check("- priority: info\n")[1]


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("9223372036854775807", True),
        ("-9223372036854775808", True),
        ("9223372036854775808", False),
        ('"\\t+007"', True),
        ("0x10", False),
        ("1_000", False),
        ("\u0663", False),
        ("9" * 5000, False),
    ],
)
def test_a_capture_duration_is_a_64_bit_decimal(value: str, valid: bool) -> None:
    assert check(f"- capture_duration: {value}\n")[0] is valid


def test_a_text_says_where_and_what() -> None:
    assert check("- rule: R\n  priority: low\n")[1] == (
        "<root>[0][priority]: a priority in upper case is needed",
        "<root>[0]: the value of `priority` does not fit",
        "<root>: element 0 does not fit",
    )


# --- hostile input


def test_shared_nodes_are_looked_at_once() -> None:
    width = 2_000
    exceptions = ", ".join(["&e {name: e}"] + ["*e"] * width)
    item = "{exceptions: &x [" + exceptions + "], tags: &t [" + ", ".join("a" * width) + "]}"
    text = f"- &i {item}\n" + "- *i\n- {exceptions: *x, tags: *t}\n" * width
    documents = read(text)
    begin = time.perf_counter()
    assert schema_warnings(documents) == (True, ())
    assert time.perf_counter() - begin < 1


def test_texts_stay_bounded_where_aliases_multiply_what_is_wrong() -> None:
    width = 2_000
    wrong = ", ".join(["{name: e}"] * width + ["&e {" + "k" * 900 + ": 1}"] + ["*e"] * width)
    text = f"- &i {{exceptions: &x [{wrong}]}}\n" + "- *i\n- {exceptions: *x}\n" * width
    documents = read(text)
    begin = time.perf_counter()
    valid, texts = schema_warnings(documents)
    assert time.perf_counter() - begin < 1
    assert valid is False
    assert len(texts) == MAX_TEXTS
    assert max(map(len, texts)) < 200


def test_many_documents_stay_bounded() -> None:
    valid, texts = check("- x: 1\n" + "--- []\n" * 20_000)
    assert valid is False
    assert len(texts) == MAX_TEXTS

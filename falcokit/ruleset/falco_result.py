"""The result of a load in the shape of ``falco -V ... -o json_output=true``."""

from __future__ import annotations

from typing import Any

from falcokit.diagnostic import Diagnostic, FalcoPlace
from falcokit.ruleset.falco_codes import ABOUT
from falcokit.ruleset.loader import FileResult, Loaded
from falcokit.ruleset.schema import schema_warnings
from falcokit.source import SourceFile

__all__ = ["locations", "snippet", "to_falco"]


def to_falco(loaded: Loaded) -> dict[str, Any]:
    """``{"falco_load_results": [...]}``, one entry a file; codes and places are Falco's, messages are ours."""
    return {"falco_load_results": [_file(result) for result in loaded.files]}


def _file(result: FileResult) -> dict[str, Any]:
    errors = [d for d in result.diagnostics if d.is_error and (d.code or d.kind == "too-large")]
    warnings = [d for d in result.diagnostics if not d.is_error and d.code]
    found: dict[str, Any] = {
        "name": result.file.name,
        "successful": not errors,
        "errors": [_entry(d) for d in errors],
        "warnings": [_entry(d) for d in warnings],
    }
    valid, texts = schema_warnings(result.documents) if result.parsed else (None, ())
    if valid is not None:
        found["schema_valid"] = valid
        found["schema_warnings"] = list(texts)
    return found


def _entry(diagnostic: Diagnostic) -> dict[str, Any]:
    place = diagnostic.falco or FalcoPlace(diagnostic.file)
    entry: dict[str, Any] = {
        # Where falcokit gives up the rules count as invalid, which is the safe answer; the message says whose limit it is.
        "code": diagnostic.code or "LOAD_ERR_VALIDATE",
        "codedesc": codedesc(diagnostic),
        "message": diagnostic.message,
        "context": {"locations": locations(place), "snippet": snippet(place)},
    }
    if diagnostic.code == "LOAD_DEPRECATED_ITEM" and diagnostic.detail:
        entry["deprecated_field"] = diagnostic.detail
    return entry


def codedesc(diagnostic: Diagnostic) -> str:
    """Falco's fixed text for the code."""
    return ABOUT.get(diagnostic.code, "")


def mark(file: SourceFile, offset: int) -> tuple[int, int, int]:
    """Line, column and offset as Falco's YAML reader counts: bytes, lines end at line feeds only, no byte order mark."""
    text = file.text
    first = 1 if text.startswith("\ufeff") else 0
    start = text.rfind("\n", 0, offset) + 1
    before = text[max(start, first) : offset]
    line = text.count("\n", 0, offset)
    ahead = text[first:offset]
    return line, _bytes(before), _bytes(ahead)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def locations(place: FalcoPlace) -> list[dict[str, Any]]:
    """The nested locations, outermost first."""
    name = place.file.name
    found = [_location("rules content", "", name, (0, 0, 0))]
    position = (0, 0, 0)
    for step in place.steps:
        position = mark(place.file, step.offset)
        found.append(_location(step.item_type, step.item_name, name, position))
    if place.condition is not None:
        text = place.condition
        line, column, offset = (0, 0, 0) if place.at is None else _inside(text, place.at)
        shown = text.replace("\n", " ").replace("\r", " ")
        data = shown.encode("utf-8", "surrogateescape")
        if len(data) > 20:
            shown = data[:17].decode("utf-8", "replace") + "..."
        inner = (position[0] + line, position[1] + column, position[2] + offset)
        found.append(_location("condition expression", "", f'"{shown}"', inner))
    return found


def _inside(text: str, at: int) -> tuple[int, int, int]:
    """One-based line and column and the offset of byte *at*; line feeds and carriage returns both end lines."""
    data = text.encode("utf-8", "surrogateescape")[:at]
    line = data.count(b"\n") + data.count(b"\r")
    start = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
    return line + 1, at - start + 1, at


def _location(item_type: str, item_name: str, name: str, position: tuple[int, int, int]) -> dict[str, Any]:
    line, column, offset = position
    return {
        "item_type": item_type,
        "item_name": item_name,
        "position": {"name": name, "line": line, "column": column, "offset": offset},
    }


def snippet(place: FalcoPlace) -> str:
    """The line around the place with a caret under it, as Falco cuts it: eighty characters to each side."""
    *_, last = locations(place)
    text, offset = place.file.text.lstrip("\ufeff"), last["position"]["offset"]
    if place.condition is not None:
        text = place.condition
    if not text.strip("\r\n"):
        return "<no context available>\n"
    offset = min(offset, len(text) - 1)
    while offset > 0 and text[offset] in "\r\n":
        offset -= 1
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    ends = [e for e in (text.find("\n", offset), text.find("\r", offset)) if e >= 0]
    end = min(ends, default=len(text))
    left, right = "", ""
    if offset - start > 80:
        start, left = offset - 80, "..."
    if end - offset > 80:
        end, right = offset + 80, "..."
    return f"{left}{text[start:end]}{right}\n{' ' * (len(left) + offset - start)}^\n"

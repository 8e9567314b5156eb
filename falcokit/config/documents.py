"""From the text of a configuration file to the first document in it: Falco reads no further."""

from __future__ import annotations

import re
from typing import Final

from falcokit.config.value import Place, problem
from falcokit.document import Node, compose
from falcokit.source import SourceFile

__all__ = ["first_document"]

_MARKER: Final = re.compile(r"^(---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
_NOTHING: Final = re.compile(r"(?:\ufeff|[ \t\r\n]++|#[^\r\n]*+|^%[^\r\n]*+)*+", re.MULTILINE)


def first_document(file: SourceFile) -> Node | None:
    """The root of the first document, None for an empty one.

    Raises `falcokit.errors.ConfigError` where the document is not YAML.
    """
    text = file.text
    markers = list(_first_markers(text))
    if markers and markers[0][0] == "---" and _NOTHING.fullmatch(text, 0, markers[0][1]):
        del markers[0]
    elif markers and markers[0][0] == "..." and _NOTHING.fullmatch(text, 0, markers[0][1]):
        markers = []  # a document end without a document: rare enough to read it all
    # What follows the first document is not even looked at, so it may be anything.
    part = SourceFile(file.name, text[: markers[0][1]], file.origin) if markers else file
    documents, error = compose(part)
    if error is not None:
        advice = "correct the YAML"
        raise problem(Place(file, min(error.offset, len(text))), f"Falco cannot read the file: {error.message}", advice)
    return documents[0].root if documents else None


def _first_markers(text: str) -> list[tuple[str, int]]:
    found = []
    for match in _MARKER.finditer(text):
        found.append((match[1], match.start()))
        if len(found) == 2:
            break
    return found

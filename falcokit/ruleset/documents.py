"""Which documents of a file Falco reads, and what is to be said of the file as YAML."""

from __future__ import annotations

import re
from typing import Final

from falcokit.diagnostic import Diagnostic, FalcoPlace, Label, Step
from falcokit.document import Document, YamlError, compose
from falcokit.record import Record
from falcokit.source import SourceFile, Span

__all__ = ["ReadDocuments", "read_documents", "yaml_error"]

_HELP: Final = (
    (r"\t", "indent with blanks: YAML takes no tabs there"),
    (r"%", "quote a text that begins with `%`, or write it below a `>`"),
    (r"[`@]", "quote a text that begins with this character"),
    (r"[^\n]*:(?:[ \r\n]|$)", "quote a text with `: ` in it, or write it below a `>`"),
    (r"-[ \r\n]", "each `-` of one sequence stands in the same column"),
)
"""What stands at the place of a YAML error, and what is mostly the matter with it."""


class ReadDocuments(Record):
    """The documents that Falco reads, up to an empty one, the error that keeps it from it, and what it lets pass."""

    __slots__ = ("documents", "error", "notes")

    def __init__(self, documents: tuple[Document, ...], error: YamlError | None, notes: tuple[Diagnostic, ...]) -> None:
        self.documents: Final = documents
        self.error: Final = error
        self.notes: Final = notes


def read_documents(file: SourceFile) -> ReadDocuments:
    """The documents of *file*."""
    documents, error = compose(file)
    if error is not None:
        return ReadDocuments(documents, error, ())
    notes = []
    if documents and (at := documents[-1].unclosed_quote) is not None:
        message = "this double quote is never closed: all the rest of the file is in the text it begins"
        notes.append(
            Diagnostic("unclosed-quote", message, Span(file, at, at + 1), "put the second quote where it belongs")
        )
    for number, document in enumerate(documents):
        if document.root is None:
            notes += _ignored(document, documents[number + 1 :])
            documents = documents[:number]
            break
    return ReadDocuments(documents, None, tuple(notes))


def _ignored(empty: Document, after: tuple[Document, ...]) -> list[Diagnostic]:
    """The warning for the first document of *after* with anything in it."""
    for document in after:
        root, file = document.root, document.file
        if root is not None:
            end = file.text.find("\n", root.start)
            span = Span(file, root.start, end if end >= 0 else len(file.text))
            label = Label(Span(file, empty.start, empty.start + 3), "this document is empty")
            message = "Falco does not read this document, nor what follows: the document before it is empty"
            help_text = "remove the `---` of the empty document"
            return [Diagnostic("ignored-document", message, span, help_text, (label,))]
    return []


def yaml_error(file: SourceFile, error: YamlError) -> Diagnostic:
    """The finding for a file that is no YAML."""
    steps = () if error.in_tree else (Step("value for", "", error.falco_offset),)
    text = file.text
    at = min(error.offset, len(text))
    if at and text[at : at + 1] in ("", "\n", "\r"):
        stripped = len(text[:at].rstrip())
        span = Span(file, max(stripped - 1, 0), max(stripped, 0))
    else:
        span = Span(file, at, min(at + 1, len(text)))
    help_text = ""
    if "never closed" not in error.message and not error.in_tree:
        help_text = next((words for pattern, words in _HELP if re.compile(pattern).match(text, at)), "")
    if re.search(r"\{\{.*\}\}|\{%.*%\}", text):
        help_text = "if this is a template, lint what it gives, such as the output of `helm template`"
    return Diagnostic("yaml-syntax", error.message, span, help_text, (), FalcoPlace(file, steps))

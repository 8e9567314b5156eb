"""Texts and places: files as read, ranges of them, texts made of pieces of them, edits.  Knows neither YAML nor rules."""

from falcokit.source.file import Origin, SourceFile, Span
from falcokit.source.mapped import MappedText

__all__ = ["MappedText", "Origin", "SourceFile", "Span"]

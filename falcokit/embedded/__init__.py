"""Rules inside other files: Helm values, ConfigMaps, custom resources, templates.

What is taken out keeps its place: a file inside another is the outer text with everything else blanked, so that every
character of it has the offset it has in the outer file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from falcokit.diagnostic import Diagnostic
    from falcokit.source import SourceFile

__all__ = ["is_plain", "opened"]

# The first line that says anything begins an element of a sequence.
_PLAIN: Final = re.compile(r"\ufeff?(?:[ \t]*(?:#[^\n]*|---[ \t]*)?\r?\n)*[ \t]*(?:-[ \t\r\n]|\[|$)")


def is_plain(text: str) -> bool:
    """Whether *text* is surely no file that rules stand inside of."""
    return _PLAIN.match(text) is not None and "{{" not in text and "{%" not in text


def opened(files: Iterable[SourceFile]) -> tuple[list[SourceFile], list[Diagnostic]]:
    """The files with those that rules stand inside of taken apart, and what is to be said of these."""
    found: list[SourceFile] = []
    notes: list[Diagnostic] = []
    for file in files:
        if is_plain(file.text):
            found.append(file)
            continue
        from falcokit.embedded.unwrap import unwrap

        inner = unwrap(file)
        if inner is None:
            found.append(file)
        else:
            found += inner.files
            notes += inner.notes
    return found, notes

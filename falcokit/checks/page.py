"""A check's page: its docstring read as headings, paragraphs and examples with their flagged places."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Final

from falcokit.checks.check import Check
from falcokit.record import Record

__all__ = ["Example", "examples", "markdown", "plain_page"]

_FENCE: Final = re.compile(r"^```(?:yaml|toml) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEFAULT_FILE: Final = "default.yaml"
"""The name of an example's file that counts as a default file."""
SETTINGS_FILE: Final = "falcokit.toml"
"""The name of an example's file that has settings."""


class Example(Record):
    """Rules files of a page, in load order, under the heading *section*.

    ``files`` are pairs of name and text without the marks; ``marks`` the ranges between them, with the file's name;
    ``fixed`` is the text that the last file becomes, None where nothing mends it.
    """

    __slots__ = ("files", "fixed", "marks", "section")

    def __init__(
        self,
        section: str,
        files: tuple[tuple[str, str], ...],
        marks: tuple[tuple[str, int, int], ...],
        fixed: str | None = None,
    ) -> None:
        self.section: Final = section
        self.files: Final = files
        self.marks: Final = marks
        self.fixed: Final = fixed


def _text(check: Check) -> str:
    first, _, rest = check.page.partition("\n")
    return f"{first.strip()}\n{dedent(rest).rstrip()}\n"


def examples(check: Check) -> tuple[Example, ...]:
    """The examples of the page.  Blocks that follow each other are the files of one; text between begins another.

    Raises `ValueError` for a page that is not written as docs/adding-a-check.md says.
    """
    found: list[Example] = []
    code = check.kind.code
    if unnamed := re.search(r"^```(?:yaml|toml)[ ]*$", _text(check), re.MULTILINE):
        raise ValueError(f"{code}: the block `{unnamed[0]}` has no file name, as in ```yaml custom.yaml")
    for part in _text(check).split("\n## ")[1:]:
        section, _, body = part.partition("\n")
        groups: list[list[tuple[str, str]]] = []
        end = 0
        for fence in _FENCE.finditer(body):
            if not groups or body[end : fence.start()].strip():
                groups.append([])
            groups[-1].append((fence[1], fence[2]))
            end = fence.end()
        if section == "Fixed":
            flagged = [at for at, example in enumerate(found) if example.section == "Flagged"]
            if len(groups) > len(flagged):
                raise ValueError(f"{code}: {len(groups)} blocks under Fixed for {len(flagged)} examples under Flagged")
            for at, group in zip(flagged, groups, strict=False):
                found[at] = found[at].replaced(fixed=group[-1][1])
            continue
        if not re.fullmatch("[^«»]*(?:«[^«»]*»[^«»]*)*", body):
            raise ValueError(f"{code}: a « without its », or the other way round, under {section}")
        found += [_example(section, group) for group in groups]
    return tuple(found)


def _example(section: str, group: list[tuple[str, str]]) -> Example:
    files, marks = [], []
    for name, text in group:
        pieces = re.split("([«»])", text)
        clean, opened = "", 0
        for piece in pieces:
            if piece == "«":
                opened = len(clean)
            elif piece == "»":
                marks.append((name, opened, len(clean)))
            else:
                clean += piece
        files.append((name, clean))
    return Example(section, tuple(files), tuple(marks))


def markdown(check: Check) -> str:
    """The page for ``docs/checks``: heading, facts, text, each flagged place underlined."""
    kind = check.kind
    facts = f"{kind.severity.word}, confidence {kind.confidence.word}"
    fixable = any(example.fixed is not None for example in examples(check))
    more = (", mended by `--fix`" if fixable else "") + (", runs with `--pedantic` only" if check.pedantic else "")
    head = f"# {kind.code} {kind.name}\n\n{facts}{more}\n\n"
    return head + _FENCE.sub(lambda fence: f"```yaml\n# {fence[1]}\n{_underlined(fence[2])}```", _text(check))


def plain_page(check: Check) -> str:
    """The page for a terminal."""
    return re.sub(r"^```(?:yaml|toml)?\n?", "", markdown(check), flags=re.MULTILINE)


def _underlined(text: str) -> str:
    lines = []
    opened = -1
    for line in text.splitlines():
        bare = line.replace("«", "").replace("»", "")
        lines.append(bare)
        marks, at = "", 0
        if opened >= 0:  # The place goes on from the line before.
            opened = len(bare) - len(bare.lstrip())
        for character in line:
            if character == "«":
                opened = at
            elif character == "»":
                marks = marks.ljust(opened) + "^" * (at - opened)
                opened = -1
            else:
                at += 1
        if opened >= 0:
            marks = marks.ljust(opened) + "^" * (len(bare) - opened)
        if marks:
            lines.append(f"#{marks[1:]}" if marks.startswith(" ") else f"# {marks}")
    return "\n".join(lines) + "\n"

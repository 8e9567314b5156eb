"""FK055."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.condition import parse
from falcokit.diagnostic import Edit, Fix, Problem, Severity
from falcokit.document.offsets import origins
from falcokit.ruleset.items import Entry, ListItem, MacroItem, RuleItem, Written
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["typographic_character"]

_DOUBLE: Final = "\u201c\u201d\u201e\u201f"
_SINGLE: Final = "\u2018\u2019\u201a\u201b"
_BLANKS: Final = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_ODD: Final = re.compile(
    f"[{_DOUBLE}][^{_DOUBLE}]*[{_DOUBLE}]|[{_SINGLE}][^{_SINGLE}]*[{_SINGLE}]|[{_DOUBLE}{_SINGLE}]"
    f"|[{_BLANKS}]+|(?<![^\\x00-\\x7f])[{_INVISIBLE}]+(?![^\\x00-\\x7f])"
)
_ONLY_ODD: Final = re.compile(f"[\"']?[{_BLANKS}{_INVISIBLE}]+[\"']?").fullmatch
_EACH: Final = re.compile(f"[{_DOUBLE}{_SINGLE}{_BLANKS}{_INVISIBLE}]")
_QUOTED: Final = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)


@check("FK055", Severity.WARNING)
def typographic_character(ruleset: Ruleset) -> Iterator[Finding]:
    """A condition or list has a quote or blank that only looks like one.

    Word processors and web pages turn quotes and blanks into characters that Falco takes as letters: the value is another one
    than it seems, and nothing will ever equal it.

    ## Flagged

    ```yaml custom.yaml
    - list: shells
      items: [bash, «“zsh”»]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells) and not proc.pname = «“sh”»
      output: shell %proc.name
      priority: INFO
    ```

    ## Fixed

    ```yaml custom.yaml
    - list: shells
      items: [bash, "zsh"]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells) and not proc.pname = "sh"
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: "a shell, that “sh”"
      condition: evt.type = execve and proc.name = "sh" and proc.cmdline contains "say “sh”"
      output: "shell “%proc.name”"
      priority: INFO
    ```
    """
    files = {file for file in ruleset.files if not file.text.isascii()}
    if not files:
        return
    for item in ruleset.items:
        if item.file not in files:
            continue
        if isinstance(item, ListItem):
            for written in item.items:
                yield from _in_value(written)
        elif isinstance(item, MacroItem):
            yield from _in_condition(item.condition)
        elif isinstance(item, RuleItem):
            for update in item.updates:
                yield from _in_condition(update.condition)
                for exception in update.exceptions or ():
                    for written in _texts(exception.values):
                        yield from _in_value(written)


def _texts(entry: Entry) -> Iterator[Written]:
    if isinstance(entry, Written):
        yield entry
    for inner in entry if isinstance(entry, tuple) else ():
        yield from _texts(inner)


def _in_value(written: Written) -> Iterator[Finding]:
    """Quotes around the value, blanks and what cannot be seen anywhere in it."""
    text = written.text
    if text.isascii() or _ONLY_ODD(text):
        return
    for found in _ODD.finditer(text):
        if found[0][0] in _DOUBLE + _SINGLE and found.start() and found.end() < len(text):
            continue
        yield from _finding(written, found.start(), found.end())


def _in_condition(written: Written | None) -> Iterator[Finding]:
    # A condition that does not parse is reported with the same advice.
    if written is None or written.text.isascii() or isinstance(parse(written.text), Problem):
        return
    quoted = [found.span() for found in _QUOTED.finditer(written.text)]
    for found in _ODD.finditer(written.text):
        around = next((span for span in quoted if span[0] < found.start() < span[1]), None)
        # What stands in quotes may be meant, as a text that is looked for.
        if around is not None and (found[0][0] in _DOUBLE + _SINGLE or _ONLY_ODD(written.text[slice(*around)])):
            continue
        yield from _finding(written, found.start(), found.end())


def _finding(written: Written, start: int, end: int) -> Iterator[Finding]:
    place = origins(written.file, written.node)
    span = place(start, end)
    text = written.text[start:end]
    if span.text != text:
        # Written as an escape: somebody knows what it is.
        return
    if text[0] in _DOUBLE + _SINGLE:
        message = "this is a quote of a word processor, which Falco takes for a letter"
        if len(text) > 1:
            message = "these are quotes of a word processor, which Falco takes for letters"
    else:
        what = "an invisible character" if text[0] in _INVISIBLE else "a no-break space"
        message = f"this is {what}, which Falco takes for a letter"
    edits = tuple([Edit(place(start + odd.start(), start + odd.end()), _plain(odd[0])) for odd in _EACH.finditer(text)])
    # A lone quote cannot be mended by itself, and one of the kind that YAML put around the text would end it.
    known = (len(text) > 1 or text[0] not in _DOUBLE + _SINGLE) and all(e.text != written.node.style for e in edits)
    fix = Fix("type it in ASCII", edits, safe=False) if known else None
    yield Finding(span, message, "type it again, in ASCII", (), fix)


def _plain(odd: str) -> str:
    if odd in _DOUBLE:
        return '"'
    return "'" if odd in _SINGLE else "" if odd in _INVISIBLE else " "

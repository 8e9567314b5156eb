"""FK459."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.condition import parse
from falcokit.condition.ast import Check, Field, ListValue, Value
from falcokit.condition.render import to_source
from falcokit.diagnostic import Edit, Fix, Severity
from falcokit.ruleset.lists import words
from falcokit.ruleset.literals import needless_regex, shown
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["simple_regex"]

_PIECE: Final = re.compile(r"(\(\.\*\)|\.\*)|\\([^\w\s])|\[([^][\\^])\]|([()|^$])|([^].+*?^$()[{}|\\])")
"""A piece of a pattern that is not more than any text, one character, a group or an anchor."""
# What is no character of the value is kept as a control character, which no pattern looked at has.
_ANY: Final = "\x01"
_SIGNS: Final = {"(": "\x02", ")": "\x03", "|": "\x04", "^": "\x05", "$": "\x06"}
_GROUP_OF_ONE: Final = re.compile(r"\x02([^\x01-\x06]*)\x03")
_ONE: Final = re.compile(r"\x05?(\x01?)([^\x01-\x06]+)(\x01?)\x06?").fullmatch
_SEVERAL: Final = re.compile(r"\x05?([^\x01-\x06]*)\x02([^\x01-\x03]+)\x03([^\x01-\x06]*)\x06?").fullmatch
_WORD: Final = re.compile(r"\x05?([^\x01-\x06]+)\x06?").fullmatch
_OWN_COMPARISON: Final = ("evt.type", "syscall.type", "fd.cip.name", "fd.sip.name", "fd.lip.name", "fd.rip.name")


@check("FK459", Severity.INFO)
def simple_regex(ruleset: Ruleset) -> Iterator[Finding]:
    r"""A regular expression says what a plain comparison says.

    Falco's `regex` must match the whole value, and is the slowest of all comparisons.  `^/etc/.*` is `startswith /etc/`,
    `.*\.sh` is `endswith .sh`, and `(sh|bash)` is `in (sh, bash)`.  A `^` without `.*` at the end matches the one value only, which
    is easily taken for its beginning.

    The fix is safe where whole values are compared.  Where `.*` goes away it is not: `.` is any character but a line feed, so that
    a value with a line feed in it does not match, and is found by `startswith`, `endswith` and `contains`.

    Patterns in which Falco itself sees no need for a regular expression are told of as `needless-regex`.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and «proc.name regex "^(sh|bash|zsh)$"» and «proc.exepath regex '/usr/lib/[.]cache/.*'»
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - rule: Script
      desc: a script
      condition: >
        evt.type = execve and («proc.exepath regex "/tmp/.*$"» or «proc.exepath regex ".*\\.sh"»
        or «proc.cmdline regex ".*[.]py -c.*"» or «proc.exepath regex /opt/agent\.bin» or «proc.name regex "git|svn"»)
      output: script %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - list: known_tools
      items: [git, svn]
    - rule: Script
      desc: a script
      condition: >
        evt.type = execve and (proc.cmdline regex ".*evil.com.*" or proc.name regex "[bd]?ash" or proc.exepath regex ".*/(sh|bash)"
        or proc.exepath regex "/tmp/.+/x" or proc.cmdline regex ".*a.*b.*" or proc.name regex "x{2}" or proc.name regex "(known_tools|hg)")
      output: script %proc.name
      priority: INFO
    ```
    """
    for use in ruleset.uses:
        old = use.check
        if old.operator != "regex" or old.modifier or not isinstance(old.right, Value):
            continue
        if not isinstance(old.left, Field) or old.left.name in _OWN_COMPARISON:
            continue
        new = None if needless_regex(old.right.text) else _simpler(old.left, old.right.text)
        if new is None:
            continue
        span = use.span()
        text = to_source(new)
        # The operator of an exception stands elsewhere; and Falco would put a list in where a value has its name.
        if " regex" in span.text and ruleset.definitions.lists.keys().isdisjoint(words(text)):
            message = f"{shown(old.right.text)} needs no regular expression"
            yield Finding(span, message, f"write `{text}`", (), _fix(span, old, new, text))


def _simpler(field: Field, pattern: str) -> Check | None:
    """The comparison that holds for the same values, as long as these have no line feed."""
    if not pattern.isascii() or not pattern.isprintable():
        return None
    pieces: list[str] = []
    at = 0
    while at < len(pattern):
        piece = _PIECE.match(pattern, at)
        if piece is None:
            return None
        anything, escaped, single, sign, plain = piece.groups()
        pieces.append(_ANY if anything else _SIGNS[sign] if sign else escaped or single or plain)
        at = piece.end()
    text = _GROUP_OF_ONE.sub(r"\1", "".join(pieces))
    if one := _ONE(text):
        before, core, after = one.groups()
        operator = ("contains" if after else "endswith") if before else "startswith" if after else "="
        return Check(field, operator, "", Value(core))
    before, inner, after = several.groups() if (several := _SEVERAL(text)) else ("", text, "")
    found = [_WORD(word) for word in inner.split(_SIGNS["|"])]
    # Inside a text, an anchor never holds.
    if len(found) < 2 or None in found or (before + after and re.search(r"[\x05\x06]", inner)):
        return None
    values = dict.fromkeys([before + word[1] + after for word in found if word is not None])
    return Check(field, "in", "", ListValue(tuple([Value(value) for value in values])))


def _fix(span: Span, old: Check, new: Check, text: str) -> Fix | None:
    # What parses as it stands in the file is written without escapes of YAML, and is no text of a list.
    if parse(span.text) != old or ": " in text or " #" in text or any(q in text and q not in span.text for q in "\"'"):
        return None
    return Fix(f"write `{text}`", (Edit(span, text),), safe=new.operator in ("=", "in"))

"""What to write instead, for the mistakes that people make in conditions.  Only reached when a text does not parse."""

from __future__ import annotations

import re

__all__ = ["advice"]

_COMPARED = re.compile(r"[<>=]|!=|(?:in|intersects|pmatch|contains|startswith|endswith|glob|regex|exists)\b")
_GLUED = re.compile(r"[^\s()](&&|\|\|)[\w.\[\]]+[ \t\r\n]*$")
_LAST = re.compile(r"[A-Za-z0-9_]+[ \t\r\n]*$")

_AFTER = (
    (r"(?:(?:not|NOT)[ \t\r\n]+|![ \t]*)(in|IN|intersects|pmatch|i?contains|startswith|endswith|i?glob|regex|exists)\b",
     "`not` stands before the field: write `not FIELD {0} ...`"),
    (r"!~", "write `not FIELD regex ...`"),
    (r"(?:is|IS)\b", "Falco has no `is`: use `=`, `exists` or a macro"),
    (r"(like|LIKE|matches|MATCHES)\b", "Falco has no `{0}`: use `glob`, `contains` or `regex`"),
    (r"(?:IN|EXISTS|CONTAINS|STARTSWITH|ENDSWITH)\b", "operators are written in lower case"),
    (r"=[<>~]", "operators are `<=`, `>=`, `=`, `!=` and `regex`"),
    (r"<>", "unequal is written `!=`"),
    (r"#", "a comment inside a condition is part of its text: put it on a line of its own above the key"),
    (r"&&", "write `and`"),
    (r"\|\|", "write `or`"),
    (r"!(?!=)", "write `not`"),
    (r"(?:AND|OR|NOT)\b", "`and`, `or` and `not` are written in lower case"),
    (r"(?:and|or)\b", "there is a check missing before this word"),
    (r"\)", "this `)` closes nothing, or a check is missing before it"),
    (r"[\[{%$]", "only texts, numbers, fields and lists in parentheses can stand here; quote a text with such characters"),
    (r"[A-Za-z][\w.]*", "write `and` or `or` between two checks"),
)  # fmt: skip


_TRANSFORMERS = ("b64", "basename", "concat", "getopt", "join", "len", "tolower", "toupper", "val")
# The text is UTF-8 read as Latin-1.
_ODD_BLANK = re.compile(r"\xc2\xa0|\xe2\x80[\x80-\x8b\xaf]|\xe3\x80\x80|\xef\xbb\xbf")
_OPERATORS = "=, !=, <, <=, >, >=, in, intersects, pmatch, contains, startswith, endswith, glob, regex, exists"
_MORE_OPERATORS = ("icontains", "iglob", "bcontains", "bstartswith")


def advice(source: str, at: int, message: str) -> str:
    """One sentence of help for the problem *message* at byte *at*, or nothing."""
    if at >= len(source) and source.rstrip().endswith((" and", " or", " not", "(")):
        return "the condition ends in the middle: a check is missing at its end"
    if re.compile(r"\b(?:AND|OR|NOT)[ \t\r\n]*$").search(source, 0, at):
        return "`and`, `or` and `not` are written in lower case"
    if "where a check is expected" in message:
        return "take it out, or write the check that is missing before it"
    if _ODD_BLANK.search(source, max(source.rfind(" ", 0, at - 1) if at else 0, 0), at + 3):
        return "there is a blank that is no ordinary one, such as a no-break space: type it again"
    if re.compile(r"=~[ \t\r\n]*$").search(source, 0, at):
        return "there is no `=~`: use `regex`"
    if source[at : at + 1] == "(" and ("complete condition" in message or "expected an operator" in message):
        return _called(source, at)
    if "complete condition" in message and (glued := _GLUED.search(source, max(at - 200, 0), at)):
        return f"write `{'and' if glued[1] == '&&' else 'or'}` with blanks around it for `{glued[1]}`"
    if _COMPARED.match(source, at) and "complete condition" in message:
        word = _LAST.search(source, 0, at)
        name = word[0].strip() if word else "this"
        if name == "exists":
            return "`exists` takes no value: write `FIELD exists` or `not FIELD exists`"
        return f"`{name}` is no field: names of fields have a dot, such as proc.name"
    if "after `,`" in message and source[at : at + 1] == ")":
        return "take the comma before `)` out"
    character = source[at : at + 1]
    if character == ")" and "expected an operator" in message:
        return "take the parentheses around the field away"
    if character == ">" and source[:at].rstrip().endswith("<"):
        return "unequal is written `!=`"
    if "expected a list in parentheses" in message:
        return "write the values as `(a, b)`"
    if (character == "(" and "expected a value" in message) or (character == "," and "complete condition" in message):
        return "one of several values is written `FIELD in (a, b)`"
    if "escape" in message:
        return "write `\\\\` for a backslash, or leave the quotes away: bare texts know no escapes"
    if "in the list" in message and re.compile(r"[A-Za-z0-9_./-]").match(source, at):
        return "separate the values by commas, or quote a value with blanks in it"
    for pattern, help_text in _AFTER:
        if found := re.compile(pattern).match(source, at):
            if pattern.startswith("[A-Za-z]") and "complete condition" not in message and "`and`" not in message:
                continue
            return help_text.format(found[1].lower() if found.re.groups else "")
    if "expected an operator" in message:
        from difflib import get_close_matches

        word = re.compile(r"[A-Za-z]+").match(source, at)
        near = get_close_matches(word[0].lower(), [*_OPERATORS.split(", "), *_MORE_OPERATORS], 1, 0.7) if word else []
        if near:
            return f"did you mean `{near[0]}`?"
        return f"operators: {_OPERATORS}"
    return ""


def _called(source: str, at: int) -> str:
    """What to say of a word with a parenthesis behind it that is no transformer."""
    from difflib import get_close_matches

    word = re.compile(r"[\w.]+$").search(source, 0, at)
    if word is None:
        return "write `and` or `or` between two checks"
    if near := get_close_matches(word[0].lower(), _TRANSFORMERS, 1, 0.7):
        return f"did you mean `{near[0]}(...)`?"
    if "." in word[0]:
        return f"the argument of a field stands in brackets: `{word[0]}[...]`"
    return f"there is no transformer `{word[0]}`, but {', '.join(_TRANSFORMERS)}"

"""From the text of a condition to its tree, or to the first problem at the place Falco gives it.

A scanner and a recursive descent that follow Falco's own step by step, oddities included, because meaning and places
must be Falco's: `grammar.lark` beside this file is the readable statement of the language.  One call handles a whole
level of parentheses (Falco's Or, And, Not and Check), so the deepest text that Falco accepts stays far from Python's
recursion limit.  Falco counts bytes: a text beyond ASCII is read as the bytes of its UTF-8.

More than four hundred lines, because the methods of a recursive descent call each other in a circle: any cut would have
to import both ways.
"""

from __future__ import annotations

import re
from typing import Final

from falcokit.condition.ast import (
    And,
    Check,
    Expression,
    Field,
    Identifier,
    ListValue,
    Not,
    Operand,
    Or,
    Transformer,
    TransformerList,
    Value,
    utf8,
)
from falcokit.diagnostic import Problem

__all__ = ["DESCRIBE_DEPTH", "MAX_DEPTH", "TRANSFORMERS", "parse", "parse_operand"]

MAX_DEPTH: Final = 1000
"""The nesting, in Falco's own counting, at which a condition is refused (condition-language, depth)."""
DESCRIBE_DEPTH: Final = 100
"""The same for the raw condition in the describe step."""

TRANSFORMERS: Final = ("tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt")

_BLANK: Final = re.compile(r"[ \t\n\r\x08]*").match
_NOTS: Final = re.compile(r"(?:not[ \t\n\v\f\r]+)+").match
_LEFT: Final = re.compile(
    r"(tolower|toupper|b64|basename|len|join|concat|getopt)\("
    r"|([a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+)"
    r"|([a-zA-Z][a-zA-Z0-9_]*)"
).match
_RIGHT: Final = re.compile(r"(val|tolower|toupper|b64|basename|len|join|concat|getopt)\(").match
_FIELD: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+").match
_IDENTIFIER: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*").match
_ARGUMENT: Final = re.compile(r"[^]\[\"' \t\n\v\f\r]+").match
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?").match
_BARE: Final = re.compile(r"[^()\"' \t\n\v\f\r=,]+").match
_OPERATOR: Final = re.compile(
    r"(exists)|(<=|<|>=|>)"
    r"|(==|=|!=|(?:glob|iglob|contains|icontains|bcontains|startswith|bstartswith|endswith|regex)(?=[ \t\n\r\x08]))"
    r"|(intersects|in|pmatch)"
).match
_MODIFIER: Final = re.compile(
    r"[ \t\n\r\x08]+(oneof|anyof|allof)[ \t\n\r\x08]+(?=[(a-zA-Z])(?!(?:and|or|not)(?![a-zA-Z0-9]))"
).match
_PLAIN_CHECK: Final = re.compile(
    r"([a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+)(?![a-zA-Z0-9_])[ \t\n\r\x08]*"
    r"(?:(!?=)[ \t\n\r\x08]*|(contains|startswith|endswith)[ \t\n\r\x08]+|in[ \t\n\r\x08]*\(([^()\"'=]*)\))"
    r"(?(4)|([^()\"' \t\n\v\f\r\x08=,]+)(?=[ \t\n\r)]|\Z))"
).match
_PLAIN_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*(?=[ \t\n\r)]|\Z)").match
_PLAIN_ITEMS: Final = re.compile(r"[^ \t\n\v\f\r\x08,]+")
_PLAIN_LIST: Final = re.compile(
    r"[ \t\n\r]*(?:[^ \t\n\v\f\r\x08,]+[ \t\n\r]*(?:,[ \t\n\r]*[^ \t\n\v\f\r\x08,]+[ \t\n\r]*)*)?"
).fullmatch
_WORD: Final = re.compile(r"[^ \t\n\v\f\r\x08()\"',]+").match
_STRAY_WORD: Final = re.compile(
    r"(?:^|\(|(?:^|[ \t\n\r(])(?:and|or|not)(?=[ \t\n\r]))[ \t\n\r]*(and|or)[ \t\n\r]*$"
).search
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|.)?", re.DOTALL)
_MODIFIERS: Final = frozenset(("oneof", "anyof", "allof"))
_SIMPLE: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\", " ": "\\"}


class _Refused(Exception):
    """Ends the descent at the first problem; never leaves this module."""

    def __init__(self, at: int, message: str, end: int | None = None, start: int | None = None) -> None:
        super().__init__(message)
        self.at = at
        self.start = at if start is None else start
        self.end = end


def parse(text: str, max_depth: int = MAX_DEPTH) -> Expression | Problem:
    """The tree of the condition *text*, or the first problem in it."""
    parser = _Parser(text, max_depth)
    source = parser.source
    try:
        tree, end = parser.level(0, 0)
        if end != len(source):
            raise _Refused(end, "unexpected text after a complete condition")
        return tree
    except _Refused as refused:
        return _problem(source, refused)


def parse_operand(text: str, start: int = 0) -> tuple[Field | Transformer, int] | None:
    """The field or transformer that begins exactly at *start*, and where it ends; None where none is.

    Places are those of *text* itself when it is ASCII, else of its UTF-8.
    """
    parser = _Parser(text, MAX_DEPTH)
    try:
        found = _LEFT(parser.source, start)
        if found is None or found.lastindex == 3:
            return None
        if found.lastindex == 1:
            operand: Field | Transformer = parser.transformer(found[1], start, found.end(), 2)
        else:
            operand = parser.field(found[2], start, found.end(), 2)
        return operand, operand.end
    except _Refused:
        return None


class _Parser:
    """One text being read.  Methods take a place and Falco's depth there, and give what they read with its end."""

    __slots__ = ("decode", "limit", "source")

    def __init__(self, text: str, limit: int) -> None:
        self.decode = not text.isascii()
        self.source = utf8(text).decode("latin-1") if self.decode else text
        self.limit = limit

    def value(self, text: str, start: int, end: int, quoted: bool) -> Value:
        return Value(self.decoded(text) if self.decode else text, start, end, quoted=quoted)

    def deep(self, depth: int, at: int) -> None:
        if depth >= self.limit:
            raise _Refused(at, f"the condition nests too deeply: Falco gives up at a depth of {self.limit}")

    def level(self, i: int, depth: int) -> tuple[Expression, int]:
        """Or = And { or And }, down to the checks; *depth* is Falco's before its Or."""
        source = self.source
        or_at = i
        ors: list[Expression] = []
        if depth + 4 >= self.limit:
            self.deep(depth + 1, i)
        i = _BLANK(source, i).end()  # type: ignore[union-attr]  # the pattern matches the empty text
        shallow = depth + 12 < self.limit
        while True:
            and_at = i
            ands: list[Expression] = []
            if not shallow:
                self.deep(depth + 2, i)
            i = _BLANK(source, i).end()  # type: ignore[union-attr]
            grouped = False
            while True:
                child: Expression | None = None
                if shallow and not grouped:
                    # Nearly every operand is one of these two; the long way round reads them just the same.
                    if name := _PLAIN_NAME(source, i):
                        if name[0] != "not":
                            child = Identifier(name[0], i, i, name.end())
                    elif plain := _PLAIN_CHECK(source, i):
                        child = self.plain_check(plain, i)
                if child is not None:
                    i = child.end
                else:
                    child, i = self.group(i, depth + 2) if grouped else self.negation(i, depth + 2)
                ands.append(child)
                i = _BLANK(source, i).end()  # type: ignore[union-attr]
                if not source.startswith("and", i):
                    break
                i, grouped = self.connective(i + 3, "and")
            ors.append(ands[0] if len(ands) == 1 else And(tuple(ands), and_at, ands[0].start, ands[-1].end))
            while source.startswith("or", i):
                i, grouped = self.connective(i + 2, "or")
                if not grouped:
                    break
                child, i = self.group(i, depth + 1)
                ors.append(child)
                i = _BLANK(source, i).end()  # type: ignore[union-attr]
            else:
                break
        if len(ors) == 1:
            return ors[0], i
        return Or(tuple(ors), or_at, ors[0].start, ors[-1].end), i

    def connective(self, i: int, word: str) -> tuple[int, bool]:
        """What must follow ``and`` or ``or``: blanks, or a parenthesis that opens a group."""
        after = _BLANK(self.source, i).end()  # type: ignore[union-attr]
        if after > i:
            return after, False
        if self.source.startswith("(", i):
            return i + 1, True
        raise _Refused(i, f"expected a blank or `(` after `{word}`")

    def group(self, i: int, depth: int) -> tuple[Expression, int]:
        """The rest of a parenthesised group, *i* being just behind its parenthesis."""
        self.deep(depth + 1, i)
        opened = i - 1
        i = _BLANK(self.source, i).end()  # type: ignore[union-attr]
        child, i = self.level(i, depth + 1)
        i = _BLANK(self.source, i).end()  # type: ignore[union-attr]
        if not self.source.startswith(")", i):
            if i >= len(self.source):
                raise _Refused(i, "this `(` is never closed", opened + 1, opened)
            raise _Refused(i, "expected `)`, `and` or `or`")
        return child, i + 1

    def negation(self, i: int, depth: int) -> tuple[Expression, int]:
        """Not = { not } ( not( Or ) | Check ); *depth* is that of its And."""
        source = self.source
        self.deep(depth + 1, i)
        at = i
        i = _BLANK(source, i).end()  # type: ignore[union-attr]
        start = i
        negated = False
        if source.startswith("not", i):
            if nots := _NOTS(source, i):
                negated = nots[0].count("not") % 2 == 1
                i = nots.end()
            if source.startswith("not(", i):
                negated = not negated
                child, i = self.group(i + 4, depth + 1)
                return (Not(child, at, start, i) if negated else child), i
        child, i = self.check(i, depth + 1)
        return (Not(child, at, start, i) if negated else child), i

    def check(self, i: int, depth: int) -> tuple[Expression, int]:
        """Check = ( Or ) | Left Condition | identifier; *depth* is that of its Not."""
        source = self.source
        depth += 1
        self.deep(depth, i)
        at = i
        i = _BLANK(source, i).end()  # type: ignore[union-attr]
        if source.startswith("(", i):
            return self.group(i + 1, depth)
        if depth < self.limit - 10 and (plain := _PLAIN_CHECK(source, i)):
            check = self.plain_check(plain, at)
            if check is not None:
                return check, check.end
        found = _LEFT(source, i)
        if found is None:
            raise _Refused(i, "expected `(`, a field or a macro name")
        end = found.end()
        if found.lastindex == 3:
            return Identifier(found[3], at, i, end), end
        left: Field | Transformer
        if found.lastindex == 2:
            left = self.field(found[2], i, end, depth)
        else:
            left = self.transformer(found[1], i, end, depth)
        return self.condition(left, at, left.end, depth + 1)

    def plain_check(self, found: re.Match[str], at: int) -> Check | None:
        """What nearly all checks are, read at once: a field without argument, and a bare word or a list of such."""
        start, field_end = found.span(1)
        field = Field(found[1], None, start, field_end)
        if found[4] is None:
            operator, word = found[2] or found[3], found[5]
            if word in _MODIFIERS:
                return None
            first, end = found.span(5)
            operator_start = found.start(2) if found[2] else found.start(3)
            value = Value(self.decoded(word) if self.decode else word, first, end)
            return Check(field, operator, "", value, at, start, end, operator_start)
        inside, end = found.start(4), found.end()
        if not _PLAIN_LIST(found[4]):
            return None
        if self.decode:
            return None
        source, last = self.source, found.end(4)
        texts = tuple(_PLAIN_ITEMS.findall(source, inside, last))

        def items() -> tuple[Value, ...]:
            return tuple([Value(m[0], m.start(), m.end()) for m in _PLAIN_ITEMS.finditer(source, inside, last)])

        operator_start = source.index("in", field_end)
        right = ListValue(items, inside - 1, end, texts)
        return Check(field, "in", "", right, at, start, end, operator_start)

    def decoded(self, text: str) -> str:
        """The characters that bytes read as Latin-1 stand for."""
        return text.encode("latin-1").decode("utf-8", "surrogateescape")

    def field(self, name: str, start: int, i: int, depth: int) -> Field:
        """The optional argument behind a field's name."""
        self.deep(depth + 1, start)
        argument, i = self.argument(i)
        return Field(name, argument, start, i)

    def argument(self, i: int) -> tuple[str | None, int]:
        source = self.source
        if not source.startswith("[", i):
            return None, i
        quoted = self.quoted(i + 1)
        if quoted is not None:
            text, i = quoted.text, quoted.end
        elif found := _ARGUMENT(source, i + 1):
            text, i = self.value(found[0], i + 1, found.end(), False).text, found.end()
        else:
            raise _Refused(i + 1, "expected a field argument: a bare or a quoted text")
        if not source.startswith("]", i):
            raise _Refused(i, "expected `]` after the field argument")
        return text, i + 1

    def condition(self, left: Field | Transformer, at: int, i: int, depth: int) -> tuple[Check, int]:
        """Everything behind the left side of a check; *depth* counts the condition itself."""
        source = self.source
        self.deep(depth, i)
        i = _BLANK(source, i).end()  # type: ignore[union-attr]
        found = _OPERATOR(source, i)
        if found is None:
            raise _Refused(i, f"expected an operator after {_shown(left)}")
        operator, after = found[0], found.end()
        right: Value | ListValue | Field | Transformer
        if found.lastindex == 1:
            return Check(left, operator, "", None, at, left.start, after, i), after
        modifier = ""
        if found.lastindex == 3:
            if chosen := _MODIFIER(source, after):
                modifier = chosen[1]
                right = self.list_value(chosen.end(), depth + 1, fields=False)
            else:
                right = self.text_value(_BLANK(source, after).end(), depth + 1, operator)  # type: ignore[union-attr]
        else:
            after = _BLANK(source, after).end()  # type: ignore[union-attr]
            right = self.number(after, depth + 1) if found.lastindex == 2 else self.list_value(after, depth + 1)
        return Check(left, operator, modifier, right, at, left.start, right.end, i), right.end

    def right_field(self, i: int, depth: int) -> Field | Transformer | None:
        """RField: ``val(field)`` or a transformer, tried before any literal."""
        self.deep(depth + 1, i)
        found = _RIGHT(self.source, i)
        if found is None:
            return None
        if found[1] != "val":
            return self.transformer(found[1], i, found.end(), depth + 1)
        after = _BLANK(self.source, found.end()).end()  # type: ignore[union-attr]
        name = _FIELD(self.source, after)
        if name is None:
            raise _Refused(after, "expected a field in `val(...)`")
        field = self.field(name[0], after, name.end(), depth + 2)
        after = _BLANK(self.source, field.end).end()  # type: ignore[union-attr]
        if not self.source.startswith(")", after):
            raise _Refused(after, "expected `)` after the field in `val(...)`")
        argument, after = self.argument(after + 1)
        return Transformer("val", (field,), argument, i, after)

    def number(self, i: int, depth: int) -> Value | Field | Transformer:
        self.deep(depth, i)
        if field := self.right_field(i, depth):
            return field
        if found := _NUMBER(self.source, i):
            return Value(found[0], i, found.end())
        raise _Refused(i, "expected a number, `val(field)` or a transformer")

    def text_value(self, i: int, depth: int, operator: str) -> Value | Field | Transformer:
        self.deep(depth, i)
        if field := self.right_field(i, depth):
            return field
        return self.text(i, f"expected a value after `{operator}`")

    def text(self, i: int, expected: str) -> Value:
        """A bare or quoted text."""
        if found := _BARE(self.source, i):
            return self.value(found[0], i, found.end(), False)
        quoted = self.quoted(i)
        if quoted is None:
            if self.source[i : i + 1] in ('"', "'"):
                raise _Refused(i, f"the text that begins with {self.source[i]} is never closed", i + 1)
            raise _Refused(i, expected)
        return quoted

    def quoted(self, i: int) -> Value | None:
        """A quoted text, None where none begins at *i* or its end is missing."""
        source = self.source
        quote = source[i : i + 1]
        if quote not in ('"', "'") or not quote:
            return None
        end = source.find(quote, i + 1)
        while end > 0 and source[end - 1] == "\\":
            end = source.find(quote, end + 1)
        if end < 0:
            return None
        text = source[i + 1 : end]
        if "\\" in text:

            def unescape(match: re.Match[str]) -> str:
                word = match[1] or ""
                if len(word) == 3:
                    return chr(int(word[1:], 16))
                if word == quote:
                    return quote
                if word in _SIMPLE:
                    return _SIMPLE[word]
                start = i + 1 + match.start()
                raise _Refused(end + 1, _bad_escape(text[match.start() :]), start + 2, start)

            text = _ESCAPE.sub(unescape, text)
            if self.decode:
                return self.value(text, i, end + 1, True)
            if not text.isascii():
                text = text.encode("latin-1").decode("utf-8", "surrogateescape")
            return Value(text, i, end + 1, quoted=True)
        return self.value(text, i, end + 1, True)

    def list_value(self, i: int, depth: int, fields: bool = True) -> Value | ListValue | Field | Transformer:
        """A parenthesised list, or one bare word standing for a list of itself; with *fields* also a field or transformer."""
        source = self.source
        self.deep(depth, i)
        if source.startswith("(", i):
            self.deep(depth + 1, i)
            return self.list_items(i)
        if fields and (field := self.right_field(i, depth)):
            return field
        if found := _IDENTIFIER(source, i):
            return Value(found[0], i, found.end())
        raise _Refused(i, "expected a list in parentheses or the name of a list")

    def list_items(self, opened: int) -> ListValue:
        source = self.source
        items: list[Value] = []
        i = _BLANK(source, opened + 1).end()  # type: ignore[union-attr]
        swallowed: _Refused | None = None
        try:
            items.append(self.text(i, "expected a value"))
            i = items[0].end
        except _Refused as refused:
            # Falco takes a list whose first element cannot be read for an empty one, and goes on behind that element
            # where it found its end.
            swallowed = refused
            i = refused.at
        i = _BLANK(source, i).end()  # type: ignore[union-attr]
        while items and source.startswith(",", i):
            i = _BLANK(source, i + 1).end()  # type: ignore[union-attr]
            items.append(self.text(i, "expected a value after `,`"))
            i = _BLANK(source, items[-1].end).end()  # type: ignore[union-attr]
        if not source.startswith(")", i):
            if i >= len(source):
                raise _Refused(i, "this list is never closed", opened + 1, opened)
            if swallowed is not None and not source.startswith(",", i):
                raise _Refused(i, str(swallowed), swallowed.end, swallowed.start)
            raise _Refused(i, "expected `,` or `)` in the list" if items else "expected a value before `,`")
        return ListValue(tuple(items), opened, i + 1)

    def transformer(self, name: str, start: int, i: int, depth: int) -> Transformer:
        """The rest of a transformer, *i* being just behind its parenthesis; one call for each level of nesting."""
        source = self.source
        self.deep(depth + 1, i)
        arguments: list[Operand] = []
        while True:
            self.deep(depth + 2, i)
            i = _BLANK(source, i).end()  # type: ignore[union-attr]
            argument: Operand | None
            if source.startswith("(", i):
                argument = self.transformer_list(i, depth + 2)
            elif (found := _LEFT(source, i)) and found.lastindex == 1:
                argument = self.transformer(found[1], i, found.end(), depth + 2)
            else:
                argument = self.operand(i, depth + 2)
            if argument is None:
                raise _Refused(i, "expected a field, a transformer, a quoted text, a number or a list as argument")
            arguments.append(argument)
            i = _BLANK(source, argument.end).end()  # type: ignore[union-attr]
            if not source.startswith(",", i):
                break
            i += 1
        if not source.startswith(")", i):
            raise _Refused(i, f"expected `,` or `)` in the arguments of `{name}`")
        argument_text, i = self.argument(i + 1)
        return Transformer(name, tuple(arguments), argument_text, start, i)

    def operand(self, i: int, depth: int) -> Operand | None:
        source = self.source
        if found := _NUMBER(source, i):
            return Value(found[0], i, found.end())
        if quoted := self.quoted(i):
            return quoted
        found = _LEFT(source, i)
        if found is None or found.lastindex == 3:
            return None
        if found.lastindex == 1:
            return self.transformer(found[1], i, found.end(), depth)
        return self.field(found[2], i, found.end(), depth)

    def transformer_list(self, opened: int, depth: int) -> TransformerList:
        source = self.source
        items = []
        i = _BLANK(source, opened + 1).end()  # type: ignore[union-attr]
        first = self.operand(i, depth)
        if first is not None:
            items.append(first)
            i = _BLANK(source, first.end).end()  # type: ignore[union-attr]
            while source.startswith(",", i):
                i = _BLANK(source, i + 1).end()  # type: ignore[union-attr]
                item = self.operand(i, depth)
                if item is None:
                    raise _Refused(i, "expected a field, a transformer, a quoted text or a number in the list")
                items.append(item)
                i = _BLANK(source, item.end).end()  # type: ignore[union-attr]
        if not source.startswith(")", i):
            raise _Refused(i, "expected `,` or `)` in the list")
        return TransformerList(tuple(items), opened, i + 1)


def _shown(left: Field | Transformer) -> str:
    return f"`{left.name}`" if isinstance(left, Field) else f"`{left.name}(...)`"


def _bad_escape(text: str) -> str:
    if text.startswith("\\x"):
        return "`\\x` in a quoted text needs two hexadecimal digits"
    return f"`{text[:2]}` is not an escape of a quoted text"


def _problem(source: str, refused: _Refused) -> Problem:
    from falcokit.condition.advice import advice

    start, end = refused.start, refused.end
    if end is None:
        word = _WORD(source, start)
        end = word.end() if word else min(start + 1, len(source))
    message = str(refused)
    if "complete condition" in message or "expected `)`" in message:
        # A connective too many is a name to Falco, which stumbles at what follows it.
        window = max(refused.at - 200, 0)
        if word := _STRAY_WORD(source[window : refused.at]):
            start, end = window + word.start(1), window + word.end(1)
            message = f"`{word[1]}` stands where a check is expected"
    return Problem("condition-syntax", message, refused.at, start, end, advice(source, refused.at, message))

"""The small language of outputs: literal text and ``%`` with a field or transformer behind it."""

from __future__ import annotations

import re
from typing import Final

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition import parse_operand
from falcokit.condition.ast import Field, Operand, Transformer, TransformerList
from falcokit.diagnostic import Problem
from falcokit.record import Record
from falcokit.ruleset.check_compiler import DEPRECATED_FIELDS, Facts, facts_for
from falcokit.ruleset.operands import of_plugin, type_of

__all__ = ["OutputResult", "OutputToken", "compile_output", "output_tokens"]

_NAME: Final = r"([a-zA-Z][a-zA-Z0-9_]*+(?:\.[a-zA-Z][a-zA-Z0-9_]*+)++)"
_PLAIN: Final = re.compile(rf"%[0-9]*+{_NAME}(?!\[)").findall
_FIELD: Final = re.compile(_NAME).match
_WIDTH: Final = re.compile(r"[0-9]*").match
_TRANSFORMER: Final = re.compile(r"(?:tolower|toupper|b64|basename|len|join|concat|getopt)\(").match
_WORD: Final = re.compile(r"[A-Za-z0-9_.\[\]/]+").match
_WINDOW: Final = 2048
_MAX_NAME: Final = 100
_MAX_TRIES: Final = 50
_MAX_PROBLEMS: Final = 50
_PERCENT: Final = "there is no way to print a percent sign: write the word, or a field behind it"


class OutputResult(Record):
    """A compiled output: its problems in the order of the text, or the fields it prints and those deprecated."""

    __slots__ = ("deprecated", "fields", "problems")

    def __init__(
        self, problems: tuple[Problem, ...], fields: tuple[str, ...] = (), deprecated: tuple[str, ...] = ()
    ) -> None:
        self.problems: Final = problems
        self.fields: Final = fields
        self.deprecated: Final = deprecated


class OutputToken(Record):
    """What stands for one ``%``: the characters *start* to *end* of the text, the digits of its width, and the operand.

    Everything between two tokens is literal text.
    """

    __slots__ = ("end", "operand", "start", "width")

    def __init__(self, start: int, end: int, width: str, operand: Field | Transformer) -> None:
        self.start: Final = start
        self.end: Final = end
        self.width: Final = width
        self.operand: Final = operand


def compile_output(
    text: str, source: str, catalogue: Catalogue, extra_fields: tuple[tuple[str, str | None], ...] = ()
) -> OutputResult:
    """Compile the output *text* of a rule of *source*; *extra_fields* are pairs of a key and its format, if any."""
    facts = facts_for(source, catalogue)
    extra: tuple[str, ...] = ()
    for key, format_text in extra_fields:
        fields, problems = _compile(f"%{key}" if format_text is None else format_text, facts)
        if problems:
            return OutputResult((problems[0].replaced(at=0, start=0, end=0),))
        extra += fields
    fields, problems = _compile(text, facts)
    if problems:
        return OutputResult(problems)
    deprecated = tuple([name for name in DEPRECATED_FIELDS if name in text]) if "evt." in text else ()
    return OutputResult((), extra + fields, deprecated)


def output_tokens(text: str, source: str, catalogue: Catalogue) -> tuple[OutputToken, ...]:
    """What the output *text* prints between its literal texts; nothing where it does not compile."""
    tokens, problems = _tokens(text, facts_for(source, catalogue))
    return () if problems else tuple(tokens)


def _compile(text: str, facts: Facts) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    if not text:
        help_text = "say what happened, with the fields that tell"
        return (), (Problem("empty-output", "the output is empty", 0, 0, 0, help_text),)
    # Most outputs have plain fields only, which were seen before: one pass decides these.
    names: list[str] = _PLAIN(text)
    if len(names) == text.count("%") and facts.printable.issuperset(names):
        return tuple(names), ()
    tokens, problems = _tokens(text, facts)
    fields: list[str] = []
    for token in tokens:
        _collect(token.operand, fields)
    return tuple(fields), tuple(problems)


def _tokens(text: str, facts: Facts) -> tuple[list[OutputToken], list[Problem]]:
    """What is printed, and what is wrong: Falco stops at the first problem, here the next ``%`` is looked at."""
    tokens: list[OutputToken] = []
    problems: list[Problem] = []
    at = text.find("%")
    while at >= 0 and len(problems) < _MAX_PROBLEMS:
        start = _WIDTH(text, at + 1).end()  # type: ignore[union-attr]  # the pattern matches the empty text
        if start >= len(text):
            message = "the output ends with a `%` that has no field"
            problems.append(_problem(text, "output-syntax", at, start, message, _PERCENT))
            break
        found = _transformer(text, start, facts) if _TRANSFORMER(text, start) else _field(text, start, facts)
        if found is None or isinstance(found, Problem):
            problems.append(_unknown(text, at, start, facts) if found is None else found)
            end = start
        else:
            operand, end = found
            tokens.append(OutputToken(at, end, text[at + 1 : start], operand))
        at = text.find("%", end)
    return tokens, problems


def _field(text: str, start: int, facts: Facts) -> tuple[Field, int] | None:
    """The longest field that the text from *start* begins with.  Falco tries the whole rest and shortens it by one
    character until it works, which comes to the field with its argument, then without, then with a shorter name."""
    match = _FIELD(text, start)
    if match is None:
        return None
    name = match[1]
    if text.startswith("[", match.end()):
        found = _parsed(text, start)
        if found is not None and isinstance(found[0], Field) and _is_field(found[0], facts):
            return found[0], found[1]
    elif name in facts.printable:
        return Field(name), match.end()
    if isinstance(facts.catalogue.resolve(name, facts.source), FieldUse):
        if len(name) <= _MAX_NAME and len(facts.printable) < 10_000:
            facts.printable.add(name)
        return Field(name), match.end()
    # No field but one, which would have been found whole, has a longer name: longer prefixes need not be tried.
    for end in range(min(len(name) - 1, _MAX_NAME), 2, -1):
        piece = name[:end]
        if piece[-1] == "." or "." not in piece:
            continue
        if isinstance(facts.catalogue.resolve(piece, facts.source), FieldUse):
            return Field(piece), start + end
    return None


def _is_field(field: Field, facts: Facts) -> bool:
    return isinstance(facts.catalogue.resolve(f"{field.name}[{field.argument}]", facts.source), FieldUse)


def _parsed(text: str, start: int, *, end: int | None = None) -> tuple[Field | Transformer, int] | None:
    """The operand at *start* and where it ends.  A window of the text is read first, for there may be many tokens."""
    for limit in (start + _WINDOW, len(text)) if end is None else (end,):
        window = text[start:limit]
        found = parse_operand(window)
        if found is not None:
            operand, length = found
            if not window.isascii():
                length = len(window.encode("utf-8", "surrogateescape")[:length].decode("utf-8", "surrogateescape"))
            if length < len(window) or limit >= len(text) or end is not None:
                return operand, start + length
        if limit >= len(text):
            break
    return None


def _transformer(text: str, start: int, facts: Facts) -> tuple[Transformer, int] | Problem | None:
    """The transformer at *start*.  Where brackets behind it are wrong they are literal text."""
    found = _parsed(text, start)
    if found is None:
        pieces = re.compile(r"\)(?=\[)").finditer(text, start, start + _WINDOW)
        for _, bracket in zip(range(_MAX_TRIES), pieces, strict=False):
            if (found := _parsed(text, start, end=bracket.end())) is not None:
                break
        else:
            return None
    operand, end = found
    assert isinstance(operand, Transformer)
    typed = type_of(operand, facts.source, facts.catalogue, 0)
    if isinstance(typed, Problem) and operand.argument is not None:
        operand = Transformer(operand.name, operand.arguments, None, operand.start, operand.end)
        typed = type_of(operand, facts.source, facts.catalogue, 0)
        if not isinstance(typed, Problem):
            end = _closing(text, start, end, operand)
    if not isinstance(typed, Problem):
        return operand, end
    before = len(text[:start].encode("utf-8", "surrogateescape"))
    wrong_start, wrong_end = before + typed.start, before + typed.end
    return typed.replaced(
        kind="unknown-output-field", at=before, start=wrong_start, end=wrong_end, unknown_filter=not typed.ends_falco
    )


def _closing(text: str, start: int, end: int, operand: Transformer) -> int:
    """The character behind the transformer's closing parenthesis."""
    window = text[start:end].encode("utf-8", "surrogateescape")
    close = window.index(b")", operand.arguments[-1].end) + 1
    return start + len(window[:close].decode("utf-8", "surrogateescape"))


def _collect(operand: Operand, fields: list[str], *, nested: bool = False) -> None:
    """Fields first, then the transformer's own text; of transformers directly inside each other only the outermost."""
    if isinstance(operand, Field) and operand.argument is None:
        fields.append(operand.name)
    elif isinstance(operand, Field):
        fields.append(_written(operand))
    elif isinstance(operand, Transformer):
        for argument in operand.arguments:
            _collect(argument, fields, nested=True)
        if not nested:
            fields.append(_written(operand))
    elif isinstance(operand, TransformerList):
        for item in operand.items:
            _collect(item, fields, nested=True)


def _written(operand: Operand) -> str:
    from falcokit.condition.render import render_operand

    return render_operand(operand)


def _problem(
    text: str, kind: str, start: int, end: int, message: str, help_text: str = "", *, unknown: bool = False
) -> Problem:
    before = len(text[:start].encode("utf-8", "surrogateescape"))
    upto = before + len(text[start:end].encode("utf-8", "surrogateescape"))
    return Problem(kind, message, before, before, upto, help_text, unknown)


def _unknown(text: str, at: int, start: int, facts: Facts) -> Problem:
    """No field or transformer begins at *start*: what stands there instead."""
    word = _WORD(text, start, start + _WINDOW)
    name = word[0].rstrip(".") if word else ""
    end = start + len(name)
    if not name[:1].isalpha():
        return _problem(
            text, "output-syntax", at, start + 1, "there is no field behind this `%`", _PERCENT, unknown=True
        )
    if text.startswith("(", end):
        known = _TRANSFORMER(text, start) is not None
        message = f"`{name}(...)` is {'not complete' if known else 'no transformer'}"
        help_text = (
            "write `)` behind its arguments, and quote texts" if known else "write `tolower(...)` or another one"
        )
        return _problem(text, "unknown-output-field", at, end, message, help_text, unknown=True)
    bare = name.partition("[")[0]
    use = facts.catalogue.resolve(bare, facts.source)
    elsewhere = [source for source in facts.catalogue.sources_of(bare) if source != facts.source]
    help_text = ""
    if "." not in name:
        message = f"`{name}` is no field: names of fields have a dot"
    elif not isinstance(use, FieldUse) and use.kind == "field-argument":
        message, help_text = use.message, use.help
    else:
        message = f"there is no field `{name}` for rules of source `{facts.source}`"
    if elsewhere:
        help_text = f"it belongs to source {', '.join([f'`{source}`' for source in elsewhere])}"
    elif not help_text and (near := facts.catalogue.suggest(name, facts.source)):
        help_text = "did you mean " + " or ".join([f"`%{field}`" for field in near]) + "?"
    help_text += of_plugin(name, help_text)
    return _problem(text, "unknown-output-field", at, end, message, help_text, unknown=True)

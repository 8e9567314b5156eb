"""The text that exceptions add to a rule's condition."""

from __future__ import annotations

from typing import Final

from falcokit.diagnostic import Diagnostic, FalcoPlace
from falcokit.ruleset.body import Part
from falcokit.ruleset.definitions import RuleDefinition, RuleException
from falcokit.ruleset.exception_check import LIST_OPERATORS
from falcokit.ruleset.items import Entry, Written
from falcokit.ruleset.lists import MAX_TEXT, TooLargeError
from falcokit.source import MappedText, Span

__all__ = ["exception_parts", "field_name", "mapped_parts", "operator_name", "text_of"]

_MAX_UNFIT: Final = 100
"""How many values that do not fit are enough."""


def exception_parts(rule: RuleDefinition) -> tuple[list[Part], list[Diagnostic]]:
    """What follows the parenthesised condition, piece by piece, and the values that do not fit their fields, which are left out.

    Raises `TooLargeError` beyond `MAX_TEXT`.
    """
    parts: list[Part] = []
    unfit: list[Diagnostic] = []
    for exception in rule.exceptions:
        inner: list[Part] = []
        if isinstance(exception.fields, tuple):
            _tuples(rule, exception, inner, unfit)
        else:
            _singles(rule, exception, inner, unfit)
        if inner:
            parts += [" and not ", *inner]
        if sum(map(_length, inner)) > MAX_TEXT:
            raise TooLargeError
    return parts, unfit[:_MAX_UNFIT]


def _length(part: Part) -> int:
    return len(part if isinstance(part, str) else part.text)


def text_of(parts: list[Part]) -> str:
    """The parts as one text."""
    return "".join([part if isinstance(part, str) else part.text for part in parts])


def mapped_parts(parts: list[Part]) -> MappedText:
    """The parts as one text whose characters know their place."""
    from falcokit.document.offsets import origins

    return MappedText.joined(
        [
            part if isinstance(part, str) else MappedText.written(part.text, origins(part.file, part.node))
            for part in parts
        ]
    )


def _wrong(rule: RuleDefinition, exception: RuleException, entry: Entry, message: str, help_text: str) -> Diagnostic:
    while isinstance(entry, tuple) and entry:
        entry = entry[0]
    if isinstance(entry, Written):
        span = Span(entry.file, entry.node.start, entry.node.end)
    else:
        end = exception.file.text.find("\n", exception.step.offset)
        span = Span(exception.file, exception.step.offset, end if end >= 0 else len(exception.file.text))
    place = FalcoPlace(rule.item.file, (rule.item.step, exception.step))
    return Diagnostic("exception-values", message, span, help_text, (), place, "", exception.name)


def _quoted(entry: Written) -> list[Part]:
    text = entry.text
    return ['"', entry, '"'] if " " in text and text[0] not in "\"'" else [entry]


def _field(entry: Entry) -> Part:
    return entry if isinstance(entry, Written) else ""


def field_name(entry: Entry) -> str:
    """The field that one entry of ``fields`` names."""
    return entry.text if isinstance(entry, Written) else ""


def operator_name(entry: object) -> str:
    """The operator that one entry of ``comps`` names, written or filled in."""
    return entry if isinstance(entry, str) else entry.text if isinstance(entry, Written) else ""


def _singles(rule: RuleDefinition, exception: RuleException, parts: list[Part], unfit: list[Diagnostic]) -> None:
    """``(FIELD COMP (v1, v2))``."""
    if not exception.values:
        return
    parts += ["(", _field(exception.fields), " ", operator_name(exception.comps), " ("]
    written = ""
    for value in exception.values:
        if isinstance(value, tuple):
            message = f"the exception `{exception.name}` has a single field: its values are texts, not lists"
            unfit.append(_wrong(rule, exception, value, message, "write `values: [a, b]`, or make `fields` a list"))
            continue
        if written:
            parts.append(", ")
        if isinstance(value, Written):
            parts += _quoted(value)
            written = value.text or written
    parts.append("))")


def _tuples(rule: RuleDefinition, exception: RuleException, parts: list[Part], unfit: list[Diagnostic]) -> None:
    """``(( F1 C1 V1 and F2 C2 V2) or ( ...))``."""
    fields = exception.fields
    assert isinstance(fields, tuple)
    comps = exception.comps if isinstance(exception.comps, tuple) else ()
    groups: list[Part] = []
    for row in exception.values:
        count = len(row) if isinstance(row, tuple) else 0
        if not isinstance(row, tuple) or count != len(fields):
            has, parts_of = _number(len(fields), "field"), _number(count, "part")
            message = f"the exception `{exception.name}` has {has}, but this value has {parts_of}"
            if not isinstance(row, tuple):
                message = f"the exception `{exception.name}` has a list of fields, but this value is no list"
            names = ", ".join(f.text if isinstance(f, Written) else "?" for f in fields)
            help_text = f"write each value as a list: one part for each of [{names}]"
            unfit.append(_wrong(rule, exception, row, message, help_text))
            continue
        if groups:
            groups.append(" or ")
        groups.append("(")
        for number, entry in enumerate(row):
            if number:
                groups.append(" and ")
            comp = operator_name(comps[number]) if number < len(comps) else ""
            if not comp:
                message = f"the replaced exception `{exception.name}` has fields and values but no comps"
                help_text = "give one comp for each field: Falco fills in none here"
                unfit.append(_wrong(rule, exception, row, message, help_text))
                return
            groups += [" ", _field(fields[number]), " ", comp, " ", *_value(entry, comp)]
        groups.append(")")
    if groups:
        parts += ["(", *groups, ")"]


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _value(entry: Entry, comp: str) -> list[Part]:
    if isinstance(entry, Written):
        if comp.strip(" \t\r\n") in LIST_OPERATORS:
            return [entry] if entry.text.startswith("(") else ["(", entry, ")"]
        return _quoted(entry)
    if entry is None:
        return [""]
    parts: list[Part] = ["("]
    written = ""
    for inner in entry:
        if written:
            parts.append(", ")
        if isinstance(inner, Written):
            parts += _quoted(inner)
            written = inner.text or written
    parts.append(")")
    return parts

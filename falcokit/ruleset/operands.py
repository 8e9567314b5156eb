"""The type of a field or transformer, or the first thing that keeps it from having one."""

from __future__ import annotations

from typing import Final, NamedTuple

from falcokit.catalogue import Catalogue, FieldError, FieldUse
from falcokit.condition.ast import Field, Operand, Transformer, TransformerList, Value
from falcokit.diagnostic import Problem

__all__ = ["Typed", "glued", "type_of"]

_TEXTS: Final = frozenset(("CHARBUF", "FSPATH", "FSRELPATH"))
_ONE: Final = frozenset(("tolower", "toupper", "b64", "basename", "len"))


class Typed(NamedTuple):
    """What an operand gives: its type, whether that is a list, and the field it comes from, if it is a single one.

    ``inner`` is the type before any transformer: what Falco looks at when it checks the arguments of join, concat and
    getopt.  ``has_field`` is false for operands made of literals only; ``made`` marks lists made by getopt.
    """

    type: str
    is_list: bool
    use: FieldUse | None
    inner: str
    inner_list: bool
    made: bool = False


def glued(field: Field) -> str:
    """Field and argument as Falco hands them to its field classes: quotes gone."""
    return field.name if field.argument is None else f"{field.name}[{field.argument}]"


def type_of(operand: Operand, source: str, catalogue: Catalogue, at: int) -> Typed | Problem:
    """The type of *operand* in a rule of *source*; problems are reported at *at*."""
    if isinstance(operand, Field):
        return field_type(operand, source, catalogue, at)
    if isinstance(operand, Value):
        return Typed("CHARBUF", False, None, "CHARBUF", False)
    if isinstance(operand, TransformerList):
        return _list_type(operand, source, catalogue, at)
    return _transformed(operand, source, catalogue, at)


def field_type(field: Field, source: str, catalogue: Catalogue, at: int) -> Typed | Problem:
    """The type of a field."""
    found = catalogue.resolve(glued(field), source)
    if isinstance(found, FieldError):
        return unknown_field(found, field, source, catalogue, at)
    return Typed(found.type, found.is_list, found, found.type, found.is_list)


def unknown_field(error: FieldError, field: Field, source: str, catalogue: Catalogue, at: int) -> Problem:
    """The problem of a text that is no field for *source*, with what it may have been meant as."""
    unknown = error.kind == "unknown-field"
    message, help_text = error.message, error.help
    if unknown and not help_text:
        elsewhere = [s for s in catalogue.sources_of(field.name) if s != source]
        near = catalogue.suggest(glued(field), source)
        if elsewhere:
            message = f"the field `{field.name}` does not exist for rules of source `{source}`"
            help_text = f"it belongs to source {', '.join(f'`{s}`' for s in elsewhere)}"
            if len(elsewhere) == 1:
                help_text += f": write `source: {elsewhere[0]}`, or use a field of this source"
        elif near:
            help_text = "did you mean " + " or ".join(f"`{n}`" for n in near) + "?"
    return Problem(error.kind, message, at, field.start, field.end, help_text, unknown)


def _list_type(operand: TransformerList, source: str, catalogue: Catalogue, at: int) -> Typed | Problem:
    for item in operand.items:
        typed = type_of(item, source, catalogue, at)
        if isinstance(typed, Problem):
            return typed
    return Typed("CHARBUF", True, None, "CHARBUF", True)


def _transformed(operand: Transformer, source: str, catalogue: Catalogue, at: int) -> Typed | Problem:
    name = operand.name

    def wrong(message: str, help_text: str = "", part: Operand | None = None, *, ends: bool = False) -> Problem:
        start, end = (operand.start, operand.end) if part is None else (part.start, part.end)
        return Problem("wrong-transformer", message, at, start, end, help_text, ends_falco=ends)

    if operand.argument is not None and (name != "getopt" or len(operand.argument.encode("utf-8", "replace")) != 1):
        if name == "getopt":
            return wrong("getopt takes one letter in brackets", "write `getopt(list, 'n:')[n]`")
        return wrong(f"`{name}(...)` takes no argument in brackets", "remove the brackets")
    typed: list[Typed] = []
    for argument in operand.arguments:
        found = type_of(argument, source, catalogue, at)
        if isinstance(found, Problem):
            return found
        if found.use is not None and found.use.field.no_transformer and name != "val":
            return wrong(f"the field `{found.use.field.name}` cannot stand inside a transformer", "", argument)
        typed.append(found)
    if name in _ONE:
        if len(typed) != 1:
            return wrong(f"`{name}` takes one argument, not {len(typed)}", ends=True)
        return _single(operand, typed[0], wrong)
    if name == "val":
        return typed[0]
    if len(typed) < 2 or (name != "concat" and len(typed) > 2):
        takes = {"join": "a separator and a list", "concat": "two texts or more", "getopt": "a list and the options"}
        return wrong(f"`{name}` takes {takes[name]}, not {len(typed)} argument{'s' * (len(typed) > 1)}")
    if name == "concat":
        for argument, part in zip(operand.arguments, typed, strict=True):
            if part.inner != "CHARBUF" or part.inner_list:
                what = "a list" if part.inner_list else f"of type {part.inner}"
                return wrong(f"`concat` joins texts, this argument is {what}", "", argument)
        return Typed("CHARBUF", False, None, "CHARBUF", False)
    first, second = operand.arguments
    if name == "join":
        if typed[0].inner_list or typed[0].inner != "CHARBUF":
            return wrong("the separator of `join` must be a single text", "write `join(',', LIST)`", first)
        if typed[1].made or not typed[1].inner_list:
            return wrong("the second argument of `join` must be a list field or a list in parentheses", "", second)
        if typed[1].inner != "CHARBUF":
            return wrong(f"`join` joins lists of texts, this one is of type {typed[1].inner}", "", second)
        return Typed("CHARBUF", False, None, "CHARBUF", False)
    if not typed[0].inner_list or typed[0].inner != "CHARBUF":
        return wrong("the first argument of `getopt` must be a list of texts", "", first)
    if typed[1].inner_list or typed[1].inner != "CHARBUF":
        return wrong("the second argument of `getopt` must be a single text", "", second)
    listed = operand.argument is None
    return Typed("CHARBUF", listed, None, "CHARBUF", listed, made=listed)


def _single(operand: Transformer, typed: Typed, wrong) -> Typed | Problem:  # type: ignore[no-untyped-def]  # a closure
    name = operand.name
    if name == "len":
        if not (typed.is_list or typed.type in _TEXTS or typed.type == "BYTEBUF"):
            return wrong(f"`len` takes texts, buffers and lists, not type {typed.type}", "", operand.arguments[0])
        return typed._replace(type="UINT64", is_list=False)
    wanted = frozenset(("CHARBUF", "BYTEBUF")) if name == "b64" else _TEXTS
    if typed.type not in wanted:
        return wrong(f"`{name}` takes {' or '.join(sorted(wanted))}, not type {typed.type}", "", operand.arguments[0])
    return typed

"""The type of a field or transformer, or the first thing that keeps it from having one."""

from __future__ import annotations

from typing import Final

from falcokit.catalogue import Catalogue, FieldError, FieldUse
from falcokit.condition.ast import Field, Operand, Transformer, TransformerList, Value
from falcokit.diagnostic import Problem
from falcokit.record import Record

__all__ = ["Typed", "glued", "of_plugin", "type_of"]

_TEXTS: Final = frozenset(("CHARBUF", "FSPATH", "FSRELPATH"))
_ENCODED: Final = frozenset(("CHARBUF", "BYTEBUF"))
_ONE: Final = frozenset(("tolower", "toupper", "b64", "basename", "len"))


class Typed(Record):
    """What an operand gives: its type, whether that is a list, and the field it comes from, if it is a single one.

    ``inner`` is the type before any transformer: what Falco looks at when it checks the arguments of join, concat and
    getopt.  What these make is a single text to it there, even the list of getopt.
    """

    __slots__ = ("inner", "inner_list", "is_list", "type", "use")

    def __init__(self, type: str, is_list: bool, use: FieldUse | None, inner: str, inner_list: bool) -> None:
        self.type: Final = type
        self.is_list: Final = is_list
        self.use: Final = use
        self.inner: Final = inner
        self.inner_list: Final = inner_list


def glued(field: Field) -> str:
    """Field and argument as Falco hands them to its field classes: quotes gone."""
    return field.name if field.argument is None else f"{field.name}[{field.argument}]"


def type_of(operand: Operand, source: str, catalogue: Catalogue, at: int) -> Typed | Problem:
    """The type of *operand* in a rule of *source*; problems are reported at *at*.

    One call handles one level of nesting, so the deepest operand that Falco reads stays far from Python's limit.
    """
    if isinstance(operand, Field):
        return field_type(operand, source, catalogue, at)
    if isinstance(operand, Value):
        return Typed("CHARBUF", False, None, "CHARBUF", False)
    typed: list[Typed] = []
    for part in operand.items if isinstance(operand, TransformerList) else operand.arguments:
        found = type_of(part, source, catalogue, at)
        if isinstance(found, Problem):
            return found
        typed.append(found)
    if isinstance(operand, TransformerList):
        return Typed("CHARBUF", True, None, "CHARBUF", True)
    return _transformed(operand, typed, at)


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
        help_text += of_plugin(field.name, help_text)
    return Problem(error.kind, message, at, field.start, field.end, help_text, unknown)


_OTHER_PLUGINS: Final = ("k8smeta",)
"""Official plugins whose fields are not in the catalogue."""


def of_plugin(name: str, help_text: str) -> str:
    """What to add to *help_text* where the field *name* may come with a plugin."""
    plugin = name.partition(".")[0]
    if plugin not in _OTHER_PLUGINS:
        return ""
    return f"{' ' if help_text else ''}where the plugin `{plugin}` is loaded, give its fields with --fields FILE"


def _transformed(operand: Transformer, typed: list[Typed], at: int) -> Typed | Problem:
    """The type that a transformer makes of its arguments' types."""
    name, arguments = operand.name, operand.arguments
    if operand.argument is not None and name != "getopt":
        return _wrong(operand, at, f"`{name}(...)` takes no argument in brackets", "remove the brackets")
    if name == "val":
        return typed[0]
    if name in _ONE:
        if len(typed) != 1:
            return _wrong(operand, at, f"`{name}` takes one argument, not {len(typed)}", ends=True)
        return _single(name, arguments[0], typed[0], at)
    if len(typed) < 2 or (name != "concat" and len(typed) > 2):
        takes = {"join": "a separator and a list", "concat": "two texts or more", "getopt": "a list and the options"}
        count = f"{len(typed)} argument{'s' * (len(typed) > 1)}"
        return _wrong(operand, at, f"`{name}` takes {takes[name]}, not {count}")
    first, second = arguments[:2]
    if name == "concat":
        for argument, part in zip(arguments, typed, strict=True):
            if part.inner != "CHARBUF" or part.inner_list:
                what = "a list" if part.inner_list else f"of type {part.inner}"
                return _wrong(argument, at, f"`concat` joins texts, this argument is {what}")
    elif name == "join":
        if typed[0].inner_list:
            return _wrong(first, at, "the separator of `join` must be a single value", "write `join(',', LIST)`")
        if not typed[1].inner_list:
            message = "the second argument of `join` must be a list field or a list in parentheses"
            return _wrong(second, at, message)
    else:
        if not typed[0].inner_list or typed[0].inner != "CHARBUF":
            return _wrong(first, at, "the first argument of `getopt` must be a list of texts")
        if typed[1].inner_list or typed[1].inner != "CHARBUF":
            return _wrong(second, at, "the second argument of `getopt` must be a single text")
        if operand.argument is not None and len(operand.argument.encode("utf-8", "surrogateescape")) != 1:
            return _wrong(operand, at, "getopt takes one letter in brackets", "write `getopt(list, 'n:')[n]`")
        return Typed("CHARBUF", operand.argument is None, None, "CHARBUF", False)
    return Typed("CHARBUF", False, None, "CHARBUF", False)


def _single(name: str, argument: Operand, typed: Typed, at: int) -> Typed | Problem:
    """A transformer of one argument, which works on each element of a list."""
    if typed.use is not None and typed.use.field.no_transformer:
        return _wrong(argument, at, f"the field `{typed.use.field.name}` cannot stand inside a transformer")
    if name == "len":
        if not (typed.is_list or typed.type in _TEXTS or typed.type == "BYTEBUF"):
            return _wrong(argument, at, f"`len` takes texts, buffers and lists, not type {typed.type}")
        return typed.replaced(type="UINT64", is_list=False)
    wanted = _ENCODED if name == "b64" else _TEXTS
    if typed.type not in wanted:
        return _wrong(argument, at, f"`{name}` takes {' or '.join(sorted(wanted))}, not type {typed.type}")
    return typed


def _wrong(part: Operand, at: int, message: str, help_text: str = "", *, ends: bool = False) -> Problem:
    return Problem("wrong-transformer", message, at, part.start, part.end, help_text, ends_falco=ends)

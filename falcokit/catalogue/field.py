"""What is known of one field, and of one use of it."""

from __future__ import annotations

from typing import Final

from falcokit.record import Record

__all__ = ["Field", "FieldError", "FieldUse", "Plugin", "field_from", "spec_of"]

_FLAGS: Final = {
    "R": "no_rhs", "T": "no_transformer", "F": "filter_only", "D": "deprecated", "S": "suggested_output", "H": "hidden",
}  # fmt: skip
_DECIMAL: Final = frozenset(("UINT64", "UINT32", "INT64", "RELTIME", "ABSTIME", "PORT"))


class Field(Record):
    """A field as the catalogue has it.

    ``argument`` is ``""``, ``"optional"`` or ``"required"``; ``argument_kinds`` tells for plugin fields whether it may
    be an index, a key or both.  ``no_rhs`` and ``no_transformer`` fields cannot stand on the right side or inside a
    transformer; ``filter_only`` ones were made for conditions; ``hidden`` ones are left out of listings.
    ``print_format`` is how outputs print a number: ``dec``, ``id``, ``hex``, ``10_padded_dec``, ``dir`` or ``na``.
    """

    __slots__ = (
        "argument",
        "argument_kinds",
        "deprecated",
        "filter_only",
        "hidden",
        "is_list",
        "name",
        "no_rhs",
        "no_transformer",
        "plugin",
        "print_format",
        "source",
        "suggested_output",
        "type",
    )

    def __init__(
        self,
        name: str,
        type: str,
        is_list: bool,
        argument: str,
        argument_kinds: tuple[str, ...],
        plugin: str,
        source: str,
        no_rhs: bool = False,
        no_transformer: bool = False,
        filter_only: bool = False,
        deprecated: bool = False,
        suggested_output: bool = False,
        hidden: bool = False,
        print_format: str = "na",
    ) -> None:
        self.name: Final = name
        self.type: Final = type
        self.is_list: Final = is_list
        self.argument: Final = argument
        self.argument_kinds: Final = argument_kinds
        self.plugin: Final = plugin
        self.source: Final = source
        self.no_rhs: Final = no_rhs
        self.no_transformer: Final = no_transformer
        self.filter_only: Final = filter_only
        self.deprecated: Final = deprecated
        self.suggested_output: Final = suggested_output
        self.hidden: Final = hidden
        self.print_format: Final = print_format


class FieldUse(Record):
    """A field with the argument it is used with, and the type this use has."""

    __slots__ = ("argument", "field", "is_list", "type")

    def __init__(self, field: Field, argument: str | None, type: str, is_list: bool) -> None:
        self.field: Final = field
        self.argument: Final = argument
        self.type: Final = type
        self.is_list: Final = is_list


class FieldError(Record):
    """Why a text is no field.  ``kind`` is ``unknown-field`` (the only one that Falco calls unknown) or
    ``field-argument``; ``message`` says what is wrong, ``help`` what to write."""

    __slots__ = ("help", "kind", "message")

    def __init__(self, kind: str, message: str, help: str = "") -> None:
        self.kind: Final = kind
        self.message: Final = message
        self.help: Final = help

    @property
    def unknown_filter(self) -> bool:
        """Whether ``skip-if-unknown-filter: true`` saves the rule: Falco then only leaves it out."""
        return self.kind == "unknown-field"


class Plugin(Record):
    """A plugin that counts as loaded; ``source`` is the event source it brings, if any; an empty ``version`` is unknown."""

    __slots__ = ("id", "name", "source", "version")

    def __init__(self, name: str, version: str, source: str | None, id: int | None) -> None:
        self.name: Final = name
        self.version: Final = version
        self.source: Final = source
        self.id: Final = id


def field_from(name: str, spec: str, plugin: str, source: str) -> Field:
    """Read the catalogue's short form: ``TYPE[]`` then ``?`` or ``!`` with ``i``, ``k`` for an argument, then flags.

    A print format follows a ``%`` where the type does not already tell it: ``dec`` for numbers, else ``na``.
    """
    first, *rest = spec.split(" ")
    argument, flags, printed = "", "", ""
    kinds: tuple[str, ...] = ()
    for word in rest:
        if word[0] in "?!":
            argument = "optional" if word[0] == "?" else "required"
            kinds = tuple(kind for kind in ("index", "key") if kind[0] in word[1:])
        elif word[0] == "%":
            printed = word[1:]
        else:
            flags = word
    is_list = first.endswith("[]")
    marks = {_FLAGS[flag]: True for flag in flags}
    type_name = first.removesuffix("[]")
    printed = printed or ("dec" if type_name in _DECIMAL else "na")
    return Field(name, type_name, is_list, argument, kinds, plugin, source, print_format=printed, **marks)


def spec_of(type_name: str, is_list: bool, argument: str | None, kinds: tuple[str, ...]) -> str:
    """The short form of a field given in full."""
    spec = type_name + ("[]" if is_list else "")
    if argument:
        spec += " " + ("?" if argument == "optional" else "!") + "".join(kind[0] for kind in kinds)
    return spec

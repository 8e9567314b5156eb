"""The fields of alerts as conditions compare them: some tools write every value as a text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.evaluate.read_back import ReadBack, unescaped
from falcokit.event import Event
from falcokit.event.form import TEXT
from falcokit.ruleset.literals import NUMBER_WIDTHS

__all__ = ["told_fields", "typed_fields"]

_NUMBERS: Final = frozenset((*NUMBER_WIDTHS, "PORT"))
_SAME: Final = (
    ("proc.pname", "proc.aname[1]"), ("proc.pexe", "proc.aexe[1]"), ("proc.pexepath", "proc.aexepath[1]"),
    ("proc.pcmdline", "proc.acmdline[1]"), ("proc.ppid", "proc.apid[1]"), ("proc.name", "proc.aname[0]"),
)  # fmt: skip
"""The parent of a process is its first ancestor."""


def told_fields(
    event: Event, source: str, catalogue: Catalogue, read_back: ReadBack
) -> tuple[Mapping[str, object], tuple[str, ...]]:
    """The fields that *event* tells as conditions compare them, and the rules that it is an alert of.

    Those of a text alert are what *read_back* can read out of it for certain.
    """
    if event.form.complete:
        return event.fields, ()
    fields = event.fields
    rules: tuple[str, ...] = (event.rule,) if event.rule else ()
    if event.form is TEXT and (read := read_back.read(unescaped(str(event.document)))) is not None:
        fields, rules = dict(read.fields), read.rules
    return typed_fields(fields, source, catalogue), rules


def typed_fields(fields: Mapping[str, object], source: str, catalogue: Catalogue) -> Mapping[str, object]:
    """*fields* with the texts of numbers, truth values and lists read as what their fields are, and under both names
    where the same thing has two."""
    if not isinstance(fields, dict):
        return fields  # Extracted from a whole document, each as its type has it.
    found = dict(fields)
    for one, other in _SAME:
        if one in found and other not in found:
            found[other] = found[one]
        elif other in found and one not in found:
            found[one] = found[other]
    for name, value in list(found.items()):
        if value.__class__ is str:
            type_name, is_list = _type(name, source, catalogue)
            if type_name in _NUMBERS:
                text = str(value)
                digits = text.removeprefix("-")
                if digits.isdecimal() and digits.isascii() and len(digits) < 25:
                    found[name] = int(text)
            elif type_name == "BOOL":
                found[name] = {"true": True, "false": False}.get(str(value), value)
            elif is_list:
                found[name] = [value]
    return found


@lru_cache(maxsize=4096)
def _type(name: str, source: str, catalogue: Catalogue) -> tuple[str, bool]:
    if len(name) > 500:
        return "", False
    use = catalogue.resolve(name, source)
    return (use.type, use.is_list) if isinstance(use, FieldUse) else ("", False)

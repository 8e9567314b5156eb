"""The fields of alerts as conditions compare them: some tools write every value as a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.evaluate.ancestors import ANCESTORS
from falcokit.evaluate.read_back import ReadBack, unescaped
from falcokit.evaluate.values import TEXTS
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
_NETWORKS: Final = (("fd.sip", "fd.snet"), ("fd.cip", "fd.cnet"), ("fd.lip", "fd.lnet"), ("fd.rip", "fd.rnet"))
"""No alert prints a network: it is compared with the address."""


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
    for name in ANCESTORS:
        found.pop(name, None)  # Printed without an index it is the process itself.
    for one, other in _SAME:
        if one in found and other not in found:
            found[other] = found[one]
        elif other in found and one not in found:
            found[one] = found[other]
    for address, network in _NETWORKS:
        if address in found and network not in found:
            found[network] = found[address]
    for name, value in list(found.items()):
        if not isinstance(value, str):
            if isinstance(value, float) and value.is_integer():
                value = found[name] = int(value)
            if value is not None and not _fits(name, value.__class__, source, catalogue):
                del found[name]  # Nothing that the field can be: what it was is not known.
            continue
        read = _reader(name, source, catalogue)
        if read is not None:
            try:
                found[name] = read(str(value))
            except ValueError:
                del found[name]  # What it was is not known.
    return found


def _number(text: str) -> int:
    return _whole(text, 10)


def _hexadecimal(text: str) -> int:
    return _whole(text, 16)


def _whole(text: str, base: int) -> int:
    if len(text) > 24 or not text.isascii() or "_" in text:
        raise ValueError(text)
    return int(text, base)


def _truth(text: str) -> bool:
    return {"true": True, "false": False}.get(text.lower()) or _no_truth(text)


def _no_truth(text: str) -> bool:
    if text.lower() != "false":
        raise ValueError(text)
    return False


def _single(text: str) -> list[str]:
    """The elements of a printed list; commas may stand in them, so that only one of one element is sure."""
    if text[:1] == "(" and text[-1:] == ")":
        text = text[1:-1]
        if "," in text or not text:
            raise ValueError(text)
    return [text]


@lru_cache(maxsize=4096)
def _fits(name: str, kind: type[object], source: str, catalogue: Catalogue) -> bool:
    """Whether a value of the type *kind* of JSON can be one of the field; of fields that are not known, every one."""
    use = catalogue.resolve(name, source) if len(name) < 500 else None
    if not isinstance(use, FieldUse) or name.startswith("evt.time"):  # A text that Falco prints as a number.
        return True
    if use.is_list:
        return kind in (list, tuple)
    if use.type == "BOOL":
        return kind is bool
    if use.type in _NUMBERS:
        return kind is int
    return kind is float or kind is int if use.type == "DOUBLE" else use.type not in TEXTS


@lru_cache(maxsize=4096)
def _reader(name: str, source: str, catalogue: Catalogue) -> Callable[[str], object] | None:
    """What reads the text of a field that is no text; None for those that are."""
    use = catalogue.resolve(name, source) if len(name) < 500 else None
    if not isinstance(use, FieldUse):
        return None
    if use.is_list:
        return _single if use.type in TEXTS else None
    if use.type in _NUMBERS:
        return _hexadecimal if use.field.print_format == "hex" else _number
    return _truth if use.type == "BOOL" else None

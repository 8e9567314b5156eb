"""What test files write for the values of fields, read as each field's type has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from falcokit.case.model import Named
from falcokit.catalogue import Catalogue, FieldUse
from falcokit.diagnostic import Diagnostic
from falcokit.document import Mapping, Node, Scalar, Sequence
from falcokit.evaluate.ancestors import ANCESTORS
from falcokit.evaluate.sockets import BOTH_ENDS
from falcokit.evaluate.values import limits, read_value
from falcokit.ruleset.literals import NUMBER_WIDTHS
from falcokit.ruleset.suggest import nearest
from falcokit.source import SourceFile, Span

__all__ = ["read_fields"]

_Wrong: TypeAlias = "Callable[[Node, str, str], None]"
_NUMBERS: Final = frozenset((*NUMBER_WIDTHS, "PORT"))


def read_fields(
    fields: tuple[tuple[Named, object], ...], source: str, catalogue: Catalogue, file: SourceFile
) -> tuple[dict[str, object], tuple[Diagnostic, ...]]:
    """The values of *fields*, pairs of an expression and a node, of events of *source*, and what is wrong with them.

    A field that does not exist is an error here: a test with a misspelt one would pass for the wrong reason.
    """
    found: dict[str, object] = {}
    problems: list[Diagnostic] = []

    def wrong(node: Node, message: str, help: str = "") -> None:
        problems.append(
            Diagnostic("invalid-test", message, Span(file, node.start, max(node.end, node.start + 1)), help)
        )

    for name, node in fields:
        assert isinstance(node, (Scalar, Sequence, Mapping))
        use = catalogue.resolve(name.text, source)
        if not isinstance(use, FieldUse):
            near = catalogue.suggest(name.text.partition("[")[0], source)
            help_text = f"did you mean `{near[0]}`?" if near else use.help
            if others := [other for other in catalogue.sources_of(name.text.partition("[")[0]) if other != source]:
                help_text = f"it belongs to source `{others[0]}`: say `source: {others[0]}`"
            message = f"there is no field `{name.text}` for events of source `{source}`"
            problems.append(Diagnostic("invalid-test", message, name.span, help_text))
            continue
        several = use.is_list or name.text in ANCESTORS or name.text in BOTH_ENDS
        if isinstance(node, Sequence) and not several:
            wrong(node, f"`{name.text}` has one value", "write it without brackets")
            continue
        found[name.text] = _value(node, use.type, use.is_list, wrong)
        if name.text in ("evt.type", "syscall.type") and isinstance(node, Scalar) and not node.null:
            _check_type(node, catalogue, wrong)
        for one, other in (("jevt.", "json."), ("json.", "jevt.")):  # The audit plugin has these under both names.
            if source == "k8s_audit" and name.text.startswith(one):
                found.setdefault(other + name.text.removeprefix(one), found[name.text])
    return found, tuple(problems)


def _check_type(node: Scalar, catalogue: Catalogue, wrong: _Wrong) -> None:
    """A misspelt type would be one that no rule asks for."""
    if not catalogue.events.is_known(node.value):
        near = nearest(node.value, catalogue.events.all_names())
        hint = f"did you mean `{near[0]}`?" if near else "see `falcokit event-types`"
        wrong(node, f"`{node.value}` is no type of events", hint)


def _value(node: Node, type_name: str, is_list: bool, wrong: _Wrong) -> object:
    if isinstance(node, Mapping):
        wrong(node, "a field's value is a text, a number, true, false, null or a sequence of these", "")
        return None
    if isinstance(node, Sequence):
        return [_single(item, type_name, wrong) for item in node.items]
    value = _single(node, type_name, wrong)
    return [value] if is_list and value is not None else value


def _single(node: Node, type_name: str, wrong: _Wrong) -> object:
    if not isinstance(node, Scalar):
        wrong(node, "a value among values is a text, a number, true or false", "")
        return None
    if node.null:
        return None
    text = node.value
    value: object = text
    if type_name == "BOOL":
        value = {"true": True, "false": False}.get(text.lower(), text)
    elif type_name in _NUMBERS:
        digits = text.removeprefix("-")
        value = int(text) if digits.isdecimal() and digits.isascii() and len(digits) < 25 else text
    if read_value(value, type_name) is None:
        wrong(node, f"`{text}` is no value of type {type_name}", _how(type_name))
        return None
    return value


def _how(type_name: str) -> str:
    if type_name == "BOOL":
        return "write true or false"
    if type_name in _NUMBERS:
        low, high = limits(type_name)
        return f"write a whole number from {low} to {high}"
    return "write an address such as 10.0.0.1" if "IP" in type_name else ""

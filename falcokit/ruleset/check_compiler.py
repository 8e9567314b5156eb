"""Falco's compile step for a single check: field, operator, right side, in this order, and the warnings on the way."""

from __future__ import annotations

import re
from typing import Final

from falcokit.catalogue import Catalogue, FieldError, FieldUse
from falcokit.catalogue.types import group_of
from falcokit.condition import parse
from falcokit.condition.ast import Check, Field, ListValue, Transformer, TransformerList, Value
from falcokit.condition.parse import TRANSFORMERS
from falcokit.diagnostic import Problem
from falcokit.ruleset.literals import literal_problem, needless_regex, regex_problem
from falcokit.ruleset.operands import Typed, type_of

__all__ = ["DEPRECATED_FIELDS", "compile_check", "deprecated_fields", "unsafe_na", "usable_field"]

DEPRECATED_FIELDS: Final = (
    "evt.dir", "evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human", "evt.wait_latency",
)  # fmt: skip
_DEPRECATED: Final = frozenset(DEPRECATED_FIELDS)
_SPACES: Final = re.compile(r"[ \t\n\v\f\r]+")
_FIELD_LIKE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*\.[a-zA-Z]")
_CALL: Final = tuple(f"{name}(" for name in (*TRANSFORMERS, "val"))
_EVENT_OPERATORS: Final = frozenset(("=", "==", "!=", "in"))
_NO_FIELD: Final = frozenset(("pmatch", "regex"))
_NETWORKS: Final = frozenset(("IPNET", "IPV4NET", "IPV6NET"))


def compile_check(check: Check, source: str, catalogue: Catalogue) -> tuple[Problem, ...]:
    """What Falco finds when it compiles *check* for a rule of *source*: one error, or the warnings."""
    left = check.left
    typed = type_of(left, source, catalogue, check.at)
    if isinstance(typed, Problem):
        return (typed,)
    operator = check.operator
    if operator not in group_of(typed.type, typed.is_list).operators:
        return (_wrong_operator(check, typed),)
    if source == "syscall" and (problem := _event_expression(check)):
        return (problem,)
    right = check.right
    if right is None:
        return ()
    if isinstance(right, (Field, Transformer)):
        problem = _compared(check, typed, right, source, catalogue)
        return () if problem is None else (problem,)
    name = typed.use.field.name if typed.use is not None else ""
    if name == "evt.around" and operator != "=":
        message = f"`evt.around` is compared with `=` only, not with `{operator}`"
        return (Problem("wrong-operator", message, check.at, check.operator_start, check.operator_start + len(operator)),)
    warnings: list[Problem] = []
    plain_text = typed.type == "CHARBUF" and operator != "regex" and name != "evt.type"
    for value in right.items if isinstance(right, ListValue) else (right,):
        text = value.text
        if plain_text and len(text) < 60 and "." not in text and "(" not in text and "\0" not in text:
            continue
        problem = _literal(check, typed, value, source, catalogue, warnings, name)
        if problem is not None:
            return (problem,)
    return tuple(warnings)


def _literal(
    check: Check,
    typed: Typed,
    value: Value,
    source: str,
    catalogue: Catalogue,
    warnings: list[Problem],
    name: str,
) -> Problem | None:
    """One value: its warnings, then whether it can be read."""
    text, operator = value.text, check.operator
    assert check.right is not None
    at = check.right.start
    if operator == "regex" and needless_regex(text):
        message = f"`{text}` needs no regular expression"
        warnings.append(Problem("needless-regex", message, at, value.start, value.end, _simpler(check, text)))
    if "." in text or "(" in text:
        _misused(text, value, at, source, catalogue, warnings)
    if name == "evt.type" and not catalogue.events.is_known(text):
        from falcokit.ruleset.suggest import nearest

        near = nearest(text, catalogue.events.all_names())
        help_text = f"did you mean `{near[0]}`?" if near else "see `falcokit event-types`"
        if any(c in text for c in "*?["):
            help_text = "patterns do not work on `evt.type`: list the event types with `in`"
        message = f"`{text}` is no event type"
        return Problem("unknown-event-type", message, check.at, value.start, value.end, help_text, unknown_filter=True)
    found = literal_problem(typed.type, text, operator)
    if found is not None:
        message, help_text, ends = found
        return Problem(
            "wrong-literal", message, check.at, value.start, value.end, help_text, ends_falco=ends
        )
    if operator == "regex" and (reason := regex_problem(text)):
        message = f"the regular expression does not compile: {reason}"
        help_text = "Falco takes POSIX extended syntax: no \\d, \\w, \\b, no (?...)"
        return Problem("invalid-regex", message, check.at, value.start, value.end, help_text)
    return None


def _simpler(check: Check, pattern: str) -> str:
    """The check that does the same without a regular expression, where there is one."""
    head = re.match(r"\^?\.\*", pattern)
    tail = pattern.endswith(".*") and len(pattern) > 2
    core = re.sub(r"^\^?(\.\*)?|(\.\*)?\$?$", "", pattern)
    if re.search(r"[.+*?^$]", core) or not core:
        return "use `=`, `contains`, `startswith` or `endswith`"
    operator = "contains" if head and tail else "endswith" if head else "startswith" if tail else "="
    return f"write `{operator} {core}`" if check.modifier == "" and core.isalnum() else f"use `{operator}`"


def _misused(
    text: str, value: Value, at: int, source: str, catalogue: Catalogue, warnings: list[Problem]
) -> None:
    """A literal that reads like a field or a transformer was probably meant as one."""
    stripped = _SPACES.sub("", text)
    if _FIELD_LIKE.match(stripped):
        use = catalogue.resolve(stripped, source)
        if isinstance(use, FieldUse):
            message = f"`{stripped}` is a field, here it is compared as text"
            help_text = f"write `val({stripped})` to compare with the field's value"
            warnings.append(Problem("field-as-text", message, at, value.start, value.end, help_text))
            return
        if isinstance(use, FieldError) and use.kind == "field-argument":
            return
    if stripped.endswith(")") and stripped.startswith(_CALL):
        message = f"`{text}` reads like a transformer, here it is compared as text"
        help_text = "take the quotes away to compare with its result"
        warnings.append(Problem("transformer-as-text", message, at, value.start, value.end, help_text))


def _wrong_operator(check: Check, typed: Typed) -> Problem:
    operator = f"{check.operator} {check.modifier}".strip()
    left = check.left.name if isinstance(check.left, Field) else f"{check.left.name}(...)"
    group = group_of(typed.type, typed.is_list)
    end = check.operator_start + len(check.operator)
    if typed.is_list:
        message = f"`{left}` is a list: `{operator}` cannot compare it"
    else:
        message = f"`{left}` is of type {typed.type}: `{operator}` cannot compare it"
    allowed = ", ".join(sorted(group.operators))
    return Problem("wrong-operator", message, check.at, check.operator_start, end, f"it can be compared with {allowed}")


def _event_expression(check: Check) -> Problem | None:
    """Falco ends when it has to know the event types of a computed comparison."""
    left = check.left
    operator = check.operator
    if check.modifier or (operator not in _EVENT_OPERATORS and operator != "exists"):
        return None
    computed = isinstance(left, Transformer) and any(
        isinstance(argument, Field) and argument.name in ("evt.type", "syscall.type")
        for argument in _direct(left)
    )
    compared = (
        isinstance(left, Field)
        and left.name in ("evt.type", "syscall.type")
        and isinstance(check.right, (Field, Transformer))
    )
    if not computed and not compared:
        return None
    message = "Falco cannot tell the event types of a computed comparison and ends"
    help_text = "compare `evt.type` itself with event types, as in `evt.type in (open, openat)`"
    return Problem(
        "event-type-expression", message, check.at, check.start, check.end, help_text, ends_falco=True
    )


def _direct(transformer: Transformer) -> list[Field]:
    found: list[Field] = []
    for argument in transformer.arguments:
        if isinstance(argument, Field):
            found.append(argument)
        elif isinstance(argument, Transformer):
            found += _direct(argument)
    return found


def _compared(
    check: Check, left: Typed, right: Field | Transformer, source: str, catalogue: Catalogue
) -> Problem | None:
    """Field against field."""

    def wrong(message: str, help_text: str = "") -> Problem:
        return Problem("wrong-comparison", message, check.at, right.start, right.end, help_text)

    typed = type_of(right, source, catalogue, check.at)
    if isinstance(typed, Problem):
        return typed
    if isinstance(right, Transformer) and right.name == "val" and right.argument is not None:
        return wrong("`val(...)` takes no argument in brackets", "put it behind the field, inside the parentheses")
    if check.operator in _NO_FIELD:
        return wrong(f"`{check.operator}` compares with values only, not with fields")
    if left.type in _NETWORKS:
        return wrong(f"type {left.type} compares with values only, not with fields")
    for side, place in ((left, "left"), (typed, "right")):
        if side.use is not None and side.use.field.no_rhs:
            name = side.use.field.name
            return wrong(f"the field `{name}` cannot stand on the {place} of a comparison of fields")
    if (left.type, left.is_list) != (typed.type, typed.is_list):
        return wrong(
            f"{_described(left)} cannot be compared with {_described(typed)}", "both sides must have the same type"
        )
    return None


def _described(typed: Typed) -> str:
    return f"a list of {typed.type}" if typed.is_list else f"type {typed.type}"


def _fields(operand: Field | Transformer | TransformerList | Value, *, lists: bool) -> list[Field]:
    if isinstance(operand, Field):
        return [operand]
    if isinstance(operand, Transformer):
        return [f for argument in operand.arguments for f in _fields(argument, lists=lists)]
    if isinstance(operand, TransformerList) and lists:
        return [f for item in operand.items for f in _fields(item, lists=lists)]
    return []


def deprecated_fields(check: Check) -> tuple[str, ...]:
    """The deprecated fields on the left side, in the order written; those in a transformer's list go unnoticed."""
    left = check.left
    if isinstance(left, Field):
        return (left.name,) if left.name in _DEPRECATED and left.argument is None else ()
    return tuple([f.name for f in _fields(left, lists=False) if f.name in _DEPRECATED])


_NA_OPERATORS: Final = frozenset(("=", "==", "!=", "in", "intersects", "pmatch"))


def unsafe_na(check: Check) -> bool:
    """Whether a check of a Kubernetes audit or JSON field compares with the text ``<NA>``."""
    right = check.right
    if check.modifier or check.operator not in _NA_OPERATORS or not isinstance(right, (Value, ListValue)):
        return False
    values = right.items if isinstance(right, ListValue) else (right,)
    if not any(value.text == "<NA>" for value in values):
        return False
    return any(f.name.startswith(("ka.", "jevt.")) for f in _fields(check.left, lists=False))


def usable_field(text: str, source: str, catalogue: Catalogue) -> Problem | None:
    """Why *text* cannot be a field of an exception: its kind is ``field-argument`` where Falco fails in another way."""
    if "(" in text:
        tree = parse(f"{text} exists")
        if isinstance(tree, Check):
            found = compile_check(tree, source, catalogue)
            if not found:
                return None
            return found[0]._replace(kind="unknown-field")
        help_text = "write a field, or a transformer around one, such as `basename(proc.exepath)`"
        return Problem("unknown-field", f"`{text}` is no field", 0, 0, 0, help_text)
    use = catalogue.resolve(text, source)
    if isinstance(use, FieldUse):
        return None
    from falcokit.ruleset.operands import unknown_field

    name, bracket, argument = text.partition("[")
    return unknown_field(use, Field(name, argument.rstrip("]") if bracket else None), source, catalogue, 0)

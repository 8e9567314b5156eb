"""Falco's compile step for a single check: field, operator, right side, in this order, and the warnings on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.catalogue.types import group_of
from falcokit.condition import parse
from falcokit.condition.ast import Check, Field, ListValue, Transformer, Value
from falcokit.condition.parse import TRANSFORMERS
from falcokit.diagnostic import Problem
from falcokit.ruleset.literals import literal_problem, needless_regex, shown
from falcokit.ruleset.operands import Typed, glued, type_of

__all__ = ["DEPRECATED_FIELDS", "Facts", "compile_check", "deprecated_fields", "facts_for", "unsafe_na", "usable_field"]

DEPRECATED_FIELDS: Final = (
    "evt.dir", "evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human", "evt.wait_latency",
)  # fmt: skip
_DEPRECATED: Final = frozenset(DEPRECATED_FIELDS)
_SPACES: Final = re.compile(r"[ \t\n\v\f\r]+")
_FIELD_LIKE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*\.[a-zA-Z]").match
_CALL: Final = tuple([f"{name}(" for name in (*TRANSFORMERS, "val")])
_EVENT_TYPES: Final = frozenset(("evt.type", "syscall.type"))
_EVENT_OPERATORS: Final = frozenset(("=", "==", "!=", "in", "exists"))
_TEXTS: Final = frozenset(("CHARBUF", "FSPATH", "FSRELPATH"))
_NO_FIELD: Final = frozenset(("pmatch", "regex"))
_NETWORKS: Final = frozenset(("IPNET", "IPV4NET", "IPV6NET"))
_READ_IN_ANOTHER_WAY: Final = frozenset(("regex", "bcontains", "bstartswith"))
_MAX_REMEMBERED: Final = 50_000


class Facts:
    """What was found out about fields and literals for one source: answers that never change, kept for speed.

    ``fields`` has, for a field as written, its operators, the set of literals known to be right for it without any
    warning, and whether any plain text is; ``good`` has these sets; ``printable`` the fields that outputs used.
    """

    __slots__ = ("catalogue", "fields", "good", "printable", "source")

    def __init__(self, catalogue: Catalogue, source: str) -> None:
        self.catalogue: Final = catalogue
        self.source: Final = source
        self.fields: Final[dict[str, tuple[frozenset[str], set[str], bool]]] = {}
        self.good: Final[dict[tuple[str, str], set[str]]] = {}
        self.printable: Final[set[str]] = set()


_facts: dict[tuple[int, str], Facts] = {}


def facts_for(source: str, catalogue: Catalogue) -> Facts:
    """The facts of one source; they keep their catalogue alive, so that its id stays its own."""
    found = _facts.get((id(catalogue), source))
    if found is None:
        if len(_facts) >= 32:
            _facts.clear()
        found = _facts[id(catalogue), source] = Facts(catalogue, source)
    return found


def compile_check(check: Check, source: str, catalogue: Catalogue) -> tuple[Problem, ...]:
    """What Falco finds when it compiles *check* for a rule of *source*: one error, or the warnings."""
    facts = facts_for(source, catalogue)
    left, operator, right = check.left, check.operator, check.right
    # Nearly every check is a field and plain texts, so these are decided without looking at them again.
    if left.__class__ is Field and operator not in _READ_IN_ANOTHER_WAY:
        known = facts.fields.get(left.name if left.argument is None else glued(left))
        if known is not None and operator in known[0]:
            if right is None:
                return ()
            if right.__class__ is Value:
                if right.text in known[1] or _is_good(right.text, known):
                    return ()
            elif right.__class__ is ListValue:
                good = known[1]
                if good.issuperset(right.texts) or all(text in good or _is_good(text, known) for text in right.texts):
                    return ()
    return _compile(check, facts)


def _is_good(text: str, known: tuple[frozenset[str], set[str], bool]) -> bool:
    """Whether *text* is short, without NUL, and can be taken neither for a field nor for a transformer."""
    if not known[2] or len(text) > 63 or "\0" in text or (("." in text or "(" in text) and text[0] != "/"):
        return False
    if len(known[1]) < _MAX_REMEMBERED:
        known[1].add(text)
    return True


def _compile(check: Check, facts: Facts) -> tuple[Problem, ...]:
    left, operator, right = check.left, check.operator, check.right
    typed = type_of(left, facts.source, facts.catalogue, check.at)
    if isinstance(typed, Problem):
        return (typed,)
    operators = group_of(typed.type, typed.is_list).operators
    name = typed.use.field.name if typed.use is not None else ""
    # Falco reads the literals of two fields more strictly than their types, so theirs are kept apart.
    kind = name if name in ("evt.type", "evt.around") else ""
    good = facts.good.setdefault((kind, typed.type), set())
    if isinstance(left, Field) and kind != "evt.around" and len(facts.fields) < _MAX_REMEMBERED:
        facts.fields[glued(left)] = (operators, good, not kind and typed.type in _TEXTS)
    if operator not in operators:
        return (_wrong_operator(check, typed),)
    problem: Problem | None = None
    warnings: list[Problem] = []
    if isinstance(right, (Field, Transformer)):
        problem = _compared(check, typed, right, facts)
    elif right is not None:
        remember = operator not in _READ_IN_ANOTHER_WAY and kind != "evt.around" and len(good) < _MAX_REMEMBERED
        for value in right.items if isinstance(right, ListValue) else (right,):
            if remember and value.text in good:
                continue
            before = len(warnings)
            problem = _literal(check, typed, value, facts, warnings, kind)
            if problem is not None:
                break
            if remember and before == len(warnings):
                good.add(value.text)
    # The event types of a condition are worked out only when all of it has compiled.
    problem = problem or _event_expression(check)
    return tuple(warnings) if problem is None else (problem,)


def _literal(
    check: Check, typed: Typed, value: Value, facts: Facts, warnings: list[Problem], kind: str
) -> Problem | None:
    """One value: its warnings, then whether it can be read."""
    text, operator = value.text, check.operator
    assert check.right is not None
    at = check.right.start
    if operator == "regex" and (simpler := needless_regex(text)):
        message = f"{shown(text)} needs no regular expression"
        help_text = "use `=`, `contains`, `startswith` or `endswith`" if check.modifier else f"write `{simpler}`"
        warnings.append(Problem("needless-regex", message, at, value.start, value.end, help_text))
    if "." in text or "(" in text:
        _misused(value, at, facts, warnings)
    found = literal_problem(typed.type, text, operator)
    if found is not None and (found.kind != "invalid-regex" or kind != "evt.type"):
        at = check.at
        return Problem(found.kind, found.message, at, value.start, value.end, found.help, ends_falco=found.ends_falco)
    if kind == "evt.type" and not facts.catalogue.events.is_known(text):
        return _unknown_event_type(check, value, facts.catalogue)
    if kind == "evt.around" and (operator not in ("=", "==") or check.modifier):
        end = check.operator_start + len(operator)
        message = f"`evt.around` is compared with `=` only, not with `{_operator(check)}`"
        return Problem("wrong-operator", message, check.at, check.operator_start, end, "write `evt.around[TIME] = MS`")
    if found is not None:
        return Problem(found.kind, found.message, check.at, value.start, value.end, found.help)
    return None


def _unknown_event_type(check: Check, value: Value, catalogue: Catalogue) -> Problem:
    from falcokit.ruleset.suggest import nearest

    text = value.text
    near = nearest(text, catalogue.events.all_names())
    if any(c in text for c in "*?[") or check.operator not in ("=", "==", "!=", "in"):
        help_text = "`evt.type` takes whole names with every operator: list them, as in `evt.type in (open, openat)`"
    else:
        help_text = f"did you mean `{near[0]}`?" if near else "write the name of a system call or another event"
    message = f"{shown(text)} is no event type"
    return Problem("unknown-event-type", message, check.at, value.start, value.end, help_text, unknown_filter=True)


def _misused(value: Value, at: int, facts: Facts, warnings: list[Problem]) -> None:
    """A literal that reads like a field or a transformer was probably meant as one."""
    stripped = _SPACES.sub("", value.text)
    if _FIELD_LIKE(stripped):
        # Falco hands the text on as a C string, which ends at a NUL.
        use = facts.catalogue.resolve(stripped.partition("\0")[0], facts.source)
        if isinstance(use, FieldUse):
            message = f"`{stripped}` is a field, here it is compared as text"
            help_text = f"write `val({stripped})` to compare with the field's value"
            warnings.append(Problem("field-as-text", message, at, value.start, value.end, help_text))
        elif use.kind == "field-argument":
            return
    if stripped.endswith(")") and stripped.startswith(_CALL):
        message = f"{shown(value.text)} reads like a transformer, here it is compared as text"
        help_text = "take the quotes away to compare with its result"
        warnings.append(Problem("transformer-as-text", message, at, value.start, value.end, help_text))


def _operator(check: Check) -> str:
    return f"{check.operator} {check.modifier}" if check.modifier else check.operator


def _wrong_operator(check: Check, typed: Typed) -> Problem:
    left = check.left.name if isinstance(check.left, Field) else f"{check.left.name}(...)"
    what = "a list" if typed.is_list else f"of type {typed.type}"
    message = f"`{left}` is {what}: `{_operator(check)}` cannot compare it"
    allowed = ", ".join(sorted(group_of(typed.type, typed.is_list).operators))
    start = check.operator_start
    help_text = f"it can be compared with {allowed}"
    return Problem("wrong-operator", message, check.at, start, start + len(check.operator), help_text)


def _event_expression(check: Check) -> Problem | None:
    """Falco ends when it has to know the event types of a computed comparison."""
    left = check.left
    if check.modifier or check.operator not in _EVENT_OPERATORS:
        return None
    if left.__class__ is Field:
        found = left.name in _EVENT_TYPES and isinstance(check.right, (Field, Transformer))
    else:
        found = any(field.name in _EVENT_TYPES for field in _direct_fields(left))
    if not found:
        return None
    message = "Falco cannot tell the event types of a computed comparison and ends"
    help_text = "compare `evt.type` itself with event types, as in `evt.type in (open, openat)`"
    return Problem("event-type-expression", message, check.at, check.start, check.end, help_text, ends_falco=True)


def _compared(check: Check, left: Typed, right: Field | Transformer, facts: Facts) -> Problem | None:
    """Field against field."""

    def wrong(message: str, help_text: str = "") -> Problem:
        return Problem("wrong-comparison", message, check.at, right.start, right.end, help_text)

    typed = type_of(right, facts.source, facts.catalogue, check.at)
    if isinstance(typed, Problem):
        return typed
    if check.operator in _NO_FIELD:
        return wrong(f"`{check.operator}` compares with values only, not with fields")
    if left.type in _NETWORKS:
        return wrong(f"type {left.type} compares with values only, not with fields")
    for side, place in ((left, "left"), (typed, "right")):
        if side.use is not None and side.use.field.no_rhs:
            name = side.use.field.name
            return wrong(f"the field `{name}` cannot stand on the {place} of a comparison of fields")
    if (left.type, left.is_list) != (typed.type, typed.is_list):
        message = f"{_described(left)} cannot be compared with {_described(typed)}"
        return wrong(message, "both sides must have the same type")
    return None


def _described(typed: Typed) -> str:
    return f"a list of {typed.type}" if typed.is_list else f"type {typed.type}"


def _direct_fields(operand: Field | Transformer) -> Iterator[Field]:
    """The fields in *operand*, also in inner transformers; those in a transformer's list go unnoticed by Falco."""
    stack: list[object] = [operand]
    while stack:
        top = stack.pop()
        if isinstance(top, Field):
            yield top
        elif isinstance(top, Transformer):
            stack.extend(reversed(top.arguments))


def deprecated_fields(check: Check) -> tuple[str, ...]:
    """The deprecated fields on the left side, in the order written; those in a transformer's list go unnoticed."""
    left = check.left
    if left.__class__ is Field:
        return (left.name,) if left.name in _DEPRECATED and left.argument is None else ()
    return tuple([field.name for field in _direct_fields(left) if field.name in _DEPRECATED])


_NA_OPERATORS: Final = frozenset(("=", "==", "!=", "in", "intersects", "pmatch"))


def unsafe_na(check: Check) -> bool:
    """Whether a check of a Kubernetes audit or JSON field compares with the text ``<NA>``."""
    right = check.right
    if check.modifier or check.operator not in _NA_OPERATORS or not isinstance(right, (Value, ListValue)):
        return False
    values = right.items if isinstance(right, ListValue) else (right,)
    if not any(value.text == "<NA>" for value in values):
        return False
    return any(field.name.startswith(("ka.", "jevt.")) for field in _direct_fields(check.left))


def usable_field(text: str, source: str, catalogue: Catalogue) -> Problem | None:
    """Why *text* cannot be a field of an exception: its kind is ``field-argument`` where Falco fails in another way."""
    if "(" in text:
        tree = parse(f"{text} exists")
        if isinstance(tree, Check):
            found = [p for p in compile_check(tree, source, catalogue) if p.kind != "event-type-expression"]
            return found[0].replaced(kind="unknown-field") if found else None
        help_text = "write a field, or a transformer around one, such as `basename(proc.exepath)`"
        return Problem("unknown-field", f"{shown(text)} is no field", 0, 0, 0, help_text)
    use = catalogue.resolve(text, source)
    if isinstance(use, FieldUse):
        return None
    from falcokit.ruleset.operands import unknown_field

    name, bracket, argument = text.partition("[")
    return unknown_field(use, Field(name, argument.rstrip("]") if bracket else None), source, catalogue, 0)

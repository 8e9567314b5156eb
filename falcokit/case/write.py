"""Writing test cases from events that happened."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition.ast import Check, Field, ListValue, Value
from falcokit.evaluate.matcher import Matcher
from falcokit.evaluate.values import TEXTS, limits, read_value
from falcokit.evaluate.walk import Reason
from falcokit.record import Record
from falcokit.ruleset.literals import NUMBER_WIDTHS
from falcokit.ruleset.operands import glued
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["Completed", "case_text", "comment_text", "complete", "yaml_text"]

_MAX_STEPS: Final = 60
_PLAIN_KEY: Final = re.compile(r"[A-Za-z][\w.]*(?:\[[\w.]+\])?")
_NO_COMMENT: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
"""What YAML refuses, and what would show a reader another text than there is."""


class Completed(Record):
    """The fields with which an event fires a rule: those it tells, and those that had to be ``assumed``.

    ``missing`` is empty, or says what keeps the rule from firing all the same.
    """

    __slots__ = ("assumed", "fields", "missing")

    def __init__(
        self, fields: Mapping[str, object], assumed: Mapping[str, object], missing: tuple[Reason, ...]
    ) -> None:
        self.fields: Final = fields
        self.assumed: Final = assumed
        self.missing: Final = missing


def complete(fields: Mapping[str, object], rule: CompiledRule, matcher: Matcher) -> Completed:
    """What *rule* needs to fire beside the *fields* that an alert tells: the simplest values that its checks ask for."""
    told = {name: value for name, value in fields.items() if value is not None}
    assumed: dict[str, object] = {}
    source = rule.definition.source
    for _ in range(_MAX_STEPS):
        answer = matcher.why(rule, {**told, **assumed})
        if answer.holds:
            return Completed(told, assumed, ())
        for reason in answer.reasons:
            value = _wanted(reason, source, matcher.catalogue)
            if value is not None:
                name = glued(reason.check.left)  # type: ignore[arg-type]  # _wanted takes fields only
                if name not in told and name not in assumed and name not in fields:
                    assumed[name] = value
                    break
        else:
            return Completed(told, assumed, answer.reasons)
    return Completed(told, assumed, answer.reasons)


def _wanted(reason: Reason, source: str, catalogue: Catalogue) -> object:
    """A value that makes a check hold whose field is absent; None where that is not simple."""
    check = reason.check
    if reason.holds is not False or not isinstance(check.left, Field) or check.modifier:
        return None
    use = catalogue.resolve(glued(check.left), source)
    if not isinstance(use, FieldUse):
        return None
    value = _value(check, use.type)
    if value is None or read_value(value, use.type) is None:
        return None
    return [value] if use.is_list else value


def _value(check: Check, type_name: str) -> object:
    texts = (
        check.right.texts
        if isinstance(check.right, ListValue)
        else (check.right.text,)
        if isinstance(check.right, Value)
        else ()
    )
    if check.operator == "exists":
        return "x" if type_name in TEXTS else True if type_name == "BOOL" else 1 if type_name in NUMBER_WIDTHS else None
    if not texts:
        return None
    first = texts[0]
    if type_name in NUMBER_WIDTHS or type_name == "PORT":
        return _number(check.operator, first, type_name)
    if type_name == "BOOL":
        return (first == "true") == (check.operator in ("=", "=="))
    if check.operator in ("=", "==", "in", "intersects", "startswith", "endswith", "contains", "icontains"):
        return first
    if check.operator == "!=" and type_name in TEXTS:
        return "other" if first != "other" else "another"
    return first if check.operator in ("glob", "pmatch") and not set(first) & set("*?[\\") else None


def _number(operator: str, text: str, type_name: str) -> object:
    try:
        number = int(text, 0)
    except ValueError:
        return None
    number += {">": 1, "<": -1, "!=": 1}.get(operator, 0)
    low, high = limits(type_name)
    return number if low <= number <= high else None


def case_text(
    name: str,
    place: str,
    fires: tuple[str, ...],
    completed: Completed,
    source: str,
    catalogue: Catalogue,
    notes: tuple[str, ...] = (),
) -> str:
    """A case, as an element of ``cases``, with *completed* as its fields; the rules *fires* must fire, none at all if there are none."""
    lines = [f"  - name: {yaml_text(name)}", f"    # {comment_text(place)}"]
    lines += [f"    # {comment_text(note)}" for note in notes]
    if source != "syscall":
        lines.append(f"    source: {yaml_text(source)}")
    known = {
        key: value
        for key, value in completed.fields.items()
        if isinstance(catalogue.resolve(key[:500], source), FieldUse)
    }
    lines.append("    fields:" if known or completed.assumed else "    fields: {}")
    lines += [f"      {_key(key)}: {_written(value)}" for key, value in sorted(known.items())]
    lines += [
        f"      {_key(key)}: {_written(value)}  # assumed: the event does not tell it"
        for key, value in completed.assumed.items()
    ]
    if unknown := sorted(completed.fields.keys() - known.keys()):
        lines.append(f"      # not fields of source {comment_text(source)}: {comment_text(', '.join(unknown))}")
    lines += ["    expect:", f"      fires: [{', '.join(map(yaml_text, fires))}]"]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if _PLAIN_KEY.fullmatch(name) else yaml_text(name)


def _written(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return str(value) if isinstance(value, (int, float)) else yaml_text(str(value))


def yaml_text(text: str) -> str:
    """*text* as a double-quoted YAML scalar on one line, whatever is in it."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(
        lambda found: "\\ufffd" if "\ud800" <= found[0] <= "\udfff" else f"\\u{ord(found[0]):04x}", quoted
    )


def comment_text(text: str) -> str:
    """*text* on the one line of a comment."""
    shown = _NO_COMMENT.sub("\ufffd", text)
    return shown if len(shown) <= 200 else shown[:197] + "..."

"""What was loaded, in the shape of ``falco -L -o json_output=true``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition import parse
from falcokit.condition.ast import Check, Expression, Field, Identifier, ListValue, Operand, TransformerList, Value
from falcokit.condition.parse import DESCRIBE_DEPTH
from falcokit.condition.render import render
from falcokit.condition.walk import leaves
from falcokit.diagnostic import Problem
from falcokit.ruleset.compiler import Compilation
from falcokit.ruleset.definitions import joined
from falcokit.ruleset.exception_text import field_name, operator_name
from falcokit.ruleset.items import Written
from falcokit.ruleset.loader import Loaded
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.operands import glued
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.rule_reader import PRIORITIES

__all__ = ["describe"]

_MAX_TEXT = 1 << 20


def describe(loaded: Loaded, rule: str | None = None) -> dict[str, Any]:
    """Everything compiled; with *rule* only that rule, and an empty mapping where there is none of that name."""
    compilation, catalogue = loaded.compilation, loaded.catalogue
    rules: list[dict[str, Any]] = []
    if compilation is not None:
        for compiled in compilation.rules.values():
            if not compiled.skipped and (rule is None or compiled.name == rule):
                rules.append(_rule(compiled, compilation, catalogue))
    if rule is not None:
        return rules[0] if rules else {}
    definitions = loaded.definitions
    result: dict[str, Any] = {
        "required_engine_version": ".".join(map(str, definitions.engine)),
        "required_plugin_versions": [
            _requirement(requirement.alternatives) for requirement in definitions.plugins if requirement.alternatives
        ],
        "rules": rules,
        "macros": [],
        "lists": [],
    }
    if compilation is not None:
        result["macros"] = [_macro(name, compilation, catalogue) for name in compilation.macros]
        result["lists"] = [_list(name, compilation) for name in compilation.lists]
    return result


def _requirement(alternatives: tuple[tuple[str, tuple[int, int, int], Written], ...]) -> dict[str, Any]:
    (name, _, version), *others = alternatives
    return {
        "name": name,
        "version": version.text,
        "alternatives": [{"name": n, "version": w.text} for n, _, w in others],
    }


def _list(name: str, compilation: Compilation) -> dict[str, Any]:
    compiled = compilation.lists[name]
    written = [item.text for item in compiled.definition.items]
    present = {item.text for item in compiled.items}
    return {
        "info": {"name": name, "items": [text for text in written if text in present]},
        "details": {
            "used": name in compilation.used_lists,
            "lists": list(dict.fromkeys([text for text in written if text not in present])),
            "items_compiled": [item.text for item in compiled.items],
            "plugins": [],
        },
    }


def _macro(name: str, compilation: Compilation, catalogue: Catalogue) -> dict[str, Any]:
    compiled = compilation.macros[name]
    bound = compiled.bound
    codes = bound.codes(False, catalogue)
    return {
        "info": {"name": name, "condition": joined(compiled.definition.condition)},
        "details": {
            "used": name in compilation.used_macros,
            **_raw_names(joined(compiled.definition.condition), compilation),
            **_condition_details(bound),
            "events": list(catalogue.events.described(codes)),
            "condition_compiled": expanded(bound),
            "plugins": [],
        },
    }


def _rule(compiled: CompiledRule, compilation: Compilation, catalogue: Catalogue) -> dict[str, Any]:
    rule = compiled.definition
    raw = joined(rule.condition) if rule.condition else ""
    output = joined(rule.output) if rule.output else ""
    details: dict[str, Any] = {
        **_raw_names(raw, compilation),
        "condition_operators": [],
        "condition_fields": [],
        "condition_compiled": "",
        "output_compiled": compiled.output,
        "output_fields": list(compiled.output_result.fields) if compiled.output_result else [],
        "exception_names": list(dict.fromkeys([e.name for e in rule.exceptions])),
        "exception_fields": sorted({field_name(f) for e in rule.exceptions if e.values for f in _each(e.fields)}),
        "exception_operators": sorted({operator_name(c) for e in rule.exceptions for c in _each(e.comps)}),
        "plugins": [],
    }
    if compiled.bound is not None:
        details |= _condition_details(compiled.bound)
        details["condition_compiled"] = expanded(compiled.bound)
        if rule.source == "syscall":
            details["events"] = list(catalogue.events.described(compiled.bound.codes(False, catalogue)))
        else:
            details["events"] = ["asyncevent", "pluginevent"]
        details["plugins"] = _plugins(compiled, catalogue)
    return {
        "info": {
            "name": rule.name,
            "condition": raw,
            "priority": PRIORITIES[rule.priority],
            "output": output.strip(" \t\n\v\f\r") if rule.trimmed else output,
            "description": joined(rule.desc) if rule.desc else "",
            "enabled": rule.enabled,
            "source": rule.source,
            "capture": rule.capture,
            "capture_duration": rule.capture_duration,
            "tags": sorted(rule.tags),
        },
        "details": details,
    }


def _each(entry: Any) -> Iterator[Any]:
    if isinstance(entry, tuple):
        yield from entry
    else:
        yield entry


def _plugins(compiled: CompiledRule, catalogue: Catalogue) -> list[str]:
    """The plugins that bring the rule's source or a field it uses."""
    source = compiled.definition.source
    found = {plugin.name for plugin in catalogue.plugins if plugin.source == source}
    names = set(compiled.output_result.fields) if compiled.output_result else set()
    assert compiled.bound is not None
    for check in _checks(compiled.bound, set()):
        if isinstance(check.left, Field) and check.left.name == "evt.type":
            # Asynchronous events have the name of the plugin that sends them.
            found.update(plugin.name for plugin in catalogue.plugins if plugin.name in _literals(check))
    for field in _fields(compiled.bound, set()):
        names.add(glued(field))
    for name in names:
        use = catalogue.resolve(name, source)
        if isinstance(use, FieldUse) and use.field.plugin:
            found.add(use.field.plugin)
    return sorted(found)


def _literals(check: Check) -> tuple[str, ...]:
    if isinstance(check.right, Value):
        return (check.right.text,)
    return check.right.texts if isinstance(check.right, ListValue) else ()


def _raw_names(raw: str, compilation: Compilation) -> dict[str, Any]:
    """The macros and lists that the condition names as it is written, before lists are put in."""
    tree = parse(raw, DESCRIBE_DEPTH) if raw else None
    macros: dict[str, None] = {}
    lists: dict[str, None] = {}
    if tree is not None and not isinstance(tree, Problem):
        for leaf in leaves(tree):
            if isinstance(leaf, Identifier):
                if leaf.name in compilation.macros:
                    macros[leaf.name] = None
            else:
                for text in _values(leaf):
                    if text in compilation.lists:
                        lists[text] = None
    return {"macros": sorted(macros), "lists": sorted(lists)}


def _values(check: Check) -> Iterator[str]:
    if isinstance(check.right, ListValue):
        yield from check.right.texts


def _condition_details(bound: Bound) -> dict[str, Any]:
    fields = sorted({glued(field) for field in _fields(bound, set())})
    operators = sorted(_operators(bound, set()))
    return {"condition_fields": fields, "condition_operators": operators}


def _operators(bound: Bound, seen: set[int]) -> set[str]:
    found: set[str] = set()
    for check in _checks(bound, seen):
        found.add(f"{check.operator} {check.modifier}" if check.modifier else check.operator)
    return found


def _checks(bound: Bound, seen: set[int]) -> Iterator[Check]:
    stack = [bound]
    while stack:
        top = stack.pop()
        if id(top) in seen:
            continue
        seen.add(id(top))
        for leaf in top.leaves:
            if isinstance(leaf, Check):
                yield leaf
            elif (inner := top.env.get(leaf.name)) is not None:
                stack.append(inner)


def _fields(bound: Bound, seen: set[int]) -> Iterator[Field]:
    for check in _checks(bound, seen):
        yield from _in_operand(check.left)
        if check.right is not None and not isinstance(check.right, (Value, ListValue)):
            yield from _in_operand(check.right)


def _in_operand(operand: Operand) -> Iterator[Field]:
    if isinstance(operand, Field):
        yield operand
    elif isinstance(operand, TransformerList):
        for item in operand.items:
            yield from _in_operand(item)
    elif not isinstance(operand, Value):
        for argument in operand.arguments:
            yield from _in_operand(argument)


def expanded(bound: Bound) -> str:
    """The compiled text of a condition with all macros put in; cut short beyond a megabyte."""
    known: dict[int, str] = {}

    def text_of(holder: Bound, depth: int) -> str:
        found = known.get(id(holder))
        if found is None:
            tree: Expression | None = holder.tree

            def expand(identifier: Identifier) -> str:
                inner = holder.env.get(identifier.name)
                if inner is None or depth > 200:
                    return identifier.name
                return text_of(inner, depth + 1)

            found = render(tree, expand) if tree is not None else ""
            if not found.isascii():
                # Bytes that are no UTF-8 print as U+FFFD.
                found = found.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            if len(found) > _MAX_TEXT:
                found = found[:_MAX_TEXT] + "..."
            known[id(holder)] = found
        return found

    return text_of(bound, 0)

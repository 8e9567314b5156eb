"""Comparisons of images and containers, by the side of `not` they stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from falcokit.condition.ast import And, Check, Expression, Field, Identifier, Not, Or
from falcokit.diagnostic import Problem
from falcokit.ruleset.body import Body
from falcokit.ruleset.field_set import field_bit
from falcokit.ruleset.ruleset import Named, Ruleset, once
from falcokit.ruleset.uses import Use, place_of, texts_of
from falcokit.source import Span

__all__ = ["IMAGE_FIELDS", "compares_whole", "flagged", "is_narrowed"]

IMAGE_FIELDS: Final = ("container.image.repository", "container.image")
T = TypeVar("T")


def flagged(
    ruleset: Ruleset, fields: tuple[str, ...], test: Callable[[Use, str], T | None]
) -> Iterator[tuple[str, Span, T]]:
    """The texts compared with one of *fields* of which *test* has something to say, each place once."""
    seen = set()
    for use in [use for field in fields for use in ruleset.uses_of(field)]:
        for number, text in enumerate(texts_of(use.check)):
            answer = test(use, text)
            if answer is None:
                continue
            span = place_of(use, number)
            key = (span.file, span.start, span.end)
            if key not in seen:
                seen.add(key)
                yield text, span, answer


def is_narrowed(ruleset: Ruleset, use: Use, fields: tuple[str, ...]) -> bool:
    """Whether the check stands in an `and` with something else about one of *fields*; itself, or the macro it is written
    in, wherever that is used."""
    return _narrowed(ruleset, use.body, use.check, fields, frozenset())


def _narrowed(ruleset: Ruleset, body: Body, part: Check | str, fields: tuple[str, ...], above: frozenset[str]) -> bool:
    """Whether each place of *part*, a check or the name of a macro, in *body* is narrowed."""
    if all(_places(ruleset, body, part, fields)):
        return True
    name = _macros_by_body(ruleset).get(id(body), "")
    if not name or name in above:
        return False
    users = [_body(ruleset, named) for named in ruleset.users_of(("macro", name))]
    return bool(users) and all(
        user is not None and _narrowed(ruleset, user, name, fields, above | {name}) for user in users
    )


@once
def _macros_by_body(ruleset: Ruleset) -> dict[int, str]:
    return {id(macro.bound.body): name for name, macro in ruleset.compilation.macros.items()}


def _body(ruleset: Ruleset, named: Named) -> Body | None:
    kind, name = named
    return ruleset.compilation.macros[name].bound.body if kind == "macro" else ruleset.compilation.rules[name].body


def _places(ruleset: Ruleset, body: Body, part: Check | str, fields: tuple[str, ...]) -> Iterator[bool]:
    """For each place of *part*, whether it stands in an `and` with something else about one of *fields*."""
    stack: list[tuple[Expression, bool]] = [(body.tree, False)] if not isinstance(body.tree, Problem) else []
    while stack:
        node, narrowed = stack.pop()
        if node is part or (isinstance(node, Identifier) and node.name == part):
            yield narrowed
        elif isinstance(node, And):
            about = [child for child in node.children if _is_about(ruleset, child, fields)]
            stack += [(child, narrowed or any(other is not child for other in about)) for child in node.children]
        elif isinstance(node, Or):
            stack += [(child, narrowed) for child in node.children]
        elif isinstance(node, Not):
            stack.append((node.child, False))


def _is_about(ruleset: Ruleset, node: Expression, fields: tuple[str, ...]) -> bool:
    if isinstance(node, Identifier):
        macro = ruleset.compilation.macros.get(node.name)
        return macro is not None and any(macro.bound.fields[0] & field_bit(field) for field in fields)
    if isinstance(node, (And, Or)):
        return any(_is_about(ruleset, child, fields) for child in node.children)
    return isinstance(node, Check) and isinstance(node.left, Field) and node.left.name in fields


def compares_whole(use: Use) -> bool:
    """Whether the check compares whole texts."""
    return use.check.operator in ("=", "==", "in", "!=") and not use.check.modifier

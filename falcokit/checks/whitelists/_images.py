"""Comparisons of images and containers, by the side of `not` they stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from falcokit.condition.ast import And, Check, Expression, Field, Identifier, Not, Or
from falcokit.diagnostic import Problem
from falcokit.ruleset.ruleset import Ruleset
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


def is_narrowed(use: Use, fields: tuple[str, ...]) -> bool:
    """Whether the check stands in an `and` with another one about one of *fields*, or a macro that may be."""
    tree = None if isinstance(use.body.tree, Problem) else use.body.tree
    stack: list[tuple[Expression, bool]] = [(tree, False)] if tree is not None else []
    while stack:
        node, narrowed = stack.pop()
        if node is use.check:
            return narrowed
        if isinstance(node, And):
            about = [child for child in node.children if _is_about(child, fields)]
            stack += [(child, narrowed or any(other is not child for other in about)) for child in node.children]
        elif isinstance(node, Or):
            stack += [(child, narrowed) for child in node.children]
        elif isinstance(node, Not):
            stack.append((node.child, False))
    return False


def _is_about(node: Expression, fields: tuple[str, ...]) -> bool:
    if isinstance(node, Identifier):
        return "image" in node.name or "registry" in node.name
    if isinstance(node, (And, Or)):
        return any(_is_about(child, fields) for child in node.children)
    return isinstance(node, Check) and isinstance(node.left, Field) and node.left.name in fields


def compares_whole(use: Use) -> bool:
    """Whether the check compares whole texts."""
    return use.check.operator in ("=", "==", "in", "!=") and not use.check.modifier

"""The condition that chooses which events an integration gets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.condition import parse
from falcokit.condition.ast import Check
from falcokit.condition.walk import leaves
from falcokit.diagnostic import KINDS, Problem, Severity
from falcokit.ruleset.check_compiler import compile_check

__all__ = ["sources_of", "wrong_filter"]

_HEADER: Final = re.compile(r"(?<![\w.])(?:evt\.|falco\.)?(?:rule|priority)(?![\w.])\s*(?:!?=|in\b|contains\b)")
"""Somebody means what an alert says beside its fields."""


def wrong_filter(text: str) -> str:
    """What is wrong with the condition *text*, and nothing where there are events that it can be asked of."""
    if _HEADER.search(text):
        return "is about fields of events: events of some rules or priorities are chosen with `options.rules` and `options.priority`"
    tree = parse(text)
    if isinstance(tree, Problem):
        return f"is no condition: {tree.message}"
    for leaf in leaves(tree):
        if not isinstance(leaf, Check):
            return f"uses the macro `{leaf.name[:60]}`, which there is none of here: write its condition"
    return "" if sources_of(text) else f"is no condition: {next(_problems(text, 'syscall'))}"


def sources_of(text: str) -> tuple[str, ...]:
    """The sources of events that the condition *text* can be asked of: they have all its fields."""
    return tuple([source for source in Catalogue.bundled().sources if next(_problems(text, source), None) is None])


def _problems(text: str, source: str) -> Iterator[str]:
    tree = parse(text)
    if isinstance(tree, Problem):
        yield tree.message
        return
    for leaf in leaves(tree):
        if not isinstance(leaf, Check):
            yield f"the macro `{leaf.name}` is not defined"
            continue
        for problem in compile_check(leaf, source, Catalogue.bundled()):
            if KINDS[problem.kind].severity is Severity.ERROR:
                yield problem.message

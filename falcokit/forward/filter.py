"""The condition that chooses which events an integration gets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.condition import parse
from falcokit.condition.ast import Check, ListValue
from falcokit.condition.walk import leaves
from falcokit.diagnostic import KINDS, Problem, Severity
from falcokit.ruleset.check_compiler import compile_check

__all__ = ["list_names", "means_header", "sources_of", "wrong_filter"]

_HEADER: Final = re.compile(
    r"(?<![\w.])(?:evt\.|falco\.)?(?:rule|priority)(?![\w.])\s*"
    r"(?:[=!<>]|(?:in|intersects|pmatch|i?contains|startswith|endswith|i?glob|regex|exists)\b)"
)
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_LIST: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+", re.ASCII)
"""What lists of rules are called, and hardly a program or a file."""


def wrong_filter(text: str) -> str:
    """What is wrong with the condition *text*, and nothing where there are events that it can be asked of."""
    if means_header(text):
        return "is about fields of events: events of some rules or priorities are chosen with `options.rules` and `options.priority`"
    tree = parse(text)
    if isinstance(tree, Problem):
        return f"is no condition: {tree.message}"
    for leaf in leaves(tree):
        if not isinstance(leaf, Check):
            return f"uses the macro `{leaf.name[:60]}`, which there is none of here: write its condition"
    return "" if sources_of(text) else f"is no condition: {next(_problems(text, 'syscall'))}"


def means_header(text: str) -> bool:
    """Whether somebody who writes *text* means the rule or the priority, which are no fields."""
    return _HEADER.search(_QUOTED.sub("''", text)) is not None


def list_names(text: str) -> tuple[str, ...]:
    """What looks like the name of a list in the condition *text*: there are no lists here, and it is a value like others."""
    tree = parse(text)
    if isinstance(tree, Problem):
        return ()
    found = [
        item.text
        for leaf in leaves(tree)
        if isinstance(leaf, Check) and isinstance(leaf.right, ListValue)
        for item in leaf.right.items
        if not item.quoted and _LIST.fullmatch(item.text)
    ]
    return tuple(dict.fromkeys(found))


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

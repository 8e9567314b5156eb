"""What custom rules let through now: each alternative, where it is written, which rules it reaches, and how to take it out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.condition import parse
from falcokit.condition.ast import And, Expression, Identifier, ListValue, Not, Or, byte_to_char
from falcokit.condition.render import to_source
from falcokit.diagnostic import Edit, Problem
from falcokit.document import Sequence
from falcokit.document.offsets import origins
from falcokit.logic import places
from falcokit.record import Record
from falcokit.ruleset.items import ExceptionItem, ListItem, MacroItem, RuleItem, Written
from falcokit.ruleset.ruleset import CONSTANTS, Ruleset
from falcokit.source import Span
from falcokit.whitelist.taking_out import element_out, key_out

__all__ = ["Entry", "entries"]


class Entry(Record):
    """Something that is let through: ``text`` in the ``kind`` (macro, list or rule) called ``name``, written at ``span``.

    ``reaches`` are the rules that it can silence, none for a dead one; ``without`` are the edits that take it out, none where
    it cannot be taken out without anything beside it.
    """

    __slots__ = ("kind", "name", "reaches", "span", "text", "without")

    def __init__(
        self, kind: str, name: str, text: str, span: Span, reaches: tuple[str, ...], without: tuple[Edit, ...]
    ) -> None:
        self.kind: Final = kind
        self.name: Final = name
        self.text: Final = text
        self.span: Final = span
        self.reaches: Final = reaches
        self.without: Final = without


def entries(ruleset: Ruleset) -> tuple[Entry, ...]:
    """All that the custom files of *ruleset* let through, in load order."""
    found: list[Entry] = []
    for item in ruleset.custom_items:
        if isinstance(item, MacroItem) and ruleset.is_hook(("macro", item.name.text)):
            found += _of_macro(ruleset, item)
        elif isinstance(item, ListItem) and ruleset.is_hook(("list", item.name.text)):
            found += _of_list(ruleset, item)
        elif isinstance(item, RuleItem):
            found += _of_rule(item)
    return tuple(found)


def _of_macro(ruleset: Ruleset, item: MacroItem) -> Iterator[Entry]:
    """Each alternative of the condition of a hook."""
    name = item.name.text
    if item.condition is None:
        return
    text = item.condition.text
    lead = _leading(text, "or")
    tree = parse(text[lead:])
    if isinstance(tree, Problem):
        return
    children: tuple[Expression, ...] = tree.children if isinstance(tree, Or) else (tree,)
    reaches = _silenced(ruleset, name)
    if not reaches and ruleset.rules_using(("macro", name)):
        return  # It says what is looked for.
    spans = [_place(item.condition, lead, text, child) for child in children]
    for number, child in enumerate(children):
        if isinstance(child, Identifier) and child.name.endswith(CONSTANTS):
            continue
        if len(children) == 1:
            edits = key_out(item.file, item.node, "condition")
        elif number:
            edits = (Edit(Span(item.file, spans[number - 1].end, spans[number].end), ""),)
        else:
            edits = (Edit(Span(item.file, spans[0].start, spans[1].start), ""),)
        yield Entry("macro", name, to_source(child), spans[number], reaches, edits)


def _leading(text: str, word: str) -> int:
    """Where the condition begins behind the *word* that an appended one starts with."""
    rest = text.lstrip()
    if rest[: len(word) + 1] in (f"{word} ", f"{word}(", f"{word}\n"):
        return len(text) - len(rest) + len(word)
    return 0


def _place(condition: Written, lead: int, text: str, node: Expression) -> Span:
    """Where *node* of the condition is written, with the parentheses around it."""
    inner = text[lead:]
    start, end = lead + byte_to_char(inner, node.start), lead + byte_to_char(inner, node.end)
    while True:
        left = len(text[:start].rstrip())
        right = len(text) - len(text[end:].lstrip())
        if left > lead and text[left - 1] == "(" and text[right : right + 1] == ")":
            start, end = left - 1, right + 1
        else:
            break
    return origins(condition.file, condition.node)(start, end)


def _silenced(ruleset: Ruleset, name: str) -> tuple[str, ...]:
    """The rules that the macro *name* lets events of through, in a position that silences them."""
    found = []
    for rule in ruleset.rules_using(("macro", name)):
        compiled = ruleset.compilation.rules.get(rule)
        if compiled is not None and places(
            compiled, lambda claim: not claim.holds and isinstance(claim.node, Identifier) and claim.node.name == name, ruleset.catalogue
        ):  # fmt: skip
            found.append(rule)
    return tuple(found)


def _of_list(ruleset: Ruleset, item: ListItem) -> Iterator[Entry]:
    """Each item of a list made to be filled in."""
    name = item.name.text
    rules = ruleset.rules_using(("list", name))
    excluding = {
        text
        for use in ruleset.uses
        if use.excludes and name in use.body.used_lists and isinstance(use.check.right, ListValue)
        for text in use.check.right.texts
    }
    node = item.node.get("items")
    for written in item.items:
        if rules and written.text.strip("\"'") not in excluding:
            continue  # A list of what is looked for.
        span = Span(item.file, written.node.start, written.node.end)
        single = len(item.items) == 1
        edits = key_out(item.file, item.node, "items") if single else element_out(item.file, node, written.node)
        yield Entry("list", name, written.text, span, rules, edits)


def _of_rule(item: RuleItem) -> Iterator[Entry]:
    """What a custom item adds to a rule: values of exceptions, and appended exclusions."""
    for update in item.updates:
        if update.operation == "append" and update.condition is not None:
            yield from _of_condition(item, update.condition)
        if update.operation in ("append", "replace"):
            for exception in update.exceptions or ():
                yield from _of_exception(item, exception)


def _of_exception(item: RuleItem, exception: ExceptionItem) -> Iterator[Entry]:
    """Each value of an exception."""
    name = item.name.text
    values = exception.node.get("values")
    rows = values.items if isinstance(values, Sequence) else ()
    for row in rows:
        text = " ".join(item.file.text[row.start : row.end].split())
        if len(rows) > 1:
            edits = element_out(item.file, values, row)
        else:
            holder = item.node.get("exceptions")
            alone = isinstance(holder, Sequence) and len(holder.items) == 1
            edits = (
                key_out(item.file, item.node, "exceptions") if alone else element_out(item.file, holder, exception.node)
            )
        span = Span(item.file, row.start, row.end)
        yield Entry("rule", name, f"exception {exception.name.text}: {text}", span, (name,), edits)


def _of_condition(item: RuleItem, condition: Written) -> Iterator[Entry]:
    """Each exclusion that is put behind the condition of a rule."""
    name, text = item.name.text, condition.text
    lead = _leading(text, "and")
    tree = parse(text[lead:])
    if not lead or isinstance(tree, (Problem, Or)):
        return
    children: tuple[Expression, ...] = tree.children if isinstance(tree, And) else (tree,)
    spans = [_place(condition, lead, text, child) for child in children]
    for number, child in enumerate(children):
        said = to_source(child.child) if isinstance(child, Not) else f"not ({to_source(child)})"
        if len(children) == 1:
            edits = key_out(item.file, item.node, "condition")
        elif number:
            edits = (Edit(Span(item.file, spans[number - 1].end, spans[number].end), ""),)
        else:
            edits = (Edit(Span(item.file, spans[0].start, spans[1].start), ""),)
        yield Entry("rule", name, said, spans[number], (name,), edits)

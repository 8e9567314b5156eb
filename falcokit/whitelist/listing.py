"""What custom rules let through now: each alternative, where it is written, which rules it reaches, and how to take it out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.condition import parse
from falcokit.condition.ast import Expression, Identifier, Not, Or, byte_to_char
from falcokit.condition.render import to_source
from falcokit.diagnostic import Edit, Problem
from falcokit.document import Node, Sequence
from falcokit.document.offsets import origins
from falcokit.logic import places
from falcokit.record import Record
from falcokit.ruleset.items import ListItem, MacroItem, RuleItem, Written
from falcokit.ruleset.ruleset import CONSTANTS, Ruleset
from falcokit.source import SourceFile, Span

__all__ = ["Entry", "entries"]

_OWN_COMMENT: Final = ": lets through "


class Entry(Record):
    """Something that is let through: ``text`` in the ``kind`` (macro, list or rule) called ``name``, written at ``span``.

    ``reaches`` are the rules that it can silence, none for a dead one; ``without`` are the edits that take it out.
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
    spans = [_place(item.condition, lead, text, child) for child in children]
    for number, child in enumerate(children):
        if isinstance(child, Identifier) and child.name.endswith(CONSTANTS):
            continue
        if len(children) == 1:
            edits = _whole(item.file, item.node)
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
    reaches = ruleset.rules_using(("list", name))
    node = item.node.get("items")
    for written in item.items:
        span = Span(item.file, written.node.start, written.node.end)
        edits = _whole(item.file, item.node) if len(item.items) == 1 else _element(item.file, node, written.node)
        if edits:
            yield Entry("list", name, written.text, span, reaches, edits)


def _of_rule(item: RuleItem) -> Iterator[Entry]:
    """What a custom item adds to a rule: values of exceptions, and appended exclusions."""
    name = item.name.text
    for update in item.updates:
        if update.operation != "append":
            continue
        for exception in update.exceptions or ():
            values = exception.node.get("values")
            rows = values.items if isinstance(values, Sequence) else ()
            for row in rows:
                text = " ".join(item.file.text[row.start : row.end].split())
                edits = _whole(item.file, item.node) if len(rows) == 1 else _element(item.file, values, row)
                if edits:
                    yield Entry(
                        "rule",
                        name,
                        f"exception {exception.name.text}: {text}",
                        Span(item.file, row.start, row.end),
                        (name,),
                        edits,
                    )
        if update.condition is not None:
            text = update.condition.text
            tree = parse(text[_leading(text, "and") :])
            if isinstance(tree, Not):
                node = update.condition.node
                yield Entry(
                    "rule",
                    name,
                    to_source(tree.child),
                    Span(item.file, node.start, node.end),
                    (name,),
                    _whole(item.file, item.node),
                )


def _element(file: SourceFile, holder: Node | None, element: Node) -> tuple[Edit, ...]:
    """The edit that takes *element* out of a sequence of several."""
    if not isinstance(holder, Sequence):
        return ()
    items = holder.items
    at = next((number for number, item in enumerate(items) if item is element), -1)
    if at < 0:
        return ()
    if holder.flow:
        start, end = (items[at - 1].end, element.end) if at else (element.start, items[1].start)
        return (Edit(Span(file, start, end), ""),)
    return (_lines(file, element.start, element.end),)


def _whole(file: SourceFile, node: Node) -> tuple[Edit, ...]:
    """The edit that takes a whole item out, with the comment of ours above it."""
    edit = _lines(file, node.start, node.end)
    start = edit.span.start
    lines = file.text[:start].splitlines(keepends=True)
    taken = []
    while lines and lines[-1].lstrip().startswith("#"):
        taken.append(lines.pop())
    if any(_OWN_COMMENT in line for line in taken):
        while taken and _OWN_COMMENT not in taken[-1]:
            taken.pop()
        start -= sum(map(len, taken))
    return (Edit(Span(file, start, edit.span.end), ""),)


def _lines(file: SourceFile, start: int, end: int) -> Edit:
    """The edit that takes out the lines from *start* to *end*."""
    text = file.text
    first = text.rfind("\n", 0, start) + 1
    while end > start and text[end - 1] in " \t\r\n":
        end -= 1
    last = text.find("\n", end)
    return Edit(Span(file, first, last + 1 if last >= 0 else len(text)), "")

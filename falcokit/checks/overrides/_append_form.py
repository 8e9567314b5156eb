"""A copy that only adds to what it copies, written as an append."""

from __future__ import annotations

import re
from typing import Final

from falcokit.checks.overrides._redefinitions import Redefinition
from falcokit.diagnostic import Edit, Fix
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition, RuleDefinition, joined
from falcokit.ruleset.removal import has_comment
from falcokit.ruleset.ruleset import NamedItem
from falcokit.source import Span

__all__ = ["append_form", "suffix_of"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*")


def suffix_of(before: str, after: str) -> str:
    """What *after* has behind *before*, where it begins with it and goes on with `and` or `or`; else nothing."""
    old, new = " ".join(before.split()), " ".join(after.split())
    rest = new[len(old) :].strip() if old and new.startswith(f"{old} ") else ""
    return rest if rest.startswith(("and ", "or ", "and(", "or(")) else ""


def append_form(found: Redefinition) -> Fix | None:
    """The copy as an append that comes to the same today, and follows the default tomorrow."""
    before, after, item = found.before, found.after, found.item
    if found.item.node.flow:
        return None
    if isinstance(before, ListDefinition) and isinstance(after, ListDefinition):
        old = [entry.text for entry in before.items]
        new = [entry.text for entry in after.items]
        added = [text for text in dict.fromkeys(new) if text not in old]
        if not added or not set(old) <= set(new):
            return None
        return _fix(item, "items", f"[{', '.join(map(_quoted, added))}]")
    if isinstance(before, MacroDefinition) and isinstance(after, MacroDefinition):
        rest = suffix_of(joined(before.condition), joined(after.condition))
        return _fix(item, "condition", _scalar(rest)) if rest else None
    if isinstance(before, RuleDefinition) and isinstance(after, RuleDefinition) and found.changed == ("condition",):
        rest = suffix_of(joined(before.condition), joined(after.condition))
        return _fix(item, "condition", _scalar(rest)) if rest else None
    return None


def _fix(item: NamedItem, key: str, value: str) -> Fix | None:
    if has_comment(item):
        return None  # It would go with what it stands beside.
    node = item.node
    first, name = node.pairs[0]
    end = "\r\n" if "\r\n" in item.file.text else "\n"
    indent = end + " " * item.file.line_column(first.start)[1]
    head = item.file.text[first.start : name.end]
    if name is not item.name.node:
        head = f"{item.step.item_type}: {_quoted(item.name.text)}"
    text = f"{head}{indent}{key}: {value}{indent}override:{indent}  {key}: append"
    return Fix("append instead", (Edit(Span(item.file, node.start, _end(item)), text),), safe=False)


def _end(item: NamedItem) -> int:
    text = item.file.text[item.node.start : item.node.end]
    return item.node.start + len(text.rstrip())


def _scalar(text: str) -> str:
    return (
        text
        if ": " not in text and " #" not in text and not text.endswith(":")
        else "'" + text.replace("'", "''") + "'"
    )


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "''") + "'"

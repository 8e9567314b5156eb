"""The old forms of append and enabled in their new form."""

from __future__ import annotations

from falcokit.diagnostic import Diagnostic, Edit, Fix
from falcokit.lint import LintResult
from falcokit.ruleset.items import ListItem, MacroItem, RuleItem
from falcokit.ruleset.rule_reader import REPLACEABLE
from falcokit.ruleset.ruleset import NamedItem
from falcokit.source import Span

__all__ = ["new_form"]


def new_form(d: Diagnostic, result: LintResult) -> Fix | None:
    """``override`` in place of ``append: true``, or beside a bare ``enabled``."""
    for loaded in result.loaded.files:
        if loaded.file is d.file:
            for item in loaded.items:
                if (
                    isinstance(item, (ListItem, MacroItem, RuleItem))
                    and item.node.start <= d.span.start < item.node.end
                ):
                    return _append(item) if d.kind == "deprecated-append" else _enabled(item)
    return None


def _append(item: NamedItem) -> Fix | None:
    """``append: true`` becomes ``override`` with the keys that are appended."""
    node, key = item.node, item.node.key("append")
    value = node.get("append")
    if key is None or value is None or node.get("override") is not None:
        return None
    takes: tuple[str, ...] = ("items",) if isinstance(item, ListItem) else ("condition",)
    if isinstance(item, RuleItem):
        takes = ("condition", "exceptions")
        if any(node.get(other) is not None for other in REPLACEABLE if other not in takes):
            return None  # Falco ignores these keys now, and would refuse them then
    keys = [name for name in takes if node.get(name) is not None]
    if not keys:
        return None
    span = Span(item.file, key.start, value.end)
    return Fix("write `override`", (Edit(span, _override(item, keys, "append", key.start)),))


def _enabled(item: NamedItem) -> Fix | None:
    """A bare ``enabled`` gets an ``override`` behind it."""
    node, key, value = item.node, item.node.key("enabled"), item.node.get("enabled")
    if key is None or value is None or node.get("override") is not None:
        return None
    if any(node.get(other) is not None for other in REPLACEABLE if other != "enabled"):
        return None
    written = _override(item, ["enabled"], "replace", key.start)
    separator = ", " if node.flow else _line_end(item) + " " * _column(item, key.start)
    at = Span(item.file, value.end, value.end)
    return Fix("write `override`", (Edit(at, separator + written),))


def _override(item: NamedItem, keys: list[str], operation: str, at: int) -> str:
    if item.node.flow:
        return "override: {" + ", ".join(f"{key}: {operation}" for key in keys) + "}"
    indent = _line_end(item) + " " * (_column(item, at) + 2)
    return "override:" + "".join(f"{indent}{key}: {operation}" for key in keys)


def _column(item: NamedItem, offset: int) -> int:
    return item.file.line_column(offset)[1]


def _line_end(item: NamedItem) -> str:
    return "\r\n" if "\r\n" in item.file.text else "\n"

"""Putting a change into a rules file: into the item that is there already, else as a new one at the end."""

from __future__ import annotations

import re
from typing import Final

from falcokit.document import Mapping, Node, Scalar, Sequence, compose
from falcokit.source import SourceFile
from falcokit.whitelist.place import Change
from falcokit.whitelist.snippet import list_item, snippet

__all__ = ["HEADER", "with_change"]

HEADER: Final = "# Custom rules: what is let through here, and why. Loaded after the default rules.\n"


def with_change(text: str | None, change: Change, form: str, note: str) -> tuple[str, ...]:
    """The texts that a rules file with *text* (None: there is none) can have with *change* in it, the best first.

    An item that was made for the same is extended where it stands; nothing else of the file changes.  The last one
    adds an item at the end, if the file is such that one can be added.  *text* itself is among them where the change is in it already.
    """
    if text is not None and "\r\n" in text and "\n" not in text.replace("\r\n", ""):
        return tuple([one.replace("\r\n", "\n").replace("\n", "\r\n") for one in with_change(text.replace("\r\n", "\n"), change, form, note)])  # fmt: skip
    if text is None:
        return (HEADER + "\n" + snippet([change], form, note),)
    if not text.strip():
        return (text + HEADER + "\n" + snippet([change], form, note),)
    documents, error = compose(SourceFile("", text))
    if error is not None:
        return ()
    roots = [document.root for document in documents if document.root is not None]
    found = _extended(text, roots[0], change) if len(roots) == 1 and isinstance(roots[0], Sequence) else None
    gap = "" if text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    at_end = (text + gap + snippet([change], form, note),) if not roots or _goes_on(text, roots[-1]) else ()
    return (found, *at_end) if found is not None else at_end


def _goes_on(text: str, root: Node) -> bool:
    """Whether an item more can be written behind *root* as it is: it is a sequence of dashes that begin their lines."""
    if not isinstance(root, Sequence) or root.flow or re.search(r"^\.\.\.\s*\Z", text, re.MULTILINE):
        return False
    return text.startswith("-", text.rfind("\n", 0, root.start) + 1)


def _extended(text: str, root: Sequence, change: Change) -> str | None:
    """*text* with the item extended that the change belongs to; None where there is none."""
    if change.via == "copy":
        return None
    for item in reversed(root.items):
        if not isinstance(item, Mapping) or _text(item.get(change.kind)) != change.name:
            continue
        if change.via == "exception":
            return _with_value(text, item, change)
        if change.kind == "list":
            return _with_items(
                text, item.get("items"), [list_item(value, change.identity.lists) for value in change.items]
            )
        if change.kind == "macro":
            return _with_condition(text, item.get("condition"), change.condition)
        return None
    return None


def _text(node: Node | None) -> str:
    return node.value if isinstance(node, Scalar) else ""


def _with_condition(text: str, node: Node | None, condition: str) -> str | None:
    """*condition*, which begins with ``or``, behind the one that is there."""
    if not isinstance(node, Scalar) or node.null or not node.value.strip():
        return None
    if condition.removeprefix("or ") in node.value:
        return text
    if node.style in ("'", '"'):
        return None  # What is in quotes would have to be quoted again.
    end = node.end
    while end > node.start and text[end - 1] in " \t\r\n":
        end -= 1
    if node.style == "" and (": " in condition or " #" in condition):
        return None
    return f"{text[:end]} {condition}{text[end:]}"


def _with_items(text: str, node: Node | None, items: list[str]) -> str | None:
    """*items* behind those of a sequence."""
    if not isinstance(node, Sequence) or not node.items:
        return None
    present = {text[item.start : item.end].strip() for item in node.items} | {_text(item) for item in node.items}
    new = [item for item in items if item not in present and item.strip("\"'") not in present]
    if not new:
        return text
    last = node.items[-1]
    if node.flow:
        return f"{text[: last.end]}, {', '.join(new)}{text[last.end :]}"
    start = text.rfind("\n", 0, last.start) + 1
    indent = text[start : last.start]
    if indent.strip(" ") != "-" and not indent.strip(" ").startswith("-"):
        return None
    end = text.find("\n", last.end)
    head, tail = (text[:end], text[end:]) if end >= 0 else (text, "")
    return head + "".join([f"\n{indent}{item}" for item in new]) + tail


def _with_value(text: str, item: Mapping, change: Change) -> str | None:
    """A value more for an exception of a rule's item."""
    exceptions = item.get("exceptions")
    for entry in exceptions.items if isinstance(exceptions, Sequence) else ():
        if not isinstance(entry, Mapping) or _text(entry.get("name")) != change.condition:
            continue
        row = snippet([change]).split("values: [", 1)[1].split("\n", 1)[0].rsplit("]", 1)[0]
        return _with_items(text, entry.get("values"), [row])
    return None

"""Reading the values of an item's keys: text, booleans, numbers and sequences, with Falco's demands on each."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Sequence as Many
from typing import Final, TypeVar

from falcokit.diagnostic import Diagnostic, FalcoPlace, Step
from falcokit.document import Mapping, Node, Scalar, Sequence
from falcokit.ruleset.items import Entry, Written
from falcokit.source import SourceFile, Span

__all__ = ["Values", "boolean", "described", "plain_name", "short", "unsigned"]

T = TypeVar("T")

_BOOLEAN: Final = {
    word: truth
    for truth, words in ((True, ("y", "yes", "true", "on")), (False, ("n", "no", "false", "off")))
    for lower in words
    for word in (lower, lower.upper(), lower.capitalize())
}
_UNSIGNED: Final = re.compile(r"\+?(0[xX][0-9a-fA-F]+|[0-9]+)[ \t\n\v\f\r]*")


def boolean(text: str) -> bool | None:
    """The truth of *text* as Falco's YAML reader takes it, None where it is no boolean."""
    return _BOOLEAN.get(text)


def unsigned(text: str) -> int | None:
    """*text* as an unsigned 32-bit number: decimal, 0x hexadecimal or 0 octal; None where it is none."""
    found = _UNSIGNED.fullmatch(text)
    if found is None:
        return None
    digits = found[1]
    if digits[:2] in ("0x", "0X"):
        number = int(digits, 16)
    elif digits.startswith("0") and len(digits) > 1:
        if digits.strip("01234567"):
            return None
        number = int(digits, 8)
    else:
        if len(digits) > 10:
            return None
        number = int(digits)
    return number if number < 1 << 32 else None


def described(node: Node) -> str:
    """What a node is, for messages."""
    if isinstance(node, Scalar):
        return "empty" if node.null else "a text"
    return "a sequence" if isinstance(node, Sequence) else "a mapping"


def plain_name(file: SourceFile, node: Mapping, kind: str) -> Written | None:
    """The name of an item where nothing is wrong with it."""
    value = node.get(kind)
    if isinstance(value, Scalar) and value.value and not value.null:
        return Written(file, value)
    return None


class Values:
    """One mapping being read: its place for Falco's nested locations, and the problems found so far, in Falco's order.

    Reading goes on behind a problem, so that all of them are seen; Falco stops at the first.
    """

    def __init__(self, file: SourceFile, node: Mapping, steps: tuple[Step, ...]) -> None:
        self.file = file
        self.node = node
        self.steps = steps
        self.problems: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self.entries: dict[int, tuple[Entry, ...]] = {}

    def problem(
        self,
        kind: str,
        message: str,
        node: Node | None = None,
        steps: Many[Step] = (),
        help: str = "",
        falco_code: str = "",
        detail: str = "",
    ) -> None:
        """Note an error at *node*, or at the head of the item; *steps* are Falco's locations inside this mapping's."""
        self.problems.append(self.diagnostic(kind, message, node, steps, help, falco_code, detail))

    def warn(self, kind: str, message: str, node: Node | None = None, help: str = "", detail: str = "") -> None:
        """Note a warning; Falco reports it at the mapping."""
        self.warnings.append(self.diagnostic(kind, message, node, (), help, "", detail))

    def diagnostic(
        self, kind: str, message: str, node: Node | None, steps: Many[Step], help: str, falco_code: str, detail: str
    ) -> Diagnostic:
        """One finding about this mapping."""
        place = FalcoPlace(self.file, (*self.steps, *steps))
        span = self.head() if node is None else Span(self.file, node.start, node.end)
        return Diagnostic(kind, message, span, help, (), place, falco_code, detail)

    def head(self) -> Span:
        """The first pair of the mapping: what an item is recognised by."""
        if not self.node.pairs:
            return Span(self.file, self.node.start, self.node.end)
        key, value = self.node.pairs[0]
        end = value.end if isinstance(value, Scalar) and not value.null else key.end
        return Span(self.file, key.start, max(end, key.end))

    def has(self, key: str) -> bool:
        """Whether the key is there, with whatever value."""
        return self.node.get(key) is not None

    def text(self, key: str, *, required: bool = True, noun: str = "", help: str = "") -> Written | None:
        """The text of a scalar key; present but null or empty is a problem even where the key is optional."""
        value = self.node.get(key)
        if value is None:
            if required:
                what = noun or f"a {self.steps[-1].item_type}"
                advice = help or _MISSING.get(key, "")
                self.problem("missing-key", f"{what} needs the key `{key}`", help=advice, detail=key)
            return None
        if not isinstance(value, Scalar):
            step = Step("value for", key, value.start)
            self.problem("wrong-shape", f"`{key}` must be a text, not {described(value)}", value, (step,))
            return None
        if value.null:
            name = self.node.key(key)
            self.problem("missing-key", f"`{key}` has no value", name, help=f"give `{key}` a value", detail=key)
            return None
        if not value.value:
            step = Step("value for", key, value.start)
            self.problem("empty-value", f"`{key}` must not be empty", value, (step,))
            return None
        return Written(self.file, value)

    def boolean(self, key: str) -> bool | None:
        """The truth of an optional boolean key."""
        return self._decoded(key, boolean, "true or false")

    def number(self, key: str) -> int | None:
        """The value of an optional unsigned key."""
        return self._decoded(key, unsigned, "a whole number from 0 to 4294967295")

    def _decoded(self, key: str, decode: Callable[[str], T | None], wanted: str) -> T | None:
        if not self.has(key):
            return None
        written = self.text(key)
        if written is None:
            return None
        value = decode(written.text)
        if value is None:
            step = Step("value for", key, written.node.start)
            message = f"`{key}: {short(written.text)}` is not {wanted}"
            self.problem("invalid-value", message, written.node, (step,), help=f"write {wanted}")
        return value

    def texts(self, key: str, *, required: bool) -> tuple[Written, ...] | None:
        """The elements of a sequence of texts; empty ones are allowed, null ones are not."""
        value = self.node.get(key)
        if value is None:
            if required:
                self.problem("missing-key", f"a {self.steps[-1].item_type} needs the key `{key}`", detail=key)
            return None
        step = Step("value for", key, value.start)
        if not isinstance(value, Sequence):
            node = self.node.key(key) if isinstance(value, Scalar) and value.null else value
            advice = f"write `{key}: [...]`" + (", with `[]` for none" if isinstance(value, Scalar) else "")
            self.problem("wrong-shape", f"`{key}` must be a sequence, not {described(value)}", node, (step,), advice)
            return None
        found = []
        for item in value.items:
            if not isinstance(item, Scalar) or item.null:
                inner = Step("list item", "", item.start)
                message = f"an element of `{key}` must be a text, not {described(item)}"
                self.problem("wrong-shape", message, item, (step, inner), "quote it if it is meant as text")
                continue
            found.append(Written(self.file, item))
        return tuple(found)


_MISSING: Final = {
    "desc": "add `desc:` with a sentence on what the rule detects",
    "output": "add `output:`, or name the keys you change under `override:`",
    "condition": "add `condition:`, or name the keys you change under `override:`",
    "priority": "add `priority:` with one of EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO, DEBUG",
}


def short(text: str) -> str:
    """*text*, cut where it is long."""
    return text if len(text) <= 40 else text[:37] + "..."

"""Conditions with their macros put in, in a small normal form that code is generated from.

A node is True, False or a tuple: ``("and", nodes)``, ``("or", nodes)``, ``("not", node)`` or an atom.  Atoms on plain texts are
``("in", field, texts)``, ``("not in", field, texts)`` (which wants a value), ``("starts", field, texts)``, ``("ends", field, texts)``,
``("has", field, text)`` and ``("exists", field)``; on whole numbers ``("number", field, operator, numbers, type)``, on truth values ``("flag", field, value)``; every
other check is ``("call", number)``, a number among the checks.  ``("open", atom)`` holds where its atom does and where the field
is absent.  Equal nodes are one object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition.ast import And, Check, Expression, Field, Identifier, ListValue, Not, Value
from falcokit.evaluate.ancestors import ANCESTORS
from falcokit.evaluate.given import GIVEN
from falcokit.evaluate.sockets import BOTH_ENDS
from falcokit.evaluate.values import TEXTS, read_literal
from falcokit.ruleset.event_set import event_codes
from falcokit.ruleset.literals import NUMBER_WIDTHS
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.operands import glued

__all__ = ["Expansion", "Node", "weight"]

Node: TypeAlias = "bool | tuple[Any, ...]"

MAX_DEPTH: Final = 60
"""How deep a node may be for code to be made of it: Python's own parser has limits."""


class Expansion:
    """The nodes of the conditions of rules of one source."""

    def __init__(self, source: str, catalogue: Catalogue) -> None:
        self.source: Final = source
        self.catalogue: Final = catalogue
        self.checks: Final[list[Check]] = []
        """The checks that atoms ``call``."""
        self._calls: dict[Check, int] = {}
        self._nodes: dict[Node, Node] = {}
        self._macros: dict[int, tuple[Bound, Node]] = {}

    def node(self, tree: Expression | None, bound: Bound | None) -> Node:
        """The node of *tree*, whose names *bound* knows."""
        if tree is None:
            return True
        kind = tree.__class__
        if kind is Check:
            return self._atom(tree)  # type: ignore[arg-type]
        if kind is Identifier:
            inner = bound.env[tree.name] if bound is not None else None  # type: ignore[union-attr]
            assert inner is not None
            known = self._macros.get(id(inner))
            if known is None:
                known = self._macros[id(inner)] = (inner, self.node(inner.tree, inner))
            return known[1]
        if kind is Not:
            return self.negated(self.node(tree.child, bound))  # type: ignore[union-attr]
        parts = [self.node(child, bound) for child in tree.children]  # type: ignore[union-attr]
        return self.both(parts) if kind is And else self.either(parts)

    def _one(self, node: tuple[Any, ...]) -> Node:
        return self._nodes.setdefault(node, node)

    def negated(self, node: Node) -> Node:
        """``not`` *node*."""
        if node.__class__ is bool:
            return not node
        assert isinstance(node, tuple)
        return node[1] if node[0] == "not" else self._one(("not", node))

    def both(self, nodes: list[Node]) -> Node:
        """All of *nodes*; what they say of one field becomes one atom."""
        flat: dict[Node, None] = {}
        merged: dict[tuple[str, Any], frozenset[str]] = {}
        for node in nodes:
            for part in node[1] if node.__class__ is tuple and node[0] == "and" else (node,):
                if part is False:
                    return False
                if part is True:
                    continue
                inner = part[1] if part[0] == "not" else part
                key: tuple[str, Any] | None = None
                if part[0] == "in":
                    key = ("in", part[1])
                elif part[0] == "not in":
                    key = ("not in", part[1])
                elif part[0] == "not" and inner[0] == "in":
                    key = ("out", inner[1])
                if key is None:
                    flat[part] = None
                elif key in merged:
                    known = merged[key]
                    merged[key] = known & part[2] if key[0] == "in" else known | inner[2]
                else:
                    merged[key] = inner[2]
        for (kind, field), texts in merged.items():
            if kind == "in":
                if not texts:
                    return False
                flat[self._one(("in", field, texts))] = None
            elif kind == "not in":
                flat[self._one(("not in", field, texts | merged.get(("out", field), frozenset())))] = None
            elif ("not in", field) not in merged:
                flat[self._one(("not", self._one(("in", field, texts))))] = None
        if not flat:
            return True
        return next(iter(flat)) if len(flat) == 1 else self._one(("and", tuple(flat)))

    def either(self, nodes: list[Node]) -> Node:
        """One of *nodes*; what they say of one field becomes one atom."""
        flat: dict[Node, None] = {}
        merged: dict[tuple[str, Any], Any] = {}
        for node in nodes:
            for part in node[1] if node.__class__ is tuple and node[0] == "or" else (node,):
                if part is True:
                    return True
                if part is False:
                    continue
                if part[0] in ("in", "starts", "ends"):
                    key = part[:2]
                    merged[key] = merged[key] | part[2] if key in merged else part[2]
                else:
                    flat[part] = None
        found = [self._one((*key, texts)) for key, texts in merged.items()] + list(flat)
        if not found:
            return False
        return found[0] if len(found) == 1 else self._one(("or", tuple(found)))

    def _atom(self, check: Check) -> Node:
        left = check.left
        if isinstance(left, Field) and not check.modifier:
            made = self._plain(check, left)
            if made is not None:
                return made
        return self._call(check)

    def _plain(self, check: Check, left: Field) -> Node | None:
        key = glued(left)
        if key == "evt.num":
            events = self.catalogue.events
            if event_codes(check, False, events) == 0:
                return False
            return True if event_codes(check, True, events) == 0 else None
        use = self.catalogue.resolve(key, self.source)
        assert isinstance(use, FieldUse)
        several = left.argument is None and (left.name in ANCESTORS or left.name in BOTH_ENDS)
        if (
            use.is_list
            or several
            or key in GIVEN
            or isinstance(check.right, Field)
            or (check.right is not None and not isinstance(check.right, (Value, ListValue)))
        ):
            return None
        operator = check.operator
        texts = check.right.texts if isinstance(check.right, ListValue) else (check.right.text,) if check.right else ()
        if use.type in TEXTS:
            if operator == "exists":
                return self._one(("exists", key))
            if not all(map(_clean, texts)):
                return None
            if operator in ("=", "==", "in"):
                return self._one(("in", key, frozenset(texts))) if texts else False
            if operator == "!=":
                return self._one(("not in", key, frozenset(texts)))
            name = {"startswith": "starts", "endswith": "ends"}.get(operator)
            if name is not None:
                return self._one((name, key, frozenset(texts)))
            if operator == "contains":
                return self._one(("has", key, texts[0]))
            return self._glob(check, key, texts[0]) if operator == "glob" else None
        if use.type in NUMBER_WIDTHS and operator in _NUMERIC and texts:
            numbers = frozenset([read_literal(text, use.type, operator) for text in texts])
            return self._one(("number", key, "in" if operator in ("=", "==") else operator, numbers, use.type))
        if use.type == "BOOL" and operator in ("=", "=="):
            return self._one(("flag", key, texts == ("true",)))
        return None

    def _glob(self, check: Check, key: str, pattern: str) -> Node | None:
        """A shell pattern, with what it wants that is cheaper to ask in front of it: most values fail there."""
        if not pattern.isascii() or not set(pattern).isdisjoint("?[\\"):
            return None
        first, *middle = pattern.split("*")
        if not middle:
            return self._one(("in", key, frozenset((pattern,))))
        last = middle.pop()
        cheap: list[Node] = [("starts", key, frozenset((first,)))] if first else []
        cheap += [("ends", key, frozenset((last,)))] if last else []
        cheap += [("has", key, part) for part in middle if part][:2]
        if len(cheap) == 1 and len(middle) <= 1 and not (first and last):
            return self._one(cheap[0])  # type: ignore[arg-type]
        return self.both([*[self._one(part) for part in cheap], self._call(check)])  # type: ignore[arg-type]

    def _call(self, check: Check) -> Node:
        number = self._calls.get(check)
        if number is None:
            number = self._calls[check] = len(self.checks)
            self.checks.append(check)
        return self._one(("call", number))

    def of_type(self, node: Node, name: str | None, cache: dict[int, Node]) -> Node:
        """*node* where ``evt.type`` is *name*, or missing where that is None; *cache* is kept for one name."""
        return self._replaced(node, lambda atom: _typed(atom, name), cache)

    def opened(
        self, node: Node, side: bool, calls: Callable[[int, bool], int], known: dict[tuple[int, bool], Node]
    ) -> Node:
        """*node* with those atoms opened that stand in front of an even number of ``not`` (*side* True) or of an odd one.

        With True the outcome holds wherever *node* may hold whatever the absent fields are, with False only where it
        must.  *calls* gives for a check and whether it is opened the number that ``call`` has then; *known* is kept for it.
        """
        if node.__class__ is bool:
            return node
        assert isinstance(node, tuple)
        key = (id(node), side)
        found = known.get(key)
        if found is None:
            kind = node[0]
            if kind == "not":
                found = self.negated(self.opened(node[1], not side, calls, known))
            elif kind in ("and", "or"):
                found = self._one((kind, tuple([self.opened(part, side, calls, known) for part in node[1]])))
            elif kind == "call":
                found = self._one(("call", calls(node[1], side)))
            else:
                found = self._one(("open", node)) if side else node
            # Kept alive by the expansion, whose nodes these are.
            known[key] = found
            self._one(node)
        return found

    def _replaced(self, node: Node, decide: Callable[[tuple[Any, ...]], Node], cache: dict[int, Node]) -> Node:
        if node.__class__ is bool:
            return node
        assert isinstance(node, tuple)
        known = cache.get(id(node))
        if known is not None:
            return known
        kind = node[0]
        found: Node
        if kind == "not":
            found = self.negated(self._replaced(node[1], decide, cache))
        elif kind in ("and", "or"):
            parts = [self._replaced(part, decide, cache) for part in node[1]]
            found = self.both(parts) if kind == "and" else self.either(parts)
        else:
            found = decide(node)
        cache[id(node)] = found
        return found


_NUMERIC: Final = frozenset(("=", "==", "!=", "<", "<=", ">", ">=", "in"))


def _clean(text: str) -> bool:
    """Whether *text* compares as a text as its bytes do."""
    if text.isascii():
        return "\0" not in text
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _typed(atom: tuple[Any, ...], name: str | None) -> Node:
    if atom[0] == "call" or atom[1] != "evt.type":
        return atom
    if name is None:
        return False
    kind = atom[0]
    if kind == "exists":
        return True
    if kind == "in":
        return name in atom[2]
    if kind == "not in":
        return name not in atom[2]
    if kind == "has":
        return atom[2] in name
    return name.startswith(tuple(atom[2])) if kind == "starts" else name.endswith(tuple(atom[2]))


def weight(node: Node) -> tuple[int, int]:
    """How many atoms *node* has once written out, and how deep it is; counted up to a million."""
    sizes: dict[int, tuple[int, int]] = {}

    def count(part: Node) -> tuple[int, int]:
        if part.__class__ is bool:
            return 0, 0
        assert isinstance(part, tuple)
        known = sizes.get(id(part))
        if known is None:
            if part[0] == "not":
                size, depth = count(part[1])
                known = (size, depth + 1)
            elif part[0] in ("and", "or"):
                inner = [count(one) for one in part[1]]
                known = (min(sum(size for size, _ in inner), 1_000_000), 1 + max(depth for _, depth in inner))
            else:
                known = (1, 1)
            sizes[id(part)] = known
        return known

    return count(node)

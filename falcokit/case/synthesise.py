"""Making up an event that fires a rule, from the rule's resolved condition alone.

One way through the alternatives of the condition is chosen after the other; what it wants of each field gives a few values to
try; what fires in the end is decided by the evaluator.  Fields that nothing asks for have no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice, product
from random import Random
from typing import Any, Final, TypeAlias

from falcokit.catalogue import FieldUse
from falcokit.condition.ast import Check, Expression, Field, ListValue, Transformer, TransformerList, Value
from falcokit.evaluate.expand import Expansion, Node
from falcokit.evaluate.given import fields_of
from falcokit.evaluate.leaf import Leaves
from falcokit.evaluate.matcher import Matcher
from falcokit.evaluate.sockets import BOTH_ENDS
from falcokit.evaluate.values import TEXTS, read_value
from falcokit.ruleset.literals import NUMBER_WIDTHS
from falcokit.ruleset.operands import glued
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["matching_event"]

_MAX_WAYS: Final = 400
"""How many ways through the alternatives of one condition are tried, for each type of event."""
_MAX_TYPES: Final = 6
_MAX_TRIES: Final = 60
"""How many combinations of values are tried on one way."""
_MAX_VALUES: Final = 8
_COMMON: Final = (
    "execve", "openat", "open", "connect", "container", "setuid", "unlinkat", "renameat", "mkdirat", "symlinkat", "linkat", "fchmodat",
    "ptrace", "clone", "sendto", "accept4", "socket", "setns", "unshare", "mount", "bpf", "init_module", "finit_module", "dup2", "userfaultfd",
)  # fmt: skip
"""Types that are tried first: those people know."""
_EXAMPLES: Final = 6
"""How many texts are made up for one regular expression."""
_PLAIN: Final = ("x", "other", "/x/y", "127.0.0.1")

_Parts: TypeAlias = "tuple[tuple[Node, bool], ...]"


def matching_event(
    rule: CompiledRule, matcher: Matcher, fixed: Mapping[str, object] | None = None, also: Expression | None = None
) -> dict[str, object] | None:
    """An event that fires *rule*, one of the matcher's, with the fields *fixed* (None: without a value), and of which *also* holds
    as far as was tried; None where none was found."""
    assert rule.bound is not None
    source = rule.definition.source
    expansion = Expansion(source, matcher.catalogue)
    try:
        node = expansion.node(rule.bound.tree, rule.bound)
        if also is not None:
            node = ("and", (expansion.node(also, rule.bound), node))
    except RecursionError:
        return None
    search = _Search(rule, matcher, expansion, dict(fixed or {}))
    if source != "syscall":
        return search.event(node, {})
    for name in _types(rule, matcher):
        found = search.event(expansion.of_type(node, name, {}), {"evt.type": name})
        if found is not None:
            return found
    return None


def _types(rule: CompiledRule, matcher: Matcher) -> Iterator[str]:
    """Types of events that *rule* is asked about, those that people know first."""
    events = matcher.catalogue.events
    fitting = [name for name in events.all_names() if name and events.names((name,)) & rule.codes]
    known = [name for name in _COMMON if name in fitting]
    return islice(dict.fromkeys([*known, *fitting]), _MAX_TYPES)


class _Search:
    def __init__(self, rule: CompiledRule, matcher: Matcher, expansion: Expansion, fixed: dict[str, object]) -> None:
        self._rule = rule
        self._matcher = matcher
        self._source: Final = rule.definition.source
        self._expansion = expansion
        self._leaves = Leaves(self._source, matcher.catalogue)
        self._fixed = fixed

    def event(self, node: Node, base: dict[str, object]) -> dict[str, object] | None:
        """An event with the fields of *base* of which *node* holds."""
        # What must not hold needs nothing at first: a missing field makes every check false.
        try:
            ways = [*islice(self._ways(((node, True),), lenient=True), _MAX_WAYS // 4)]
        except RecursionError:
            return None
        for parts in chain(ways, islice(self._strict(node), _MAX_WAYS)):
            for values in self._values(parts):
                event = {**base, **values, **{key: value for key, value in self._fixed.items() if value is not None}}
                if self._matcher.walked(self._rule, event) and self._matcher.why(self._rule, event).holds:
                    return event
        return None

    def _strict(self, node: Node) -> Iterator[_Parts]:
        """All ways through the alternatives, until they get too deep."""
        with suppress(RecursionError):
            yield from self._ways(((node, True),))

    def _ways(self, todo: _Parts, atoms: _Parts = (), *, lenient: bool = False) -> Iterator[_Parts]:
        """The atoms that hold or do not on each way through the alternatives of *todo*; *lenient* takes no choice of what must not hold."""
        while todo:
            (node, holds), todo = todo[0], todo[1:]
            if node.__class__ is bool:
                if node is not holds:
                    return
                continue
            assert isinstance(node, tuple)
            kind = node[0]
            if kind == "not":
                todo = ((node[1], not holds), *todo)
            elif kind in ("and", "or"):
                if (kind == "and") is holds:
                    # Single checks first: what they say narrows the choices.
                    parts = sorted(
                        node[1], key=lambda part: part.__class__ is tuple and part[0] in ("and", "or", "not")
                    )
                    todo = (*[(part, holds) for part in parts], *todo)
                    continue
                if lenient and not holds:
                    continue
                parts = sorted(node[1], key=_effort if holds else lambda part: -_effort(part))
                for part in parts:
                    yield from self._ways(((part, holds), *todo), atoms, lenient=lenient)
                return
            else:
                atoms = (*atoms, (node, holds))
                if not self._possible(atoms):
                    return
        yield atoms

    def _possible(self, atoms: _Parts) -> bool:
        """Whether the last atom goes with the ones before it, as far as texts tell."""
        node, holds = atoms[-1]
        assert isinstance(node, tuple)
        if not holds or node[0] not in ("in", "flag"):
            return True
        allowed = self._fixed.get(node[1])
        if allowed is not None and node[0] == "in" and allowed not in node[2]:
            return False
        for other, wanted in atoms[:-1]:
            assert isinstance(other, tuple)
            if wanted and other[:2] == node[:2]:
                apart = other[2].isdisjoint(node[2]) if node[0] == "in" else other[2] is not node[2]
                if apart:
                    return False
        return True

    def _values(self, atoms: _Parts) -> Iterator[dict[str, object]]:
        """Values of the fields with which *atoms* hold or do not, a few combinations of them."""
        wanted: dict[str, list[tuple[Node, bool]]] = {}
        for node, holds in atoms:
            assert isinstance(node, tuple)
            for field in self._fields(node):
                wanted.setdefault(field, []).append((node, holds))
        choices: list[list[tuple[str, object]]] = []
        for field, parts in wanted.items():
            if not any(holds for _, holds in parts):
                continue  # What is missing makes every check false.
            if field in self._fixed:
                continue
            candidates = [
                value for value in dict.fromkeys(self._candidates(field, parts)) if self._fits(field, value, parts)
            ]
            if not candidates:
                return
            choices.append([(field, value) for value in candidates[:_MAX_VALUES]])
        for chosen in islice(product(*choices), _MAX_TRIES):
            yield {field: list(value) if isinstance(value, tuple) else value for field, value in chosen}

    def _fields(self, node: tuple[Any, ...]) -> tuple[str, ...]:
        if node[0] != "call":
            return (node[1],)
        return tuple([glued(field) for field in fields_of(self._expansion.checks[node[1]])])

    def _candidates(self, field: str, parts: list[tuple[Node, bool]]) -> Iterator[Any]:
        """Values that *field* may need to have, the likeliest first."""
        positive = [node for node, holds in parts if holds]
        starts, middle, ends = [""], "", [""]
        for node in positive:
            assert isinstance(node, tuple)
            kind = node[0]
            if kind == "in":
                yield from sorted(node[2], key=lambda text: (not text, len(text), text))
            elif kind == "starts":
                starts = sorted(node[2])
            elif kind == "ends":
                ends = sorted(node[2])
            elif kind == "has":
                middle += node[2]
            elif kind == "number":
                yield from [number + step for number in node[3] for step in (0, 1, -1)]
                yield from (0, 1, 1000)
            elif kind == "flag":
                yield node[2]
            elif kind == "call":
                yield from self._of_check(field, self._expansion.checks[node[1]])
        type_name, is_list = self._type(field)
        if type_name in TEXTS and not is_list:
            for start, end in product(starts, ends):
                if start + middle + end:
                    yield start + middle + end
                yield f"{start}x{middle}x{end}"
                yield f"{start}/x{middle}{end}"
            yield from (*_PLAIN, "")
        elif type_name in NUMBER_WIDTHS or type_name == "PORT":
            yield from (1, 0, 1000)
        elif type_name == "BOOL":
            yield from (True, False)
        elif is_list:
            yield ("x",)
        else:
            yield from ("127.0.0.1", "::1", "x")

    def _of_check(self, field: str, check: Check) -> Iterator[object]:
        """Values out of a check that is not plain."""
        type_name, is_list = self._type(field)
        texts = (
            check.right.texts
            if isinstance(check.right, ListValue)
            else (check.right.text,)
            if isinstance(check.right, Value)
            else ()
        )
        texts += tuple(_literals(check.left))
        if check.operator == "regex":
            texts = (*[example for text in texts for example in _examples(text)], *texts)
        if is_list:
            yield from [(text,) for text in texts]
            yield tuple(texts)
            return
        for text in texts:
            if type_name in NUMBER_WIDTHS or type_name == "PORT":
                if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 20:
                    yield from (int(text), int(text) + 1, int(text) - 1)
                continue
            if type_name == "BOOL":
                yield text == "true"
                continue
            if type_name == "BYTEBUF" and check.operator in ("bcontains", "bstartswith"):
                yield bytes.fromhex(text).decode("utf-8", "surrogateescape")
            yield text
            yield text.partition("/")[0] if "IP" in type_name else f"/x/{text}"
            yield text.replace("\\", "").replace("*", "x").replace("?", "x")
            yield text.strip("^$").replace(".*", "x").replace(".+", "x").replace("\\", "")
            yield text.strip("^$").replace(".*", "/").replace(".+", "/").replace("\\", "")
        if check.modifier:
            yield " ".join(texts)
            yield "".join(texts)

    def _type(self, field: str) -> tuple[str, bool]:
        use = self._matcher.catalogue.resolve(field, self._source)
        if not isinstance(use, FieldUse):
            return "CHARBUF", False
        return use.type, use.is_list and field not in BOTH_ENDS

    def _fits(self, field: str, value: object, parts: list[tuple[Node, bool]]) -> bool:
        """Whether *value* does what the parts about this field alone want."""
        type_name, is_list = self._type(field)
        if not is_list and read_value(value, type_name) is None:
            return False
        event = {field: value}
        for node, holds in parts:
            assert isinstance(node, tuple)
            if node[0] == "call":
                check = self._expansion.checks[node[1]]
                if len(set(self._fields(node))) == 1 and self._leaves.of(check).holds(event, 1) is not holds:
                    return False
            elif _holds(node, value) is not holds:
                return False
        return True


def _holds(atom: tuple[Any, ...], value: Any) -> bool:
    """Whether *atom* holds where its field is *value*."""
    kind = atom[0]
    wanted: Any = atom[2] if len(atom) > 2 else None
    if kind == "exists":
        return True
    if kind == "flag":
        return value is wanted
    if kind == "number":
        return _compared(value, atom[2], atom[3])
    if not isinstance(value, str):
        return False
    if kind in ("in", "not in"):
        return (value in wanted) is (kind == "in")
    if kind == "has":
        return wanted in value
    return value.startswith(tuple(wanted)) if kind == "starts" else value.endswith(tuple(wanted))


def _compared(value: Any, operator: str, numbers: frozenset[int]) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    if operator == "in":
        return value in numbers
    (number,) = numbers
    return {
        "!=": value != number, "<": value < number, "<=": value <= number, ">": value > number, ">=": value >= number,
    }[operator]  # fmt: skip


def _effort(node: Node) -> int:
    """How many fields a part wants values of, roughly: fewer is tried first."""
    if node.__class__ is bool:
        return 0
    assert isinstance(node, tuple)
    if node[0] in ("and", "or"):
        efforts = [_effort(part) for part in node[1]]
        return sum(efforts) if node[0] == "and" else min(efforts)
    if node[0] == "not":
        return 0
    return 3 if node[0] == "call" else 1


class _Few(Random):
    """Chooses as few repetitions as there can be, or a few more: what is made is short whatever the pattern."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._more: Final = seed % 3

    def randint(self, a: int, b: int) -> int:
        return min(a + self._more, b)


def _examples(pattern: str) -> Iterator[str]:
    """Texts that *pattern* may match; RE2 has taken it already, so that its repetitions are bounded."""
    from rstr import Rstr

    for seed in range(_EXAMPLES):
        with suppress(ValueError, KeyError, IndexError, re.error, RecursionError, OverflowError, TypeError):
            yield Rstr(_Few(seed)).xeger(pattern)


def _literals(operand: object) -> Iterator[str]:
    """The texts inside of a transformer."""
    if isinstance(operand, Value):
        yield operand.text
    elif isinstance(operand, Transformer):
        for argument in operand.arguments:
            yield from _literals(argument)
    elif isinstance(operand, TransformerList):
        for item in operand.items:
            yield from _literals(item)
    elif isinstance(operand, Field):
        return

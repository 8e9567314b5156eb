"""One Python function for all rules that one type of event can fire.

The function asks once what several rules want: rules that want a field to be one of certain texts are found in a
dictionary by its value, rules with a check in common stand below that check.  Each field is read once an event, and
only where something asks for it.

No text of a rule becomes code: texts, sets and checks are objects that the code names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Final, TypeAlias

from falcokit.evaluate.expand import Node
from falcokit.evaluate.operand import Event
from falcokit.evaluate.values import WrongValues, as_text, as_type, limits

__all__ = ["Ask", "Function", "generate"]

Ask: TypeAlias = "Callable[[Event, int], bool]"
"""A check, asked of an event and its number."""
Function: TypeAlias = "Callable[[Event, int], tuple[int, ...]]"
"""From an event and its number to the numbers of the rules that fire, in no order."""
_Wanted: TypeAlias = "tuple[int, tuple[Node, ...]]"

_MAX_LEVEL: Final = 80
"""How deep blocks are nested; Python takes a hundred."""
_MANY: Final = 3
"""From how many sets of texts on a dictionary pays."""


def generate(rules: Sequence[tuple[int, Node]], calls: Sequence[Ask], wrong: WrongValues | None) -> Function:
    """The function of *rules*, pairs of a number and what must hold; ``("call", n)`` there asks the *n*-th of *calls*."""
    writer = _Writer(calls, wrong)
    writer.rules([(number, _parts(node)) for number, node in rules if node is not False], 1)
    head = ["def fired(event, number):", "    get = event.get", "    found = ()"]
    if writer.fields:
        head.append(f"    {' = '.join(writer.fields.values())} = unread")
    exec("\n".join([*head, *writer.lines, "    return found"]), writer.names)
    function: Function = writer.names["fired"]
    return function


def _parts(node: Node) -> tuple[Node, ...]:
    """What must hold, one by one."""
    if node is True:
        return ()
    assert isinstance(node, tuple)
    return node[1] if node[0] == "and" else (node,)


class _Writer:
    """The lines of a function, the objects that they name, and the variables of the fields that they read."""

    def __init__(self, calls: Sequence[Ask], wrong: WrongValues | None) -> None:
        self.lines: Final[list[str]] = []
        self.names: Final[dict[str, Any]] = {"unread": object(), "text": as_text, "typed": as_type, "wrong": wrong}
        self.fields: Final[dict[str, str]] = {}
        self._calls: Final = calls
        self._known: Final[dict[tuple[str, Any], str]] = {}
        self._read: list[str] = []
        """The variables that hold their values wherever the next line stands."""
        self._costs: dict[int, tuple[float, float]] = {}

    def rules(self, wanted: list[_Wanted], level: int) -> None:
        """Write what finds out which of the rules *wanted* fire."""
        always = tuple([number for number, parts in wanted if not parts])
        if always or not wanted:
            self._line(level, f"found += {self._name('rules', always)}")
        rest = [rule for rule in wanted if rule[1]]
        while rest:
            field, many = _wanted_field(rest)
            part, common = self._shared(rest)
            if level >= _MAX_LEVEL or max(many, common) < 2:
                for rule in rest:
                    self._alone(rule, level)
                return
            if many >= common:
                rest = self._look_up(field, rest, level)
                continue
            below = [(number, tuple([p for p in parts if p is not part])) for number, parts in rest if part in parts]
            inner = self._test(part, level)
            kept = len(self._read)
            self.rules(below, inner)
            del self._read[kept:]
            rest = [rule for rule in rest if part not in rule[1]]

    def _look_up(self, field: str, rules: list[_Wanted], level: int) -> list[_Wanted]:
        """Write those of *rules* that want *field* to be one of certain texts; gives the others."""
        others: list[_Wanted] = []
        masks: dict[str, int] = {}
        below: list[_Wanted] = []
        for number, parts in rules:
            key = next((part for part in parts if part[0] == "in" and part[1] == field), None)  # type: ignore[index]
            if key is None:
                others.append((number, parts))
                continue
            for text in key[2]:  # type: ignore[index]
                masks[text] = masks.get(text, 0) | 1 << len(below)
            below.append((number, tuple([part for part in parts if part is not key])))
        variable = self._load(field, level)
        lookup = f"lookup{len(self.names)}"
        self.names[lookup] = masks.get
        mask = f"mask{level}"
        self._line(level, f"{mask} = {lookup}({variable})")
        self._line(level, f"if {mask} is not None:")
        kept = len(self._read)
        for place, rule in enumerate(below):
            self._line(level + 1, f"if {mask} & {1 << place}:")
            inner = len(self._read)
            self._alone(rule, level + 2)
            del self._read[inner:]
        del self._read[kept:]
        return others

    def _alone(self, rule: _Wanted, level: int) -> None:
        """Write one rule, its parts one below the other."""
        parts = sorted(rule[1], key=lambda part: _rank(*self._cost(part), holds=False))
        kept: int | None = None
        if level + len(parts) > _MAX_LEVEL:
            self._line(level, f"if {' and '.join([f'({self._expression(part)})' for part in parts])}:")
            level, kept, parts = level + 1, len(self._read), []
        for part in parts:
            level = self._test(part, level)
            if kept is None:  # What the first one reads is read whether it holds or not.
                kept = len(self._read)
        self._line(level, f"found += {self._name('rules', (rule[0],))}")
        del self._read[kept:]

    def _test(self, part: Node, level: int) -> int:
        """Write the start of a block that runs where *part* holds, and before it what reads its field; gives its level."""
        assert isinstance(part, tuple)
        atom = part[1] if part[0] == "not" else part
        if atom[0] not in ("and", "or", "not", "call", "open"):
            self._load(atom[1], level, _type_of(atom))
        self._line(level, f"if {self._expression(part)}:")
        return level + 1

    def _expression(self, node: Node) -> str:
        if node.__class__ is bool:
            return str(node)
        assert isinstance(node, tuple)
        kind = node[0]
        if kind == "not":
            inner = node[1]
            return (
                f"{self._value(inner[1])} not in {self._name('texts', inner[2])}"
                if inner[0] == "in"
                else f"not ({self._expression(inner)})"
            )
        if kind in ("and", "or"):
            holds = kind == "or"
            parts = sorted(node[1], key=lambda part: _rank(*self._cost(part), holds=holds))
            return f" {kind} ".join([f"({self._expression(part)})" for part in parts])
        if kind == "call":
            return f"{self._name('call', self._calls[node[1]])}(event, number)"
        if kind == "open":
            return f"{self._name('field', node[1][1])} not in event or ({self._expression(node[1])})"
        if kind == "number":
            return self._of_number(node)
        if kind == "flag":
            return f"{self._value(node[1], 'BOOL')} is {node[2]}"
        value = self._value(node[1])
        if kind == "in":
            return f"{value} in {self._name('texts', node[2])}"
        if kind == "exists":
            return f"{value} is not None"
        variable = self.fields[node[1]]
        if kind == "not in":
            return f"{value} is not None and {variable} not in {self._name('texts', node[2])}"
        if kind == "has":
            return f"{value} is not None and {self._name('text', node[2])} in {variable}"
        method = "startswith" if kind == "starts" else "endswith"
        return f"{value} is not None and {variable}.{method}({self._name('ends', tuple(sorted(node[2])))})"

    def _of_number(self, node: tuple[Any, ...]) -> str:
        _, field, operator, numbers, type_name = node
        value = self._value(field, type_name)
        if operator == "in":
            return f"{value} in {self._name('numbers', numbers)}"
        (number,) = numbers
        return f"{value} is not None and {self.fields[field]} {operator} {self._name('number', number)}"

    def _load(self, field: str, level: int, type_name: str = "") -> str:
        """Write statements that read *field*, and name its variable."""
        first = field not in self.fields
        variable = self.fields.setdefault(field, f"value{len(self.fields)}")
        if variable in self._read:
            return variable
        self._read.append(variable)
        if not first:  # Somewhere it may have been read before.
            self._line(level, f"if {variable} is unread:")
            level += 1
        key = self._name("field", field)
        self._line(level, f"{variable} = get({key})")
        if type_name == "BOOL":
            self._line(level, f"if {variable} is not True and {variable} is not False:")
        elif type_name:
            low, high = (self._name("limit", limit) for limit in limits(type_name))
            self._line(level, f"if {variable}.__class__ is not int or not {low} <= {variable} <= {high}:")
        else:
            self._line(level, f"if {variable}.__class__ is not str or not {variable}.isascii() or '\\0' in {variable}:")
        self._line(level + 1, f"{variable} = {self._reading(variable, field, type_name)}")
        return variable

    def _value(self, field: str, type_name: str = "") -> str:
        """The variable of *field*, read before it is used where nothing has done that for certain."""
        variable = self.fields.setdefault(field, f"value{len(self.fields)}")
        if variable in self._read:
            return variable
        got = f"get({self._name('field', field)})"
        return f"({variable} if {variable} is not unread else ({variable} := {self._reading(got, field, type_name)}))"

    def _reading(self, got: str, field: str, type_name: str) -> str:
        """What makes of *got* a value of its type."""
        key = self._name("field", field)
        return (
            f"typed({got}, {key}, {self._name('type', type_name)}, wrong)"
            if type_name
            else f"text({got}, {key}, wrong)"
        )

    def _name(self, kind: str, value: Any) -> str:
        """The name of *value* in the code."""
        key = (kind, value)
        name = self._known.get(key)
        if name is None:
            name = self._known[key] = f"{kind}{len(self._known)}"
            self.names[name] = value
        return name

    def _line(self, level: int, text: str) -> None:
        self.lines.append("    " * level + text)

    def _shared(self, rules: list[_Wanted]) -> tuple[Node, int]:
        """What most of *rules* want, and how many do."""
        counts = Counter([part for _, parts in rules for part in parts])
        most = max(counts.values())
        common = [part for part, count in counts.items() if count == most]
        return min(common, key=lambda part: _rank(*self._cost(part), holds=False)), most

    def _cost(self, node: Node) -> tuple[float, float]:
        """What asking for *node* costs, and how often it may hold: rough, for the order of questions only."""
        assert isinstance(node, tuple)
        known = self._costs.get(id(node))
        if known is None:
            kind = node[0]
            if kind == "not":
                cost, share = self._cost(node[1])
                known = (cost, 1 - share)
            elif kind in ("and", "or"):
                parts = [self._cost(part) for part in node[1]]
                shares = [share if kind == "and" else 1 - share for _, share in parts]
                share = prod(shares)
                known = (sum(cost for cost, _ in parts), share if kind == "and" else 1 - share)
            else:
                known = (4.0, 0.6) if kind == "open" else _ATOMS[kind]
            self._costs[id(node)] = known
        return known


_ATOMS: Final = {
    "in": (1.0, 0.05), "not in": (1.2, 0.8), "exists": (1.0, 0.9), "starts": (2.0, 0.1), "ends": (2.0, 0.1), "has": (2.5, 0.1),
    "number": (1.5, 0.3), "flag": (1.0, 0.4), "call": (20.0, 0.3),
}  # fmt: skip


def _type_of(atom: tuple[Any, ...]) -> str:
    """The type of what *atom* compares, ``""`` for texts."""
    return atom[4] if atom[0] == "number" else "BOOL" if atom[0] == "flag" else ""


def _rank(cost: float, share: float, *, holds: bool) -> float:
    """The order in which to ask: what is cheap and likely to settle it first."""
    return cost / ((share if holds else 1 - share) + 0.01)


def _wanted_field(rules: list[_Wanted]) -> tuple[str, int]:
    """The field that most of *rules* want to be one of certain texts, and how many do; none where these are the same for
    most, so that its value would tell little."""
    wanted: dict[str, list[Node]] = {}
    for _, parts in rules:
        for field, part in {part[1]: part for part in parts if part[0] == "in"}.items():  # type: ignore[index]
            wanted.setdefault(field, []).append(part)
    telling = [(field, len(parts)) for field, parts in wanted.items() if len(set(map(id, parts))) >= _MANY]
    return max(telling, key=lambda pair: pair[1], default=("", 0))

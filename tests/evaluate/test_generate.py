"""The functions that are generated against a plain reading of the nodes they are made of, over many random rule sets."""

from __future__ import annotations

import random
from typing import Any

import pytest

from falcokit.evaluate.generate import generate

FIELDS = ["a", "b", "c", "d", "e", "f"]
TEXTS = ["x", "y", "z"]


def calls(number: int) -> Any:
    """A check that is asked as a whole."""
    field = FIELDS[number]
    return lambda event, _: event.get(field) == "x"


def atom(pick: random.Random) -> Any:
    field, texts = pick.choice(FIELDS), frozenset(pick.sample(TEXTS, pick.randint(1, 2)))
    kind = pick.choice(["in", "in", "not in", "not in", "starts", "ends", "has", "exists", "number", "flag", "call"])
    if kind == "number":
        return ("number", "n" + field, pick.choice(["in", "!=", "<", ">="]), frozenset((pick.randint(0, 2),)), "UINT32")
    if kind == "flag":
        return ("flag", "f" + field, pick.random() < 0.5)
    if kind == "call":
        return ("call", pick.randrange(len(FIELDS)))
    return (
        (kind, field, pick.choice(TEXTS))
        if kind == "has"
        else (kind, field)
        if kind == "exists"
        else (kind, field, texts)
    )


def node(pick: random.Random, depth: int) -> Any:
    kind = pick.choice(["atom", "atom", "and", "or", "not"]) if depth else "atom"
    if kind == "atom":
        return atom(pick)
    if kind == "not":
        return ("not", node(pick, depth - 1))
    return (kind, tuple([node(pick, depth - 1) for _ in range(pick.randint(2, 3))]))


def holds(part: Any, event: dict[str, Any]) -> bool:
    if isinstance(part, bool):
        return part
    kind = part[0]
    if kind == "not":
        return not holds(part[1], event)
    if kind in ("and", "or"):
        return (all if kind == "and" else any)(holds(one, event) for one in part[1])
    if kind == "call":
        return bool(calls(part[1])(event, 1))
    value = event.get(part[1])
    if value is None:
        return False
    if kind == "number":
        (number,) = part[3]
        return {"in": value == number, "!=": value != number, "<": value < number, ">=": value >= number}[part[2]]
    if kind == "flag":
        return value is part[2]
    if kind == "exists":
        return True
    if kind in ("in", "not in"):
        return (value in part[2]) is (kind == "in")
    if kind == "has":
        return part[2] in value
    return bool(value.startswith(tuple(part[2])) if kind == "starts" else value.endswith(tuple(part[2])))


def event(pick: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in FIELDS:
        if pick.random() < 0.8:
            found[field] = pick.choice([*TEXTS, "xy"])
        if pick.random() < 0.5:
            found["n" + field] = pick.randint(0, 2)
        if pick.random() < 0.5:
            found["f" + field] = pick.random() < 0.5
    return found


@pytest.mark.parametrize("seed", range(40))
def test_functions_say_what_their_nodes_say(seed: int) -> None:
    pick = random.Random(seed)
    for _ in range(40):
        pool = [node(pick, 2) for _ in range(pick.randint(2, 12))]
        rules = []
        for number in range(pick.randint(1, 14)):
            parts = tuple(dict.fromkeys(pick.choices(pool, k=pick.randint(1, 4))))
            parts = tuple([one for part in parts for one in (part[1] if part[0] == "and" else (part,))])
            rules.append((number, parts[0] if len(parts) == 1 else ("and", tuple(dict.fromkeys(parts)))))
        function = generate(rules, [calls(number) for number in range(len(FIELDS))], None)
        for _ in range(12):
            one = event(pick)
            assert sorted(function(one, 1)) == [number for number, part in rules if holds(part, one)], (rules, one)

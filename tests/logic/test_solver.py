"""What the solver says can never hold never holds: tried on all events of a small world."""

from __future__ import annotations

import fnmatch
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import And, Check, Expression, Field, Identifier, ListValue, Not, Or
from falcokit.logic import Caught, Claim, Solver, Undecided, dead_parts
from falcokit.ruleset.loader import Memo, load_all
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import SourceFile

CATALOGUE = Catalogue.bundled()
TEXTS = ("", "a", "ab", "/a", "/a/b", "b/a", "A")
NUMBERS = ("0", "1", "2", "7")
MORE = ("Aab/a", "/ab", "b/a/a/b", "/a/bA")
"""Values that no condition names, so that two things can be true of one value."""
WORLD = {
    "proc.name": (None, *TEXTS, *MORE),
    "fd.name": (None, *TEXTS, *MORE),
    "proc.pid": (None, *NUMBERS),
    "evt.is_open_write": (None, "true", "false"),
}


def holds(node: Expression, macros: dict[str, Expression], event: dict[str, str | None]) -> bool:
    """The meaning of a condition, written as plainly as it can be."""
    match node:
        case And(children):
            return all(holds(child, macros, event) for child in children)
        case Or(children):
            return any(holds(child, macros, event) for child in children)
        case Not(child):
            return not holds(child, macros, event)
        case Identifier(name):
            return holds(macros[name], macros, event)
    assert isinstance(node, Check)
    assert isinstance(node.left, Field)
    value = event[node.left.name]
    if value is None:
        return False
    texts = node.right.texts if isinstance(node.right, ListValue) else [getattr(node.right, "text", "")]
    number = node.left.name == "proc.pid"
    first = texts[0]
    return {
        "exists": lambda: True,
        "=": lambda: value == first,
        "!=": lambda: value != first,
        "in": lambda: value in texts,
        "<": lambda: number and int(value) < int(first),
        ">=": lambda: number and int(value) >= int(first),
        "startswith": lambda: value.startswith(first),
        "endswith": lambda: value.endswith(first),
        "contains": lambda: first in value,
        "icontains": lambda: first.lower() in value.lower(),
        "glob": lambda: fnmatch.fnmatchcase(value, first),
        "pmatch": lambda: any(
            [p for p in value.split("/") if p][: len([p for p in t.split("/") if p])] == [p for p in t.split("/") if p]
            for t in texts
        ),
    }[node.operator]()


texts = st.sampled_from(TEXTS)
quoted = texts.map(lambda text: f'"{text}"')
checks = st.one_of(
    st.builds(
        lambda field, operator, value: f"{field} {operator} {value}",
        st.sampled_from(["proc.name", "fd.name"]),
        st.sampled_from(["=", "!=", "startswith", "endswith", "contains", "icontains", "glob"]),
        quoted,
    ),
    st.builds(
        lambda field, operator, values: f"{field} {operator} ({', '.join(values)})",
        st.sampled_from(["proc.name", "fd.name"]),
        st.sampled_from(["in", "pmatch"]),
        st.lists(quoted, min_size=1, max_size=3),
    ),
    st.builds(
        lambda operator, value: f"proc.pid {operator} {value}",
        st.sampled_from(["=", "!=", "<", ">="]),
        st.sampled_from(NUMBERS),
    ),
    st.sampled_from(["evt.is_open_write = true", "evt.is_open_write = false", "fd.name exists", "proc.name exists"]),
)
conditions = st.recursive(
    checks,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(" and ".join).map("({})".format),
        st.lists(inner, min_size=2, max_size=3).map(" or ".join).map("({})".format),
        inner.map("not ({})".format),
    ),
    max_leaves=9,
)


def ruleset(condition: str, macro: str = "proc.name = a") -> Ruleset:
    text = f"""
- macro: asked
  condition: >-
    {macro}
- rule: Tried
  desc: d
  condition: >-
    {condition}
  output: o
  priority: INFO
"""
    loaded = load_all((SourceFile("custom.yaml", text),), CATALOGUE, Memo(lasting=False))
    assert loaded.compilation is not None
    return Ruleset(loaded)


def events() -> list[dict[str, str | None]]:
    return [dict(zip(WORLD, values, strict=True)) for values in product(*WORLD.values())]


EVENTS = events()


@given(conditions, conditions)
def test_what_can_never_hold_never_holds(condition: str, macro: str) -> None:
    rules = ruleset(f"({condition}) and asked", macro)
    bound = rules.compilation.rules["Tried"].bound
    assert bound is not None
    assert bound.tree is not None
    macros = {"asked": rules.compilation.macros["asked"].bound.tree}
    if Solver("syscall", CATALOGUE).assume((Claim(bound.tree, bound),)) is None:
        assert not any(holds(bound.tree, macros, event) for event in EVENTS)
    if Solver("syscall", CATALOGUE).assume((Claim(bound.tree, bound, False),)) is None:
        assert all(holds(bound.tree, macros, event) for event in EVENTS)


@given(conditions)
def test_a_dead_part_makes_no_difference(condition: str) -> None:
    """Whatever a dead part is replaced by, the same events match."""
    rules = ruleset(condition)
    bound = rules.compilation.rules["Tried"].bound
    assert bound is not None
    assert bound.tree is not None
    macros = {"asked": rules.compilation.macros["asked"].bound.tree}
    for dead in dead_parts(Claim(bound.tree, bound), Solver("syscall", CATALOGUE)):
        for event in EVENTS:
            together = all(holds(claim.node, macros, event) is claim.holds for claim in (dead.part, *dead.because))
            assert not together
            assert not (dead.whole and holds(bound.tree, macros, event))


@pytest.mark.parametrize(
    ("condition", "never"),
    [
        ("proc.name = a and proc.name = b", True),
        ("proc.name = a and not proc.name in (a, b)", True),
        ("proc.name startswith ab and proc.name startswith b", True),
        ("fd.name startswith /etc/ and not fd.name startswith /etc", True),
        ("proc.pid < 3 and proc.pid >= 7", True),
        ("evt.is_open_write = true and not evt.is_open_write != false", True),
        ("(proc.name = a or proc.name = b) and proc.name in (c, d)", True),
        ("(proc.name = a or fd.name = b) and proc.name = c and not fd.name startswith b", True),
        ("proc.name exists and not proc.name exists", True),
        ("proc.aname = a and not proc.aname = a", True),
        ("proc.aname = a and proc.aname = b", False),
        ("fd.ip = 1.2.3.4 and fd.ip = 1.2.3.5", False),
        ("fd.port = 1 and fd.port = 2", False),
        ("fd.sport = 1 and fd.sport = 2", True),
        ("fd.sport = ssh and fd.sport = 22", False),
        ("fd.sip = 1.2.3.4 and fd.sip = 1.2.3.5", True),
        ("fd.sip = ::1 and fd.sip = 0:0::1", False),
        ("not proc.name = a and not proc.name != a", False),
        ("proc.name glob a* and proc.name glob b*", False),
        ("evt.num = 0 and not evt.num = 0", False),
    ],
)
def test_verdicts(condition: str, never: bool) -> None:
    bound = ruleset(condition).compilation.rules["Tried"].bound
    assert bound is not None
    assert bound.tree is not None
    assert (Solver("syscall", CATALOGUE).assume((Claim(bound.tree, bound),)) is None) is never


def test_the_budget_ends_a_decision() -> None:
    alternatives = " and ".join(f"(proc.name = a{n} or fd.name = b{n} or proc.pid = {n})" for n in range(40))
    bound = ruleset(alternatives).compilation.rules["Tried"].bound
    assert bound is not None
    assert bound.tree is not None
    with pytest.raises(Undecided):
        Solver("syscall", CATALOGUE, budget=100).assume((Claim(bound.tree, bound),))
    assert list(dead_parts(Claim(bound.tree, bound), Solver("syscall", CATALOGUE, budget=100))) == []


def caught(general: str, special: str, macros: str = "") -> tuple[bool, Ruleset]:
    rules = "".join(
        f"- rule: {name}\n  desc: d\n  condition: >-\n    {condition}\n  output: o\n  priority: INFO\n"
        for name, condition in (("General", general), ("Special", special))
    )
    loaded = load_all((SourceFile("custom.yaml", macros + rules),), CATALOGUE, Memo(lasting=False))
    assert loaded.compilation is not None
    compiled = loaded.compilation.rules
    return Caught(compiled["Special"], CATALOGUE).by(compiled["General"]), Ruleset(loaded)


@given(conditions, conditions, st.sampled_from(["{1}", "({0}) and ({1})", "({0}) and not ({1})", "({0})"]))
def test_a_rule_that_is_caught_fires_only_where_the_other_does(general: str, more: str, form: str) -> None:
    found, rules = caught(general, form.format(general, more))
    trees = [rules.compilation.rules[name].bound for name in ("General", "Special")]
    if found:
        one, other = [bound.tree for bound in trees if bound is not None and bound.tree is not None]
        assert all(holds(one, {}, event) for event in EVENTS if holds(other, {}, event))


MACROS = """
- macro: never
  condition: evt.num = 0
- macro: always
  condition: evt.num >= 0
- macro: either
  condition: (proc.name = a or fd.name = b)
"""


@pytest.mark.parametrize(
    ("general", "special", "answer"),
    [
        ("proc.name in (a, b)", "proc.name = a and fd.name = c", True),
        ("proc.name in (a, b)", "proc.name = c and fd.name = c", False),
        ("proc.name = a", "proc.name = a", True),
        ("either and not never", "either and proc.pid = 1", True),
        ("either and always", "fd.name = b and proc.name != c", True),
        ("either and never", "either and proc.pid = 1", False),
        ("either and not always", "either", False),
        ("either and not proc.pid = 1", "either and not proc.pid in (1, 2)", True),
        ("either and not proc.pid in (1, 2)", "either and not proc.pid = 1", False),
        ("proc.name = a", "proc.name = a and never", False),
        ("proc.name in ()", "proc.name in () and proc.pid = 1", False),
        ("proc.pid = 1 and not proc.name in ()", "proc.pid = 1 and proc.name = a", True),
    ],
)
def test_whether_a_rule_is_caught(general: str, special: str, answer: bool) -> None:
    assert caught(general, special, MACROS)[0] is answer


def test_a_rule_of_the_same_text_is_caught() -> None:
    text = "(either or fd.name = c) and proc.pid = 1"
    assert caught(text, text, MACROS)[0]

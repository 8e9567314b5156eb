"""Whether a change lets through what it is for, and nothing else of the rule: decided on the resolved conditions, for all events."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

from falcokit.catalogue import Catalogue
from falcokit.condition.ast import Check, Field, Identifier, ListValue, Value
from falcokit.logic import Claim, Solver, Undecided
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.operands import glued
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.whitelist.identity import Identity

__all__ = ["always_silent", "wider"]

_MAX_CHECKS = 50_000


def wider(before: CompiledRule, after: CompiledRule, identity: Identity) -> str:
    """Why the change from *before* to *after* is more, or other, than letting *identity* through; empty if it is not.

    All checks of the rule must be there as they were, and what is new must be the checks of *identity*; or one list that one
    field is compared with has become longer by the one value of *identity*.
    """
    assert before.bound is not None
    assert after.bound is not None
    old, new = _checks(before.bound), _checks(after.bound)
    added, removed = new - old, old - new
    if not removed:
        forms = [Counter(_forms(check)[number] for check in identity.checks) for number in (0, 1)]
        counts = set(added.values())
        wanted = [form for form in forms if set(form) == set(added)]
        mixed = set(added) <= {one for check in identity.checks for one in _forms(check)} and len(added) == len(
            identity.checks
        )
        if added and len(counts) == 1 and (wanted or mixed):
            return ""
        return "the rule would have other checks than those of what is let through"
    if (
        len(identity.checks) != 1
        or len(added) != 1
        or len(removed) != 1
        or set(added.values()) != {1}
        or set(removed.values()) != {1}
    ):
        return "more of the rule would change than the one comparison with the list"
    (was,), (now,) = removed, added
    ((field, _, value),) = identity.checks
    same = (was.left, was.operator, was.modifier) == (now.left, now.operator, now.modifier)
    if not same or not isinstance(now.left, Field) or glued(now.left) != field:
        return f"a comparison of another field than {field} would change"
    texts_before = Counter(was.right.texts) if isinstance(was.right, ListValue) else Counter()
    texts_after = Counter(now.right.texts) if isinstance(now.right, ListValue) else Counter()
    if texts_before - texts_after or texts_after - texts_before != Counter([value]):
        return "the list would be longer by something else than the one value"
    return ""


def _forms(check: tuple[str, str, str]) -> tuple[Check, Check]:
    """A check of an identity as it can stand in a condition: by itself, and as a list of one."""
    name, operator, value = check
    bare, bracket, argument = name.partition("[")
    field = Field(bare, argument.removesuffix("]") if bracket else None)
    listed = Check(field, "in", "", ListValue((Value(value),)))
    return Check(field, operator, "", Value(value)), listed if operator == "=" else Check(
        field, operator, "", Value(value)
    )


def _checks(bound: Bound) -> Counter[Check]:
    """The checks of a condition, macros put in, each as often as it stands there."""
    found: Counter[Check] = Counter()
    pending = [bound]
    left = _MAX_CHECKS
    while pending and left > 0:
        holder = pending.pop()
        for leaf in holder.leaves:
            left -= 1
            if isinstance(leaf, Identifier):
                inner = holder.env.get(leaf.name)
                if inner is not None:
                    pending.append(inner)
            else:
                found[leaf] += 1
    return found


def always_silent(rule: CompiledRule, catalogue: Catalogue, identity: Identity | None = None) -> bool | None:
    """Whether *rule* never fires, on an event of *identity* if one is given; None where too much would have to be looked at."""
    assert rule.bound is not None
    assert rule.bound.tree is not None
    solver = Solver(rule.definition.source, catalogue, constants=True)
    with suppress(Undecided, RecursionError):
        own = [Claim(identity.tree, rule.bound)] if identity is not None else []
        return solver.assume((*own, Claim(rule.bound.tree, rule.bound))) is None
    return None

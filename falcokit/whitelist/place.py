"""Where a whitelist goes: a hook that the rule really reaches, its exceptions, or behind its condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.catalogue import FieldUse
from falcokit.condition.ast import Check, Field, Identifier, ListValue, Or
from falcokit.logic import Claim, conjuncts, places
from falcokit.record import Record
from falcokit.ruleset.definitions import RuleException, joined
from falcokit.ruleset.exception_text import field_name, operator_name
from falcokit.ruleset.items import Written
from falcokit.ruleset.operands import glued
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.rule_reader import PRIORITIES
from falcokit.ruleset.ruleset import Ruleset
from falcokit.whitelist.identity import Identity

__all__ = ["VIAS", "Change", "Refused", "changes", "copied"]

VIAS: Final = ("hook", "exception", "append", "copy")
"""The ways a whitelist can go, the best first."""
_OWN_EXCEPTION: Final = "falcokit"


class Change(Record):
    """A change that lets *identity* through in *rule*.

    ``via`` is one of `VIAS`; ``kind`` and ``name`` are the item that is changed: a ``macro``, ``list`` or ``rule``.  ``condition`` is what
    is added to a condition; ``items`` to a list; ``exception`` is the name, fields, operators and values added to exceptions, and
    whether it is new.  ``reaches`` are the other rules that the item reaches, ``copy`` the keys of a copied rule; ``flat``
    tells of an exception whose values are no lists.
    """

    __slots__ = (
        "condition",
        "copy",
        "exception",
        "flat",
        "identity",
        "items",
        "kind",
        "name",
        "new",
        "reaches",
        "rule",
        "via",
    )

    def __init__(
        self,
        rule: str,
        identity: Identity,
        via: str,
        kind: str,
        name: str,
        condition: str = "",
        items: tuple[str, ...] = (),
        exception: tuple[tuple[str, str, str], ...] = (),
        new: str = "",
        reaches: tuple[str, ...] = (),
        copy: tuple[tuple[str, str], ...] = (),
        flat: bool = False,
    ) -> None:
        self.rule: Final = rule
        self.identity: Final = identity
        self.via: Final = via
        self.kind: Final = kind
        self.name: Final = name
        self.condition: Final = condition
        self.items: Final = items
        self.exception: Final = exception
        self.new: Final = new
        self.reaches: Final = reaches
        self.copy: Final = copy
        self.flat: Final = flat


class Refused(Record):
    """Why a whitelist cannot go there, in one sentence."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason: Final = reason


def changes(ruleset: Ruleset, rule: CompiledRule, identity: Identity) -> tuple[Change, ...] | Refused:
    """The ways to let *identity* through in *rule*, the best first."""
    source = rule.definition.source
    for field, _, _ in identity.checks:
        if not isinstance(ruleset.catalogue.resolve(field, source), FieldUse):
            about = f": `{rule.name}` is not about containers" if field.startswith("container.") else ""
            return Refused(f"events of source {source} have no field {field}{about}")
    if rule.bound is None or rule.bound.tree is None:
        return Refused(f"`{rule.name}` cannot be compiled")
    hooks = sorted(
        _hooks(ruleset, rule, identity),
        key=lambda change: (change.kind != "macro", not change.name.startswith("user_")),
    )
    own = [change for change in hooks if not change.reaches]
    shared = sorted([change for change in hooks if change.reaches], key=lambda change: len(change.reaches))
    # What is appended binds to the last alternative of a condition that has several.
    several = isinstance(ruleset.tree(rule.definition), Or)
    condition = f"and not ({identity.condition})"
    append = [] if several else [Change(rule.name, identity, "append", "rule", rule.name, condition=condition)]
    # A hook that other rules share would silence these, too.
    return (*own, *_exceptions(rule, identity), *shared, *append)


def copied(rule: CompiledRule, identity: Identity) -> Change | Refused:
    """A copy of *rule* that lets *identity* through.  It hides every later change of the default: only for who asks for it."""
    definition = rule.definition
    if definition.exceptions:
        return Refused(f"`{rule.name}` has exceptions, which a copy would lose: append to it instead")
    condition = f"({joined(definition.condition).strip()}) and not ({identity.condition})"
    keys = [("desc", joined(definition.desc)), ("condition", condition), ("output", joined(definition.output))]
    keys += [("priority", PRIORITIES[definition.priority].upper())]
    keys += [("source", definition.source)] if definition.source != "syscall" else []
    keys += [("enabled", "false")] if not definition.enabled else []
    keys += [("warn_evttypes", "false")] if not definition.warn_evttypes else []
    keys += [("skip-if-unknown-filter", "true")] if definition.skip_if_unknown_filter else []
    keys += [("capture", "true")] if definition.capture else []
    keys += [("capture_duration", str(definition.capture_duration))] if definition.capture_duration else []
    text = (*keys, *[("tags", tag) for tag in sorted(definition.tags)])
    return Change(rule.name, identity, "copy", "rule", rule.name, condition=condition, copy=text)


def _hooks(ruleset: Ruleset, rule: CompiledRule, identity: Identity) -> Iterator[Change]:
    """The macros and lists made to be overridden that stand where *rule* lets events through."""
    assert rule.bound is not None
    assert rule.bound.tree is not None

    def is_hook(claim: Claim) -> bool:
        return isinstance(claim.node, Identifier) and ruleset.is_hook(
            ("macro", claim.node.name), ruleset.definitions.macros.get(claim.node.name)
        )  # fmt: skip

    seen: set[str] = set()
    for place in places(rule, lambda claim: not claim.holds and is_hook(claim), ruleset.catalogue):
        assert isinstance(place.claim.node, Identifier)
        name = place.claim.node.name
        wanted = Claim(identity.tree, rule.bound)
        if name in seen or place.excludes(wanted):
            continue
        seen.add(name)
        others = tuple([other for other in ruleset.rules_using(("macro", name)) if other != rule.name])
        yield Change(rule.name, identity, "hook", "macro", name, condition=f"or ({identity.condition})", reaches=others)
    if len(identity.checks) == 1 and identity.checks[0][1] == "=":
        yield from _lists(ruleset, rule, identity)


def _lists(ruleset: Ruleset, rule: CompiledRule, identity: Identity) -> Iterator[Change]:
    """The lists made to be filled in that the one field of *identity* is compared with behind a `not`."""
    assert rule.bound is not None
    assert rule.bound.tree is not None
    ((field, _, value),) = identity.checks
    seen: set[str] = set()
    for claim in conjuncts(Claim(rule.bound.tree, rule.bound)):
        check = claim.node
        if claim.holds or not isinstance(check, Check) or check.operator != "in" or check.modifier:
            continue
        if not isinstance(check.left, Field) or glued(check.left) != field or not isinstance(check.right, ListValue):
            continue
        # Which of the lists in the text this comparison was filled from, the proof tells.
        for splice in claim.bound.body.splices:
            named = ("list", splice.name)
            if splice.name not in seen and ruleset.is_hook(named, ruleset.definitions.lists.get(splice.name)):
                seen.add(splice.name)
                others = tuple([other for other in ruleset.rules_using(named) if other != rule.name])
                yield Change(rule.name, identity, "hook", "list", splice.name, items=(value,), reaches=others)


def _exceptions(rule: CompiledRule, identity: Identity) -> Iterator[Change]:
    """Values of an exception that has the fields of *identity*, else an exception of our own."""
    for exception in rule.definition.exceptions:
        order = _order(exception, identity)
        if order is not None:
            yield Change(
                rule.name,
                identity,
                "exception",
                "rule",
                rule.name,
                exception=order,
                new="",
                condition=exception.name,
                flat=not isinstance(exception.fields, tuple),
            )
            return
    taken = {exception.name for exception in rule.definition.exceptions}
    name = next(
        name
        for name in (f"{_OWN_EXCEPTION}_{identity.kind.replace('-', '_')}{number}" for number in ("", *range(2, 1000)))
        if name not in taken
    )
    yield Change(
        rule.name, identity, "exception", "rule", rule.name, exception=identity.checks, new=name, condition=name
    )


def _order(exception: RuleException, identity: Identity) -> tuple[tuple[str, str, str], ...] | None:
    """The checks of *identity* in the order of the fields of *exception*, None where it does not compare the same."""
    fields = exception.fields if isinstance(exception.fields, tuple) else (exception.fields,)
    names = [field_name(entry) for entry in fields]
    by_field = {field: (operator, value) for field, operator, value in identity.checks}
    if len(names) != len(identity.checks) or set(names) != set(by_field):
        return None
    comps = exception.comps if isinstance(exception.comps, tuple) else (exception.comps,)
    found = []
    for name, comp in zip(names, comps, strict=False):
        operator, value = by_field[name]
        written = comp.text if isinstance(comp, Written) else operator_name(comp)
        if written not in ((operator, "in", "==") if operator == "=" else (operator,)):
            return None
        found.append((name, written, value))
    return tuple(found) if len(found) == len(names) else None

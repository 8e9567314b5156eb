"""The smallest audit policy with which rules can fire: what they need and nothing else, in blocks that say what they are for.

A request is decided by the first block that matches it, so a block gives what all blocks behind it would give to the same
requests; those that are left once others do the same are taken out again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Final, TypeAlias

from falcokit.audit.needs import Need, Needs
from falcokit.audit.policy import STAGES, GroupResources, Level, Policy, PolicyRule
from falcokit.audit.regions import Division, TooMany, Values, boxes
from falcokit.audit.verdicts import State, verdict
from falcokit.record import Record

__all__ = ["Block", "Generated", "generated", "policy_of", "policy_text"]

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9./-]*")
_WORDS: Final = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))
_WIDTH: Final = 78
_MAX_BLOCKS: Final = 200
_BEST: Final = ("ResponseStarted", "ResponseComplete", "RequestReceived", "Panic")


class Block(Record):
    """A rule of the policy, and the names of the rules of Falco that need it; ``excluded`` keeps requests from the last one."""

    __slots__ = ("excluded", "names", "rule")

    def __init__(self, rule: PolicyRule, names: tuple[str, ...], excluded: bool = False) -> None:
        self.rule: Final = rule
        self.names: Final = names
        self.excluded: Final = excluded


class Generated(Record):
    """A policy as its ``blocks``; ``idle`` are the rules that need nothing as they fire on nothing."""

    __slots__ = ("blocks", "idle", "needs")

    def __init__(self, blocks: tuple[Block, ...], needs: tuple[Needs, ...], idle: tuple[str, ...]) -> None:
        self.blocks: Final = blocks
        self.needs: Final = needs
        self.idle: Final = idle

    @property
    def policy(self) -> Policy:
        """The policy itself."""
        return policy_of(self.blocks)


_ANYWHERE: Final[tuple[str | None, str]] = (None, "")


class _Wanted(Record):
    """One kind of requests: empty tuples and None are any."""

    __slots__ = ("group", "namespaces", "pattern", "users", "verb")

    def __init__(
        self,
        users: tuple[str, ...],
        namespaces: tuple[str, ...],
        verb: str | None,
        group: str | None,
        pattern: str | None,
    ) -> None:
        self.users: Final = users
        self.namespaces: Final = namespaces
        self.verb: Final = verb
        self.group: Final = group
        self.pattern: Final = pattern

    def order(self) -> tuple[bool, bool, bool, bool]:
        """What is more special comes first."""
        general = self.pattern is None
        return general, not (self.users or self.namespaces), self.verb is None, (self.pattern or "").endswith("/*")

    def place(self) -> tuple[str | None, str]:
        """The resource it is about: kinds of different ones never meet."""
        return (self.group, (self.pattern or "").partition("/")[0]) if self.pattern is not None else _ANYWHERE

    def meets(self, other: _Wanted) -> bool:
        """Whether some request is of both kinds."""
        for one, two in ((self.users, other.users), (self.namespaces, other.namespaces)):
            if one and two and set(one).isdisjoint(two):
                return False
        if None not in (self.verb, other.verb) and self.verb != other.verb:
            return False
        if self.pattern is None or other.pattern is None:
            return True
        return self.group == other.group and _overlap(self.pattern, other.pattern)


class _Given:
    """What is given to one kind of requests."""

    def __init__(self) -> None:
        self.level = Level.METADATA
        self.stages: frozenset[str] = frozenset()
        self.names: dict[str, None] = {}


def _overlap(one: str, other: str) -> bool:
    if one == other:
        return True
    return any(a.endswith("/*") and b.partition("/")[0] == a[:-2] for a, b in ((one, other), (other, one)))


def generated(found: Iterable[Needs]) -> Generated:
    """The policy for the rules whose needs are *found*."""
    every = tuple(found)
    wanted: dict[_Wanted, _Given] = {}
    for needs in every:
        for need in needs.parts:
            for kind in _kinds(need):
                given = wanted.setdefault(kind, _Given())
                given.level = max(given.level, need.level)
                given.stages |= _stages(need)
                given.names[needs.rule.name] = None
    ordered = sorted(wanted, key=_Wanted.order)
    own = {kind: (given.level, given.stages) for kind, given in wanted.items()}
    behind: dict[tuple[str | None, str], list[_Wanted]] = {}
    for kind in reversed(ordered):
        places = [kind.place()] if kind.pattern is not None else [*behind]
        for later in [one for place in {*places, _ANYWHERE} for one in behind.get(place, ())]:
            if kind.meets(later):
                level, stages = own[later]
                wanted[kind].level = max(wanted[kind].level, level)
                wanted[kind].stages |= stages
        behind.setdefault(kind.place(), []).append(kind)
    blocks = [*_blocks(ordered, wanted), *_excluded(every, ordered)]
    blocks.sort(key=lambda block: (block.rule.takes_all, block.excluded))
    idle = tuple([needs.rule.name for needs in every if not needs.parts])
    return Generated(_told(_smallest(blocks, every), every), every, idle)


def _stages(need: Need) -> frozenset[str]:
    """The stages to record: of those that tell the same the first that has an answer, for most the only one; and where the
    server panics what there is then, which is next to nothing."""
    taken = next(stage for stage in _BEST if stage in need.stages)
    return frozenset((taken,)) | (need.also & {"Panic"})


def _kinds(need: Need) -> Iterable[_Wanted]:
    region = need.region
    users, namespaces = _listed(region.get("user"), nobody=True), _listed(region.get("namespace"))
    verbs = _listed(region.get("verb")) or (None,)
    resources, groups, subresources = region.get("resource"), region.get("group"), region.get("subresource")
    if resources.others or groups.others or resources.texts == {""}:
        # Of which group a resource is must be told: where that is not known, the requests of all groups are recorded.
        return [_Wanted(users, () if "" in resources else namespaces, verb, None, None) for verb in verbs]
    patterns = []
    for resource in sorted(resources.texts):
        if subresources.others:
            patterns += [resource, f"{resource}/*"] if "" in subresources else [f"{resource}/*"]
        else:
            patterns += [f"{resource}/{name}" if name else resource for name in sorted(subresources.texts)]
    return [
        _Wanted(users, namespaces, verb, group, pattern)
        for verb in verbs
        for group in sorted(groups.texts)
        for pattern in patterns
    ]


def _listed(values: Values, nobody: bool = False) -> tuple[str, ...]:
    """What a policy writes for *values*; nobody, who has not logged in, is matched by no name."""
    return () if values.others or (values.texts == {""} and nobody) else tuple(sorted(values.texts))


_VERBS: Final = ("create", "update", "patch", "delete", "deletecollection", "get", "list", "watch")


def _by_verb(verb: str) -> tuple[int, str]:
    return (_VERBS.index(verb) if verb in _VERBS else len(_VERBS), verb)


def _blocks(ordered: Sequence[_Wanted], wanted: dict[_Wanted, _Given]) -> list[Block]:
    """The kinds put together: first the verbs of each resource, then the resources that have the same."""
    same: dict[object, list[_Wanted]] = {}
    for kind in ordered:
        given = wanted[kind]
        same.setdefault((kind.replaced(verb=None), kind.verb is None, given.level, given.stages), []).append(kind)
    alike: dict[_Key, list[_Wanted]] = {}
    for kinds in same.values():
        first, given = kinds[0], wanted[kinds[0]]
        verbs = tuple(sorted([_by_verb(kind.verb) for kind in kinds if kind.verb is not None]))
        stages = tuple(sorted(given.stages))
        alike.setdefault((first.order(), -given.level, verbs, first.users, first.namespaces, stages), []).extend(kinds)
    blocks = []
    for key in sorted(alike):
        kinds = alike[key]
        first, given = kinds[0], wanted[kinds[0]]
        groups: dict[str, set[str]] = {}
        for kind in kinds:
            if kind.group is not None and kind.pattern is not None:
                groups.setdefault(kind.group, set()).add(kind.pattern)
        resources = tuple([GroupResources(group, tuple(sorted(found))) for group, found in sorted(groups.items())])
        omitted = tuple([stage for stage in STAGES if stage not in given.stages])
        asked = tuple([verb for _, verb in key[2]])
        rule = PolicyRule(given.level, first.users, (), asked, resources, first.namespaces, (), omitted)
        blocks.append(Block(rule, tuple(dict.fromkeys([name for kind in kinds for name in wanted[kind].names]))))
    return blocks


_Key: TypeAlias = (
    "tuple[tuple[bool, ...], int, tuple[tuple[int, str], ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]"
)
"""What the requests of one block have in common, in the order of blocks."""


def _excluded(found: Iterable[Needs], ordered: Sequence[_Wanted]) -> list[Block]:
    """What keeps users from being recorded whom no rule of the last block looks at."""
    last = [kind for kind in ordered if kind == _Wanted((), (), None, None, None)]
    if not last:
        return []
    out: set[str] | None = None
    names: dict[str, None] = {}
    for needs in found:
        for need in needs.parts:
            users = need.region.get("user")
            if (users.others or users.texts != {""}) and last[0] in _kinds(need):
                taken = users.texts - {""} if users.others else frozenset()
                out = set(taken) if out is None else out & taken
                names[needs.rule.name] = None
    return [Block(PolicyRule(Level.NONE, tuple(sorted(out))), tuple(names), excluded=True)] if out else []


def _smallest(blocks: list[Block], found: Sequence[Needs]) -> tuple[Block, ...]:
    """*blocks* without those that others make needless."""
    kept = blocks
    for block in blocks if len(blocks) <= _MAX_BLOCKS else ():
        if block.excluded:
            continue
        without = [one for one in kept if one is not block]
        if not _lost(block, without, found):
            kept = without
    return tuple(kept)


def _lost(block: Block, others: Sequence[Block], found: Sequence[Needs]) -> tuple[str, ...]:
    """The names of the rules that miss something where *others* are the policy, without *block*."""
    own = boxes(block.rule)
    asked = [needs for needs in found if any(part.region.both(box) is not None for part in needs.parts for box in own)]
    policy = policy_of(others)
    division = Division(policy)
    return tuple(
        [needs.rule.name for needs in asked if verdict(needs, policy, division).state not in (State.FIRES, State.NEVER)]
    )


def _told(blocks: Sequence[Block], found: Sequence[Needs]) -> tuple[Block, ...]:
    """*blocks* with the names of all rules that need them, those of blocks that were taken out included."""
    named = []
    for block in blocks:
        lost = () if block.excluded else _lost(block, [one for one in blocks if one is not block], found)
        named.append(block.replaced(names=_in_order({*block.names, *lost}, found)))
    # What several blocks give, so that none of them is needed alone, is told of where it is taken from.
    said = {name for block in named for name in block.names}
    policy = policy_of(named)
    division = Division(policy)
    for needs in found:
        if needs.rule.name in said:
            continue
        numbers = {number for part in needs.parts for number in _decided(part, division)}
        named = [
            block.replaced(names=_in_order({*block.names, needs.rule.name}, found)) if at in numbers else block
            for at, block in enumerate(named)
        ]
    return tuple(named)


def _decided(part: Need, division: Division) -> set[int | None]:
    try:
        return {number for _, number in division.of(part.region)}
    except TooMany:
        return set()


def _in_order(names: set[str], found: Sequence[Needs]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([needs.rule.name for needs in found if needs.rule.name in names]))


def policy_of(blocks: Sequence[Block]) -> Policy:
    """The policy that *blocks* make: stages that none of them records are omitted once for all."""
    rules = [block.rule for block in blocks]
    recording = [rule for rule in rules if rule.level]
    common = tuple([stage for stage in STAGES if recording and all(stage in rule.omit_stages for rule in recording)])
    own = [rule.replaced(omit_stages=tuple([one for one in rule.omit_stages if one not in common])) for rule in rules]
    if not any(rule.level and rule.takes_all for rule in rules):
        own.append(PolicyRule(Level.NONE))
    return Policy(tuple(own), common, any(rule.level >= Level.REQUEST for rule in rules))


# ---------------------------------------------------------------------------------------------------------------- Writing


def policy_text(made: Generated, head: Sequence[str] = ()) -> str:
    """The policy as a file, each block with the rules it is there for; *head* are sentences for its beginning."""
    policy = made.policy
    lines = [line for sentence in head for line in _comment(sentence, "")]
    if made.idle:
        lines += _comment(
            f"Nothing is recorded for rules that fire on nothing as they are: {', '.join(made.idle)}.", ""
        )
    lines += ["apiVersion: audit.k8s.io/v1", "kind: Policy"]
    if policy.omit_stages:
        lines.append(f"omitStages: {_flow(policy.omit_stages)}")
    if policy.omit_managed_fields:
        lines += ["# Kubernetes 1.23 and later; older API servers ignore it.", "omitManagedFields: true"]
    lines.append("rules:")
    for number, rule in enumerate(policy.rules):
        lines += [""] if number else []
        if number >= len(made.blocks):
            lines += ["  # Everything else is looked at by no rule.", "  - level: None"]
            continue
        block = made.blocks[number]
        names = ", ".join(block.names)
        said = f"Users on whom {names} does not fire, where no block above is about them."
        lines += _comment(said if block.excluded else f"For: {names}.", "  ")
        if rule.takes_all:
            lines += _comment(
                "All requests that are left are recorded because of it: disable it where it is of no use.", "  "
            )
        if rule.level >= Level.REQUEST and any("secrets" in part.resources for part in rule.resources):
            lines += _comment("Careful: at this level the contents of secrets are written to the audit log.", "  ")
        lines += _rule_lines(rule)
    return "\n".join(lines) + "\n"


def _comment(sentence: str, indent: str) -> list[str]:
    text = "".join([c if c.isprintable() else "?" for c in sentence])
    return [f"{indent}# {line}" for line in wrap(text, _WIDTH - len(indent) - 2, break_on_hyphens=False)]


def _rule_lines(rule: PolicyRule) -> list[str]:
    lines = [f"  - level: {rule.level.word}"]
    for key, values in (("users", rule.users), ("verbs", rule.verbs)):
        lines += _entry(key, values)
    if rule.resources:
        lines.append("    resources:")
        for part in rule.resources:
            lines.append(f"      - group: {_scalar(part.group)}")
            lines += [f"    {line}" for line in _entry("resources", part.resources)]
    lines += _entry("namespaces", rule.namespaces)
    return lines + _entry("omitStages", rule.omit_stages)


def _entry(key: str, values: Sequence[str]) -> list[str]:
    if not values:
        return []
    flow = f"    {key}: {_flow(values)}"
    return [flow] if len(flow) <= _WIDTH else [f"    {key}:", *[f"      - {_scalar(value)}" for value in values]]


def _flow(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_scalar, values))}]"


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text)

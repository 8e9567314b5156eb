"""What a rule needs of an audit policy, as a value: requests, stages, levels; and what becomes of it with less."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from falcokit.audit.policy import Level
from falcokit.audit.regions import ANY, NAMELESS, Region, one_of
from falcokit.audit.resources import BUILT_IN, CONNECTIONS, SUBRESOURCES, groups_of, subresources_of
from falcokit.record import Record
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["Effect", "Need", "Needs", "merged", "own_groups", "real"]


class Effect(Enum):
    """What becomes of a rule where the bodies of requests are not recorded."""

    NEVER = "fires on nothing as it is written"
    UNAFFECTED = "unaffected"
    MISSES = "misses a part"
    BLIND = "fires without looking at the body"
    CANNOT = "cannot fire"


class Need(Record):
    """A part of what a rule fires on: requests of *region*, recorded at one of the *stages* and at *level*.

    ``effects`` tell what becomes of the rule there at a lower level, from Metadata on.
    """

    __slots__ = ("effects", "level", "region", "stages")

    def __init__(self, region: Region, stages: frozenset[str], level: Level, effects: tuple[Effect, ...]) -> None:
        self.region: Final = region
        self.stages: Final = stages
        self.level: Final = level
        self.effects: Final = effects

    def at(self, level: Level) -> Effect:
        """What becomes of the rule at *level*, one that records something."""
        return Effect.UNAFFECTED if level >= self.level else self.effects[level - Level.METADATA]


class Needs(Record):
    """All that *rule* needs.  ``known`` is False where that was too much to find out: then more than needed is said."""

    __slots__ = ("known", "parts", "rule")

    def __init__(self, rule: CompiledRule, parts: tuple[Need, ...], known: bool = True) -> None:
        self.rule: Final = rule
        self.parts: Final = parts
        self.known: Final = known

    @property
    def level(self) -> Level:
        """The level without which a part is missed."""
        return max([part.level for part in self.parts], default=Level.NONE)

    @property
    def effect(self) -> Effect:
        """What becomes of the rule where no body is recorded."""
        return together([part.at(Level.METADATA) for part in self.parts])


def together(effects: Iterable[Effect]) -> Effect:
    """What the *effects* on the parts of a rule come to."""
    found = set(effects)
    if not found:
        return Effect.NEVER
    if Effect.BLIND in found:
        return Effect.BLIND
    return found.pop() if len(found) == 1 else Effect.MISSES


def real(need: Need) -> Iterator[Need]:
    """*need* in terms of the requests that Kubernetes has: names as URLs have them, groups and subresources that there are."""
    for named in _named(need):
        yield from _known(named)


def _named(need: Need) -> Iterator[Need]:
    """*need* by what its URL tells: an event has the name of the object that was created, the URL had none."""
    name = need.region.get("name")
    if name == ANY or need.region.get("resource") == one_of(""):
        yield need
        return
    nameless = one_of(*NAMELESS)
    plain = Region({**need.region.sides, "name": ANY}).narrowed("verb", nameless)
    if plain is not None:
        yield need.replaced(region=plain)
    rest = need.region.narrowed("verb", nameless.opposite())
    if rest is not None:
        yield need.replaced(region=rest)


def _known(need: Need) -> Iterator[Need]:
    """*need* with the groups and subresources that resources of Kubernetes' own have; others stay as they are."""
    region = need.region
    resources, subresources = region.get("resource"), region.get("subresource")
    if resources.others:
        # Any resource may have a status or a scale; the other subresources are those of Kubernetes itself.
        if subresources.others or not subresources.texts <= SUBRESOURCES.keys() - {"status", "scale"}:
            yield need
            return
        names = sorted({name for (_, name), own in BUILT_IN.items() if not subresources.texts.isdisjoint(own)})
        names = [name for name in names if name in resources]
    else:
        names = sorted(resources.texts)
    for name in names:
        groups = [group for group in groups_of(name) if group in region.get("group")]
        own = region.narrowed("resource", one_of(name))
        if own is None:
            continue
        if not groups:
            # A resource of an add-on, perhaps with a name that Kubernetes has, too.
            others = own.narrowed("group", one_of(*groups_of(name)).opposite()) if groups_of(name) else own
            if others is not None:
                yield need.replaced(region=others)
        for group in groups:
            of_group = own.narrowed("group", one_of(group))
            for part in _of_subresources(of_group, group, name) if of_group is not None else ():
                yield from _with_body(need.replaced(region=part))


def _with_body(need: Need) -> Iterator[Need]:
    """*need*, as far as there are bodies to record: connections that are passed on to a pod have none."""
    if need.region.get("subresource").texts.isdisjoint(CONNECTIONS) or need.level <= Level.METADATA:
        yield need
    elif need.at(Level.METADATA) is not Effect.CANNOT:
        yield need.replaced(level=Level.METADATA, effects=())


def _of_subresources(region: Region, group: str, resource: str) -> Iterator[Region]:
    plain = region.narrowed("subresource", one_of(""))
    if plain is not None:
        yield plain
    for name in subresources_of(group, resource):
        part = region.narrowed("subresource", one_of(name))
        part = part.narrowed("verb", one_of(*SUBRESOURCES[name])) if part is not None else None
        if part is not None:
            yield part


def own_groups(found: Iterable[Need]) -> list[Need]:
    """*found* without other groups where a rule takes those that have the resource in Kubernetes: lists of groups are
    written for many resources at once, and no add-on has a resource of that name in each of them."""
    parts = list(found)
    known = {
        name
        for part in parts
        for name in _single(part, "resource")
        for group in _single(part, "group")
        if (group, name) in BUILT_IN
    }
    return [
        part
        for part in parts
        if not any(
            name in known and group not in groups_of(name)
            for name in _single(part, "resource")
            for group in _single(part, "group")
        )
    ]


def _single(need: Need, side: str) -> frozenset[str]:
    values = need.region.get(side)
    return frozenset() if values.others else values.texts


_SIDES: Final = ("stage", "resource", "subresource", "verb", "group", "namespace", "user", "name")


def merged(found: list[Need]) -> tuple[Need, ...]:
    """*found* with those put together that differ in one thing only."""
    found = list(dict.fromkeys(found))
    while True:
        before = len(found)
        for side in _SIDES:
            groups: dict[object, list[Need]] = {}
            for need in found:
                rest = frozenset([item for item in need.region.sides.items() if item[0] != side])
                stages = None if side == "stage" else need.stages
                groups.setdefault((rest, stages, need.level, need.effects), []).append(need)
            found = [_united(same, side) for same in groups.values()]
        if len(found) == before:
            return tuple(found)


def _united(same: list[Need], side: str) -> Need:
    first = same[0]
    if side == "stage":
        return first.replaced(stages=frozenset().union(*[need.stages for need in same])) if len(same) > 1 else first
    values = first.region.get(side)
    for need in same[1:]:
        values = values.either(need.region.get(side))
    return first.replaced(region=Region({**first.region.sides, side: values})) if len(same) > 1 else first

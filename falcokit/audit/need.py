"""What a rule needs of an audit policy, as a value: requests, stages, levels; and what becomes of it with less."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from falcokit.audit.policy import Level
from falcokit.audit.regions import ANY, NAMELESS, Region, Values, one_of
from falcokit.audit.resources import (
    BUILT_IN,
    CONNECTIONS,
    LONG_RUNNING,
    LONG_RUNNING_VERBS,
    SUBRESOURCES,
    groups_of,
    subresources_of,
)
from falcokit.record import Record
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["Effect", "Need", "Needs", "is_long_running", "is_passed_on", "merged", "own_groups", "real"]


class Effect(Enum):
    """What becomes of a rule where the bodies of requests are not recorded."""

    NEVER = "fires on nothing as it is written"
    UNAFFECTED = "unaffected"
    MISSES = "misses a part"
    BLIND = "fires without looking at the body"
    CANNOT = "cannot fire"


class Need(Record):
    """A part of what a rule fires on: requests of *region*, recorded at one of the *stages* and at *level*.

    Each of these requests comes to all of *stages*, and what the rule says is the same at all of them; *also* are others at
    which it may fire.  ``effects`` tell what becomes of the rule there at other levels, from Metadata on.
    """

    __slots__ = ("also", "effects", "level", "region", "stages")

    def __init__(
        self,
        region: Region,
        stages: frozenset[str],
        level: Level,
        effects: tuple[Effect, ...],
        also: frozenset[str] = frozenset(),
    ) -> None:
        self.also: Final = also
        self.region: Final = region
        self.stages: Final = stages
        self.level: Final = level
        self.effects: Final = effects

    def at(self, level: Level) -> Effect:
        """What becomes of the rule at *level*, one that records something."""
        at = level - Level.METADATA
        return self.effects[at] if at < len(self.effects) else Effect.UNAFFECTED


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


def real(region: Region) -> Iterator[Region]:
    """*region* in terms of the requests that Kubernetes has: names as URLs have them, groups and subresources that there are.

    All requests of one part are long-running, or none are (but for a few paths).
    """
    for named in _named(region):
        for known in _known(named):
            yield from _by_length(known)


def _named(region: Region) -> Iterator[Region]:
    """*region* by what its URL tells: an event has the name of the object that was created, the URL had none."""
    if region.get("name") == ANY or region.get("resource") == one_of(""):
        yield region
        return
    nameless = one_of(*NAMELESS)
    for part, verbs in ((Region({**region.sides, "name": ANY}), nameless), (region, nameless.opposite())):
        found = part.narrowed("verb", verbs)
        if found is not None:
            yield found


def _known(region: Region) -> Iterator[Region]:
    """*region* with the groups and subresources that resources of Kubernetes' own have; others stay as they are."""
    resources, subresources = region.get("resource"), region.get("subresource")
    if resources.others:
        # Any resource may have a status or a scale; the other subresources are those of Kubernetes itself.
        if subresources.others or not subresources.texts <= SUBRESOURCES.keys() - {"status", "scale"}:
            yield region
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
                yield others
        for group in groups:
            of_group = own.narrowed("group", one_of(group))
            if of_group is not None:
                yield from _of_subresources(of_group, group, name)


def _by_length(region: Region) -> Iterator[Region]:
    rest: Region | None = region
    if region.get("resource") != one_of(""):
        for side, long in (("verb", LONG_RUNNING_VERBS), ("subresource", LONG_RUNNING)):
            part = rest.narrowed(side, one_of(*long)) if rest is not None else None
            if part is not None:
                yield part
                rest = rest.narrowed(side, one_of(*long).opposite()) if rest is not None else None
    if rest is not None:
        yield rest


def is_long_running(region: Region) -> bool:
    """Whether all requests of *region* are, as far as `real` tells them apart."""
    verbs, subresources = region.get("verb"), region.get("subresource")
    if not verbs.others and verbs.texts <= LONG_RUNNING_VERBS:
        return True
    return not subresources.others and subresources.texts <= LONG_RUNNING


def is_passed_on(region: Region) -> bool:
    """Whether all requests of *region* are connections, whose bodies are never recorded."""
    subresources = region.get("subresource")
    return not subresources.others and subresources.texts <= CONNECTIONS


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
    written for many resources at once, and a rule that names no group means those of Kubernetes."""
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
        if not any(name in known and _is_foreign(part.region.get("group"), name) for name in _single(part, "resource"))
    ]


def _is_foreign(groups: Values, resource: str) -> bool:
    """Whether none of *groups* is one that has the *resource* in Kubernetes itself."""
    return not any(group in groups for group in groups_of(resource))


def _single(need: Need, side: str) -> frozenset[str]:
    values = need.region.get(side)
    return frozenset() if values.others else values.texts


_SIDES: Final = ("also", "resource", "subresource", "verb", "group", "namespace", "user", "name")


def merged(found: list[Need]) -> tuple[Need, ...]:
    """*found* with those put together that differ in one thing only."""
    found = list(dict.fromkeys(found))
    while True:
        before = len(found)
        for side in _SIDES:
            groups: dict[object, list[Need]] = {}
            for need in found:
                rest = frozenset([item for item in need.region.sides.items() if item[0] != side])
                also = None if side == "also" else need.also
                groups.setdefault((rest, also, need.stages, need.level, need.effects), []).append(need)
            found = [_united(same, side) for same in groups.values()]
        if len(found) == before:
            return tuple(found)


def _united(same: list[Need], side: str) -> Need:
    first = same[0]
    if len(same) == 1:
        return first
    if side == "also":
        return first.replaced(also=frozenset().union(*[need.also for need in same]))
    values = first.region.get(side)
    for need in same[1:]:
        values = values.either(need.region.get(side))
    return first.replaced(region=Region({**first.region.sides, side: values}))

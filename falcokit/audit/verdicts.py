"""Rules held against an audit policy: which can fire, which cannot, which fire without looking at the body, and why."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from falcokit.audit.needs import Effect, Need, Needs, needs
from falcokit.audit.policy import STAGES, Level, Policy
from falcokit.audit.regions import Division, Region, TooMany
from falcokit.catalogue import Catalogue
from falcokit.record import Record
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["Gap", "State", "Verdict", "judged", "named", "verdict", "verdicts"]

_MAX_GAPS: Final = 200


class State(Enum):
    """What becomes of a rule under a policy."""

    FIRES = "can fire"
    PARTLY = "fires on a part"
    BLIND = "fires blind"
    CANNOT = "cannot fire"
    NEVER = "never fires"
    UNKNOWN = "not known"


class Gap(Record):
    """A part of what a rule needs that the policy does not give.

    ``given`` is the level there (None: nothing is recorded), ``number`` the rule of the policy that says so, None where none
    does; ``stages`` are those that the rule would take where all of them are omitted, else none.
    """

    __slots__ = ("effect", "given", "need", "number", "region", "stages")

    def __init__(
        self, need: Need, region: Region, given: Level, number: int | None, effect: Effect, stages: tuple[str, ...] = ()
    ) -> None:
        self.need: Final = need
        self.region: Final = region
        self.given: Final = given
        self.number: Final = number
        self.effect: Final = effect
        self.stages: Final = stages


class Verdict(Record):
    """What a policy means for a rule.  ``known`` is False where that was too much to find out."""

    __slots__ = ("gaps", "known", "needs", "state")

    def __init__(self, needs: Needs, state: State, gaps: tuple[Gap, ...], known: bool) -> None:
        self.needs: Final = needs
        self.state: Final = state
        self.gaps: Final = gaps
        self.known: Final = known

    @property
    def name(self) -> str:
        """The name of the rule."""
        return self.needs.rule.name

    @property
    def works(self) -> bool:
        """Whether nothing is to be done: it fires, or does so on nothing whatever the policy says."""
        return self.state in (State.FIRES, State.PARTLY, State.NEVER)


def judged(rules: Iterable[CompiledRule], catalogue: Catalogue, policy: Policy) -> tuple[Verdict, ...]:
    """The verdict on each of *rules* that is one for audit events and can be evaluated, in load order."""
    return verdicts(needs(rules, catalogue, named(policy)), policy)


def named(policy: Policy) -> dict[str, tuple[str, ...]]:
    """The values that *policy* tells apart, for `needs`."""
    rules = policy.rules
    return {
        "user": tuple([user for rule in rules for user in rule.users]),
        "user group": tuple([group for rule in rules for group in rule.user_groups]),
        "verb": tuple([verb for rule in rules for verb in rule.verbs]),
        "namespace": tuple([one for rule in rules for one in rule.namespaces]),
        "name": tuple([name for rule in rules for part in rule.resources for name in part.names]),
        "path": tuple([url for rule in rules for url in rule.non_resource_urls]),
    }


def verdicts(found: Iterable[Needs], policy: Policy) -> tuple[Verdict, ...]:
    """The same from what the rules need."""
    division = Division(policy)
    return tuple([verdict(one, policy, division) for one in found])


def verdict(found: Needs, policy: Policy, division: Division | None = None) -> Verdict:
    """What *policy* means for the rule that has the needs *found*; *division* is one of this policy."""
    division = division or Division(policy)
    gaps: list[Gap] = []
    well = False
    known = True  # Whether all parts were looked at.
    for need in found.parts:
        try:
            for region, number in division.of(need.region):
                gap = _gap(need, region, number, policy)
                if gap is None:
                    well = True
                elif len(gaps) < _MAX_GAPS:
                    gaps.append(gap)
        except TooMany:
            known = False
    state = _state(found, gaps, well)
    if not known and state is not State.BLIND:
        state = State.UNKNOWN
    return Verdict(found, state, tuple(gaps), known and (found.known or not gaps))


def _gap(need: Need, region: Region, number: int | None, policy: Policy) -> Gap | None:
    level = policy.rules[number].level if number is not None else Level.NONE
    if level is Level.NONE or number is None:
        return Gap(need, region, Level.NONE, number, Effect.CANNOT)
    left = set(policy.stages(number))
    if need.stages.isdisjoint(left):
        wanted = tuple([stage for stage in STAGES if stage in need.stages])
        return Gap(need, region, level, number, _too_early(need, left), wanted)
    effect = need.at(level)
    return None if effect is Effect.UNAFFECTED else Gap(need, region, level, number, effect)


def _too_early(need: Need, stages: set[str]) -> Effect:
    """What becomes of a rule where of the *stages* that are recorded none is one that it needs; a panic is no use to it."""
    found = need.also & stages
    if "RequestReceived" in found:
        return Effect.BLIND  # It fires before there is what it looks at.
    return Effect.MISSES if "ResponseStarted" in found else Effect.CANNOT


def _state(found: Needs, gaps: list[Gap], well: bool) -> State:
    if not found.parts:
        return State.NEVER
    effects = {gap.effect for gap in gaps}
    if Effect.BLIND in effects:
        return State.BLIND
    if not gaps:
        return State.FIRES
    return State.PARTLY if well or effects & {Effect.MISSES, Effect.UNAFFECTED} else State.CANNOT

"""What a rule for Kubernetes audit events needs of an audit policy, from its resolved condition.

The condition is asked of events of which only the place of the request is told: where its answer stays open, the next thing
that it looks at is told, until it holds, cannot hold, or hangs on nothing that a policy knows.  Then the same is asked with
the bodies taken away: that tells what becomes of the rule at a lower level.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from falcokit.audit.need import Effect, Need, Needs, is_long_running, is_passed_on, merged, own_groups, real
from falcokit.audit.policy import STAGES, Level
from falcokit.audit.regions import ANY, Region, Values, group_key, one_of, path_key
from falcokit.audit.resources import CHANGED, CONNECTIONS, SUBRESOURCES, UPGRADED
from falcokit.audit.told import REQUEST_BODY, RESPONSE_BODY, WHOLE, Told, reads
from falcokit.catalogue import Catalogue
from falcokit.condition.ast import Check, Expression, Field, Identifier, ListValue, Value
from falcokit.evaluate import Matcher
from falcokit.evaluate.given import fields_of
from falcokit.evaluate.leaf import Leaves
from falcokit.logic import Claim
from falcokit.record import Record
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.operands import glued
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["SOURCE", "Effect", "Need", "Needs", "needs"]

SOURCE: Final = "k8s_audit"
"""The source of the rules that this is about."""

_SIDES: Final = {
    "resource": "/objectRef/resource",
    "subresource": "/objectRef/subresource",
    "verb": "/verb",
    "group": "/objectRef/apiGroup",
    "namespace": "/objectRef/namespace",
    "user": "/user/username",
    "name": "/objectRef/name",
    "path": "/requestURI",
}
"""What a policy can tell requests apart by, in the order in which it is looked into, and its place in an event."""
_OPTIONAL: Final = frozenset(("resource", "subresource", "group", "namespace", "name"))
_ABSENT: Final = _OPTIONAL | {"user"}
"""Sides that an event may say nothing of."""
_NOBODY: Final = one_of("")
"""The user of a request whose login failed."""
_BEST: Final = ("ResponseComplete", "ResponseStarted", "RequestReceived", "Panic")
_Known: TypeAlias = Mapping[str, str | None]
_OTHER: Final = "falcokit-other"
"""A text that no rule compares anything with."""
_CODE: Final = "/responseStatus/code"
_ANSWERS: Final = frozenset(map(str, (200, 202, 400, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 503, 504)))
"""What the API server answers any request with."""
_SPECIAL: Final = frozenset(("101", "201", "401"))
"""What it answers only some requests with."""
_READS: Final = frozenset(("delete", "deletecollection", "get", "list", "watch"))
"""Verbs that create nothing."""
_BODIES: Final = (REQUEST_BODY, RESPONSE_BODY)
# What an event lacks, or has for sure, at each stage; which stages there are is for `_Looking._parts` to say.  From
# k8s.io/apiserver, endpoints/filters/audit.go: nothing has been decided or read yet when a request comes in.
_RECEIVED: Final[Mapping[str, str | None]] = {
    "/stage": "RequestReceived", **dict.fromkeys(("/annotations", "/responseStatus", *_BODIES))
}  # fmt: skip
_STARTED: Final[Mapping[str, str | None]] = {"/stage": "ResponseStarted", REQUEST_BODY: None}
_COMPLETE: Final[Mapping[str, str | None]] = {"/stage": "ResponseComplete"}
_PANIC: Final[Mapping[str, str | None]] = {"/stage": "Panic", _CODE: "500"}
# And from authn_audit.go there: who has not logged in is told so, and nothing else becomes of the request.
_REFUSED: Final[Mapping[str, str | None]] = {
    "/stage": "ResponseStarted", _CODE: "401",
    **dict.fromkeys(("/user/username", "/user/groups", "/user/uid", "/user/extra", "/impersonatedUser", "/annotations", *_BODIES)),
}  # fmt: skip
_MAX_CHECKS: Final = 300_000
"""How many checks of one rule are asked in all."""
_MAX_SIZE: Final = 5_000
_MAX_VALUES: Final = 300
_PATTERNS: Final = {"startswith": "{}" + _OTHER, "endswith": _OTHER + "{}", "contains": _OTHER + "{}" + _OTHER}
_EXACT: Final = frozenset(("=", "==", "!=", "in", "intersects", "exists"))


def needs(
    rules: Iterable[CompiledRule], catalogue: Catalogue, also: Mapping[str, Iterable[str]] | None = None
) -> tuple[Needs, ...]:
    """What each of *rules* needs; those of other sources, and those that Falco does not run, are left out.

    *also* are values that are looked at one by one, by what they are of (``user``, ``path``, ...): those that a policy names.
    """
    kept = {key: tuple(dict.fromkeys(values))[:_MAX_VALUES] for key, values in (also or {}).items()}
    fitting = Matcher([rule for rule in rules if rule.definition.source == SOURCE], catalogue, runs=lambda rule: True)
    leaves = Leaves(SOURCE, catalogue)
    return tuple([_Looking(rule, leaves, kept).needs() for rule in fitting.rules])


class _Moment(Record):
    """What a rule says of events at one stage: the level it needs, what becomes of it at others, its answer, what that hangs on."""

    __slots__ = ("effects", "level", "open", "value")

    def __init__(self, level: Level, effects: tuple[Effect, ...], value: bool | None, open: frozenset[int]) -> None:
        self.level: Final = level
        self.effects: Final = effects
        self.value: Final = value
        self.open: Final = open


class _Looking:
    """One rule being looked at."""

    def __init__(self, rule: CompiledRule, leaves: Leaves, also: Mapping[str, tuple[str, ...]]) -> None:
        assert rule.bound is not None
        assert rule.bound.tree is not None
        self._rule: Final = rule
        self._claim: Final = Claim(rule.bound.tree, rule.bound)
        self._leaves: Final = leaves
        self._also: Final = also
        self._left = _MAX_CHECKS
        self._values: Final[dict[str, list[tuple[str | None, bool]]]] = {}
        self._mentioned(rule.bound)

    def needs(self) -> Needs:
        assert self._rule.bound is not None
        everything = Need(Region({}), frozenset(STAGES), Level.REQUEST_RESPONSE, (Effect.CANNOT, Effect.CANNOT))
        if self._rule.bound.size > _MAX_SIZE:
            return Needs(self._rule, (everything,), known=False)
        found: list[Need] = []
        try:
            for known, sides in self._explored({}, {}):
                for region in real(Region(sides)):
                    found += self._parts(known, region)
        except (_Enough, RecursionError):
            return Needs(self._rule, (everything,), known=False)
        return Needs(self._rule, merged(own_groups(found)))

    # What becomes of a request.

    def _parts(self, known: _Known, region: Region) -> Iterator[Need]:
        """What the rule needs of the requests of *region*, one that `real` gives, of whose events *known* is told."""
        more = dict.fromkeys(_BODIES) if is_passed_on(region) else {}
        user = region.get("user")
        if "" in user:
            refused = self._moment({**known, **_REFUSED}, region)
            nobody = region.narrowed("user", _NOBODY)
            for group in self._also.get("user group", ()):
                nobody = nobody.narrowed(group_key(group), one_of("yes").opposite()) if nobody is not None else None
            if refused is not None and nobody is not None:
                yield Need(nobody, frozenset(("ResponseStarted",)), refused.level, refused.effects)
            if user == _NOBODY:
                return
        found: dict[str, _Moment] = {}
        for told in (_RECEIVED, _STARTED, _COMPLETE, _PANIC):
            moment = self._moment({**known, **more, **told}, region)
            stage = told["/stage"]
            if moment is not None and stage is not None:
                found[stage] = moment
        long = is_long_running(region)
        if not long and "" not in region.get("resource"):
            found.pop("ResponseStarted", None)  # Of requests for paths, those for profiles go on.
        # That a request has been answered tells most, and all but those that make the server panic are.
        first = next((stage for stage in _BEST if stage in found), None)
        if first is None:
            return
        same = [stage for stage in found if found[stage] == found[first] and (long or stage != "ResponseStarted")]
        stages = frozenset([first, *[stage for stage in same if stage != "Panic"]])
        apart = [stage for stage in found if stage not in stages and stage != "Panic" and found[stage] != found[first]]
        if (
            "RequestReceived" in apart
            and self._moment({**known, **more, "/stage": "RequestReceived"}, region) == found[first]
        ):
            apart.remove("RequestReceived")  # It fires there as it cannot see yet what it looks at.
        for stage in apart:
            yield Need(region, frozenset((stage,)), found[stage].level, found[stage].effects)
        yield Need(
            region, stages, found[first].level, found[first].effects, frozenset(found) - stages - frozenset(apart)
        )

    def _moment(self, known: _Known, region: Region) -> _Moment | None:
        """What the rule says of events of which *known* is told; None where it does not hold, at any level."""
        answers = []
        for level in (Level.METADATA, Level.REQUEST, Level.REQUEST_RESPONSE):
            gone = dict.fromkeys(_BODIES[max(level - Level.METADATA, 0) :])
            told: _Known = {**known, **gone, "/level": level.word}
            value, is_open = self._answer(self._claim, Told(told))
            if value is None and not self._answered(told, region, is_open):
                value = False
            answers.append((value, is_open))
        top = max([at for at, (value, _) in enumerate(answers) if value is not False], default=None)
        if top is None:
            return None
        value, is_open = answers[top]
        effects = [
            Effect.MISSES if value and one is None else self._effect(Level(at + 1), one, is_open)
            for at, (one, _) in enumerate(answers)
        ]
        lowest = top
        while lowest and effects[lowest - 1] is Effect.UNAFFECTED:
            lowest -= 1
        while effects and effects[-1] is Effect.UNAFFECTED:
            effects.pop()
        return _Moment(Level(lowest + 1), tuple(effects), value, frozenset([id(claim.node) for claim in is_open]))

    def _effect(self, level: Level, value: bool | None, is_open: tuple[Claim, ...]) -> Effect:
        """What becomes of the rule at *level*, where it answers *value* and *is_open* are the checks that hang on what is
        recorded at the highest one."""
        if value is False:
            return Effect.CANNOT
        hidden = [claim for claim in is_open if isinstance(claim.node, Check) and _bodies(claim.node) > level]
        if not hidden:
            return Effect.UNAFFECTED
        # A missing field makes every check false, and so true what stands behind `not`.
        return Effect.MISSES if all(claim.holds for claim in hidden) else Effect.BLIND

    def _answered(self, told: _Known, region: Region, is_open: tuple[Claim, ...]) -> bool:
        """Whether the condition may hold with a code that such requests are answered with, all of them with one: those that create nothing are not
        with 201, connections that are made are with 101, and 401 is for those who have not logged in."""
        checks = [claim.node for claim in is_open if isinstance(claim.node, Check) and _CODE in _places(claim.node)]
        codes: set[str] = set()
        for check in checks:
            right = check.right
            texts = right.texts if isinstance(right, ListValue) else (right.text,) if isinstance(right, Value) else ()
            if check.operator in _EXACT and not check.modifier and isinstance(check.left, Field):
                codes.update(texts)
        if not codes & _SPECIAL and not any(check.operator == "exists" for check in checks):
            return True
        subresources, verbs = region.get("subresource"), region.get("verb")
        one = [] if subresources.others else [*subresources.texts]
        if subresources.others or not UPGRADED.issuperset(one):
            codes -= {"101"} if one and CONNECTIONS.isdisjoint(one) else set()
            changes = bool(one) and all(SUBRESOURCES.get(name) in (CHANGED, ("get",)) for name in one)
            codes -= {"201"} if changes or not verbs.without(one_of(*_READS)) else set()
        else:
            codes -= {"201"}
        codes -= {"401"}
        return any(self._answer(self._claim, Told({**told, _CODE: code}))[0] is not False for code in codes | _ANSWERS)

    # What the rule compares with.

    def _mentioned(self, bound: Bound) -> None:
        """Note for each side the texts it is compared with: as they are, and for patterns one that fits."""
        seen: set[int] = set()
        todo = [bound]
        while todo:
            one = todo.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            for leaf in one.leaves:
                if isinstance(leaf, Identifier):
                    inner = one.env.get(leaf.name)
                    if inner is not None:
                        todo.append(inner)
                else:
                    self._note(leaf)

    def _note(self, check: Check) -> None:
        for side in self._sides(check):
            noted = self._values.setdefault(side, [])
            right = check.right
            texts = right.texts if isinstance(right, ListValue) else (right.text,) if isinstance(right, Value) else ()
            plain = isinstance(check.left, Field) and not check.modifier and (right is None or bool(texts))
            found: list[tuple[str | None, bool]]
            if plain and check.operator in _EXACT:
                found = [(text, True) for text in texts]
            elif plain and check.operator in _PATTERNS:
                found = [(_PATTERNS[check.operator].format(texts[0]), False)]
            elif isinstance(right, ListValue) and not texts:
                found = []
            else:
                found = [(None, False)]  # What fits is not known: it is left open.
            noted += [one for one in found if one not in noted]

    def _sides(self, check: Check) -> tuple[str, ...]:
        places = _places(check)
        return tuple([side for side, place in _SIDES.items() if place in places or WHOLE in places])

    # What it answers.

    def _answer(self, claim: Claim, event: Told) -> tuple[bool | None, tuple[Claim, ...]]:
        """Whether *claim* is true of *event*, None where that hangs on what is not known, and the checks that are open."""
        node: Expression = claim.node
        if isinstance(node, Check):
            self._left -= 1
            if self._left < 0:
                raise _Enough
            decided = self._leaves.of(node).decided(event)
            return (None, (claim,)) if decided is None else (decided is claim.holds, ())
        parts = claim.parts()
        if not parts:
            return claim.holds, ()
        is_open: list[Claim] = []
        for part in parts:
            value, found = self._answer(part, event)
            if value is not None and value is claim.is_choice and len(parts) > 1:
                return value, ()
            if len(parts) == 1:
                return value, found
            is_open += found
        return (None, tuple(is_open)) if is_open else (not claim.is_choice, ())

    def _explored(
        self, known: dict[str, str | None], sides: dict[str, Values]
    ) -> Iterator[tuple[_Known, dict[str, Values]]]:
        """What the rule may fire on: the places of events that are told, with what they say of each side."""
        value, is_open = self._answer(self._claim, Told(known))
        if value is False:
            return
        places = [_places(claim.node) for claim in is_open if isinstance(claim.node, Check)]
        wanted = {place for found in places for place in found}
        for side, place in _SIDES.items():
            if side in sides or not (place in wanted or WHOLE in wanted):
                continue
            if side == "path" and not self._also.get("path"):
                continue
            for more, values in self._classes(side, known):
                yield from self._explored({**known, **more}, {**sides, side: ANY, **values})
            return
        yield known, sides

    # What a side can be.

    def _classes(
        self, side: str, known: Mapping[str, str | None]
    ) -> Iterator[tuple[dict[str, str | None], dict[str, Values]]]:
        """The values that *side* is told as, one after the other, with what each says of the requests."""
        place = _SIDES[side]
        if side == "path":
            yield from self._paths(known)
            return
        noted = self._values.get(side, [])
        exact = [text for text, whole in noted if whole and text is not None]
        if side in self._also and any(not whole for _, whole in noted):
            exact += [text for text in self._also[side] if text not in exact]
        for text in exact:
            if text or side not in _ABSENT:
                yield {place: text}, {side: one_of(text), **self._membership(side, text)}
        taken = Values(frozenset(exact) | ({""} if side in _ABSENT else frozenset()), True)
        for pattern in (_OTHER, *[text for text, whole in noted if not whole]):
            if pattern is None:
                yield {}, {side: taken}
            else:
                yield {place: pattern}, {side: taken, **self._membership(side, pattern)}
        if side == "user":
            for group in self._also.get("user group", ()):
                member = _member(group)
                if member and member not in exact:
                    yield {place: member}, {side: taken, **self._membership(side, member)}
        if side == "resource":  # A request for a path: nothing is referred to.
            yield {"/objectRef": None}, {key: one_of("") for key in _OPTIONAL}
        elif side in _ABSENT:
            yield {place: None}, {side: one_of("")}

    def _paths(self, known: Mapping[str, str | None]) -> Iterator[tuple[dict[str, str | None], dict[str, Values]]]:
        """The paths that a policy names, for what is a request for a path or may be one."""
        for_path = "/objectRef" in known
        if not for_path:
            yield {}, {} if _SIDES["resource"] in known else {"resource": one_of("").opposite()}
            if _SIDES["resource"] in known:
                return
        more: dict[str, str | None] = {"/objectRef": None}
        sides = {} if for_path else {key: one_of("") for key in _OPTIONAL}
        for pattern in self._also["path"]:
            whole = pattern.rstrip("*")
            below = {whole or "/", f"{whole.rstrip('/')}/{_OTHER}"}  # What begins with it is mostly below it.
            for path in sorted(below) if pattern.endswith("*") else (pattern,):
                yield {**more, "/requestURI": path}, {**sides, path_key(pattern): one_of("yes")}
        yield more, {**sides, **{path_key(pattern): one_of("yes").opposite() for pattern in self._also["path"]}}

    def _membership(self, side: str, user: str) -> dict[str, Values]:
        """Which of the groups that a policy names *user* is in, where its name tells."""
        if side != "user":
            return {}
        own = _groups(user)
        known = [group for group in self._also.get("user group", ()) if _member(group)]
        return {group_key(group): one_of("yes") if group in own else one_of("yes").opposite() for group in known}


class _Enough(Exception):
    """More than is looked at."""


def _member(group: str) -> str:
    """The name of a user of a *group* whose members are told by their names, empty for other groups."""
    if group == "system:nodes":
        return f"system:node:{_OTHER}"
    if group == "system:serviceaccounts":
        return f"system:serviceaccount:{_OTHER}:{_OTHER}"
    if group.startswith("system:serviceaccounts:"):
        return f"system:serviceaccount:{group.removeprefix('system:serviceaccounts:')}:{_OTHER}"
    return "system:anonymous" if group == "system:unauthenticated" else ""


def _groups(user: str) -> tuple[str, ...]:
    if user == "system:anonymous":
        return ("system:unauthenticated",)
    if user.startswith("system:node:"):
        return ("system:nodes",)
    if user.startswith("system:serviceaccount:"):
        return ("system:serviceaccounts", f"system:serviceaccounts:{user.split(':')[2]}")
    return ()


@lru_cache(maxsize=8192)
def _of_fields(fields: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*[reads(field) for field in fields])


def _places(check: Check) -> frozenset[str]:
    """The places of an event that *check* needs."""
    return _of_fields(tuple([glued(field) for field in fields_of(check)]))


def _bodies(check: Check) -> Level:
    """The level without which *check* lacks what it looks at; None where it looks at no body."""
    places = _places(check)
    if WHOLE in places or any(place.startswith(RESPONSE_BODY) for place in places):
        return Level.REQUEST_RESPONSE
    return Level.REQUEST if any(place.startswith(REQUEST_BODY) for place in places) else Level.NONE

"""Sets of requests, and how a policy divides them: what a rule needs is held against a policy without listing requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from falcokit.audit.policy import Policy, PolicyRule, Request, path_matches
from falcokit.audit.resources import BUILT_IN, CLUSTER_WIDE
from falcokit.record import Record

__all__ = [
    "ANY",
    "NAMELESS",
    "Region",
    "TooMany",
    "Values",
    "boxes",
    "divided",
    "group_key",
    "one_of",
    "path_key",
    "sample",
]

_GROUP: Final = "group of the user: "
_PATH: Final = "path: "
_YES: Final = "yes"
NAMELESS: Final = frozenset(("create", "deletecollection"))
"""Verbs whose URL has no name of an object."""


class Values(Record):
    """Some texts: those in ``texts``, or with ``others`` all but these."""

    __slots__ = ("others", "texts")

    def __init__(self, texts: frozenset[str], others: bool = False) -> None:
        self.texts: Final = texts
        self.others: Final = others

    def __bool__(self) -> bool:
        return self.others or bool(self.texts)

    def __contains__(self, text: str) -> bool:
        return (text in self.texts) is not self.others

    def both(self, other: Values) -> Values:
        """What is in both."""
        if self.others and other.others:
            return Values(self.texts | other.texts, True)
        if self.others:
            return Values(other.texts - self.texts)
        return Values(self.texts - other.texts if other.others else self.texts & other.texts)

    def either(self, other: Values) -> Values:
        """What is in one of them."""
        return self.opposite().both(other.opposite()).opposite()

    def opposite(self) -> Values:
        """All other texts."""
        return Values(self.texts, not self.others)

    def without(self, other: Values) -> Values:
        """What is not in *other*."""
        return self.both(other.opposite())


ANY: Final = Values(frozenset(), True)


def one_of(*texts: str) -> Values:
    """These texts."""
    return Values(frozenset(texts))


def group_key(group: str) -> str:
    """The dimension that tells whether the user is in *group*: ``yes`` or not."""
    return _GROUP + group


def path_key(pattern: str) -> str:
    """The dimension that tells whether the path is one of *pattern*: ``yes`` or not."""
    return _PATH + pattern


_MAX_EACH: Final = 60_000


class TooMany(Exception):
    """A policy divides requests into more parts than are looked at."""


class Region:
    """The requests whose ``user``, ``verb``, ``group``, ``resource``, ``subresource``, ``namespace``, ``name`` and further
    dimensions (`group_key`, `path_key`) are among the given values; what is not given may be anything.

    The empty text stands for none: no resource for a request for a path, no namespace, no subresource, the core group, no user
    where the login failed.
    """

    __slots__ = ("sides",)

    def __init__(self, sides: Mapping[str, Values]) -> None:
        self.sides: Final = {side: values for side, values in sides.items() if values != ANY}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Region) and self.sides == other.sides

    def __hash__(self) -> int:
        return hash(frozenset(self.sides.items()))

    def __repr__(self) -> str:
        return f"Region({self.sides!r})"

    def get(self, side: str) -> Values:
        """The values of one dimension."""
        return self.sides.get(side, ANY)

    def narrowed(self, side: str, values: Values) -> Region | None:
        """The part with *values* there, None where there is none."""
        left = self.get(side).both(values)
        if not left:
            return None
        region = Region({**self.sides, side: left})
        return region if region._possible() else None

    def both(self, other: Region) -> Region | None:
        """What is in both, None where nothing is."""
        sides = dict(self.sides)
        for side, values in other.sides.items():
            known = sides.get(side)
            left = values if known is None else known.both(values)
            if not left:
                return None
            sides[side] = left
        region = Region(sides)
        return region if region._possible() else None

    def without(self, other: Region) -> list[Region]:
        """What is not in *other*, in parts that have nothing in common."""
        if self.both(other) is None:
            return [self]
        parts = []
        inside: Region | None = self
        for side, values in other.sides.items():
            assert inside is not None
            outside = inside.narrowed(side, values.opposite())
            if outside is not None:
                parts.append(outside)
            inside = inside.narrowed(side, values)
            if inside is None:
                break
        return parts

    def _possible(self) -> bool:
        """Whether Kubernetes has such requests, as far as is known here."""
        verb, name, user = self.get("verb"), self.get("name"), self.get("user")
        if not verb.others and verb.texts <= NAMELESS and "" not in name:
            return False
        if self.get("resource") == one_of("") and any("" not in self.get(side) for side in _OF_RESOURCES):
            return False
        if user == _NOBODY and any(_YES in self.sides[side] for side in self.sides if side.startswith(_GROUP)):
            return False
        anonymous = not user.others and user.texts == {"system:anonymous"}
        known = "system:anonymous" not in user and "" not in user
        # Every user who has logged in is in the one of these groups, nobody else is; all others are in the other one.
        for group, wrong in (("system:authenticated", anonymous), ("system:unauthenticated", known)):
            values = self.sides.get(group_key(group))
            other = anonymous if wrong is known else known
            if values is not None and (wrong if _YES in values else other):
                return False
        paths = [(side[len(_PATH) :], _YES in values) for side, values in self.sides.items() if side.startswith(_PATH)]
        taken = [pattern for pattern, inside in paths if inside]
        left = [pattern for pattern, inside in paths if not inside]
        return not any(_covers(other, pattern) for pattern in taken for other in left)

    @property
    def placed(self) -> bool:
        """Whether the namespaces fit the resources: those of Kubernetes' own are in one, or never are; only lists go over all.

        Other requests are refused; they matter to rules that ask for them.
        """
        namespace = self.sides.get("namespace")
        if namespace is None or (namespace != _NOWHERE and "" in namespace):
            return True
        resources, groups, verb = self.get("resource"), self.get("group"), self.get("verb")
        if resources.others or groups.others:
            return True
        found = [key for key in product(groups.texts, resources.texts) if key in BUILT_IN]
        if not found:
            return True
        if "" in namespace:
            return bool(verb.both(_OVER_ALL)) or not CLUSTER_WIDE.isdisjoint(found)
        # A namespace is taken to be in itself (k8s.io/apiserver, endpoints/request/requestinfo.go).
        return not CLUSTER_WIDE.issuperset(found) or ("", "namespaces") in found


_NOWHERE: Final = one_of("")
_NOBODY: Final = one_of("")
_OVER_ALL: Final = one_of("list", "watch")
_OF_RESOURCES: Final = ("group", "subresource", "namespace", "name")


def _covers(pattern: str, other: str) -> bool:
    """Whether every path of *other* is one of *pattern*."""
    return pattern in ("*", other) or (pattern.endswith("*") and other.startswith(pattern.rstrip("*")))


def boxes(rule: PolicyRule) -> tuple[Region, ...]:
    """The requests that a rule of a policy matches, as regions; a request may be in several of them."""
    sides: dict[str, Values] = {}
    if rule.verbs:
        sides["verb"] = one_of(*rule.verbs)
    if rule.namespaces:
        sides["namespace"] = one_of(*rule.namespaces)
    if rule.users:
        sides["user"] = one_of(*rule.users)
    found = [sides]
    if rule.user_groups:
        found = [{**part, group_key(group): one_of(_YES)} for part in found for group in rule.user_groups]
    if rule.resources or rule.namespaces:
        some = one_of("").opposite()
        # What tells most requests apart comes first: so regions are divided into the fewest parts.
        owns = list(_resources(rule)) if rule.resources else [{"resource": some}]
        found = [{**own, **part} for part in found for own in owns]
    elif rule.non_resource_urls:
        none = one_of("")
        found = [
            {**part, "resource": none, path_key(url): one_of(_YES)} for part in found for url in rule.non_resource_urls
        ]
    return tuple([Region(part) for part in found])


def _resources(rule: PolicyRule) -> Iterator[dict[str, Values]]:
    some = one_of("").opposite()
    for part in rule.resources:
        own: dict[str, Values] = {"resource": some, "group": one_of(part.group)}
        if part.names:
            own["name"] = one_of(*part.names)
        plain = [name for name in part.resources if "/" not in name and name != "*"]
        if not part.resources or "*" in part.resources:
            yield own
            continue
        if plain:
            yield {**own, "resource": one_of(*plain), "subresource": one_of("")}
        for name in part.resources:
            resource, slash, subresource = name.partition("/")
            if not slash:
                continue
            if subresource != "*":
                own_sub = {"subresource": one_of(subresource)}
                yield {**own, **own_sub} if resource == "*" else {**own, **own_sub, "resource": one_of(resource)}
            elif resource != "*":
                yield {**own, "resource": one_of(resource)}


class Division:
    """Which rule of *policy* decides about which part of a region; ``budget`` comparisons are made in all."""

    def __init__(self, policy: Policy, budget: int = 500_000) -> None:
        self._boxes: Final = [(number, box) for number, rule in enumerate(policy.rules) for box in boxes(rule)]
        self._left = budget

    def of(self, region: Region) -> Iterator[tuple[Region, int | None]]:
        """The parts of *region*, each with the number of the rule that decides, None where no rule does; without those of which
        there are no requests, as their namespaces do not fit.

        Raises `TooMany`.
        """
        near = [(number, box) for number, box in self._boxes if region.both(box) is not None]
        todo: list[tuple[Region, int]] = [(region, 0)]
        end = self._left - _MAX_EACH
        placed = region.placed
        while todo:
            part, at = todo.pop()
            for later in range(at, len(near)):
                number, box = near[later]
                self._left -= 1
                if self._left < max(end, 0):
                    raise TooMany
                inside = part.both(box)
                if inside is not None:
                    if inside.placed or not placed:
                        yield inside, number
                    todo += [(one, later + 1) for one in part.without(box)]
                    break
            else:
                if part.placed or not placed:
                    yield part, None


def divided(region: Region, policy: Policy) -> Iterator[tuple[Region, int | None]]:
    """As `Division.of`, for one region."""
    return Division(policy).of(region)


def sample(region: Region) -> Request:
    """A request of *region*, with made-up texts where anything goes."""

    def pick(side: str, *wanted: str) -> str:
        values = region.get(side)
        texts = [text for text in wanted if text in values] or sorted(values.texts if not values.others else ())
        text = texts[0] if texts else "other"
        while text not in values:
            text += "-x"
        return text

    resource = pick("resource", "pods", "")
    groups = [
        side[len(_GROUP) :] for side, values in region.sides.items() if side.startswith(_GROUP) and _YES in values
    ]
    paths = [(side[len(_PATH) :], values) for side, values in region.sides.items() if side.startswith(_PATH)]
    if not resource:
        taken = [pattern for pattern, values in paths if _YES in values]
        left = [pattern for pattern, values in paths if _YES not in values]
        path = min(taken, key=len).rstrip("*") if taken else "/other"
        path = max(taken, key=len).rstrip("*") or path if taken else path
        while any(path_matches(path, pattern) for pattern in left) and len(path) < 200:
            path += "-x"
        return Request(pick("user", "jane"), tuple(groups), pick("verb", "get"), path=path)
    return Request(
        pick("user", "jane"), tuple(groups), pick("verb", "get", "create"), pick("group", ""), resource,
        pick("subresource", ""), pick("name", "") , pick("namespace", "default", ""),
    )  # fmt: skip

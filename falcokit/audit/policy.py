"""An audit policy: rules of which the first that matches a request decides how much of it is recorded.

Which rule matches follows ``checker.go`` of k8s.io/apiserver (``pkg/audit/policy``).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from falcokit.record import Record

__all__ = [
    "STAGES",
    "Decision",
    "GroupResources",
    "Level",
    "Policy",
    "PolicyRule",
    "Request",
    "matches",
    "path_matches",
]

STAGES: Final = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
"""When an event is written: the request came in, an answer that goes on began, the answer is complete, the server failed."""


class Level(IntEnum):
    """How much of a request is recorded; each level has all that the ones below it have."""

    NONE = 0
    METADATA = 1
    REQUEST = 2
    REQUEST_RESPONSE = 3

    @property
    def word(self) -> str:
        """How a policy writes it."""
        return _LEVELS[self]


_LEVELS: Final = ("None", "Metadata", "Request", "RequestResponse")


class GroupResources(Record):
    """Resources of one API group (empty: the core group); without ``resources`` all of it, without ``names`` any object."""

    __slots__ = ("group", "names", "resources")

    def __init__(self, group: str, resources: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> None:
        self.group: Final = group
        self.resources: Final = resources
        self.names: Final = names


class PolicyRule(Record):
    """One rule; what is empty matches everything.  ``omit_stages`` are its own, ``line`` counts from 1 (0: not from a file)."""

    __slots__ = (
        "level", "line", "namespaces", "non_resource_urls", "omit_managed_fields", "omit_stages", "resources",
        "user_groups", "users", "verbs",
    )  # fmt: skip

    def __init__(
        self,
        level: Level,
        users: tuple[str, ...] = (),
        user_groups: tuple[str, ...] = (),
        verbs: tuple[str, ...] = (),
        resources: tuple[GroupResources, ...] = (),
        namespaces: tuple[str, ...] = (),
        non_resource_urls: tuple[str, ...] = (),
        omit_stages: tuple[str, ...] = (),
        omit_managed_fields: bool | None = None,
        line: int = 0,
    ) -> None:
        self.level: Final = level
        self.users: Final = users
        self.user_groups: Final = user_groups
        self.verbs: Final = verbs
        self.resources: Final = resources
        self.namespaces: Final = namespaces
        self.non_resource_urls: Final = non_resource_urls
        self.omit_stages: Final = omit_stages
        self.omit_managed_fields: Final = omit_managed_fields
        self.line: Final = line

    @property
    def takes_all(self) -> bool:
        """Whether no request passes by it."""
        narrowing = self.users, self.user_groups, self.verbs, self.resources, self.namespaces, self.non_resource_urls
        return not any(narrowing)


class Request(Record):
    """What a policy is asked about.  Without a ``resource`` it is a request for a ``path`` such as ``/healthz``.

    ``name`` is that of the URL: empty for ``create``, whose object tells its name in the body.
    """

    __slots__ = ("group", "groups", "name", "namespace", "path", "resource", "subresource", "user", "verb")

    def __init__(
        self,
        user: str = "",
        groups: tuple[str, ...] = (),
        verb: str = "get",
        group: str = "",
        resource: str = "",
        subresource: str = "",
        name: str = "",
        namespace: str = "",
        path: str = "",
    ) -> None:
        self.user: Final = user
        self.groups: Final = groups
        self.verb: Final = verb
        self.group: Final = group
        self.resource: Final = resource
        self.subresource: Final = subresource
        self.name: Final = name
        self.namespace: Final = namespace
        self.path: Final = path


class Decision(Record):
    """What a policy says of a request: the level, the stages at which it is recorded, and the rule (its number from 0)."""

    __slots__ = ("level", "number", "omit_managed_fields", "stages")

    def __init__(self, level: Level, stages: tuple[str, ...], number: int | None, omit_managed_fields: bool) -> None:
        self.level: Final = level
        self.stages: Final = stages
        self.number: Final = number
        self.omit_managed_fields: Final = omit_managed_fields


class Policy(Record):
    """A policy: the first of its rules that matches a request decides; a request that none matches is not recorded.

    ``line`` is that of the stages which all rules omit (0: none, or not from a file).
    """

    __slots__ = ("line", "omit_managed_fields", "omit_stages", "rules")

    def __init__(
        self,
        rules: tuple[PolicyRule, ...],
        omit_stages: tuple[str, ...] = (),
        omit_managed_fields: bool = False,
        line: int = 0,
    ) -> None:
        self.line: Final = line
        self.rules: Final = rules
        self.omit_stages: Final = omit_stages
        self.omit_managed_fields: Final = omit_managed_fields

    def stages(self, number: int) -> tuple[str, ...]:
        """The stages at which requests of rule *number* are recorded."""
        omitted = {*self.omit_stages, *self.rules[number].omit_stages}
        return tuple([stage for stage in STAGES if stage not in omitted])

    def decide(self, request: Request) -> Decision:
        """What is recorded of *request*."""
        for number, rule in enumerate(self.rules):
            if matches(rule, request):
                managed = rule.omit_managed_fields
                omitted = self.omit_managed_fields if managed is None else managed
                stages = self.stages(number) if rule.level else ()
                return Decision(rule.level, stages, number, omitted)
        return Decision(Level.NONE, (), None, self.omit_managed_fields)


def matches(rule: PolicyRule, request: Request) -> bool:
    """Whether *rule* is about *request*."""
    if rule.users and request.user not in rule.users:
        return False
    if rule.user_groups and not set(rule.user_groups).intersection(request.groups):
        return False
    if rule.verbs and request.verb not in rule.verbs:
        return False
    if rule.namespaces or rule.resources:
        if not request.resource or (rule.namespaces and request.namespace not in rule.namespaces):
            return False
        return not rule.resources or any(_of_group(part, request) for part in rule.resources)
    if rule.non_resource_urls:
        return not request.resource and any(path_matches(request.path, url) for url in rule.non_resource_urls)
    return True


def _of_group(part: GroupResources, request: Request) -> bool:
    if part.group != request.group:
        return False
    if not part.resources:
        return True
    if part.names and request.name not in part.names:
        return False
    own = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
    for pattern in part.resources:
        if pattern in ("*", own):
            return True
        if pattern.startswith("*/") and request.subresource and pattern[2:] == request.subresource:
            return True
        if pattern.endswith("/*") and pattern[:-2] == request.resource:
            return True  # With or without a subresource.
    return False


def path_matches(path: str, pattern: str) -> bool:
    """Whether *path* is that of a ``nonResourceURLs`` entry: the same, or below one that ends in a star."""
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))

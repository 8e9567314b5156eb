"""Reading audit policies as kube-apiserver does: ``audit.k8s.io``, kind ``Policy``.

What is refused, and what is taken and never meant, follows k8s.io/apiserver: ``pkg/audit/policy/reader.go`` and
``pkg/apis/audit/validation/validation.go``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.audit.policy import (
    STAGES,
    Decision,
    GroupResources,
    Level,
    Policy,
    PolicyRule,
    Request,
    matches,
    path_matches,
)
from falcokit.audit.resources import SINGULARS
from falcokit.diagnostic import Severity
from falcokit.document import Document, Mapping, Node, Scalar, Sequence, compose, key_text
from falcokit.record import Record
from falcokit.ruleset.suggest import nearest
from falcokit.source import SourceFile, Span

__all__ = [
    "API_VERBS", "STAGES", "Decision", "Finding", "GroupResources", "Level", "Policy", "PolicyRule", "Request", "matches",
    "path_matches", "read_policy",
]  # fmt: skip

API_VERBS: Final = (
    "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "head", "options", "post", "put", "connect", "proxy",
)  # fmt: skip
"""Verbs of requests for resources, and the methods of other requests in small letters."""
_MAX_FINDINGS: Final = 200
_LEVELS: Final = tuple(level.word for level in Level)
_OLD: Final = ("audit.k8s.io/v1beta1", "audit.k8s.io/v1alpha1")
_POLICY_KEYS: Final = ("apiVersion", "kind", "metadata", "omitManagedFields", "omitStages", "rules")
_RULE_KEYS: Final = (
    "level", "namespaces", "nonResourceURLs", "omitManagedFields", "omitStages", "resources", "userGroups", "users", "verbs",
)  # fmt: skip
_RESOURCE_KEYS: Final = ("group", "resourceNames", "resources")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_VERBS: Final = {"add": "create", "edit": "patch", "read": "get", "remove": "delete", "write": "update"}
_NO_TEXT: Final = re.compile(
    r"(?i:yes|no|on|off|true|false)|[-+]?(\d[\d_]*(\.\d*)?|\.\d+)(e[-+]?\d+)?|0x[0-9a-f]+", re.ASCII
)
"""What YAML does not read as a text where no quotes are around it."""


class Finding(Record):
    """A mistake of a policy: where it stands, how bad it is (errors keep the API server from starting), what to write."""

    __slots__ = ("help", "message", "severity", "span")

    def __init__(self, span: Span, severity: Severity, message: str, help: str) -> None:
        self.span: Final = span
        self.severity: Final = severity
        self.message: Final = message
        self.help: Final = help


def read_policy(file: SourceFile) -> tuple[Policy | None, tuple[Finding, ...]]:
    """The policy in *file*, None where the API server would not start with it, and everything that is wrong with it."""
    documents, error = compose(file)
    if error is not None:
        at = min(error.offset, len(file.text))
        return None, (Finding(Span(file, at, at), Severity.ERROR, f"this is no YAML: {error.message}", "correct it"),)
    whole = Span(file, 0, 0)
    if not documents or documents[0].root is None:
        advice = "write apiVersion: audit.k8s.io/v1, kind: Policy and rules"
        return None, (Finding(whole, Severity.ERROR, "the file is empty", advice),)
    reading = _Reading(documents[0])
    policy = reading.policy(documents[0].root)
    for document in documents[1:]:
        if document.root is not None:
            reading.add(
                document.root, "only the first document of the file is read", "put one policy into a file", True
            )
    found = tuple(sorted(reading.found, key=lambda finding: finding.span.start)[:_MAX_FINDINGS])
    return (None if any(one.severity is Severity.ERROR for one in found) else policy), found


class _Reading:
    """One document being read."""

    def __init__(self, document: Document) -> None:
        self._document: Final = document
        self.found: Final[list[Finding]] = []

    def add(self, node: Node, message: str, advice: str, mild: bool = False) -> None:
        if len(self.found) < 10 * _MAX_FINDINGS:
            level = Severity.WARNING if mild else Severity.ERROR
            self.found.append(Finding(self._document.span(node), level, message, advice))

    def policy(self, root: Node) -> Policy:
        if not isinstance(root, Mapping):
            self.add(root, "a policy is a mapping", "write apiVersion: audit.k8s.io/v1, kind: Policy and rules")
            return Policy(())
        self._keys(root, _POLICY_KEYS, "a policy")
        self._head(root)
        omitted = self._stages(root)
        managed = self._flag(root)
        node = root.get("rules")
        rules: list[PolicyRule] = []
        if node is None or (isinstance(node, Scalar) and node.null) or (isinstance(node, Sequence) and not node.items):
            self.add(root if node is None else node, "a policy without rules is refused", "write `- level: Metadata`")
        elif not isinstance(node, Sequence):
            self.add(node, "`rules` is a sequence", "write each rule as `- level: ...`")
        else:
            rules = [rule for item in node.items if (rule := self._rule(item)) is not None]
            self._unreached(node, rules)
        key = root.key("omitStages") if omitted else None
        line = self._document.file.line_column(key.start)[0] + 1 if key is not None else 0
        policy = Policy(tuple(rules), omitted, bool(managed), line)
        if isinstance(node, Sequence) and len(rules) == len(node.items):
            for number, item in enumerate(node.items):
                if rules[number].level and not policy.stages(number):
                    self.add(
                        item,
                        "all stages are omitted: this records nothing",
                        "leave a stage, or write level: None",
                        True,
                    )
        return policy

    def _head(self, root: Mapping) -> None:
        kind = self._text(root.get("kind")) or ""
        if kind != "Policy":
            self.add(root.get("kind") or root, f"the kind is {kind or 'missing'}, not Policy", "write `kind: Policy`")
        node = root.get("apiVersion")
        version = self._text(node) or ""
        if version in _OLD:
            # Deprecated since 1.13, gone since 1.24 (CHANGELOG-1.24 of Kubernetes).
            message = f"{version} is old: API servers from 1.24 on refuse it"
            self.add(node or root, message, "write `apiVersion: audit.k8s.io/v1` (Kubernetes 1.12 and later)", True)
        elif version != "audit.k8s.io/v1":
            said = f"there is no {version}" if version else "the apiVersion is missing"
            self.add(node or root, said, "write `apiVersion: audit.k8s.io/v1`")

    def _keys(self, node: Mapping, known: tuple[str, ...], what: str) -> None:
        seen: set[str] = set()
        for key, _ in node.pairs:
            if not isinstance(key, Scalar):
                self.add(key, f"a key of {what} is a text", f"keys: {', '.join(known)}")
                continue
            name = key_text(key)
            if name in seen:
                self.add(key, f"`{name}` is written twice", "keep one")
            elif name not in known:
                near = nearest(name, known)
                advice = f"did you mean `{near[0]}`?" if near else f"keys: {', '.join(known)}"
                # The API server reads such a file again, leniently, and only says so in its log.
                self.add(key, f"{what} has no `{name}`: it is ignored", advice, True)
            seen.add(name)

    def _rule(self, node: Node) -> PolicyRule | None:
        if not isinstance(node, Mapping):
            self.add(node, "a rule is a mapping", "write `- level: Metadata`")
            return None
        self._keys(node, _RULE_KEYS, "a rule")
        level = self._level(node)
        verbs = self._texts(node, "verbs")
        texts = {key: self._texts(node, key) for key in ("users", "userGroups", "namespaces")}
        for key, values in {**texts, "verbs": verbs}.items():
            if "*" in values:
                message = f"there is no wildcard for {key}: this only matches one called `*`"
                self.add(node.get(key) or node, message, f"leave out `{key}` to match all", True)
        for verb, item in zip(verbs, self._items(node, "verbs"), strict=False):
            if verb not in API_VERBS and verb != "*":
                near = (_VERBS[verb.lower()],) if verb.lower() in _VERBS else nearest(verb.lower(), API_VERBS)
                advice = f"did you mean `{near[0]}`?" if near else f"verbs: {', '.join(API_VERBS[:8])}"
                self.add(item, f"no request has the verb `{verb}`", advice, True)
        urls = self._urls(node)
        resources = self._resources(node)
        if urls and (resources or texts["namespaces"]):
            message = "a rule is about resources or about other URLs, not both"
            self.add(node.key("nonResourceURLs") or node, message, "make two rules of it")
        line, _ = self._document.file.line_column(node.start)
        return PolicyRule(
            level, texts["users"], texts["userGroups"], verbs, resources, texts["namespaces"], urls,
            self._stages(node), self._flag(node), line + 1,
        )  # fmt: skip

    def _level(self, rule: Mapping) -> Level:
        node = rule.get("level")
        word = self._text(node) or ""
        if word in _LEVELS:
            return Level(_LEVELS.index(word))
        if not word:
            self.add(node or rule, "a rule needs a level", f"write one of {', '.join(_LEVELS)}")
        else:
            same = [level for level in _LEVELS if level.lower() == word.lower()]
            near = same or nearest(word, _LEVELS)
            advice = f"did you mean {near[0]}?" if near else f"levels: {', '.join(_LEVELS)}"
            self.add(node or rule, f"there is no level `{word}`", advice)
        return Level.NONE

    def _stages(self, mapping: Mapping) -> tuple[str, ...]:
        stages = self._texts(mapping, "omitStages")
        for stage, item in zip(stages, self._items(mapping, "omitStages"), strict=False):
            if stage not in STAGES:
                same = [one for one in STAGES if one.lower() == stage.lower()]
                near = same or nearest(stage, STAGES)
                advice = f"did you mean {near[0]}?" if near else f"stages: {', '.join(STAGES)}"
                self.add(item, f"there is no stage `{stage}`", advice)
        return stages

    def _flag(self, mapping: Mapping) -> bool | None:
        node = mapping.get("omitManagedFields")
        if node is None or (isinstance(node, Scalar) and node.null):
            return None
        word = node.value if isinstance(node, Scalar) and not node.style else ""
        if word.lower() not in ("true", "false", "yes", "no", "on", "off"):
            self.add(node, "`omitManagedFields` is true or false", "write one of these, without quotes")
        return word.lower() in ("true", "yes", "on")

    def _urls(self, rule: Mapping) -> tuple[str, ...]:
        urls = self._texts(rule, "nonResourceURLs")
        for url, item in zip(urls, self._items(rule, "nonResourceURLs"), strict=False):
            if url == "*":
                continue
            if not url.startswith("/"):
                self.add(item, f"`{url}` does not begin with a slash", f"write `/{url}`")
            elif "*" in url[:-1]:
                self.add(
                    item, f"a star may only end a URL, as in `{url.partition('*')[0]}*`", "list the paths one by one"
                )
        return urls

    def _resources(self, rule: Mapping) -> tuple[GroupResources, ...]:
        node = rule.get("resources")
        if node is None or (isinstance(node, Scalar) and node.null):
            return ()
        if not isinstance(node, Sequence):
            self.add(
                node, "`resources` is a sequence of groups", 'write `- group: ""` with `resources: [pods]` below it'
            )
            return ()
        found = []
        for item in node.items:
            if not isinstance(item, Mapping):
                self.add(item, "resources are listed by group", 'write `- group: ""` with `resources: [pods]` below it')
                continue
            self._keys(item, _RESOURCE_KEYS, "a group of resources")
            group = self._text(item.get("group")) or ""
            self._group(item, group)
            resources, names = self._texts(item, "resources"), self._texts(item, "resourceNames")
            if names and not resources:
                self.add(item.get("resourceNames") or item, "`resourceNames` needs `resources` beside it", "add them")
            for name, own in zip(resources, self._items(item, "resources"), strict=False):
                self._resource(own, name)
            found.append(GroupResources(group, resources, names))
        return tuple(found)

    def _group(self, item: Mapping, group: str) -> None:
        if not group or (_SUBDOMAIN.fullmatch(group) and len(group) < 254):
            if group == "core" or re.fullmatch(r"v\d+((alpha|beta)\d+)?", group):
                self.add(
                    item.get("group") or item,
                    f"no API group is called `{group}`",
                    'write `group: ""` for the core group',
                    True,
                )
            return
        name = group.partition("/")[0]
        advice = f"write `{name}`, without the version" if "/" in group and name else "write a group such as apps"
        if "*" in group:
            advice = "groups have no wildcard: list them one by one, or leave out `resources` to match all"
        self.add(item.get("group") or item, f"`{group}` is no name of an API group", advice)

    def _resource(self, node: Node, name: str) -> None:
        kind = name.partition("/")[0]
        if kind.lower() in SINGULARS:
            advice = f"write `{SINGULARS[kind.lower()]}{name[len(kind) :]}`"
            self.add(node, f"no resource is called `{kind}`: names are in the plural", advice, True)
        elif name != name.lower():
            self.add(
                node, f"no resource is called `{name}`: names are in small letters", f"write `{name.lower()}`", True
            )
        elif "*" in name and name != "*" and not re.fullmatch(r"\*/[^*/]+|[^*/]+/\*", name):
            self.add(node, f"`{name}` matches nothing", "write `*`, `pods/*` or `*/scale`", True)

    def _unreached(self, node: Sequence, rules: list[PolicyRule]) -> None:
        if any(one.severity is Severity.ERROR for one in self.found):
            return  # What they match is not sure.
        for number, rule in enumerate(rules[:-1]):
            if rule.takes_all:
                message = f"this rule is never reached: the one on line {rule.line} takes all that is left"
                self.add(node.items[number + 1], message, "move it up, or remove it", True)
                return

    def _items(self, mapping: Mapping, key: str) -> Iterator[Node]:
        node = mapping.get(key)
        yield from node.items if isinstance(node, Sequence) else ()

    def _texts(self, mapping: Mapping, key: str) -> tuple[str, ...]:
        node = mapping.get(key)
        if node is None or (isinstance(node, Scalar) and node.null):
            return ()
        if not isinstance(node, Sequence):
            value = f"[{node.value}]" if isinstance(node, Scalar) else "[...]"
            self.add(node, f"`{key}` is a sequence", f"write `{key}: {value}`")
            return ()
        return tuple([self._text(item) or "" for item in node.items])

    def _text(self, node: Node | None) -> str | None:
        """The text of *node*, None where there is none."""
        if node is None or (isinstance(node, Scalar) and node.null):
            return None
        if not isinstance(node, Scalar):
            self.add(node, "a text is expected here", "write one")
            return None
        if not node.style and _NO_TEXT.fullmatch(node.value):
            self.add(node, f"YAML does not read {node.value} as a text", f'write "{node.value}"')
        return node.value

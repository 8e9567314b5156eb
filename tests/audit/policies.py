"""Policies, requests and rules that tests make up."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from hypothesis import strategies as st

from falcokit.audit.policy_file import GroupResources, Level, Policy, PolicyRule, Request, read_policy
from falcokit.catalogue import Catalogue
from falcokit.ruleset.loader import load
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.source import SourceFile

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures"
PUBLIC = ROOT.parent / "shared/corpus/upstream/plugins/k8saudit/k8s_audit_rules.yaml"
BUNDLED = ROOT / "default_rules/k8s_audit_rules.yaml"
CATALOGUE = Catalogue.bundled()

USERS = ("jane", "kubelet", "system:anonymous", "system:kube-proxy")
GROUPS = ("system:authenticated", "system:masters", "devs")
VERBS = ("get", "list", "create", "delete", "watch")
RESOURCES = ("pods", "secrets", "deployments", "things")
SUBRESOURCES = ("", "exec", "status")
PATHS = ("/healthz", "/healthz/etcd", "/version", "/metrics")


def some(*texts: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(texts), max_size=2, unique=True).map(tuple)


@st.composite
def resource_groups(draw: st.DrawFn) -> GroupResources:
    names = some(*RESOURCES, "pods/exec", "pods/*", "*/exec", "*/status", "*", "secrets/status")
    resources = draw(names)
    return GroupResources(draw(st.sampled_from(("", "apps"))), resources, draw(some("one", "two")) if resources else ())


@st.composite
def policy_rules(draw: st.DrawFn) -> PolicyRule:
    urls = draw(st.booleans()) and draw(st.booleans())
    return PolicyRule(
        draw(st.sampled_from(Level)), draw(some(*USERS)), draw(some(*GROUPS)), draw(some(*VERBS)),
        () if urls else tuple(draw(st.lists(resource_groups(), max_size=2))), () if urls else draw(some("default", "kube-system", "")),
        draw(some(*PATHS, "/healthz*", "*")) if urls else (), draw(some("RequestReceived", "ResponseStarted", "ResponseComplete")),
    )  # fmt: skip


POLICIES = st.builds(
    Policy, st.lists(policy_rules(), min_size=1, max_size=5).map(tuple), some("RequestReceived", "Panic"), st.booleans()
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    user = draw(st.sampled_from((*USERS, "somebody")))
    login = "system:unauthenticated" if user == "system:anonymous" else "system:authenticated"
    groups = (login, *draw(some("system:masters", "devs", "others")))
    verb = draw(st.sampled_from((*VERBS, "patch")))
    if draw(st.integers(0, 3)) == 0:
        return Request(user, groups, verb, path=draw(st.sampled_from((*PATHS, "/other"))))
    name = "" if verb in ("create", "list") else draw(st.sampled_from(("one", "two", "three")))
    group, resource = draw(st.sampled_from(("", "apps", "x.io"))), draw(st.sampled_from((*RESOURCES, "nodes")))
    spaces = ("",) if (group, resource) == ("", "nodes") else ("default", "kube-system", "shop")
    # A list goes over all namespaces, too; of add-ons it is not known which are in one.
    every = verb in ("list", "watch") or (group, resource) not in {
        ("", "pods"),
        ("", "secrets"),
        ("apps", "deployments"),
    }
    return Request(
        user, groups, verb, group, resource, draw(st.sampled_from((*SUBRESOURCES, "log"))), name,
        draw(st.sampled_from(("", *spaces) if every else spaces)),
    )  # fmt: skip


def policy(text: str) -> Policy:
    found, findings = read_policy(SourceFile("policy.yaml", text))
    assert found is not None, findings
    return found


def rules_of(*texts: str) -> list[CompiledRule]:
    """The rules in *texts*, rules files in load order."""
    loaded = load([SourceFile(f"rules{number}.yaml", text) for number, text in enumerate(texts)], CATALOGUE)
    assert not [finding for finding in loaded.diagnostics if finding.is_error]
    assert loaded.compilation is not None
    return list(loaded.compilation.rules.values())


def rule(condition: str, name: str = "R") -> str:
    """A rules file with one rule."""
    return (
        f"- rule: {name}\n  desc: d\n  condition: >\n    {condition}\n  output: '%ka.user.name %ka.req.pod.containers.image'\n"
        "  priority: INFO\n  source: k8s_audit\n"
    )


# ------------------------------------------------------------------------------------------------------ Conditions, events

CHECKS = (
    "ka.verb = create", "ka.verb in (create, delete)", "ka.verb = get", "not ka.verb = delete", "jevt.value[/verb] = create",
    "ka.target.resource = pods", "ka.target.resource in (secrets, deployments)", "not ka.target.resource = pods",
    "ka.target.resource exists", "ka.target.subresource exists", "not ka.target.subresource exists", "ka.target.subresource = exec",
    "ka.target.subresource in (status, log)", "ka.target.namespace = kube-system", "ka.target.namespace != kube-system",
    "not ka.target.namespace in (default, shop)", "ka.user.name = jane", "not ka.user.name in (jane, kubelet)",
    'ka.user.name startswith "system:"', 'not ka.user.name startswith "system:"', 'ka.user.name contains "node"',
    "ka.target.name startswith o", "ka.target.name = one", "jevt.value[/stage] = ResponseComplete",
    "ka.stage in (ResponseStarted, ResponseComplete)", "not ka.stage = RequestReceived", "jevt.value[/objectRef/apiGroup] = apps",
    "not jevt.value[/objectRef/apiGroup] exists", "ka.response.code = 201", "ka.response.code startswith 2", "jevt.rawtime exists",
    "ka.req.pod.host_network = true", "not ka.req.pod.host_network = true", "ka.req.pod.containers.image.repository in (nginx)",
    "not ka.req.pod.containers.image.repository in (nginx)", "jevt.value[/requestObject/spec] exists",
    "not jevt.value[/requestObject/spec/tls] exists", "ka.resp.name = web", "not ka.resp.name exists", "ka.uri startswith /healthz",
    "not ka.uri = /healthz", "ka.auth.decision = allow", "ka.user.groups intersects (devs)", "tolower(ka.verb) = create",
    "ka.user.name regex 'j.*'", "evt.num >= 0", "evt.num = 0", "ka.req.binding.subject.has_name[x] exists",
    "ka.target.resource = nodes", "ka.target.subresource = proxy", "ka.verb = watch", "ka.response.code = 401", "ka.response.code = 101",
    "not ka.response.code = 201", "ka.response.code = 500", "not ka.user.name exists", "ka.user.name exists", "ka.stage = Panic",
    "ka.stage = RequestReceived", "not jevt.value[/stage] = ResponseComplete", "not ka.auth.decision = allow",
    "jevt.value[/level] = RequestResponse", "jevt.value[/level] = Request",
)  # fmt: skip

CONDITIONS = st.recursive(
    st.sampled_from(CHECKS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: "(" + " and ".join(parts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " or ".join(parts) + ")"),
        inner.map(lambda part: f"not ({part})"),
    ),
    max_leaves=6,
)


def audit_documents() -> st.SearchStrategy[dict[str, object]]:
    """An event at the level RequestResponse, as the API server writes it."""
    return exchanges().map(lambda exchange: exchange.written(exchange.ending)).flatmap(st.sampled_from)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    """A request and how it ends."""
    request = draw(requests())
    known = {
        ("", "pods"): ("", "exec", "status", "log"),
        ("", "secrets"): ("",),
        ("", "nodes"): ("", "proxy"),
        ("apps", "deployments"): ("", "status"),
    }
    if request.resource:
        (group, resource), subresources = draw(st.sampled_from(sorted(known.items())))
        subresource = draw(st.sampled_from(subresources))
        verbs = {
            "exec": ("create", "get"),
            "status": ("get", "patch", "update"),
            "log": ("get",),
            "proxy": ("get", "delete"),
        }
        verb = draw(st.sampled_from(verbs.get(subresource, ("create", "get", "delete", "patch", "list", "watch"))))
        name = draw(st.sampled_from(("one", "two"))) if verb not in ("list", "watch") else ""
        namespace = request.namespace or ("" if verb in ("list", "watch") else "shop")
        request = request.replaced(
            group=group, resource=resource, subresource=subresource, verb=verb, name=name,
            namespace="" if resource == "nodes" else namespace,
        )  # fmt: skip
    user = draw(st.sampled_from((request.user, request.user, "system:node:one", "system:serviceaccount:shop:job", "")))
    login = "system:unauthenticated" if user == "system:anonymous" else "system:authenticated"
    groups = [login, *[group for group in request.groups if not group.startswith("system:")]]
    if user.startswith("system:node:"):
        groups.append("system:nodes")
    if user.startswith("system:serviceaccount:"):
        groups += ["system:serviceaccounts", "system:serviceaccounts:shop"]
    exchange = Exchange(request.replaced(user=user, groups=tuple(groups) if user else ()))
    exchange.ending = draw(st.sampled_from(exchange.endings()))
    return exchange


Ending: TypeAlias = "tuple[int, dict[str, object], str]"
"""The code, what the object says, its name; a code of 0 is that the server panics."""


class Exchange:
    """A request, and what an API server that records everything writes of it: apart from the code under test, by the filters
    of k8s.io/apiserver (``endpoints/filters``: ``audit.go``, ``authn_audit.go``)."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.ending: Ending = (200, {}, "web")

    def endings(self) -> list[Ending]:
        """All that can become of it."""
        request = self.request
        codes = [200, 403]
        if request.subresource == "exec":
            codes = [101, 403, 404]
        elif request.subresource == "proxy":
            codes = [200, 201, 403]
        elif request.verb in ("create", "patch") and request.resource and not request.subresource:
            codes = [200, 201, 403, 409]
        specs = ({}, {"hostNetwork": True}, {"tls": []})
        images = ("nginx:1", "other")
        return [
            (code, {"containers": [{"name": "c", "image": image}], **spec}, name)
            for code in [*codes, 0] for spec in specs for image in images for name in ("web", "db")
        ]  # fmt: skip

    def written(self, ending: Ending) -> list[dict[str, object]]:
        """The events of it, the first one first."""
        request, (code, spec, name) = self.request, ending
        event: dict[str, object] = {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a",
            "requestURI": request.path or "/api/v1/x", "verb": request.verb, "user": {},
            "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z", "stageTimestamp": "2026-01-01T00:00:01.000000Z",
        }  # fmt: skip
        if request.resource:
            reference = {"resource": request.resource, "namespace": request.namespace, "name": request.name}
            reference |= {"subresource": request.subresource, "apiGroup": request.group, "apiVersion": "v1"}
            event["objectRef"] = {key: value for key, value in reference.items() if value}
        if not request.user:
            said = {"metadata": {}, "code": 401, "message": "Authentication failed, attempted: bearer"}
            return [{**event, "stage": "ResponseStarted", "responseStatus": said}]
        event["user"] = {"username": request.user, "groups": list(request.groups)}
        events = [{**event, "stage": "RequestReceived"}]
        event["annotations"] = {"authorization.k8s.io/decision": "forbid" if code == 403 else "allow"}
        passed_on = request.subresource in ("exec", "proxy", "log")
        if request.resource and request.verb in ("create", "patch", "update") and not passed_on and code != 403:
            event["requestObject"] = {"kind": "Pod", "spec": spec}
        event["responseStatus"] = {"metadata": {}, "code": code or 500}
        if not code:
            return [*events, {**event, "stage": "Panic"}]
        if request.verb == "watch" or passed_on:
            events.append({**event, "stage": "ResponseStarted"})
        elif request.resource and code != 403:
            event["responseObject"] = {"kind": "Pod", "metadata": {"name": name}, "spec": spec}
        return [*events, {**event, "stage": "ResponseComplete"}]


def recorded(event: dict[str, object], level: Level) -> dict[str, object]:
    """*event* as it is written at *level*."""
    gone = {"requestObject": Level.REQUEST, "responseObject": Level.REQUEST_RESPONSE}
    kept = {key: value for key, value in event.items() if gone.get(key, Level.NONE) <= level}
    return {**kept, "level": ("None", "Metadata", "Request", "RequestResponse")[level]}

"""Policies, requests and rules that tests make up."""

from __future__ import annotations

from pathlib import Path

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
        draw(some(*PATHS, "/healthz*", "*")) if urls else (), draw(some("RequestReceived", "ResponseComplete")),
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
    return Request(
        user, groups, verb, draw(st.sampled_from(("", "apps", "x.io"))), draw(st.sampled_from((*RESOURCES, "nodes"))),
        draw(st.sampled_from((*SUBRESOURCES, "log"))), name, draw(st.sampled_from(("", "default", "kube-system", "shop"))),
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


@st.composite
def audit_documents(draw: st.DrawFn) -> dict[str, object]:
    """An event at the level RequestResponse, as the API server writes it of such a request."""
    request = draw(requests())
    known = {
        ("", "pods"): ("", "exec", "status", "log"),
        ("", "secrets"): ("",),
        ("apps", "deployments"): ("", "status"),
    }
    if request.resource:
        (group, resource), subresources = draw(st.sampled_from(sorted(known.items())))
        subresource = draw(st.sampled_from(subresources))
        verbs = {"exec": ("create", "get"), "status": ("get", "patch", "update"), "log": ("get",)}
        verb = draw(st.sampled_from(verbs.get(subresource, ("create", "get", "delete", "patch", "list"))))
        request = request.replaced(group=group, resource=resource, subresource=subresource, verb=verb)
    user = draw(st.sampled_from((request.user, "system:node:one", "system:serviceaccount:shop:job")))
    login = "system:unauthenticated" if user == "system:anonymous" else "system:authenticated"
    groups = [login, *[group for group in request.groups if not group.startswith("system:")]]
    if user.startswith("system:node:"):
        groups.append("system:nodes")
    if user.startswith("system:serviceaccount:"):
        groups += ["system:serviceaccounts", "system:serviceaccounts:shop"]
    stage = draw(st.sampled_from(("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")))
    event: dict[str, object] = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a", "stage": stage,
        "requestURI": request.path or "/api/v1/x", "verb": request.verb, "user": {"username": user, "groups": groups},
        "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z", "stageTimestamp": "2026-01-01T00:00:01.000000Z",
    }  # fmt: skip
    if request.resource:
        name = draw(st.sampled_from(("one", "two"))) if request.verb not in ("list",) else ""
        reference = {"resource": request.resource, "namespace": request.namespace, "name": name}
        reference |= {"subresource": request.subresource, "apiGroup": request.group, "apiVersion": "v1"}
        event["objectRef"] = {key: value for key, value in reference.items() if value}
    if stage == "RequestReceived":
        return event
    code = draw(st.sampled_from((200, 403) if request.subresource in ("status", "log") else (200, 201, 403)))
    event["responseStatus"] = {"metadata": {}, "code": code}
    event["annotations"] = {"authorization.k8s.io/decision": draw(st.sampled_from(("allow", "forbid")))}
    if request.resource and request.subresource not in ("exec", "log"):
        spec: dict[str, object] = {"containers": [{"name": "c", "image": draw(st.sampled_from(("nginx:1", "other")))}]}
        spec |= draw(st.sampled_from(({}, {"hostNetwork": True}, {"tls": []})))
        if request.verb in ("create", "patch", "update"):
            event["requestObject"] = {"kind": "Pod", "spec": spec}
        event["responseObject"] = {
            "kind": "Pod",
            "metadata": {"name": draw(st.sampled_from(("web", "db")))},
            "spec": spec,
        }
    return event


def recorded(event: dict[str, object], level: Level) -> dict[str, object]:
    """*event* as it is written at *level*."""
    gone = {"requestObject": Level.REQUEST, "responseObject": Level.REQUEST_RESPONSE}
    return {key: value for key, value in event.items() if gone.get(key, Level.NONE) <= level}

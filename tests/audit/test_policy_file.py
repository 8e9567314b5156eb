"""Audit policies: which rule decides, and what is said of mistakes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.audit.policy_file import Level, Policy, PolicyRule, Request, read_policy
from falcokit.audit.regions import Division, Region, boxes, one_of, path_key
from falcokit.audit.resources import SINGULARS
from falcokit.document import Mapping, Node, Scalar, Sequence, compose, key_text
from falcokit.source import SourceFile

sys.path.insert(0, str(Path(__file__).parent))
from policies import FIXTURES, POLICIES, ROOT, policy, requests

SCHEMA = json.loads((ROOT / "schemas/audit-policy.schema.json").read_text(encoding="utf-8"))


def plain(node: Node | None) -> Any:
    """A YAML node as data, as the API server reads it."""
    if isinstance(node, Mapping):
        return {key_text(key): plain(value) for key, value in node.pairs}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    if node.null:
        return None
    return {"true": True, "false": False}.get(node.value, node.value) if not node.style else node.value


def validated(text: str) -> None:
    documents, error = compose(SourceFile("p", text))
    assert error is None
    jsonschema.validate(plain(documents[0].root), SCHEMA, jsonschema.Draft202012Validator)


def naive(found: Policy, request: Request) -> tuple[Level, set[str], int | None]:
    """As the documentation of Kubernetes describes it, written down without regard to ours."""
    for number, rule in enumerate(found.rules):
        checks = [
            not rule.users or request.user in rule.users,
            not rule.user_groups or any(group in rule.user_groups for group in request.groups),
            not rule.verbs or request.verb in rule.verbs,
        ]
        if rule.resources or rule.namespaces:
            checks.append(request.resource != "")
            checks.append(not rule.namespaces or request.namespace in rule.namespaces)
            if rule.resources:
                checks.append(any(is_in_group(part, request) for part in rule.resources))
        elif rule.non_resource_urls:
            checks.append(request.resource == "")
            checks.append(any(of_url(url, request.path) for url in rule.non_resource_urls))
        if all(checks):
            stages = {"RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"}
            stages -= {*found.omit_stages, *rule.omit_stages}
            return rule.level, stages if rule.level else set(), number
    return Level.NONE, set(), None


def is_in_group(part: Any, request: Request) -> bool:
    if part.group != request.group:
        return False
    if part.resources == ():
        return True
    if part.names and request.name not in part.names:
        return False
    names = {"*", request.resource + "/*"}
    names.add(f"{request.resource}/{request.subresource}" if request.subresource else request.resource)
    if request.subresource:
        names.add(f"*/{request.subresource}")
    return bool(names & set(part.resources))


def of_url(url: str, path: str) -> bool:
    return path.startswith(url[:-1]) if url.endswith("*") else path == url


@given(POLICIES, requests())
def test_the_first_matching_rule_decides(found: Policy, request: Request) -> None:
    decision = found.decide(request)
    assert (decision.level, set(decision.stages), decision.number) == naive(found, request)


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("pods", {"pods"}),
        ("pods/*", {"pods", "pods/exec"}),
        ("*/exec", {"pods/exec"}),
        ("pods/exec", {"pods/exec"}),
        ("*", {"pods", "pods/exec", "secrets"}),
    ],
)
def test_patterns_of_resources(pattern: str, taken: set[str]) -> None:
    found = policy(f"{HEAD}rules: [{{level: Request, resources: [{{group: '', resources: ['{pattern}']}}]}}]\n")
    names = ("pods", "pods/exec", "secrets")
    requests = {name: Request(resource=name.partition("/")[0], subresource=name.partition("/")[2]) for name in names}
    assert {name for name, request in requests.items() if found.decide(request).number == 0} == taken


def inside(region: Region, request: Request) -> bool:
    """Whether *request* is one of *region*."""
    for side, values in region.sides.items():
        if side.startswith("group of the user: "):
            value = "yes" if side.removeprefix("group of the user: ") in request.groups else ""
        elif side.startswith("path: "):
            value = "yes" if not request.resource and of_url(side.removeprefix("path: "), request.path) else ""
        else:
            value = getattr(request, side)
        if value not in values:
            return False
    return True


@given(POLICIES, requests())
def test_a_rule_is_the_regions_it_is_made_of(found: Policy, request: Request) -> None:
    for rule in found.rules:
        alone = Policy((rule.replaced(level=Level.REQUEST),))
        assert any(inside(box, request) for box in boxes(rule)) == (alone.decide(request).number == 0)


@given(POLICIES, requests())
def test_all_requests_divided_by_a_policy(found: Policy, request: Request) -> None:
    parts = [number for region, number in Division(found, 200_000).of(Region({})) if inside(region, request)]
    assert parts == [found.decide(request).number]


def test_regions_know_what_there_is_not() -> None:
    created = Region({"verb": one_of("create")})
    assert created.narrowed("name", one_of("mine")) is None
    assert created.narrowed("name", one_of("")) is not None
    anonymous = Region({"user": one_of("system:anonymous")})
    assert anonymous.narrowed("group of the user: system:authenticated", one_of("yes")) is None
    assert (
        Region({"user": one_of("jane")}).narrowed("group of the user: system:authenticated", one_of("yes")) is not None
    )
    nobody = Region({"user": one_of("")})
    assert nobody.narrowed("group of the user: system:unauthenticated", one_of("yes")) is None
    assert not Region(
        {"resource": one_of("pods"), "group": one_of(""), "verb": one_of("get"), "namespace": one_of("")}
    ).placed
    below = Region({"resource": one_of(""), path_key("/healthz*"): one_of("yes").opposite()})
    assert below.narrowed(path_key("/healthz/etcd"), one_of("yes")) is None


def test_the_fixture_is_a_policy_by_the_schema_and_by_us() -> None:
    text = (FIXTURES / "metadata-only.yaml").read_text(encoding="utf-8")
    validated(text)
    found = policy(text)
    assert [rule.level.word for rule in found.rules] == ["None"] * 5 + ["Metadata"]
    assert found.decide(Request("jane", verb="create", resource="pods")).level is Level.METADATA
    assert found.decide(Request("jane", path="/healthz")).number == 3
    assert found.rules[0].line == 6


HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
WRONG = [
    ("", "1:1 error the file is empty", "write apiVersion: audit.k8s.io/v1, kind: Policy and rules"),
    ("a: [", "1:5 error this is no YAML", "correct it"),
    ("- level: None\n", "1:1 error a policy is a mapping", "write apiVersion: audit.k8s.io/v1, kind: Policy and rules"),
    ("kind: Policy\nrules: [{level: None}]\n", "1:1 error the apiVersion is missing", "write `apiVersion: audit.k8s.io/v1`"),
    ("apiVersion: v1\nkind: Policy\nrules: [{level: None}]\n", "1:13 error there is no v1", "write `apiVersion: audit.k8s.io/v1`"),
    ("apiVersion: audit.k8s.io/v1beta1\nkind: Policy\nrules: [{level: None}]\n", "1:13 warning audit.k8s.io/v1beta1 is old", "write `apiVersion: audit.k8s.io/v1`"),
    ("apiVersion: audit.k8s.io/v1\nkind: List\nrules: [{level: None}]\n", "2:7 error the kind is List, not Policy", "write `kind: Policy`"),
    (HEAD, "1:1 error a policy without rules is refused", "write `- level: Metadata`"),
    (HEAD + "rules: []\n", "3:8 error a policy without rules is refused", "write `- level: Metadata`"),
    (HEAD + "rules:\n- level: metadata\n", "4:10 error there is no level `metadata`", "did you mean Metadata?"),
    (HEAD + "rules:\n- verbs: [get]\n", "4:3 error a rule needs a level", "write one of None, Metadata, Request, RequestResponse"),
    (HEAD + "rules:\n- level: Request\n  omitStage: [Panic]\n", "5:3 warning a rule has no `omitStage`: it is ignored", "did you mean `omitStages`?"),
    (HEAD + "rules:\n- level: Request\n  omitStages: [RequestRecieved]\n", "5:16 error there is no stage `RequestRecieved`", "did you mean RequestReceived?"),
    (HEAD + "rules:\n- level: None\n  level: Request\n", "5:3 error `level` is written twice", "keep one"),
    (HEAD + "rules:\n- level: Request\n  resources: [{group: apps/v1, resources: [deployments]}]\n", "5:23 error `apps/v1` is no name of an API group", "write `apps`, without the version"),
    (HEAD + "rules:\n- level: Request\n  resources: [{group: '*'}]\n", "5:23 error `*` is no name of an API group", "groups have no wildcard"),
    (HEAD + "rules:\n- level: Request\n  resources: [{group: v1, resources: [pods]}]\n", "5:23 warning no API group is called `v1`", 'write `group: ""` for the core group'),
    (HEAD + "rules:\n- level: Request\n  resources: [{group: '', resources: [Pod/exec]}]\n", "5:39 warning no resource is called `Pod`", "write `pods/exec`"),
    (HEAD + "rules:\n- level: Request\n  resources: [{group: '', resources: [po*]}]\n", "5:39 warning `po*` matches nothing", "write `*`, `pods/*` or `*/scale`"),
    (HEAD + "rules:\n- level: Request\n  resources: [{group: '', resourceNames: [a]}]\n", "5:42 error `resourceNames` needs `resources` beside it", "add them"),
    (HEAD + "rules:\n- level: Request\n  resources: [pods]\n", "5:15 error resources are listed by group", 'write `- group: ""`'),
    (HEAD + "rules:\n- level: None\n  nonResourceURLs: [healthz]\n", "5:21 error `healthz` does not begin with a slash", "write `/healthz`"),
    (HEAD + "rules:\n- level: None\n  nonResourceURLs: [/a*/b]\n", "5:21 error a star may only end a URL", "list the paths one by one"),
    (HEAD + "rules:\n- level: None\n  nonResourceURLs: [/a]\n  namespaces: [b]\n", "5:3 error a rule is about resources or about other URLs", "make two rules of it"),
    (HEAD + "rules:\n- level: Request\n  verbs: ['*']\n", "5:10 warning there is no wildcard for verbs", "leave out `verbs` to match all"),
    (HEAD + "rules:\n- level: Request\n  verbs: [read]\n", "5:11 warning no request has the verb `read`", "did you mean `get`?"),
    (HEAD + "rules:\n- level: Request\n  users: jane\n", "5:10 error `users` is a sequence", "write `users: [jane]`"),
    (HEAD + "rules:\n- level: Request\n  users: [yes]\n", "5:11 error YAML does not read yes as a text", 'write "yes"'),
    (HEAD + "rules:\n- level: Request\n  omitManagedFields: maybe\n", "5:22 error `omitManagedFields` is true or false", "write one of these"),
    (HEAD + "rules:\n- level: Request\n- level: None\n", "5:3 warning this rule is never reached: the one on line 4 takes all that is left", "move it up, or remove it"),
    (HEAD + "omitStages: [ResponseComplete, ResponseStarted]\nrules:\n- level: Request\n  omitStages: [Panic, RequestReceived]\n", "5:3 warning all stages are omitted", "leave a stage, or write level: None"),
    (HEAD + "rules: [{level: None}]\n---\nkind: Policy\n", "5:1 warning only the first document", "put one policy into a file"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said", "help"), WRONG)
def test_every_mistake_is_told_with_its_place_and_what_to_write(text: str, said: str, help: str) -> None:
    found, findings = read_policy(SourceFile("p.yaml", text))
    (finding,) = findings
    line, column = finding.span.file.line_column(finding.span.start)
    assert f"{line + 1}:{column + 1} {finding.severity.word} {finding.message}".startswith(said)
    assert finding.help.startswith(help)
    assert (found is None) == (finding.severity.word == "error")


def test_all_mistakes_are_told_in_one_go() -> None:
    text = HEAD + "rules:\n- level: metadata\n  verbs: get\n- users: [no]\n"
    _, findings = read_policy(SourceFile("p.yaml", text))
    assert [finding.span.file.line_column(finding.span.start)[0] + 1 for finding in findings] == [4, 5, 6, 6]


@given(st.text(max_size=200) | st.sampled_from(WRONG).map(lambda one: one[0]).flatmap(
    lambda text: st.integers(0, len(text)).flatmap(lambda at: st.text(max_size=3).map(lambda more: text[:at] + more + text[at:]))
))  # fmt: skip
def test_no_text_makes_reading_fail(text: str) -> None:
    found, findings = read_policy(SourceFile("p.yaml", text))
    assert found is not None or findings
    assert all(finding.message and finding.help for finding in findings)


def test_singulars() -> None:
    assert {SINGULARS[name] for name in ("ingress", "networkpolicy", "storageclass", "pod")} == {
        "ingresses", "networkpolicies", "storageclasses", "pods",
    }  # fmt: skip
    assert "endpoint" not in SINGULARS
    assert PolicyRule(Level.NONE).takes_all

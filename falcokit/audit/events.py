"""From a sample to the events of its request, in the form that kube-apiserver gives them, and lists of events.

The order of keys is that of the type ``Event`` of ``audit.k8s.io/v1`` (k8s.io/apiserver/pkg/apis/audit/v1); what is known at each stage
is what the filter ``WithAudit`` of the API server knows there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from falcokit.audit.samples import DELETE, GROUPS, RUNS_ON, Sample

__all__ = ["batch", "batches", "event_list", "events_of", "with_level"]

AuditObject: TypeAlias = dict[str, Any]

_START: Final = datetime(2026, 11, 2, 8, tzinfo=UTC)
_KINDS: Final = {
    "pods": "Pod",
    "services": "Service",
    "deployments": "Deployment",
    "daemonsets": "DaemonSet",
    "configmaps": "ConfigMap",
    "secrets": "Secret",
    "namespaces": "Namespace",
    "serviceaccounts": "ServiceAccount",
    "roles": "Role",
    "clusterroles": "ClusterRole",
    "rolebindings": "RoleBinding",
    "clusterrolebindings": "ClusterRoleBinding",
    "persistentvolumes": "PersistentVolume",
    "ingresses": "Ingress",
    "nodes": "Node",
}
_REASONS: Final = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "AlreadyExists"}


def events_of(
    what: Sample, seed: int = 0, level: str = "RequestResponse", start: datetime | None = None
) -> tuple[AuditObject, ...]:
    """The events of a request, one for each stage, as a log has them: at *level*, the same for the same *seed*.

    The request comes in at *start*, by default at a time that the seed tells.  At the level ``None`` nothing is written.
    """
    if level == "None":
        return ()
    random = Random(f"{what.name} {seed}")
    drawn = _START + timedelta(microseconds=random.randrange(10**11))
    received = drawn if start is None else start
    audit_id = _uuid(random)
    common = {
        "uid": _uuid(random),
        "address": f"192.0.2.{random.randrange(1, 255)}",
        "version": random.randrange(10**4, 10**6),
    }
    found = []
    at = received
    for stage in what.stages:
        found.append(with_level(_event(what, stage, audit_id, received, at, common), level))
        at += timedelta(microseconds=random.randrange(500, 90_000))
    return tuple(found)


def with_level(event: Mapping[str, Any], level: str) -> AuditObject:
    """*event*, written at the level ``RequestResponse``, as it is at a lower one."""
    left_out = {"Metadata": ("requestObject", "responseObject"), "Request": ("responseObject",)}.get(level, ())
    return {key: level if key == "level" else value for key, value in event.items() if key not in left_out}


def batch(events: Iterable[Mapping[str, Any]]) -> bytes:
    """*events* as the webhook backend sends them: in a list, where none of them says its kind again."""
    return event_list(
        [_json({key: event[key] for key in event if key not in ("kind", "apiVersion")}) for event in events]
    )


def event_list(items: Iterable[str]) -> bytes:
    """A list of events that are JSON already."""
    text = f'{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{",".join(items)}]}}\n'
    return text.encode("utf-8", "replace")


def batches(items: Iterable[str], size: int = 400, most: int = 10_485_760) -> Iterator[list[str]]:
    """*items*, events as JSON, in parts of at most *size* and, where one event allows it, *most* bytes.

    These are what kube-apiserver has where its flags say nothing else: --audit-webhook-batch-max-size and
    --audit-webhook-truncate-max-batch-size.
    """
    some: list[str] = []
    length = 0
    for item in items:
        own = len(item.encode("utf-8", "replace"))
        if some and (len(some) == size or length + own > most):
            yield some
            some, length = [], 0
        some.append(item)
        length += own
    if some:
        yield some


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _event(
    what: Sample, stage: str, audit_id: str, received: datetime, at: datetime, common: Mapping[str, Any]
) -> AuditObject:
    begun = stage != "RequestReceived"
    username, groups = what.user
    event: AuditObject = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": audit_id,
        "stage": stage,
        "requestURI": _uri(what),
        "verb": what.verb,
        "user": {"username": username, "groups": list(groups)} if username else {},
    }
    if what.impersonated and begun:
        event["impersonatedUser"] = {"username": what.impersonated, "groups": ["system:authenticated"]}
    event["sourceIPs"] = [common["address"]]
    event["userAgent"] = "kubectl/v1.34.2 (linux/amd64) kubernetes/8cc511e"
    if what.resource:
        event["objectRef"] = _reference(what, begun)
    if begun:
        event["responseStatus"] = _status(what, common)
        body = _body(what)
        if body is not None and stage != "Panic":
            event["requestObject"] = body
        if stage == "ResponseComplete" and what.subresource not in RUNS_ON and what.resource and what.verb != "watch":
            event["responseObject"] = _answer(what, common, received)
    event["requestReceivedTimestamp"] = _time(received)
    event["stageTimestamp"] = _time(at)
    if begun and what.code != 401:
        event["annotations"] = _annotations(what)
    return event


def _uri(what: Sample) -> str:
    query = f"?{urlencode(what.query)}" if what.query else ""
    if what.uri:
        return f"{what.uri}{query}"
    group, version = GROUPS.get(what.resource, ("", "v1"))
    parts = ["/apis", group, version] if group else ["/api", version]
    if what.namespace and what.resource != "namespaces":
        parts += ["namespaces", what.namespace]
    parts.append(what.resource)
    if what.object and what.verb != "create":
        parts.append(what.object)
    if what.subresource:
        parts += [what.object, what.subresource] if what.verb == "create" else [what.subresource]
    return "/".join(parts) + query


def _reference(what: Sample, begun: bool) -> AuditObject:
    group, version = GROUPS.get(what.resource, ("", "v1"))
    # The name of what is created is in the body, which is not read when the request comes in.
    known = begun or what.verb != "create" or what.subresource
    # A namespace is in itself, where the path names it.
    namespace = what.object if what.resource == "namespaces" and what.verb != "create" else what.namespace
    found = {
        "resource": what.resource,
        "namespace": namespace,
        "name": what.object if known else "",
        "apiGroup": group,
        "apiVersion": version,
        "subresource": what.subresource,
    }
    return {key: value for key, value in found.items() if value}


def _status(what: Sample, common: Mapping[str, Any]) -> AuditObject:
    status: AuditObject = {"metadata": {}}
    if what.code >= 400:
        status |= {"status": "Failure", "message": _said(what)}
        status |= {"reason": _REASONS[what.code]} if what.code in _REASONS else {}
        details = {"name": what.object, "group": GROUPS.get(what.resource, ("",))[0], "kind": what.resource}
        if what.code in (403, 404, 409):
            status["details"] = {key: value for key, value in details.items() if value}
    elif what.verb == "delete" and what.resource not in ("pods", "namespaces"):
        status |= {"status": "Success", "details": {"name": what.object, "kind": what.resource, "uid": common["uid"]}}
    return {**status, "code": what.code}


def _said(what: Sample) -> str:
    if what.code == 401:
        return "Authentication failed, attempted: bearer"
    group = GROUPS.get(what.resource, ("",))[0]
    dotted = f"{what.resource}.{group}" if group else what.resource
    if what.code == 403:
        where = f' in the namespace "{what.namespace}"' if what.namespace else " at the cluster scope"
        return (
            f'{dotted} "{what.object}" is forbidden: User "{what.user[0]}" cannot {what.verb} resource "{what.resource}" '
            f'in API group "{group}"{where}'
        )
    if what.code == 409:
        return f'{dotted} "{what.object}" already exists'
    return "the API server could not answer"


def _body(what: Sample) -> Any:
    """What was sent, None where it is nothing; with what every object begins with."""
    if not isinstance(what.body, dict) or what.body is DELETE:
        return what.body
    if what.subresource and what.verb == "patch":
        return what.body
    return _whole(what, {"name": what.object, **({"namespace": what.namespace} if what.namespace else {})})


def _whole(what: Sample, metadata: Mapping[str, Any]) -> AuditObject:
    group, version = GROUPS.get(what.resource, ("", "v1"))
    own = what.body if isinstance(what.body, dict) and what.body is not DELETE else {}
    head = {"kind": _KINDS[what.resource], "apiVersion": f"{group}/{version}" if group else version}
    return {**head, "metadata": dict(metadata), **own}


def _answer(what: Sample, common: Mapping[str, Any], received: datetime) -> AuditObject:
    metadata: AuditObject = {"name": what.object, "namespace": what.namespace, "uid": common["uid"]}
    metadata |= {"resourceVersion": str(common["version"]), "creationTimestamp": f"{received:%Y-%m-%dT%H:%M:%SZ}"}
    if what.code >= 400 or (what.verb == "delete" and what.resource not in ("pods", "namespaces")):
        return {"kind": "Status", "apiVersion": "v1", **_status(what, common)}
    if what.verb in ("list", "deletecollection"):
        group, version = GROUPS.get(what.resource, ("", "v1"))
        head = {"kind": f"{_KINDS[what.resource]}List", "apiVersion": f"{group}/{version}" if group else version}
        return {**head, "metadata": {"resourceVersion": str(common["version"])}, "items": []}
    return _whole(what, {key: value for key, value in metadata.items() if value})


def _annotations(what: Sample) -> AuditObject:
    if what.code == 403:
        return {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""}
    subject = (
        f'ServiceAccount "{what.user[0].rpartition(":")[2]}"'
        if "serviceaccount" in what.user[0]
        else f'User "{what.user[0]}"'
    )
    reason = f'RBAC: allowed by ClusterRoleBinding "{what.name}" of ClusterRole "{what.name}" to {subject}'
    return {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": reason}


def _uuid(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"

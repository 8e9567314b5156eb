"""What the fields ``ka.*`` are in a Kubernetes audit event, as the k8saudit plugin extracts them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias
from urllib.parse import unquote_to_bytes

from falcokit.event.json_text import JsonValue

__all__ = ["FIELDS", "KEYED", "Extracted"]

KEYED: Final = frozenset(("ka.uri.param", "ka.req.volume.hostpath", "ka.req.binding.subject.has_name"))
"""The fields whose argument is any text; that of the others is an index."""

Extracted: TypeAlias = "str | list[str] | None"
_Slots: TypeAlias = "list[JsonValue | None] | None"
_Extract: TypeAlias = "Callable[[JsonValue, str | None], Extracted]"


def _walk(root: JsonValue, path: Sequence[str], index: int | None) -> _Slots:
    """The values at *path*: arrays on the way are entered, at *index* or at all elements; an element without the rest
    gives an empty slot.  None where a key is absent outside of arrays, or an index is out of range."""

    def go(node: JsonValue, at: int, entered: bool) -> _Slots:
        if at == len(path):
            return [node]
        if node.kind == "array":
            if index is None:
                slots: list[JsonValue | None] = []
                for item in node.items:
                    inner = go(item, at, True)
                    slots += [None] if inner is None else inner
                return slots
            if entered or index >= len(node.items):
                return None
            return go(node.items[index], at, True)
        child = node.get(path[at])
        return None if child is None else go(child, at + 1, False)

    return go(root, 0, False)


def _index(argument: str | None) -> int | None:
    return int(argument) if argument is not None else None


def _at(root: JsonValue, path: Sequence[str]) -> JsonValue | None:
    """The value at *path*, through objects only."""
    node: JsonValue | None = root
    for key in path:
        node = node.get(key) if node is not None else None
    return node


def _single(path: str) -> _Extract:
    keys = path.split("/")

    def extract(event: JsonValue, argument: str | None) -> Extracted:
        value = _at(event, keys)
        return None if value is None else value.text()

    return extract


def _array(path: str) -> _Extract:
    keys = path.split("/")

    def extract(event: JsonValue, argument: str | None) -> Extracted:
        value = _at(event, keys)
        return [item.text() for item in value.items] if value is not None and value.kind == "array" else None

    return extract


def _walked(path: str, strict: bool = False, change: Callable[[str], str] | None = None) -> _Extract:
    keys = path.split("/")

    def extract(event: JsonValue, argument: str | None) -> Extracted:
        slots = _walk(event, keys, _index(argument))
        if slots is None or (strict and None in slots):
            return None
        texts = [slot.text() for slot in slots if slot is not None]
        return [change(text) for text in texts] if change is not None else texts

    return extract


def _flattened(path: str) -> _Extract:
    keys = path.split("/")

    def extract(event: JsonValue, argument: str | None) -> Extracted:
        slots = _walk(event, keys, _index(argument))
        if slots is None:
            return None
        return [item.text() for slot in slots if slot is not None and slot.kind == "array" for item in slot.items]

    return extract


def _words(path: str) -> _Extract:
    """Per container the words of an array, joined by blanks."""
    keys = path.split("/")

    def extract(event: JsonValue, argument: str | None) -> Extracted:
        slots = [slot for slot in _walk(event, keys, _index(argument)) or () if slot is not None]
        if any(slot.kind != "array" or any(item.kind != "text" for item in slot.items) for slot in slots):
            return None
        return [" ".join([item.text() for item in slot.items]) for slot in slots]

    return extract


def _repository(image: str) -> str:
    return image.partition(":")[0].partition("@")[0]


def _first_image(change: Callable[[str], str]) -> _Extract:
    every = _walked("requestObject/spec/containers/image", True)

    def extract(event: JsonValue, argument: str | None) -> Extracted:
        found = every(event, "0")
        return change(found[0]) if isinstance(found, list) and found else None

    return extract


def _ports(containers: str) -> _Extract:
    """The port on the host of each port, or else the one of the container."""
    keys = f"requestObject/spec/{containers}/ports".split("/")

    def extract(event: JsonValue, argument: str | None) -> Extracted:
        slots = _walk(event, keys, _index(argument))
        if slots is None or any(slot is not None and slot.kind != "array" for slot in slots):
            return None
        found = []
        for slot in slots:
            for port in slot.items if slot is not None else ():
                value = port.get("hostPort") or port.get("containerPort")
                if value is not None:
                    found.append(value.text())
        return found

    return extract


def _effective(containers: str, key: str) -> _Extract:
    """Per container its own value, else the one of the pod, else 0; with an index its own value only."""
    own = f"requestObject/spec/{containers}/{key}".split("/")
    pod = ["requestObject", "spec", key]

    def extract(event: JsonValue, argument: str | None) -> Extracted:
        slots = _walk(event, own, _index(argument))
        if slots is None:
            return None
        found = [slot for slot in _walk(event, pod, _index(argument)) or () if slot is not None]
        default = found[0].text() if found else "0"
        return [default if slot is None else slot.text() for slot in slots]

    return extract


def _subjects(kind: str, namespaced: bool = False) -> _Extract:
    def extract(event: JsonValue, argument: str | None) -> Extracted:
        subjects = _at(event, ("requestObject", "subjects"))
        if subjects is None or subjects.kind != "array":
            return None
        found = []
        for subject in subjects.items:
            what, name, namespace = (subject.get(key) for key in ("kind", "name", "namespace"))
            if what is None or name is None or what.text() != kind or (namespaced and namespace is None):
                continue
            found.append(f"{namespace.text()}:{name.text()}" if namespaced and namespace is not None else name.text())
        return found

    return extract


def _target_pod(event: JsonValue, argument: str | None) -> Extracted:
    resource, subresource = (_at(event, ("objectRef", key)) for key in ("resource", "subresource"))
    if resource is None or resource.kind != "text" or resource.text() != "pods":
        return None
    if subresource is not None and subresource.kind == "text" and subresource.text():
        return None
    return _single("responseObject/metadata/name")(event, None)


def _privileged(event: JsonValue, argument: str | None) -> Extracted:
    slots = _walk(event, ("requestObject", "spec", "containers", "securityContext", "privileged"), None)
    if slots is None:
        return None
    return (
        "true" if any(slot is not None and slot.kind == "other" and slot.raw == "true" for slot in slots) else "false"
    )


def _hostpath(event: JsonValue, argument: str | None) -> Extracted:
    wanted = argument or ""
    slots = _walk(event, ("requestObject", "spec", "volumes", "hostPath", "path"), None)
    if slots is None:
        return None
    paths = [slot.text() for slot in slots if slot is not None]
    if wanted.endswith("*"):
        return "true" if any(path.startswith(wanted[:-1]) for path in paths) else "false"
    return "true" if wanted in paths else "false"


def _volume_types(event: JsonValue, argument: str | None) -> Extracted:
    slots = _walk(event, ("requestObject", "spec", "volumes"), _index(argument))
    found: list[str] = []
    stack = [slot for slot in reversed(slots or ()) if slot is not None]
    entered = False
    while stack:
        node = stack.pop()
        if node.kind == "array":
            if argument is None:
                stack += reversed(node.items)
            elif not entered and int(argument) < len(node.items):
                entered = True
                stack.append(node.items[int(argument)])
        else:
            found += [name for name, _, _ in node.members if name != "name"]
    return found


_QUERY: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


def _parameter(event: JsonValue, argument: str | None) -> Extracted:
    """The first value of a parameter of the URI, which is read as Go's net/url does."""
    value = event.get("requestURI")
    if value is None:
        return None
    whole = value.text().partition("#")[0]
    path, _, query = whole.partition("?")
    first = path.partition("/")[0]
    if _QUERY.search(path) or any(ord(c) < 32 or c == "\x7f" for c in whole):
        return None
    if (":" in first and not _SCHEME.match(first)) or (path.startswith("//") and "[" in path.split("/")[2]):
        return None
    if _QUERY.search(query) or ";" in query:
        return None
    for pair in query.split("&"):
        key, _, text = pair.partition("=")
        if pair and _decoded(key) == argument:
            return _decoded(text).partition("\0")[0]
    return None


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _fields() -> dict[str, _Extract]:
    singles = {
        "ka.auditid": "auditID", "ka.stage": "stage", "ka.user.name": "user/username", "ka.impuser.name": "impersonatedUser/username",
        "ka.verb": "verb", "ka.uri": "requestURI", "ka.target.name": "objectRef/name", "ka.target.namespace": "objectRef/namespace",
        "ka.target.resource": "objectRef/resource", "ka.target.subresource": "objectRef/subresource",
        "ka.req.binding.role": "requestObject/roleRef/name", "ka.req.configmap.name": "objectRef/name",
        "ka.req.configmap.obj": "requestObject/data", "ka.req.pod.host_ipc": "requestObject/spec/hostIPC",
        "ka.req.pod.host_network": "requestObject/spec/hostNetwork", "ka.req.container.host_network": "requestObject/spec/hostNetwork",
        "ka.req.pod.host_pid": "requestObject/spec/hostPID", "ka.req.pod.run_as_user": "requestObject/spec/securityContext/runAsUser",
        "ka.req.pod.run_as_group": "requestObject/spec/securityContext/runAsGroup",
        "ka.req.pod.fs_group": "requestObject/spec/securityContext/fsGroup", "ka.req.service.type": "requestObject/spec/type",
        "ka.resp.name": "responseObject/metadata/name", "ka.response.code": "responseStatus/code",
        "ka.response.reason": "responseStatus/reason", "ka.useragent": "userAgent", "ka.cluster.name": "annotations/cluster_name",
    }  # fmt: skip
    annotations = {
        "ka.auth.decision": "authorization.k8s.io/decision", "ka.auth.reason": "authorization.k8s.io/reason",
        "ka.auth.openshift.decision": "authentication.openshift.io/decision",
        "ka.auth.openshift.username": "authentication.openshift.io/username",
        "ka.validations.admission.policy.failure": "validation.policy.admission.k8s.io/validation_failure",
        "ka.security.pod.violations": "pod-security.kubernetes.io/audit-violations",
    }  # fmt: skip
    fields: dict[str, _Extract] = {name: _single(path) for name, path in singles.items()}
    fields |= {name: _annotation(key) for name, key in annotations.items()}
    for name, path in (
        ("ka.user.groups", "user/groups"), ("ka.req.binding.subjects", "requestObject/subjects"),
        ("ka.req.role.rules", "requestObject/rules"),
        ("ka.req.pod.supplemental_groups", "requestObject/spec/securityContext/supplementalGroups"),
    ):  # fmt: skip
        fields[name] = _array(path)
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        own, path = f"ka.req.pod.{kind}.", f"requestObject/spec/{kind}/"
        fields |= {
            own + "args": _words(path + "args"), own + "command": _words(path + "command"),
            own + "name": _walked(path + "name", True), own + "image": _walked(path + "image", True),
            own + "image.repository": _walked(path + "image", True, _repository), own + "host_port": _ports(kind),
            own + "privileged": _walked(path + "securityContext/privileged"),
            own + "allow_privilege_escalation": _walked(path + "securityContext/allowPrivilegeEscalation"),
            own + "read_only_fs": _walked(path + "securityContext/readOnlyRootFilesystem"),
            own + "run_as_user": _walked(path + "securityContext/runAsUser"),
            own + "run_as_group": _walked(path + "securityContext/runAsGroup"),
            own + "eff_run_as_user": _effective(kind, "runAsUser"), own + "eff_run_as_group": _effective(kind, "runAsGroup"),
            own + "proc_mount": _walked(path + "securityContext/procMount"),
            own + "add_capabilities": _walked(path + "securityContext/capabilities/add"),
        }  # fmt: skip
    for name in ("apiGroups", "nonResourceURLs", "verbs", "resources"):
        fields[f"ka.req.role.rules.{name}"] = _flattened(f"requestObject/rules/{name}")
    fields |= {
        "ka.sourceips": _flattened("requestObject/rules/sourceIPs"), "ka.req.service.ports": _walked("requestObject/spec/ports"),
        "ka.req.pod.volumes.hostpath": _walked("requestObject/spec/volumes/hostPath/path"),
        "ka.req.pod.volumes.flexvolume_driver": _walked("requestObject/spec/volumes/flexVolume/driver"),
        "ka.req.pod.volumes.volume_type": _volume_types, "ka.req.volume.hostpath": _hostpath, "ka.uri.param": _parameter,
        "ka.target.pod.name": _target_pod, "ka.req.container.privileged": _privileged,
        "ka.req.container.image": _first_image(str), "ka.req.container.image.repository": _first_image(_repository),
        "ka.req.binding.subjects.user_names": _subjects("User"), "ka.req.binding.subjects.group_names": _subjects("Group"),
        "ka.req.binding.subjects.serviceaccount_names": _subjects("ServiceAccount"),
        "ka.req.binding.subjects.serviceaccount_ns_names": _subjects("ServiceAccount", True),
        "ka.req.binding.subject.has_name": lambda event, argument: "true",
    }  # fmt: skip
    return fields


def _annotation(key: str) -> _Extract:
    def extract(event: JsonValue, argument: str | None) -> Extracted:
        value = _at(event, ("annotations", key))
        return None if value is None else value.text()

    return extract


FIELDS: Final = _fields()
"""How each field is extracted from an event, given the argument in brackets, if any."""

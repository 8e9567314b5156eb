"""The resources that Kubernetes itself has, as policies name them; those of add-ons are not known here.

From the API reference of Kubernetes 1.32; groups and versions that are gone (``extensions``) are left out.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "BUILT_IN", "CHANGED", "CLUSTER_WIDE", "CONNECTIONS", "LONG_RUNNING", "LONG_RUNNING_VERBS", "SINGULARS", "SUBRESOURCES",
    "UPGRADED", "groups_of", "subresources_of",
]  # fmt: skip

_WRITTEN: Final = {
    "": (
        "bindings configmaps endpoints events limitranges namespaces/finalize/status nodes/proxy/status "
        "persistentvolumeclaims/status persistentvolumes/status "
        "pods/attach/binding/ephemeralcontainers/eviction/exec/log/portforward/proxy/resize/status "
        "podtemplates replicationcontrollers/scale/status resourcequotas/status secrets serviceaccounts/token "
        "services/proxy/status"
    ),
    "admissionregistration.k8s.io": (
        "mutatingadmissionpolicies mutatingadmissionpolicybindings mutatingwebhookconfigurations "
        "validatingadmissionpolicies/status validatingadmissionpolicybindings validatingwebhookconfigurations"
    ),
    "apiextensions.k8s.io": "customresourcedefinitions/status",
    "apiregistration.k8s.io": "apiservices/status",
    "apps": (
        "controllerrevisions daemonsets/status deployments/scale/status replicasets/scale/status "
        "statefulsets/scale/status"
    ),
    "authentication.k8s.io": "selfsubjectreviews tokenreviews",
    "authorization.k8s.io": (
        "localsubjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews subjectaccessreviews"
    ),
    "autoscaling": "horizontalpodautoscalers/status",
    "batch": "cronjobs/status jobs/status",
    "certificates.k8s.io": "certificatesigningrequests/approval/status clustertrustbundles",
    "coordination.k8s.io": "leases",
    "discovery.k8s.io": "endpointslices",
    "events.k8s.io": "events",
    "flowcontrol.apiserver.k8s.io": "flowschemas/status prioritylevelconfigurations/status",
    "networking.k8s.io": "ingressclasses ingresses/status ipaddresses networkpolicies servicecidrs/status",
    "node.k8s.io": "runtimeclasses",
    "policy": "poddisruptionbudgets/status",
    "rbac.authorization.k8s.io": "clusterrolebindings clusterroles rolebindings roles",
    "scheduling.k8s.io": "priorityclasses",
    "storage.k8s.io": "csidrivers csinodes csistoragecapacities storageclasses volumeattachments/status",
}

BUILT_IN: Final = {
    (group, words[0]): tuple(words[1:])
    for group, text in _WRITTEN.items()
    for words in (entry.split("/") for entry in text.split())
}
"""By group and resource the names of the subresources."""

CHANGED: Final = ("get", "patch", "update")
"""The verbs of a subresource that is a part of an object."""
SUBRESOURCES: Final = {
    "approval": CHANGED,
    "attach": ("create", "get"),
    "binding": ("create",),
    "ephemeralcontainers": CHANGED,
    "eviction": ("create",),
    "exec": ("create", "get"),
    "finalize": ("update",),
    "log": ("get",),
    "portforward": ("create", "get"),
    "proxy": ("create", "delete", "get", "patch", "update"),
    "resize": CHANGED,
    "scale": CHANGED,
    "status": CHANGED,
    "token": ("create",),
}
"""The verbs that a request for each of them can have."""
CONNECTIONS: Final = frozenset(("attach", "exec", "portforward", "proxy"))
"""Those whose requests are passed on; their bodies are never recorded."""
UPGRADED: Final = CONNECTIONS - {"proxy"}
"""Those that answer 101 where they succeed."""
LONG_RUNNING: Final = CONNECTIONS | {"log"}
"""Those whose requests go on: an event is written when the answer begins, too (kube-apiserver, BasicLongRunningRequestCheck)."""
LONG_RUNNING_VERBS: Final = frozenset(("proxy", "watch"))
"""Verbs of which the same is true."""
_WHOLE_GROUPS: Final = frozenset((
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io",
    "certificates.k8s.io", "flowcontrol.apiserver.k8s.io", "node.k8s.io", "scheduling.k8s.io",
))  # fmt: skip
_SINGLE: Final = frozenset((
    "clusterrolebindings", "clusterroles", "csidrivers", "csinodes", "ingressclasses", "ipaddresses", "namespaces", "nodes",
    "persistentvolumes", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "servicecidrs", "storageclasses",
    "subjectaccessreviews", "volumeattachments",
))  # fmt: skip
CLUSTER_WIDE: Final = frozenset(
    [(group, name) for group, name in BUILT_IN if group in _WHOLE_GROUPS or name in _SINGLE]
)
"""The resources that are in no namespace; all others of Kubernetes' own are in one."""


def _singular(resource: str) -> str:
    if resource.endswith("ies"):
        return resource[:-3] + "y"
    return resource[: -2 if resource.endswith("sses") else -1]


SINGULARS: Final = {_singular(resource): resource for _, resource in BUILT_IN if resource != "endpoints"}
"""What is written by mistake, and the name that is meant."""


def groups_of(resource: str) -> tuple[str, ...]:
    """The groups that have a *resource* of that name."""
    return tuple([group for group, name in BUILT_IN if name == resource])


def subresources_of(group: str, resource: str) -> tuple[str, ...]:
    """The names of the subresources of a resource of Kubernetes' own."""
    return BUILT_IN.get((group, resource), ())

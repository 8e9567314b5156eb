"""Requests to an API server, of our own making: of every verb, stage and resource, and one for each default audit rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from falcokit.record import Record

__all__ = ["DELETE", "GROUPS", "LEVELS", "RUNS_ON", "SAMPLES", "STAGES", "VERBS", "Sample", "sample"]

AuditObject: TypeAlias = dict[str, Any]

VERBS: Final = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
STAGES: Final = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
LEVELS: Final = ("None", "Metadata", "Request", "RequestResponse")
_RBAC: Final = "rbac.authorization.k8s.io"
_ADMIN: Final = ("kubernetes-admin", ("kubeadm:cluster-admins", "system:authenticated"))
_ANONYMOUS: Final = ("system:anonymous", ("system:unauthenticated",))
_NODE: Final = ("system:node:worker-7", ("system:nodes", "system:authenticated"))
_DEPLOYER: Final = (
    "system:serviceaccount:delivery:deployer",
    ("system:serviceaccounts", "system:serviceaccounts:delivery", "system:authenticated"),
)
_CONTROLLER: Final = (
    "system:serviceaccount:kube-system:deployment-controller",
    ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
)
_PERSON: Final = ("dana", ("team-shop", "system:authenticated"))
_NO_USER: Final = ("", ())
RUNS_ON: Final = frozenset(("exec", "attach", "portforward", "proxy", "log"))
"""Requests that run on behind the beginning of their answer, as watches do: the API server tells of that beginning."""
GROUPS: Final = {
    "deployments": ("apps", "v1"),
    "daemonsets": ("apps", "v1"),
    "ingresses": ("networking.k8s.io", "v1"),
    "roles": (_RBAC, "v1"),
    "clusterroles": (_RBAC, "v1"),
    "rolebindings": (_RBAC, "v1"),
    "clusterrolebindings": (_RBAC, "v1"),
}
_CREATED: Final = {"create": 201}


class Sample(Record):
    """A request: ``name`` is how people ask for it, ``about`` a sentence, ``rule`` the default rule that it is made for, if any.

    A rule that its hooks silence at first fires once they are set: ``needs`` says which.
    """

    __slots__ = (
        "about", "body", "code", "impersonated", "name", "namespace", "needs", "object", "panic", "query", "resource",
        "rule", "subresource", "uri", "user", "verb",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        about: str,
        verb: str,
        resource: str = "",
        object: str = "",
        namespace: str = "",
        *,
        rule: str = "",
        needs: str = "",
        subresource: str = "",
        body: Any = None,
        code: int = 0,
        user: tuple[str, tuple[str, ...]] = _DEPLOYER,
        impersonated: str = "",
        query: Sequence[tuple[str, str]] = (),
        uri: str = "",
        panic: bool = False,
    ) -> None:
        self.name: Final = name
        self.about: Final = about
        self.verb: Final = verb
        self.resource: Final = resource
        self.object: Final = object
        self.namespace: Final = namespace
        self.rule: Final = rule
        self.needs: Final = needs
        self.subresource: Final = subresource
        self.body: Final = body
        self.code: Final = code or (_CREATED.get(verb, 200) if subresource not in RUNS_ON else 101)
        self.user: Final = user
        self.impersonated: Final = impersonated
        self.query: Final = tuple(query)
        self.uri: Final = uri
        self.panic: Final = panic

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that the API server tells of, in order."""
        if self.code == 401:
            return ("ResponseStarted",)  # Who nobody knows gets no further than that.
        if self.panic:
            return ("RequestReceived", "Panic")
        if self.code < 400 and (self.verb == "watch" or self.subresource in RUNS_ON):
            return ("RequestReceived", "ResponseStarted", "ResponseComplete")
        return ("RequestReceived", "ResponseComplete")


def _pod(**spec: Any) -> AuditObject:
    container = {"name": "main", "image": "registry.example.com/shop/web:1.4", **spec.pop("container", {})}
    return {"spec": {"containers": [container], **spec}}


def _binding(role: str, kind: str = "ClusterRole") -> AuditObject:
    subjects = [{"kind": "ServiceAccount", "name": "deployer", "namespace": "delivery"}]
    return {"subjects": subjects, "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": role}}


def _rules(resources: Sequence[str], verbs: Sequence[str]) -> AuditObject:
    return {"rules": [{"verbs": list(verbs), "apiGroups": [""], "resources": list(resources)}]}


def _workload() -> AuditObject:
    template = {"metadata": {"labels": {"app": "web"}}, **_pod()}
    return {"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}}


DELETE: Final = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
_SELECTOR: Final = {"app": "web"}
_EXEC: Final = (("command", "sh"), ("container", "main"), ("stdin", "true"), ("stdout", "true"), ("tty", "true"))
_ALLOW_NODES: Final = "override the macro allow_all_k8s_nodes with (k8s_audit_never_true)"

SAMPLES: Final[tuple[Sample, ...]] = (
    Sample("anonymous-list", "somebody without a login lists pods, and may", "list", "pods", namespace="shop",
           user=_ANONYMOUS, rule="Anonymous Request Allowed"),
    Sample("privileged-pod", "a pod with a privileged container", "create", "pods", "debug", "shop",
           body=_pod(container={"securityContext": {"privileged": True}}), rule="Create Privileged Pod"),
    Sample("sensitive-mount-pod", "a pod that mounts /etc of its node", "create", "pods", "reader", "shop",
           body=_pod(volumes=[{"name": "etc", "hostPath": {"path": "/etc", "type": ""}}]), rule="Create Sensitive Mount Pod"),
    Sample("host-network-pod", "a pod in the network of its node", "create", "pods", "sniffer", "shop",
           body=_pod(hostNetwork=True), rule="Create HostNetwork Pod"),
    Sample("host-pid-pod", "a pod that sees the processes of its node", "create", "pods", "watcher", "shop",
           body=_pod(hostPID=True), rule="Create HostPid Pod"),
    Sample("host-ipc-pod", "a pod that shares the memory of its node", "create", "pods", "sharer", "shop",
           body=_pod(hostIPC=True), rule="Create HostIPC Pod"),
    Sample("disallowed-pod", "a pod with an image that nobody allowed", "create", "pods", "miner", "shop",
           body=_pod(container={"image": "docker.io/example/miner:latest"}), rule="Create Disallowed Pod",
           needs="override the macro allowed_k8s_containers with a list of images"),
    Sample("exec", "a shell in a pod", "create", "pods", "web-0", "shop", subresource="exec", query=_EXEC, user=_PERSON,
           rule="Attach/Exec Pod"),
    Sample("exec-websocket", "a shell in a pod by a websocket, as kubectl opens it from 1.31 on", "get", "pods", "web-0", "shop",
           subresource="exec", query=_EXEC, rule="Attach/Exec Pod"),
    Sample("attach", "attached to the program of a pod", "create", "pods", "web-0", "shop", subresource="attach",
           query=(("container", "main"), ("stdout", "true")), rule="Attach/Exec Pod"),
    Sample("port-forward", "a connection forwarded to a pod", "create", "pods", "web-0", "shop", subresource="portforward",
           rule="port-forward"),
    Sample("ephemeral-container", "a container for debugging in a pod that runs", "patch", "pods", "web-0", "shop",
           subresource="ephemeralcontainers", rule="EphemeralContainers Created",
           body={"spec": {"ephemeralContainers": [{"name": "debugger", "image": "docker.io/library/busybox:1.37", "stdin": True,
                                                   "tty": True, "targetContainerName": "main"}]}}),
    Sample("node-port-service", "a service that opens a port on every node", "create", "services", "web", "shop",
           body={"spec": {"type": "NodePort", "selector": _SELECTOR, "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080}]}},
           rule="Create NodePort Service"),
    Sample("credentials-in-configmap", "a config map with a password in it", "create", "configmaps", "settings", "shop",
           body={"data": {"app.properties": "user=shop\npassword=an-example\n"}},
           rule="Create/Modify Configmap With Private Credentials"),
    Sample("disallowed-namespace", "a namespace that is not on the list", "create", "namespaces", "playground", body={},
           rule="Create Disallowed Namespace"),
    Sample("pod-in-kube-system", "a foreign pod among those of Kubernetes", "create", "pods", "helper", "kube-system",
           body=_pod(), rule="Pod Created in Kube Namespace"),
    Sample("serviceaccount-in-kube-system", "a foreign service account among those of Kubernetes", "create", "serviceaccounts",
           "helper", "kube-system", body={}, rule="Service Account Created in Kube Namespace"),
    Sample("system-role-changed", "a role of Kubernetes itself gets another rule", "update", "clusterroles", "system:coredns",
           body=_rules(["endpoints"], ["list", "watch"]), rule="System ClusterRole Modified/Deleted"),
    Sample("cluster-admin-binding", "the role cluster-admin for a service account", "create", "clusterrolebindings", "all-for-me",
           body=_binding("cluster-admin"), rule="Attach to cluster-admin Role"),
    Sample("wildcard-role", "a role that may do everything with everything", "create", "clusterroles", "everything",
           body=_rules(["*"], ["*"]), rule="ClusterRole With Wildcard Created"),
    Sample("pod-exec-role", "a role that may run programs in pods", "create", "clusterroles", "debuggers",
           body=_rules(["pods/exec"], ["get"]), rule="ClusterRole With Pod Exec Created"),
    Sample("writing-role", "a role that may change things", "create", "clusterroles", "writers",
           body=_rules(["configmaps"], ["create", "patch"]), rule="ClusterRole With Write Privileges Created"),
    Sample("service-created", "a service inside the cluster", "create", "services", "api", "shop", rule="K8s Service Created",
           body={"spec": {"type": "ClusterIP", "selector": _SELECTOR, "ports": [{"port": 80, "targetPort": 8080}]}}),
    Sample("service-deleted", "a service goes", "delete", "services", "api", "shop", body=DELETE, rule="K8s Service Deleted"),
    Sample("configmap-created", "a config map", "create", "configmaps", "colours", "shop", body={"data": {"theme": "dark"}},
           rule="K8s ConfigMap Created"),
    Sample("configmap-deleted", "a config map goes", "delete", "configmaps", "colours", "shop", body=DELETE,
           rule="K8s ConfigMap Deleted"),
    Sample("namespace-created", "a namespace that every cluster has is created again", "create", "namespaces", "kube-public",
           body={}, rule="K8s Namespace Created"),
    Sample("namespace-deleted", "a namespace goes, with all that is in it", "delete", "namespaces", "playground", body=DELETE,
           rule="K8s Namespace Deleted"),
    Sample("serviceaccount-created", "a service account", "create", "serviceaccounts", "builder", "shop", body={},
           rule="K8s Serviceaccount Created"),
    Sample("serviceaccount-deleted", "a service account goes", "delete", "serviceaccounts", "builder", "shop", body=DELETE,
           rule="K8s Serviceaccount Deleted"),
    Sample("role-created", "a role that may read", "create", "roles", "readers", "shop", body=_rules(["pods"], ["get", "list"]),
           rule="K8s Role Created"),
    Sample("role-deleted", "a role goes", "delete", "roles", "readers", "shop", body=DELETE, rule="K8s Role Deleted"),
    Sample("clusterrole-created", "a cluster role that may read", "create", "clusterroles", "node-readers",
           body=_rules(["nodes"], ["get"]), rule="K8s ClusterRole Created"),
    Sample("clusterrole-deleted", "a cluster role goes", "delete", "clusterroles", "node-readers", body=DELETE,
           rule="K8s ClusterRole Deleted"),
    Sample("rolebinding-created", "a role for a service account", "create", "rolebindings", "readers", "shop",
           body=_binding("readers", "Role"), rule="K8s RoleBinding Created"),
    Sample("rolebinding-deleted", "a role is taken away", "delete", "rolebindings", "readers", "shop", body=DELETE,
           rule="K8s RoleBinding Deleted"),
    Sample("clusterrolebinding-created", "a cluster role for a service account", "create", "clusterrolebindings",
           "node-readers", body=_binding("node-readers"), rule="K8s ClusterRoleBinding Created"),
    Sample("clusterrolebinding-deleted", "a cluster role is taken away", "delete", "clusterrolebindings", "node-readers",
           body=DELETE, rule="K8s ClusterRoleBinding Deleted"),
    Sample("secret-created", "a secret", "create", "secrets", "till", "shop",
           body={"data": {"key": "YW4tZXhhbXBsZQ=="}, "type": "Opaque"}, rule="K8s Secret Created"),
    Sample("secret-deleted", "a secret goes", "delete", "secrets", "till", "shop", body=DELETE, rule="K8s Secret Deleted"),
    Sample("secret-read", "a secret is read by its name", "get", "secrets", "till", "shop", rule="K8s Secret Get Successfully"),
    Sample("secret-refused", "a secret is asked for in vain", "get", "secrets", "till", "shop", code=403,
           rule="K8s Secret Get Unsuccessfully Tried"),
    Sample("ingress-without-tls", "an ingress without a certificate", "create", "ingresses", "shop", "shop",
           body={"spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [
               {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}},
           rule="Ingress Object without TLS Certificate Created"),
    Sample("node-joined", "a node joins", "create", "nodes", "worker-7", user=_NODE, body={},
           rule="Untrusted Node Successfully Joined the Cluster", needs=_ALLOW_NODES),
    Sample("node-refused", "a node wants to join, and is in already", "create", "nodes", "worker-7", user=_NODE, body={}, code=409,
           rule="Untrusted Node Unsuccessfully Tried to Join the Cluster", needs=_ALLOW_NODES),
    Sample("administrator", "somebody works as the administrator of the cluster", "list", "nodes", user=_ADMIN,
           rule="Full K8s Administrative Access", needs="override the macro allowed_full_admin_users with (k8s_audit_never_true)"),
    Sample("any-request", "a part of Kubernetes looks something up", "get", "configmaps", "kubeadm-config", "kube-system",
           user=_CONTROLLER, rule="All K8s Audit Events",
           needs="override the macro consider_all_events with (k8s_audit_always_true)"),
    Sample("deployment-created", "a deployment", "create", "deployments", "web", "shop", body=_workload(),
           rule="K8s Deployment Created"),
    Sample("deployment-deleted", "a deployment goes", "delete", "deployments", "web", "shop", body=DELETE,
           rule="K8s Deployment Deleted"),
    Sample("unknown-user", "a person who is not on the list of users", "list", "pods", namespace="shop", user=_PERSON,
           rule="Disallowed K8s User"),
    # What no rule is about: the rest of what the API server writes.
    Sample("pod-created", "a pod as they should be", "create", "pods", "web-1", "shop", body=_pod()),
    Sample("pod-deleted", "a pod goes", "delete", "pods", "web-1", "shop", body=DELETE),
    Sample("pods-deleted", "all pods with a label go", "deletecollection", "pods", namespace="shop", body=DELETE,
           query=(("labelSelector", "app=web"),)),
    Sample("pods-watched", "a watch of pods", "watch", "pods", namespace="shop",
           query=(("allowWatchBookmarks", "true"), ("watch", "true"))),
    Sample("deployment-scaled", "a deployment is changed by a patch of operations", "patch", "deployments", "web", "shop",
           body=[{"op": "replace", "path": "/spec/replicas", "value": 3}], query=(("fieldManager", "kubectl-patch"),)),
    Sample("daemonset-updated", "a daemon set is replaced", "update", "daemonsets", "agent", "shop", body=_workload()),
    Sample("volume-created", "a persistent volume", "create", "persistentvolumes", "disk-1",
           body={"spec": {"capacity": {"storage": "8Gi"}, "accessModes": ["ReadWriteOnce"],
                          "csi": {"driver": "disk.csi.example.com", "volumeHandle": "disk-1"}}}),
    Sample("health", "somebody without a login asks for the health of the API server", "get", user=_ANONYMOUS,
           uri="/readyz", query=(("verbose", ""),)),
    Sample("version", "the version of the API server is asked for", "get", uri="/version"),
    Sample("not-logged-in", "a token that nobody issued", "list", "pods", namespace="shop", user=_NO_USER, code=401),
    Sample("impersonation", "somebody acts as somebody else", "list", "services", namespace="shop", impersonated="lee"),
    Sample("already-there", "a service is created a second time", "create", "services", "web", "shop", code=409,
           body={"spec": {"type": "ClusterIP", "selector": _SELECTOR, "ports": [{"port": 80}]}}),
    Sample("panic", "the API server fails at a request", "list", "secrets", namespace="shop", code=500, panic=True),
)  # fmt: skip
_BY_NAME: Final = {one.name: one for one in SAMPLES}


def sample(name: str) -> Sample | None:
    """The sample called *name*."""
    return _BY_NAME.get(name)

"""Labels to group events by, under the names that Sysdig, Falco and falcokit have for them."""

from __future__ import annotations

from typing import Final

__all__ = ["FIELDS_OF", "PROMOTED", "SUGGESTED"]

FIELDS_OF: Final[dict[str, tuple[str, ...]]] = {
    "kubernetes.cluster.name": ("kubernetes.cluster.name", "k8s.cluster.name"),
    "kubernetes.namespace.name": ("k8s.ns.name", "kubernetes.namespace.name", "ka.target.namespace"),
    "kubernetes.deployment.name": ("k8s.deployment.name", "kubernetes.deployment.name"),
    "kubernetes.pod.name": ("k8s.pod.name", "kubernetes.pod.name", "ka.target.pod.name"),
}
"""The fields and labels of events that tell a label, the surest first."""
PROMOTED: Final = {
    "host": "host", "host.hostname": "host", "host.hostName": "host", "evt.hostname": "host",
    "container": "container", "container.name": "container", "container.id": "container_id",
    "container.image": "image", "container.image.repo": "image", "container.image.repository": "image",
    "container.image.tag": "tag", "container.image.digest": "digest",
    "kubernetes.cluster.name": "cluster", "k8s.cluster.name": "cluster", "kubernetes.namespace.name": "namespace", "k8s.ns.name": "namespace",
    "kubernetes.deployment.name": "deployment", "k8s.deployment.name": "deployment", "kubernetes.pod.name": "pod", "k8s.pod.name": "pod",
    "proc.name": "process", "proc.pname": "parent", "user.name": "user", "rule": "rule", "policy": "policy", "source": "source", "priority": "rank",
}  # fmt: skip
"""Labels that are columns of their own."""
SUGGESTED: Final[dict[str, tuple[str, ...]]] = {
    "hosts-and-containers": ("host.hostName", "container.name"),
    "kubernetes-deployments": (
        "kubernetes.cluster.name", "kubernetes.namespace.name", "kubernetes.deployment.name", "kubernetes.pod.name",
    ),
    "ecs": (
        "container.label.com.amazonaws.ecs.cluster", "container.label.com.amazonaws.ecs.task-definition-family",
        "container.label.com.amazonaws.ecs.container-name",
    ),
    "compose": ("container.label.com.docker.compose.project", "container.label.com.docker.compose.service"),
    "marathon": ("marathon.group.name", "marathon.app.name"),
    "mesos": ("mesos.framework.name", "mesos.task.name"),
}  # fmt: skip
"""Groupings that everyone has, levels in order."""

"""The platforms by name."""

from __future__ import annotations

from typing import Final

from falcokit.audit.platforms.platform import Method, Platform

__all__ = ["PLATFORMS"]

_V1: Final = "audit.k8s.io/v1"
_BETA: Final = "audit.k8s.io/v1beta1"  # v1 came with Kubernetes 1.12, v1beta1 went with 1.24.
_CURRENT: Final = "Kubernetes 1.32 to 1.37"
_NOW: Final = "as of November 2026"
_KUBEADM: Final = "clusters of Kubernetes 1.32 to 1.37"
_OPENSHIFT: Final = (
    "current OpenShift takes no audit webhook: forward its audit log with a ClusterLogForwarder (output type http)"
)

PLATFORMS: Final[dict[str, Platform]] = {
    one.name: one
    for one in (
        Platform(
            "kubeadm", "Kubernetes by kubeadm", _CURRENT, _NOW, Method.webhook, (32, 37), _V1,
            place="/etc/kubernetes/k8s-audit",
        ),
        Platform(
            "minikube", "minikube", f"{_CURRENT}, minikube 1.35 or later", _NOW, Method.webhook, (32, 37), _V1,
            place="/etc/ssl/certs",
        ),
        Platform(
            "kind", "kind", f"{_CURRENT}, kind 0.27 or later", _NOW, Method.webhook, (32, 37), _V1,
            place="/etc/kubernetes/k8s-audit",
        ),
        Platform(
            "k3s", "k3s", _CURRENT, _NOW, Method.webhook, (32, 37), _V1,
            place="/var/lib/rancher/k3s/server/k8s-audit",
        ),
        Platform(
            "rke2", "RKE2", _CURRENT, _NOW, Method.webhook, (32, 37), _V1, place="/etc/rancher/rke2/k8s-audit"
        ),
        Platform(
            "eks-current", "Amazon EKS, plugin k8saudit-eks", f"{_CURRENT}, Falco 0.35 or later", _NOW,
            Method.plugin, (32, 37),
        ),
        Platform(
            "gke-current", "Google GKE, plugin k8saudit-gke", f"{_CURRENT}, Falco 0.37 or later", _NOW,
            Method.plugin, (32, 37),
        ),
        Platform(
            "aks", "Azure AKS, plugin k8saudit-aks", f"{_CURRENT}, Falco 0.40 or later", _NOW,
            Method.plugin, (32, 37),
        ),
        Platform(
            "kops", "kops", "kops 1.15 and later", "first written down for kops 1.15 of December 2019",
            Method.webhook, (15, 37), _V1, place="/srv/kubernetes/kube-apiserver",
        ),
        Platform(
            "iks", "IBM Cloud Kubernetes Service", "IKS with Kubernetes 1.15 and later",
            "first written down for IKS 1.15 of 2020", Method.webhook, (15, 37),
        ),
        Platform(
            "openshift-3.11", "OpenShift 3.11", "OpenShift 3.11 (Kubernetes 1.11)",
            "from October 2018, maintained until June 2022", Method.webhook, (11, 11), _BETA,
            place="/etc/origin/master", instead=_OPENSHIFT,
        ),
        Platform(
            "minishift-3.11", "Minishift 3.11", "Minishift 1.34 with OpenShift 3.11 (Kubernetes 1.11)",
            "from 2018 to 2020", Method.webhook, (11, 11), _BETA,
            place="/var/lib/minishift/base/kube-apiserver", seen="/etc/origin/master",
            successor="minikube", instead="a cluster on one machine",
        ),
        Platform(
            "openshift-4.2", "OpenShift 4.2", "OpenShift 4.2 (Kubernetes 1.14)", "from October 2019 to July 2020",
            Method.sink, (14, 14), instead=_OPENSHIFT,
        ),
        Platform(
            "openshift-4.3", "OpenShift 4.3", "OpenShift 4.3 (Kubernetes 1.16)", "from January to October 2020",
            Method.sink, (16, 16), instead=_OPENSHIFT,
        ),
        Platform(
            "gke", "Google GKE, Stackdriver bridge", "GKE with Kubernetes 1.13",
            "written down in 2020; Stackdriver is Cloud Logging since", Method.bridge, (13, 16),
            successor="gke-current", instead="the plugin k8saudit-gke",
        ),
        Platform(
            "eks", "Amazon EKS, CloudWatch bridge", "EKS eks.5 with Kubernetes 1.14",
            "written down in 2020; Kubernetes 1.14 left EKS in December 2021", Method.bridge, (14, 16),
            successor="eks-current", instead="the plugin k8saudit-eks",
        ),
        Platform(
            "rke-1.13", "Rancher RKE 1", "RKE 1.0 and later with Kubernetes 1.13 and later",
            "checked with RKE 1.0.0 and Kubernetes 1.16.3; RKE 1 ended in July 2025", Method.webhook, (13, 32), _V1,
            place="/var/lib/k8s_audit", successor="rke2", instead="its successor RKE2",
        ),
        Platform(
            "minikube-1.12", "minikube with Kubernetes 1.11 or 1.12", "Kubernetes 1.11 and 1.12",
            "checked with minikube 1.2.0 of June 2019", Method.webhook, (11, 12), _BETA, place="/var/lib/k8s_audit",
            successor="minikube", instead=_KUBEADM,
        ),
        Platform(
            "minikube-1.13", "minikube with Kubernetes 1.13 to 1.18", "Kubernetes 1.13 to 1.18",
            "checked with minikube 1.2.0 of June 2019; AuditSink is gone since Kubernetes 1.19", Method.sink, (13, 18),
            _V1, place="/var/lib/k8s_audit", successor="minikube", instead=_KUBEADM,
        ),
        Platform(
            "native-1.12", "Kubernetes 1.11 or 1.12", "Kubernetes 1.11 and 1.12", "from June 2018 to July 2019",
            Method.webhook, (11, 12), _BETA, place="/var/lib/k8s_audit", successor="kubeadm", instead=_KUBEADM,
        ),
        Platform(
            "native-1.13", "Kubernetes 1.13 to 1.18", "Kubernetes 1.13 to 1.18",
            "from December 2018 to April 2021; AuditSink is gone since Kubernetes 1.19", Method.sink, (13, 18), _V1,
            place="/var/lib/k8s_audit", successor="kubeadm", instead=_KUBEADM,
        ),
    )
}  # fmt: skip
"""Current ones first, then those of the time of AuditSink."""

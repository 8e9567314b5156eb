"""Everything that a platform needs to send its audit events to a receiver: a folder of files, made from nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from falcokit.audit.platforms.cloud import aks_plugin, eks_bridge, eks_plugin, gke_bridge, gke_plugin, iks
from falcokit.audit.platforms.kops import kops
from falcokit.audit.platforms.listing import PLATFORMS
from falcokit.audit.platforms.local import kind, minikube, with_cluster_ip
from falcokit.audit.platforms.manifests import falco_yaml, policy_for, receiver_service
from falcokit.audit.platforms.openshift import minishift, openshift_3, openshift_4
from falcokit.audit.platforms.platform import Method, Platform, Receiver, Target, checked_address
from falcokit.audit.platforms.rancher import k3s, rke
from falcokit.audit.platforms.readme import Guide, readme
from falcokit.audit.platforms.server import PATCHES, patched
from falcokit.audit.platforms.static_pod import static_pod
from falcokit.errors import ConfigError

__all__ = [
    "PATCHES",
    "PLATFORMS",
    "Method",
    "Platform",
    "Receiver",
    "Target",
    "checked",
    "checked_address",
    "folder",
    "patched",
    "receiver_for",
]

_FAMILIES: Final[dict[str, Callable[[Platform, Receiver], tuple[dict[str, str], Guide]]]] = {
    "kubeadm": static_pod, "native-1.12": static_pod, "native-1.13": static_pod,
    "minikube-1.12": static_pod, "minikube-1.13": static_pod,
    "minikube": minikube, "kind": kind,
    "k3s": k3s, "rke2": k3s, "rke-1.13": rke,
    "openshift-3.11": openshift_3, "minishift-3.11": minishift,
    "openshift-4.2": openshift_4, "openshift-4.3": openshift_4,
    "kops": kops, "iks": iks, "gke": gke_bridge, "eks": eks_bridge,
    "eks-current": eks_plugin, "gke-current": gke_plugin, "aks": aks_plugin,
}  # fmt: skip


def receiver_for(platform: Platform, receiver: Receiver) -> Receiver:
    """*receiver* as *platform* needs it: some have to know its address before there is a cluster."""
    return with_cluster_ip(receiver) if platform.name in ("kind", "minikube") else receiver


def checked(platform: Platform, receiver: Receiver) -> None:
    """Raise `falcokit.ConfigError` where *platform* cannot send to such a *receiver*."""
    if platform.method is Method.plugin:
        if receiver.target is Target.sysdig:
            raise ConfigError(
                f"{platform.name} reads the cloud's log with a plugin of Falco: there is no target sysdig"
            )
        if receiver.address or receiver.tls:
            raise ConfigError(f"{platform.name} posts to no address: --address and --tls have no meaning")
    if (receiver.ca_file or receiver.cert_file or receiver.key_file) and not receiver.tls:
        raise ConfigError("--ca, --cert and --key have a meaning with --tls only")
    if bool(receiver.cert_file) != bool(receiver.key_file):
        raise ConfigError("a client certificate needs its key: give --cert and --key together")
    if platform.method is Method.sink and receiver.cert_file:
        raise ConfigError(f"{platform.name} uses an AuditSink, which has no place for a client certificate")
    if platform.method is Method.bridge and receiver.ca_file:
        raise ConfigError(f"the bridge of {platform.name} takes no certificates: use --tls alone or plain HTTP")


def folder(platform: Platform, receiver: Receiver, policy: str) -> dict[str, str]:
    """The files of *platform*'s folder for *receiver*, by path below it, in the order in which README.md tells of them.

    *policy* is the text of an audit policy; platforms on which nobody sets one leave it out.
    Raises `falcokit.ConfigError` where the three do not go together.
    """
    checked(platform, receiver)
    receiver = receiver_for(platform, receiver)
    special, guide = _FAMILIES[platform.name](platform, receiver)
    files = {"audit-policy.yaml": policy_for(platform, policy)} if platform.policy_api else {}
    scripts = {name: special.pop(name) for name in ("enable.sh", "disable.sh")}
    files |= special
    if platform.method is not Method.plugin:
        files.setdefault("receiver-service.yaml", receiver_service(platform, receiver))
        if receiver.target is Target.falco:
            files["falco-k8saudit.yaml"] = falco_yaml(platform, receiver)
    files |= scripts
    return {"README.md": readme(platform, receiver, guide, list(files)), **files}

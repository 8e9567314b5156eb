"""What the API server of a platform is to have, and how the file that configures it is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from falcokit.audit.flags import Flag
from falcokit.audit.patch import (
    Asset,
    Mount,
    Patched,
    Wanted,
    patch_k3s,
    patch_kops,
    patch_kubeadm,
    patch_manifest,
    patch_master_arguments,
    patch_master_config,
    patch_rke,
    patch_rke2,
)
from falcokit.audit.platforms.manifests import CA, CERT, policy_for, webhook_config
from falcokit.audit.platforms.platform import Method, Platform, Receiver

__all__ = ["KOPS_LOG", "PATCHES", "patched", "wanted"]

KOPS_LOG: Final = "/var/lib/k8s_audit/audit.log"
PATCHES: Final[dict[str, dict[str, Callable[[str, str, Wanted], Patched]]]] = {
    "--kube-apiserver-manifest": dict.fromkeys(
        ("kubeadm", "native-1.12", "native-1.13", "minikube-1.12", "minikube-1.13"), patch_manifest
    ),
    "--kubeadm-config": {"kubeadm": patch_kubeadm},
    "--kops-cluster": {"kops": patch_kops},
    "--rke-cluster": {"rke-1.13": patch_rke},
    "--master-config": {"openshift-3.11": patch_master_config, "minishift-3.11": patch_master_arguments},
    "--k3s-config": {"k3s": patch_k3s, "rke2": patch_rke2},
}
"""The options that name an existing file, and the platforms that have such a file with what changes it."""


def wanted(platform: Platform, receiver: Receiver, policy: str = "", cert: str = "") -> Wanted:
    """Flags, mounts and files for the API server of *platform*.

    *policy* is the audit policy and *cert* the PEM text of the client certificate, for platforms whose tool carries
    files to the machines.
    """
    seen = platform.seen
    policy_file = Flag("audit-policy-file", f"{seen}/audit-policy.yaml")
    webhook = Flag("audit-webhook-config-file", f"{seen}/webhook-config.yaml")
    wait = Flag("audit-webhook-batch-max-wait", "5s", keep=True)
    log = f"{seen}/k8s_audit_events.log" if platform.name != "kops" else KOPS_LOG
    # A log of the user's own stays where it is.
    logs = (
        Flag("audit-log-path", log, keep=True),
        Flag("audit-log-maxbackup", "1", keep=True),
        Flag("audit-log-maxsize", "10", keep=True),
    )
    mount = Mount("k8s-audit", platform.place, seen, writable=platform.minors[1] < 32)
    newest = platform.minors[1]
    match platform.name:
        case "openshift-3.11":
            more = (Flag("audit-log-format", "json", keep=True), Flag("audit-webhook-mode", "batch", keep=True))
            return Wanted((*logs, *more, webhook, policy_file), minor=newest)
        case "minishift-3.11":
            return Wanted(
                (*logs, policy_file, wait, webhook, Flag("audit-webhook-mode", "batch", keep=True)), minor=newest
            )
        case "kops":
            assets = [Asset("audit-policy", policy_file.value, policy_for(platform, policy))] if policy else []
            assets.append(Asset("webhook-config", webhook.value, webhook_config(platform, receiver)))
            if receiver.ca:
                assets.append(Asset("audit-receiver-ca", f"{seen}/{CA}", receiver.ca))
            if cert:
                assets.append(Asset("audit-client-cert", f"{seen}/{CERT}", cert))
            return Wanted((*logs, wait, policy_file, webhook), assets=tuple(assets), minor=newest)
        case "native-1.12" | "minikube-1.12":
            return Wanted((*logs, policy_file, webhook, wait), (mount,), minor=newest)
        case "native-1.13" | "minikube-1.13":
            return Wanted((*logs, policy_file, *DYNAMIC), (mount,), minor=newest)
        case "k3s":
            return Wanted((policy_file, webhook, wait), minor=newest)
        case _:
            assert platform.method is Method.webhook
            return Wanted((policy_file, webhook, wait), (mount.replaced(writable=False),), minor=newest)


DYNAMIC: Final = (
    Flag("audit-dynamic-configuration", "true"),
    Flag("feature-gates", "DynamicAuditing=true", joined=True),
    Flag("runtime-config", "auditregistration.k8s.io/v1alpha1=true", joined=True),
)
"""What turns AuditSink on."""


def patched(
    option: str, platform: Platform, receiver: Receiver, policy: str, cert: str, name: str, text: str
) -> Patched:
    """The existing file *name* with *text*, which *option* of `PATCHES` names, changed for *platform*.

    Raises `falcokit.ConfigError` where it is another kind of file, or would not be well after the change.
    """
    return PATCHES[option][platform.name](name, text, wanted(platform, receiver, policy, cert))

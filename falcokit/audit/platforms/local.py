"""Clusters on one machine that are started with their flags: minikube and kind."""

from __future__ import annotations

import ipaddress
from typing import Final

from falcokit.audit.platforms.manifests import receiver_service, webhook_config
from falcokit.audit.platforms.platform import Platform, Receiver
from falcokit.audit.platforms.readme import Guide
from falcokit.audit.platforms.script import have_tls, put_tls, script
from falcokit.audit.platforms.server import wanted

__all__ = ["CLUSTER_IP", "kind", "minikube", "with_cluster_ip"]

CLUSTER_IP: Final = "10.96.97.65"
"""The address that the receiver's service is given: it has to be known before there is a cluster."""
_SERVICES: Final = ipaddress.ip_network("10.96.0.0/16")
"""The service addresses of kind; those of minikube are more."""
_OFF: Final = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n"


def with_cluster_ip(receiver: Receiver) -> Receiver:
    """*receiver* with an address: that of its service, if it has none."""
    return receiver if receiver.address else receiver.replaced(address=CLUSTER_IP)


def _service(platform: Platform, receiver: Receiver) -> str:
    """The service, at the receiver's address if that is one of the cluster's."""
    try:
        ours = ipaddress.ip_address(receiver.address) in _SERVICES
    except ValueError:
        ours = False
    return receiver_service(platform, receiver, receiver.address if ours else "")


def _apply(receiver: Receiver, kubectl: str) -> str:
    return (
        'if [ "$dry_run" = 1 ]; then\n'
        f'  say "would make namespace {receiver.namespace} and apply receiver-service.yaml"\n'
        "else\n  need kubectl\n"
        f"  {kubectl} create namespace {receiver.namespace} --dry-run=client -o yaml | {kubectl} apply -f -\n"
        f'  {kubectl} apply -f "$here/receiver-service.yaml"\nfi\n'
    )


def minikube(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """minikube copies what lies in its ``files`` folder, and mounts /etc/ssl/certs into the API server."""
    want = wanted(platform, receiver)
    flags = " \\\n".join([f"  --extra-config=apiserver.{one.name}={one.value}" for one in want.flags])
    home = (
        "home=${MINIKUBE_HOME:-${HOME:?}}\ncase $home in\n  */.minikube) ;;\n  *) home=$home/.minikube ;;\nesac\n"
        f'place="$home/files{platform.place}"\nprofile=${{profile:-minikube}}\n'
    )
    body = (
        "need minikube\n"
        + have_tls(receiver)
        + home
        + 'put "$here/audit-policy.yaml" "$place/audit-policy.yaml" 0644\n'
        'put "$here/webhook-config.yaml" "$place/webhook-config.yaml" 0644\n'
        + put_tls(receiver, '"$place"')
        + "# The files are copied when the machine starts, and the flags are read then.\n"
        'if [ "$dry_run" = 1 ] || minikube status -p "$profile" >/dev/null 2>&1; then\n  run minikube stop -p "$profile"\nfi\n'
        f'run minikube start -p "$profile" \\\n{flags}\n' + _apply(receiver, 'kubectl --context "$profile"')
    )
    back = (
        "need minikube\n"
        + home
        + "# The flags stay in the profile: a policy that records nothing keeps the API server happy.\n"
        'put "$here/audit-off-policy.yaml" "$place/audit-policy.yaml" 0644\n'
        'run minikube stop -p "$profile"\nrun minikube start -p "$profile"\n'
    )
    option = (("profile", "NAME", "the profile of minikube; without it minikube"),)
    files = {
        "webhook-config.yaml": webhook_config(platform, receiver),
        "audit-off-policy.yaml": platform.header() + "# Records nothing; disable.sh puts it in.\n" + _OFF,
        "receiver-service.yaml": _service(platform, receiver),
        "enable.sh": script(platform, receiver, "Put the audit files into minikube's files, restart it with the flags, make the service.", body, options=option),
        "disable.sh": script(platform, receiver, "Record nothing any more.", back, options=option, undo=True),
    }  # fmt: skip
    guide = Guide(
        "where minikube is",
        (
            (f"Copy `audit-policy.yaml` and `webhook-config.yaml` to `~/.minikube/files{platform.place}`: minikube copies them into"
            " its machine, and kubeadm shows the API server that directory."),
            "`minikube stop`, then `minikube start` with " + ", ".join([f"`--extra-config=apiserver.{one.name}={one.value}`" for one in want.flags]) + ".",
            f"Make the namespace `{receiver.namespace}` and apply `receiver-service.yaml`; install the receiver.",
        ),
        "`bash disable.sh` puts in a policy that records nothing; `minikube delete` and a start without the flags takes all of it away.",
        {"audit-off-policy.yaml": "a policy that records nothing, for disable.sh"},
        (f"The service has the fixed cluster IP {CLUSTER_IP} unless `--address` gave another.",),
    )  # fmt: skip
    return files, guide


def kind(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """kind mounts a folder into its node, and kubeadm mounts that into the API server; all when a cluster is made."""
    want = wanted(platform, receiver)
    patches = [platform.header() + "# Made for `kind create cluster --config`; paths are seen from this folder."]
    patches += [
        "kind: Cluster",
        "apiVersion: kind.x-k8s.io/v1alpha4",
        "nodes:",
        "- role: control-plane",
        "  extraMounts:",
    ]
    patches += ["  - hostPath: ./k8s-audit", f"    containerPath: {platform.place}", "    readOnly: true"]
    # kind picks the patch whose version is that of its kubeadm configuration: v1beta4 from Kubernetes 1.36 on.
    patches.append("kubeadmConfigPatches:")
    for version in ("v1beta3", "v1beta4"):
        patches += [
            "- |",
            f"  apiVersion: kubeadm.k8s.io/{version}",
            "  kind: ClusterConfiguration",
            "  apiServer:",
            "    extraArgs:",
        ]
        for flag in want.flags:
            if version == "v1beta4":
                patches += [f"    - name: {flag.name}", f'      value: "{flag.value}"']
            else:
                patches.append(f'      {flag.name}: "{flag.value}"')
        patches += [
            "    extraVolumes:",
            "    - name: k8s-audit",
            f"      hostPath: {platform.place}",
            f"      mountPath: {platform.seen}",
        ]
        patches += ["      readOnly: true", "      pathType: DirectoryOrCreate"]
    files_to = 'place="$here/k8s-audit"\nname=${name:-kind}\n'
    restart = (
        "# kubelet starts the API server again, which reads its files then.\n"
        'run docker exec "$name-control-plane" pkill -x kube-apiserver\n'
    )
    body = (
        "need kind\n"
        + have_tls(receiver)
        + files_to
        + 'put "$here/audit-policy.yaml" "$place/audit-policy.yaml" 0644\n'
        'put "$here/webhook-config.yaml" "$place/webhook-config.yaml" 0644\n'
        + put_tls(receiver, '"$place"')
        + 'if command -v kind >/dev/null 2>&1 && kind get clusters 2>/dev/null | grep -x -- "$name" >/dev/null; then\n'
        '  say "cluster $name is there; one that was made without kind-config.yaml gets no flags any more"\n'
        '  if [ "$changed" = 1 ]; then\n' + "".join([f"    {line}\n" for line in restart.splitlines()]) + "  fi\nelse\n"
        '  cd -- "$here"\n  run kind create cluster --name "$name" --config kind-config.yaml\nfi\n'
        + _apply(receiver, 'kubectl --context "kind-$name"')
    )
    back = files_to + 'put "$here/audit-off-policy.yaml" "$place/audit-policy.yaml" 0644\n' + restart
    option = (("name", "NAME", "the cluster; without it kind"),)
    files = {
        "webhook-config.yaml": webhook_config(platform, receiver),
        "kind-config.yaml": "\n".join(patches) + "\n",
        "audit-off-policy.yaml": platform.header() + "# Records nothing; disable.sh puts it in.\n" + _OFF,
        "receiver-service.yaml": _service(platform, receiver),
        "enable.sh": script(platform, receiver, "Make a kind cluster that posts audit events, and the service that takes them.", body, options=option),
        "disable.sh": script(platform, receiver, "Record nothing any more.", back, options=option, undo=True),
    }  # fmt: skip
    guide = Guide(
        "where kind is",
        (
            "Copy `audit-policy.yaml` and `webhook-config.yaml` into the folder `k8s-audit` beside `kind-config.yaml`.",
            "`kind create cluster --config kind-config.yaml` in this folder; a cluster that is there already cannot get the flags.",
            f"Make the namespace `{receiver.namespace}` and apply `receiver-service.yaml`; install the receiver.",
        ),
        "`bash disable.sh` puts in a policy that records nothing; `kind delete cluster` takes all of it away.",
        {
            "kind-config.yaml": "the cluster: mounts, and patches for both versions of kubeadm's configuration",
            "audit-off-policy.yaml": "a policy that records nothing, for disable.sh",
        },
        (f"The service has the fixed cluster IP {CLUSTER_IP} unless `--address` gave another.",),
    )  # fmt: skip
    return files, guide

"""API servers that kubelet starts from a manifest: kubeadm, and what the source calls native Kubernetes and minikube."""

from __future__ import annotations

from typing import Final

from falcokit.audit.flags import FLAGS, Flag
from falcokit.audit.patch import Wanted
from falcokit.audit.platforms.manifest_script import EDIT, SINK, UNDO
from falcokit.audit.platforms.manifests import audit_sink, webhook_config
from falcokit.audit.platforms.platform import Method, Platform, Receiver
from falcokit.audit.platforms.readme import Guide
from falcokit.audit.platforms.script import have_tls, put_tls, script, take_tls
from falcokit.audit.platforms.server import wanted

__all__ = ["static_pod"]

_MANIFEST: Final = "/etc/kubernetes/manifests/kube-apiserver.yaml"


def static_pod(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """The files of such a platform but for README.md and what all have, and what is told of it."""
    want = wanted(platform, receiver)
    sink = platform.method is Method.sink
    files: dict[str, str] = {}
    files["audit-sink.yaml" if sink else "webhook-config.yaml"] = (audit_sink if sink else webhook_config)(
        platform, receiver
    )
    files["kube-apiserver-flags.txt"] = platform.header() + "".join(
        [f"--{one.name}={one.value}\n" for one in want.flags]
    )
    told = {"kube-apiserver-flags.txt": "the flags that kube-apiserver needs"}
    if platform.name == "kubeadm":
        files["patches/kube-apiserver+json.yaml"] = _json_patch(platform, want)
        files["kubeadm-v1beta4.yaml"] = _cluster_configuration(platform, want, "v1beta4")
        files["kubeadm-v1beta3.yaml"] = _cluster_configuration(platform, want, "v1beta3")
        told |= {
            "patches/kube-apiserver+json.yaml": "for `kubeadm init --patches patches` of a new cluster",
            "kubeadm-v1beta4.yaml": "the same for the ClusterConfiguration of kubeadm 1.31 and later",
            "kubeadm-v1beta3.yaml": "the same for one that is still of v1beta3",
        }
    else:
        files["kube-apiserver-part.yaml"] = _part(platform, want)
        told["kube-apiserver-part.yaml"] = "how the parts of the manifest look afterwards"
    files["enable.sh"] = script(
        platform, receiver, "Put the audit files in place and give kube-apiserver its flags; run as root on each machine of the control plane.",
        _body(platform, receiver, want, sink),
    )  # fmt: skip
    files["disable.sh"] = script(
        platform, receiver, "Take flags and files away again; run as root on each machine of the control plane.",
        _undo(platform, receiver, want, sink), undo=True,
    )  # fmt: skip
    return files, _guide(platform, receiver, told, sink)


def _fill(text: str, platform: Platform, want: Wanted, undo: bool, put: str = "") -> str:
    fixed = [flag for flag in want.flags if not flag.joined and (undo or not flag.keep)]
    known = [FLAGS[flag.name] for flag in want.flags if not flag.joined]
    values = {
        "@PUT@": put,
        "@FIRST@": str(max([first for first, _ in known])),
        "@LAST@": str(min([last for _, last in known if last is not None], default=0)),
        "@NAMES@": " ".join([flag.name for flag in want.flags]),
        "@MANIFEST@": _MANIFEST,
        "@PLACE@": platform.place,
        "@SEEN@": platform.seen,
        "@READONLY@": "false" if want.mounts[0].writable else "true",
        "@FLAGS@": _joined(fixed),
        "@KEPT@": _joined([flag for flag in want.flags if flag.keep]),
        "@PAIRS@": _joined([flag for flag in want.flags if flag.joined]),
        "@NAME@": platform.name,
    }
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _joined(flags: list[Flag]) -> str:
    return " ".join([f"{flag.name}={flag.value}" for flag in flags])


def _body(platform: Platform, receiver: Receiver, want: Wanted, sink: bool) -> str:
    lines = f'place="$root{platform.place}"\nfind_address\n'
    put = 'put "$here/audit-policy.yaml" "$place/audit-policy.yaml" 0600\n'
    if not sink:
        lines += have_tls(receiver)
        put += 'put "$here/webhook-config.yaml" "$place/webhook-config.yaml" 0600\n'
        put += put_tls(receiver, '"$place"')
    return lines + _fill(EDIT, platform, want, False, put) + (SINK if sink else "")


def _undo(platform: Platform, receiver: Receiver, want: Wanted, sink: bool) -> str:
    lines = ""
    if sink:
        lines = (
            'if [ -z "$root" ] && command -v kubectl >/dev/null 2>&1; then\n'
            "  run kubectl delete auditsink audit-receiver --ignore-not-found\nfi\n"
        )
    lines += _fill(UNDO, platform, want, True).lstrip("\n")
    lines += f'place="$root{platform.place}"\ntake "$place/audit-policy.yaml"\n'
    if not sink:
        lines += 'take "$place/webhook-config.yaml"\n' + take_tls(receiver, '"$place"')
    return lines


def _json_patch(platform: Platform, want: Wanted) -> str:
    """A JSON patch: a strategic one would replace the whole command."""
    lines = [platform.header() + "# Such patches add to the manifest that kubeadm generates."]
    for flag in want.flags:
        lines += ["- op: add", "  path: /spec/containers/0/command/-", f'  value: "--{flag.name}={flag.value}"']
    for mount in want.mounts:
        lines += [
            "- op: add",
            "  path: /spec/containers/0/volumeMounts/-",
            "  value:",
            f"    name: {mount.name}",
            f"    mountPath: {mount.path}",
            f"    readOnly: {str(not mount.writable).lower()}",
            "- op: add",
            "  path: /spec/volumes/-",
            "  value:",
            f"    name: {mount.name}",
            f"    hostPath: {{path: {mount.host}, type: DirectoryOrCreate}}",
        ]
    return "\n".join(lines) + "\n"


def _cluster_configuration(platform: Platform, want: Wanted, version: str) -> str:
    """The parts of a ClusterConfiguration; v1beta4 made a list of extraArgs."""
    lines = [
        platform.header() + "# Merge this into the ClusterConfiguration that you have.",
        f"apiVersion: kubeadm.k8s.io/{version}",
    ]
    lines += ["kind: ClusterConfiguration", "apiServer:", "  extraArgs:"]
    for flag in want.flags:
        if version == "v1beta4":
            lines += [f"  - name: {flag.name}", f'    value: "{flag.value}"']
        else:
            lines.append(f'    {flag.name}: "{flag.value}"')
    lines.append("  extraVolumes:")
    for mount in want.mounts:
        lines += [
            f"  - name: {mount.name}",
            f"    hostPath: {mount.host}",
            f"    mountPath: {mount.path}",
            f"    readOnly: {str(not mount.writable).lower()}",
            "    pathType: DirectoryOrCreate",
        ]
    return "\n".join(lines) + "\n"


def _part(platform: Platform, want: Wanted) -> str:
    """The parts of the manifest of old clusters."""
    mount = want.mounts[0]
    flags = "".join([f"    - --{flag.name}={flag.value}\n" for flag in want.flags])
    why = "      # The log is written here as well: a read-only mount would stop that.\n" if mount.writable else ""
    return (
        f"{platform.header()}# The parts of kube-apiserver.yaml that change; all else stays as it is.\n"
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: kube-apiserver\nspec:\n  containers:\n"
        f"  - name: kube-apiserver\n    command:\n    - kube-apiserver\n{flags}"
        f"    volumeMounts:\n    - mountPath: {mount.path}\n      name: {mount.name}\n{why}"
        f"      readOnly: {str(not mount.writable).lower()}\n  volumes:\n  - hostPath:\n      path: {mount.host}\n"
        f"      type: DirectoryOrCreate\n    name: {mount.name}\n"
    )


def _guide(platform: Platform, receiver: Receiver, told: dict[str, str], sink: bool) -> Guide:
    in_vm = platform.name.startswith("minikube")
    where = "as root in the minikube VM" if in_vm else "as root on each machine of the control plane, one after another"
    steps = []
    if in_vm:
        steps.append(
            "Carry this folder into the VM: `tar -c . | minikube ssh 'mkdir -p k8s-audit && tar -C k8s-audit -x'`, then"
            " `minikube ssh` and `sudo bash k8s-audit/enable.sh --address IP` (with the driver `none` the VM is your machine)."
        )
    place = platform.place
    steps += [
        f"Make the directory `{place}` and copy `audit-policy.yaml`{'' if sink else ' and `webhook-config.yaml`'} into it"
        + ("." if receiver.address or sink else ", with the receiver's cluster IP in the place of `RECEIVER_ADDRESS`."),
        f"Copy `{_MANIFEST}` to a place that is not in its directory: kubelet starts every file that it finds there.",
        f"Put the flags, the volume and the mount into the manifest. falcokit does it to the file that you give it and checks the result: `falcokit audit init {platform.name} --kube-apiserver-manifest FILE`, then the same with `--write`.",
        "Wait until kubelet has started kube-apiserver again: `kubectl get --raw /readyz`.",
    ]
    if sink:
        steps.append(
            "Apply `audit-sink.yaml`, with the receiver's cluster IP in the place of `RECEIVER_ADDRESS` if it stands there."
        )
    if platform.name == "kubeadm":
        steps.append(
            "Bring the ClusterConfiguration up to date as well, or the next `kubeadm upgrade` takes the flags away:"
            " `kubectl -n kube-system get configmap kubeadm-config -o yaml`, and `--kubeadm-config FILE` of falcokit."
        )
    notes = ["A kube-apiserver that cannot read one of these files does not start: look at its log with `crictl logs`."]
    if platform.minors[1] < 32:
        notes.append("The directory is mounted so that it can be written to: the log lies in it.")
    return Guide(where, tuple(steps), f"`bash disable.sh` {where}.", told, tuple(notes))

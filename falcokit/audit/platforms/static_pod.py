"""API servers that kubelet starts from a manifest: kubeadm, and what the source calls native Kubernetes and minikube."""

from __future__ import annotations

from typing import Final

from falcokit.audit.flags import Flag
from falcokit.audit.patch import Wanted
from falcokit.audit.platforms.manifests import audit_sink, webhook_config
from falcokit.audit.platforms.platform import Method, Platform, Receiver
from falcokit.audit.platforms.readme import Guide
from falcokit.audit.platforms.script import put_tls, script, take_tls
from falcokit.audit.platforms.server import wanted

__all__ = ["static_pod"]

# Only manifests of the shape that kubeadm writes are edited by the script; falcokit itself edits any.
_EDIT: Final = r"""
manifest="$root@MANIFEST@"
backup="$(dirname -- "$(dirname -- "$manifest")")/.kube-apiserver.yaml.falcokit-backup"

# The manifest with the flags, the volume and its mount.
edited() {
  awk -v place='@SEEN@' -v host='@PLACE@' -v read_only='@READONLY@' -v flags='@FLAGS@' -v kept='@KEPT@' -v pairs='@PAIRS@' '
    BEGIN {
      count = split(flags, want, " ")
      for (i = 1; i <= count; i++) { split(want[i], part, "="); ours[part[1]] = 1 }
      kept_count = split(kept, keep, " ")
      pair_count = split(pairs, pair, " ")
      for (i = 1; i <= pair_count; i++) { at = index(pair[i], "="); name[i] = substr(pair[i], 1, at - 1); pair_of[name[i]] = substr(pair[i], at + 1) }
    }
    function name_of(line) { sub(/^ *- --/, "", line); sub(/=.*/, "", line); gsub(/_/, "-", line); return line }
    NR == FNR {
      if ($0 ~ /^ *- --/) there[name_of($0)] = 1
      if ($1 == "mountPath:" || $2 == "mountPath:") { if ($NF == place || $NF == place "/") mounted = 1 }
      if ($1 == "path:" || $2 == "path:") { if ($NF == host || $NF == host "/") volume = 1 }
      next
    }
    /^ *- --/ && (name_of($0) in ours) { next }
    /^ *- --/ && (name_of($0) in pair_of) {
      value = pair_of[name_of($0)]
      if (index($0, value) == 0) $0 = $0 "," value
      print
      next
    }
    { print }
    /^ *- ([^ ]*\/)?kube-apiserver$/ {
      indent = $0
      sub(/-.*/, "", indent)
      for (i = 1; i <= count; i++) print indent "- --" want[i]
      for (i = 1; i <= kept_count; i++) { split(keep[i], part, "="); if (!(part[1] in there)) print indent "- --" keep[i] }
      for (i = 1; i <= pair_count; i++) if (!(name[i] in there)) print indent "- --" pair[i]
    }
    /^    volumeMounts:$/ && !mounted { print "    - mountPath: " place; print "      name: k8s-audit"; print "      readOnly: " read_only }
    /^  volumes:$/ && !volume { print "  - hostPath:"; print "      path: " host; print "      type: DirectoryOrCreate"; print "    name: k8s-audit" }
  ' "$1" "$1"
}

if [ ! -r "$manifest" ]; then
  [ "$dry_run" = 1 ] || die "$manifest is not there: is this a machine of the control plane?"
  say "would change: $manifest"
else
  for line in '^ *- ([^ ]*/)?kube-apiserver$' '^    volumeMounts:$' '^  volumes:$'; do
    [ "$(grep -Ec -- "$line" "$manifest")" = 1 ] || die "$manifest has another layout than kubeadm's: change it with falcokit audit init @NAME@ --kube-apiserver-manifest FILE --write"
  done
  if grep -Eq -- "^ *- ([\"']--|--audit[-_](log|policy|webhook)[a-z_-]* *\$)" "$manifest"; then
    die "$manifest has flags that are written in another way than kubeadm's: change it with falcokit audit init @NAME@ --kube-apiserver-manifest FILE --write"
  fi
  if edited "$manifest" | cmp -s - "$manifest"; then
    say "in place: $manifest"
    [ "$changed" = 0 ] || say "kube-apiserver reads its audit files when it starts: move $manifest away for half a minute and back"
  elif [ "$dry_run" = 1 ]; then
    say "would change: $manifest"
    edited "$manifest" | diff -u -- "$manifest" - || true
  else
    [ -e "$backup" ] || cp -p -- "$manifest" "$backup"
    # Made beside the directory of manifests: kubelet would start what it finds in there.
    new=$(mktemp "$(dirname -- "$backup")/.falcokit-XXXXXX")
    edited "$manifest" >"$new"
    chmod 0600 "$new"
    mv -f -- "$new" "$manifest"
    say "changed: $manifest (before: $backup)"
    say "kubelet starts kube-apiserver again within a minute"
  fi
fi
"""
_SINK: Final = r"""
if [ -n "$root" ]; then
  say "apply audit-sink.yaml when the API server runs"
elif [ "$dry_run" = 1 ]; then
  say "would apply audit-sink.yaml when the API server serves auditregistration.k8s.io/v1alpha1"
elif ! command -v kubectl >/dev/null 2>&1; then
  say "kubectl is not here: apply audit-sink.yaml with ${address:-the address} in it from a machine that has it"
else
  for _ in $(seq 60); do
    if kubectl api-versions 2>/dev/null | grep '^auditregistration.k8s.io/v1alpha1$' >/dev/null; then break; fi
    sleep 5
  done
  render "$here/audit-sink.yaml" | kubectl apply -f -
fi
"""
_UNDO: Final = r"""
manifest="$root@MANIFEST@"
backup="$(dirname -- "$(dirname -- "$manifest")")/.kube-apiserver.yaml.falcokit-before-disable"

# The manifest without what enable.sh or falcokit put in; flags that have other values now stay.
without() {
  awk -v flags='@FLAGS@' '
    BEGIN { count = split(flags, list, " "); for (i = 1; i <= count; i++) ours["- --" list[i]] = 1 }
    function flush() { if (item != "" && item !~ /name: k8s-audit\n/) printf "%s", item; item = "" }
    { text = $0; sub(/^ */, "", text) }
    text in ours { next }
    $0 == "    volumeMounts:" || $0 == "  volumes:" { flush(); indent = index($0, "v") - 1; print; next }
    indent && index($0, sprintf("%" indent "s- ", "")) == 1 { flush(); item = $0 "\n"; next }
    indent && item != "" && index($0, sprintf("%" (indent + 1) "s", "")) == 1 { item = item $0 "\n"; next }
    { flush(); indent = 0; print }
    END { flush() }
  ' "$1"
}

if [ ! -r "$manifest" ]; then
  [ "$dry_run" = 1 ] || die "$manifest is not there: is this a machine of the control plane?"
  say "would change: $manifest"
elif without "$manifest" | cmp -s - "$manifest"; then
  say "not in it: $manifest"
elif [ "$dry_run" = 1 ]; then
  say "would change: $manifest"
  without "$manifest" | diff -u -- "$manifest" - || true
else
  cp -p -- "$manifest" "$backup"
  new=$(mktemp "$(dirname -- "$backup")/.falcokit-XXXXXX")
  without "$manifest" >"$new"
  chmod 0600 "$new"
  mv -f -- "$new" "$manifest"
  say "changed: $manifest (before: $backup)"
fi
if grep -q -- '@SEEN@/' "$manifest" 2>/dev/null; then
  say "kube-apiserver still names files of @PLACE@: they stay"
  exit 0
fi
"""
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


def _fill(text: str, platform: Platform, want: Wanted, all_flags: bool) -> str:
    fixed = [flag for flag in want.flags if all_flags or not (flag.keep or flag.joined)]
    values = {
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
    lines = (
        f'place="$root{platform.place}"\nfind_address\nput "$here/audit-policy.yaml" "$place/audit-policy.yaml" 0600\n'
    )
    if not sink:
        lines += 'put "$here/webhook-config.yaml" "$place/webhook-config.yaml" 0600\n'
        lines += put_tls(receiver, '"$place"')
    return lines + _fill(_EDIT, platform, want, False) + (_SINK if sink else "")


def _undo(platform: Platform, receiver: Receiver, want: Wanted, sink: bool) -> str:
    lines = ""
    if sink:
        lines = (
            'if [ -z "$root" ] && command -v kubectl >/dev/null 2>&1; then\n'
            "  run kubectl delete auditsink audit-receiver --ignore-not-found\nfi\n"
        )
    lines += _fill(_UNDO, platform, want, True).lstrip("\n")
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

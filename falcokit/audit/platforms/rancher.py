"""Rancher's distributions: k3s, RKE2, and RKE 1."""

from __future__ import annotations

from typing import Final

from falcokit.audit.platforms.manifests import webhook_config
from falcokit.audit.platforms.platform import Platform, Receiver
from falcokit.audit.platforms.readme import Guide
from falcokit.audit.platforms.script import have_tls, put_tls, script, take_tls
from falcokit.audit.platforms.server import wanted

__all__ = ["k3s", "rke"]

_DROP_IN: Final = "90-k8s-audit.yaml"


def k3s(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """k3s and RKE2, which read what lies in config.yaml.d beside config.yaml (``+`` adds to a list)."""
    rke2 = platform.name == "rke2"
    folder, service = ("/etc/rancher/rke2", "rke2-server") if rke2 else ("/etc/rancher/k3s", "k3s")
    want = wanted(platform, receiver)
    lines = [platform.header() + f"# Put this into {folder}/config.yaml.d; `+` adds to the lists of config.yaml."]
    if rke2:
        lines.append(f"audit-policy-file: {platform.seen}/audit-policy.yaml")
    lines.append("kube-apiserver-arg+:")
    lines += [f"- {one.name}={one.value}" for one in want.flags if not (rke2 and one.name == "audit-policy-file")]
    if rke2:
        lines += ["kube-apiserver-extra-mount+:", f"- {platform.place}:{platform.seen}:ro"]
    restart = (
        'if [ -n "$root" ]; then\n  say "restart the service when the machine runs"\n'
        'elif [ "$changed" = 1 ] || [ "$dry_run" = 1 ]; then\n'
        f"  run systemctl restart {service}\nfi\n"
    )
    body = (
        f'place="$root{platform.place}"\nfind_address\n'
        + have_tls(receiver)
        + 'put "$here/audit-policy.yaml" "$place/audit-policy.yaml" 0600\n'
        'put "$here/webhook-config.yaml" "$place/webhook-config.yaml" 0600\n'
        + put_tls(receiver, '"$place"')
        + f'put "$here/{_DROP_IN}" "$root{folder}/config.yaml.d/{_DROP_IN}" 0600\n{restart}'
    )
    back = (
        f'place="$root{platform.place}"\ntake "$root{folder}/config.yaml.d/{_DROP_IN}"\n'
        'take "$place/audit-policy.yaml"\ntake "$place/webhook-config.yaml"\n'
        + take_tls(receiver, '"$place"')
        + restart
    )
    files = {
        "webhook-config.yaml": webhook_config(platform, receiver),
        _DROP_IN: "\n".join(lines) + "\n",
        "enable.sh": script(
            platform, receiver, f"Put the audit files in place and restart {service}; run as root on each server.", body
        ),
        "disable.sh": script(
            platform,
            receiver,
            f"Take the files away and restart {service}; run as root on each server.",
            back,
            undo=True,
        ),
    }
    where = "as root on each server, one after another"
    guide = Guide(
        where,
        (
            f"Copy `audit-policy.yaml` and `webhook-config.yaml` to `{platform.place}`{_looked_up(receiver)}.",
            (
                f"Copy `{_DROP_IN}` to `{folder}/config.yaml.d`. Where config.yaml is to have it all instead, falcokit puts it"
                f" in: `falcokit audit init {platform.name} --k3s-config {folder}/config.yaml`, then with `--write`."
            ),
            f"`systemctl restart {service}`, and wait for `kubectl get --raw /readyz`.",
        ),
        f"`bash disable.sh` {where}.",
        {_DROP_IN: f"the flags, for `{folder}/config.yaml.d`"},
        ("The API server is a pod: the directory is mounted into it.",)
        if rke2
        else ("The API server is a part of the k3s process and reads the files where they lie: nothing is mounted.",),
    )
    return files, guide


def _looked_up(receiver: Receiver) -> str:
    return "" if receiver.address else ", with the receiver's cluster IP in the place of `RECEIVER_ADDRESS`"


def rke(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """RKE 1: files on the machines, flags and binds in cluster.yml."""
    want = wanted(platform, receiver)
    part = [platform.header() + "# Merge this into cluster.yml.", "services:", "  kube-api:", "    extra_args:"]
    part += [f"      {one.name}: {one.value}" for one in want.flags]
    part += ["    extra_binds:", *[f"    - {one.host}:{one.path}:ro" for one in want.mounts]]
    falcokit = f"falcokit audit init {platform.name} --target {receiver.target} --rke-cluster"
    body = (
        'if [ -z "$cluster" ]; then\n'
        f'  place="$root{platform.place}"\n  find_address\n'
        + "".join([f"  {line}\n" for line in have_tls(receiver).splitlines()])
        + '  put "$here/audit-policy.yaml" "$place/audit-policy.yaml" 0600\n'
        '  put "$here/webhook-config.yaml" "$place/webhook-config.yaml" 0600\n'
        + "".join([f"  {line}\n" for line in put_tls(receiver, '"$place"').splitlines()])
        + '  say "when this was done on every machine of the control plane: enable.sh --cluster cluster.yml where rke is"\n'
        "else\n  need falcokit\n  need rke\n"
        f'  run {falcokit} "$cluster" --write\n  run rke up --config "$cluster"\nfi\n'
    )
    back = (
        'if [ -n "$cluster" ]; then\n'
        '  grep -q "audit-webhook-config-file" "$cluster" && die "take the audit flags and the bind out of $cluster first"\n'
        '  need rke\n  run rke up --config "$cluster"\nelse\n'
        '  say "only after rke up without the flags: disable.sh --cluster cluster.yml where rke is"\n'
        f'  place="$root{platform.place}"\n  take "$place/audit-policy.yaml"\n  take "$place/webhook-config.yaml"\n'
        + "".join([f"  {line}\n" for line in take_tls(receiver, '"$place"').splitlines()])
        + "fi\n"
    )
    option = (
        ("cluster", "FILE", "change this cluster.yml and bring the cluster up, instead of putting files in place"),
    )
    files = {
        "webhook-config.yaml": webhook_config(platform, receiver),
        "cluster-part.yml": "\n".join(part) + "\n",
        "enable.sh": script(
            platform, receiver, "Put the audit files in place, as root on each machine of the control plane; then, with --cluster, the flags.", body, options=option
        ),
        "disable.sh": script(
            platform, receiver, "Bring the cluster up without the flags (--cluster); then take the files away on each machine.", back, options=option, undo=True
        ),
    }  # fmt: skip
    guide = Guide(
        "as root on each machine of the control plane, then `bash enable.sh --cluster cluster.yml` where rke is",
        (
            (
                f"Make `{platform.place}` on each machine of the control plane and copy `audit-policy.yaml` and"
                f" `webhook-config.yaml` there{_looked_up(receiver)}."
            ),
            f"Merge `cluster-part.yml` into cluster.yml. falcokit does it: `{falcokit} cluster.yml`, then with `--write`.",
            "`rke up`.",
        ),
        "Take the flags and the bind out of cluster.yml, `bash disable.sh --cluster cluster.yml`, then `bash disable.sh` as root"
        " on each machine.",
        {"cluster-part.yml": "flags and bind for cluster.yml"},
        ("RKE has no switch for the dynamic backend, so that an AuditSink is no way.",),
    )
    return files, guide

"""kops: files and flags are parts of the cluster specification."""

from __future__ import annotations

import shlex

from falcokit.audit.platforms.manifests import CERT, KEY, webhook_config
from falcokit.audit.platforms.platform import ADDRESS, Platform, Receiver
from falcokit.audit.platforms.readme import Guide
from falcokit.audit.platforms.script import script
from falcokit.audit.platforms.server import KOPS_LOG

__all__ = ["kops"]


def kops(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """The files of kops.  The specification itself is patched, in which the files are."""
    place = platform.place
    part = platform.header() + (
        "# Merge this into `kops get cluster -o yaml`; two files go with it as fileAssets, their content indented below.\n"
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nspec:\n  fileAssets:\n"
        f"  - name: audit-policy\n    path: {place}/audit-policy.yaml\n    roles: [Master]\n    content: |\n      (audit-policy.yaml)\n"
        f"  - name: webhook-config\n    path: {place}/webhook-config.yaml\n    roles: [Master]\n    content: |\n      (webhook-config.yaml)\n"
        f"  kubeAPIServer:\n    auditLogPath: {KOPS_LOG}\n    auditLogMaxBackups: 1\n    auditLogMaxSize: 10\n"
        f'    auditWebhookBatchMaxWait: "5s"\n    auditPolicyFile: {place}/audit-policy.yaml\n'
        f"    auditWebhookConfigFile: {place}/webhook-config.yaml\n"
    )
    tls = ""
    if receiver.tls:
        given = (("--ca", receiver.ca_file), ("--cert", receiver.cert_file), ("--key", receiver.key_file))
        tls = " --tls" + "".join([f" {option} {shlex.quote(path)}" for option, path in given if path])
    address = shlex.quote(receiver.address) if receiver.address else '"$address"'
    falcokit = f"falcokit audit init kops --target {receiver.target}{tls}"
    body = (
        'cluster=${cluster:-${KOPS_CLUSTER_NAME:-}}\n[ -n "$cluster" ] || die "give --cluster NAME or set KOPS_CLUSTER_NAME"\n'
        "need kops\nneed falcokit\nfind_address\n"
        'if [ "$dry_run" = 1 ]; then\n'
        '  say "would put audit files and flags into the specification of $cluster, then:"\n'
        "else\n  work=$(mktemp -d)\n  trap 'rm -rf -- \"$work\"' EXIT\n"
        '  kops get cluster "$cluster" -o yaml >"$work/cluster.yaml"\n'
        '  cp -- "$work/cluster.yaml" "$work/before.yaml"\n'
        + ("" if receiver.address else "  address=${address#[}\n  address=${address%]}\n")
        + f'  {falcokit} --address {address} --policy "$here/audit-policy.yaml" --kops-cluster "$work/cluster.yaml" --write\n'
        '  if cmp -s "$work/before.yaml" "$work/cluster.yaml"; then\n    say "in place: the specification of $cluster"\n'
        '  else\n    [ -e "$here/.cluster.yaml.falcokit-backup" ] || cp -- "$work/before.yaml" "$here/.cluster.yaml.falcokit-backup"\n'
        '    kops replace -f "$work/cluster.yaml"\n  fi\nfi\n'
        'run kops update cluster "$cluster" --yes\nrun kops rolling-update cluster "$cluster" --yes\n'
    )
    # The log and the policy may have been there before: they stay.
    unset = ["auditWebhookConfigFile", "auditWebhookBatchMaxWait"]
    back = (
        'cluster=${cluster:-${KOPS_CLUSTER_NAME:-}}\n[ -n "$cluster" ] || die "give --cluster NAME or set KOPS_CLUSTER_NAME"\nneed kops\n'
        "if [ \"$dry_run\" = 0 ] && ! kops edit cluster --help 2>&1 | grep -- '--unset' >/dev/null; then\n"
        '  die "this kops has no --unset: take the audit keys out of spec.kubeAPIServer with kops edit cluster"\nfi\n'
        'run kops edit cluster "$cluster" \\\n'
        + " \\\n".join([f"  --unset spec.kubeAPIServer.{key}" for key in unset])
        + '\nrun kops update cluster "$cluster" --yes\nrun kops rolling-update cluster "$cluster" --yes\n'
    )
    option = (("cluster", "NAME", "the cluster; without it $KOPS_CLUSTER_NAME"),)
    files = {
        "webhook-config.yaml": webhook_config(platform, receiver),
        "cluster-part.yaml": part,
        "enable.sh": script(platform, receiver, "Put audit files and flags into the cluster specification and roll the cluster over.", body, options=option),
        "disable.sh": script(platform, receiver, "Take the webhook out again and roll the cluster over.", back, options=option, undo=True),
    }  # fmt: skip
    notes = [
        (
            f"Policy and webhook configuration lie in `{place}`, which kops shows the API server in every release; newer releases"
            " mount the directory of the log and that of the policy, and one directory for both would be mounted twice."
        ),
        "A rolling update replaces the machines of the control plane one after another.",
    ]
    if receiver.key_file:
        notes.append(
            f"kops keeps file assets in its state store in clear, so falcokit does not put the private key there: bring"
            f" `{place}/{KEY}` to the machines in another way before the rolling update; `{place}/{CERT}` is among the assets."
        )
    guide = Guide(
        "where kops and falcokit are",
        (
            "`kops get cluster NAME -o yaml > cluster.yaml`" + ("" if receiver.address else f", and the receiver's cluster IP for `{ADDRESS}`") + ".",
            f"`{falcokit} --address IP --policy audit-policy.yaml --kops-cluster cluster.yaml` shows what changes; with `--write` it is done.",
            "`kops replace -f cluster.yaml`, `kops update cluster NAME --yes`, `kops rolling-update cluster NAME --yes`.",
        ),
        "`bash disable.sh --cluster NAME` takes the webhook out. Policy, log and file assets stay in the specification: you may have had them before.",
        {"cluster-part.yaml": "what the cluster specification is to have"},
        tuple(notes),
    )  # fmt: skip
    return files, guide

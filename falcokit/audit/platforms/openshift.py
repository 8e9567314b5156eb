"""OpenShift 3.11 and Minishift by webhook, OpenShift 4.2 and 4.3 by AuditSink."""

from __future__ import annotations

from typing import Final

from falcokit.audit.platforms.manifests import audit_sink, webhook_config
from falcokit.audit.platforms.platform import Platform, Receiver
from falcokit.audit.platforms.readme import Guide
from falcokit.audit.platforms.script import have_tls, put_tls, script, take_tls, tls_files
from falcokit.audit.platforms.server import wanted

__all__ = ["minishift", "openshift_3", "openshift_4"]

_MASTER: Final = r"""
config="$place/master-config.yaml"
if [ -n "$root" ]; then
  say "change $config with: falcokit audit init openshift-3.11 --master-config $config --write"
  exit 0
fi
need oc
if [ "$dry_run" = 1 ]; then
  say "would patch $config with @PATCH@ and restart api and controllers"
  exit 0
fi
new=$(mktemp "$place/.falcokit-XXXXXX")
trap 'rm -f -- "$new"' EXIT
oc ex config patch "$config" -p "$(cat -- "$here/@PATCH@")" >"$new"
[ -s "$new" ] || die "oc ex config patch gave nothing: $config stays as it is"
if cmp -s "$new" "$config" && [ "$changed" = 0 ]; then
  rm -f -- "$new"
  say "in place: $config"
else
  [ -e "$place/.master-config.yaml.@BACKUP@" ] || cp -p -- "$config" "$place/.master-config.yaml.@BACKUP@"
  chmod 0600 "$new"
  mv -f -- "$new" "$config"
  say "changed: $config (before: $place/.master-config.yaml.@BACKUP@)"
  run /usr/local/bin/master-restart api
  run /usr/local/bin/master-restart controllers
fi
"""


def openshift_3(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """OpenShift 3.11: ``auditConfig`` of the master's configuration."""
    place = platform.place
    patch = platform.header() + (
        "auditConfig:\n  enabled: true\n  maximumFileSizeMegabytes: 10\n  maximumRetainedFiles: 1\n"
        f"  auditFilePath: {place}/k8s_audit_events.log\n  logFormat: json\n  webHookMode: batch\n"
        f"  webHookKubeConfig: {place}/webhook-config.yaml\n  policyFile: {place}/audit-policy.yaml\n"
    )
    off = (
        platform.header()
        + 'auditConfig:\n  enabled: false\n  webHookMode: ""\n  webHookKubeConfig: ""\n  policyFile: ""\n'
    )
    body = (
        f'place="$root{place}"\nfind_address\n'
        + have_tls(receiver)
        + 'put "$here/audit-policy.yaml" "$place/audit-policy.yaml" 0600\n'
        'put "$here/webhook-config.yaml" "$place/webhook-config.yaml" 0600\n'
        + put_tls(receiver, '"$place"')
        + _MASTER.replace("@PATCH@", "audit-patch.yaml").replace("@BACKUP@", "falcokit-backup")
    )
    back = (
        f'place="$root{place}"\nchanged=0\n'
        + _MASTER.replace("@PATCH@", "audit-off-patch.yaml").replace("@BACKUP@", "falcokit-before-disable").lstrip("\n")
        + 'take "$place/audit-policy.yaml"\ntake "$place/webhook-config.yaml"\n'
        + take_tls(receiver, '"$place"')
    )
    files = {
        "webhook-config.yaml": webhook_config(platform, receiver),
        "audit-patch.yaml": patch,
        "audit-off-patch.yaml": off,
        "enable.sh": script(platform, receiver, "Put the audit files in place and turn auditing on; run as root on each master.", body),
        "disable.sh": script(platform, receiver, "Turn auditing off and take the files away; run as root on each master.", back, undo=True),
    }  # fmt: skip
    guide = Guide(
        "as root on each master",
        (
            f"Copy `audit-policy.yaml` and `webhook-config.yaml` to `{place}`, which the API server's pod sees under the same name.",
            (
                f"Put `audit-patch.yaml` into `{place}/master-config.yaml`. falcokit keeps its comments:"
                " `falcokit audit init openshift-3.11 --master-config FILE`, then with `--write`; the script uses `oc ex config patch`."
            ),
            "`/usr/local/bin/master-restart api` and `/usr/local/bin/master-restart controllers`.",
        ),
        "`bash disable.sh` as root on each master: it sets `enabled: false` and takes the files away.",
        {"audit-patch.yaml": "what master-config.yaml is to have", "audit-off-patch.yaml": "the same to turn it off"},
        ("OpenShift 3.11 knows the webhook backend only, which its own manuals call advanced audit.",),
    )
    return files, guide


def minishift(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """Minishift 3.11: the API server's arguments in the master-config.yaml that is kube-apiserver's."""
    want = wanted(platform, receiver)
    place = platform.place
    part = [platform.header() + f"# For {place}/master-config.yaml, and for none of the other two of that name."]
    part += ["kubernetesMasterConfig:", "  apiServerArguments:"]
    for flag in want.flags:
        part += [f"    {flag.name}:", f'    - "{flag.value}"']
    falcokit = f"falcokit audit init {platform.name} --target {receiver.target} --master-config"
    copies = ["audit-policy.yaml", "webhook-config.yaml"]
    tls = "".join([f'carry "${option}" {name}\n' for option, name, _ in tls_files(receiver)])
    body = (
        "need minishift\nneed falcokit\nfind_address\n" + have_tls(receiver) + f"place={place}\n"
        "# carry SOURCE NAME: a file to the machine of Minishift.\n"
        'carry() {\n  if [ "$dry_run" = 1 ]; then\n    say "would copy $1 to $place/$2"\n  else\n'
        "    # The private key is never there for others, not even for a moment.\n"
        '    render "$1" | minishift ssh -- "sudo sh -c \'umask 077 && cat >$place/.falcokit-$2 && mv -f $place/.falcokit-$2 $place/$2\'"\n'
        "  fi\n}\n"
        + "".join([f'carry "$here/{name}" {name}\n' for name in copies])
        + tls
        + 'if [ "$dry_run" = 1 ]; then\n  say "would change $place/master-config.yaml and restart OpenShift"\n  exit 0\nfi\n'
        "work=$(mktemp -d)\ntrap 'rm -rf -- \"$work\"' EXIT\n"
        'minishift ssh -- "sudo cat $place/master-config.yaml" >"$work/master-config.yaml"\n'
        'cp -- "$work/master-config.yaml" "$work/before.yaml"\n'
        f'{falcokit} "$work/master-config.yaml" --write\n'
        'if cmp -s "$work/before.yaml" "$work/master-config.yaml"; then\n  say "in place: $place/master-config.yaml"\nelse\n'
        '  minishift ssh -- "sudo cp -pn $place/master-config.yaml $place/.master-config.yaml.falcokit-backup"\n'
        '  minishift ssh -- "sudo tee $place/master-config.yaml >/dev/null" <"$work/master-config.yaml"\n'
        "fi\nrun minishift openshift restart\n"
    )
    back = (
        f"need minishift\nplace={place}\n"
        'run minishift ssh -- "if sudo test -e $place/.master-config.yaml.falcokit-backup; then sudo mv -f'
        ' $place/.master-config.yaml.falcokit-backup $place/master-config.yaml; fi"\n'
        "run minishift openshift restart\n"
    )
    files = {
        "webhook-config.yaml": webhook_config(platform, receiver),
        "master-config-part.yaml": "\n".join(part) + "\n",
        "enable.sh": script(platform, receiver, "Copy the audit files into Minishift and give its API server the flags.", body),
        "disable.sh": script(platform, receiver, "Put the configuration of before back and restart OpenShift.", back, undo=True),
    }  # fmt: skip
    guide = Guide(
        "where minishift and falcokit are",
        (
            f"Copy `audit-policy.yaml` and `webhook-config.yaml` into `{place}` of the VM; the API server sees it as `{platform.seen}`.",
            f"Merge `master-config-part.yaml` into `{place}/master-config.yaml`: `{falcokit} FILE`, then with `--write`.",
            "`minishift openshift restart`.",
        ),
        "`bash disable.sh` puts the configuration of before back; the files stay, and nothing reads them.",
        {"master-config-part.yaml": "the arguments for master-config.yaml"},
        ("There is a master-config.yaml for openshift-apiserver and openshift-controller-manager too: leave both.",),
    )
    return files, guide


def openshift_4(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """OpenShift 4.2 and 4.3: the operator gives the API server the flags, and an AuditSink object does the rest."""
    on = (
        "spec:\n  unsupportedConfigOverrides:\n    apiServerArguments:\n"
        '      audit-dynamic-configuration: ["true"]\n      feature-gates: ["DynamicAuditing=true"]\n'
        '      runtime-config: ["auditregistration.k8s.io/v1alpha1=true"]\n'
    )
    off = (
        "spec:\n  unsupportedConfigOverrides:\n    apiServerArguments:\n"
        "      audit-dynamic-configuration: null\n      feature-gates: null\n      runtime-config: null\n"
    )
    body = (
        "need oc\nfind_address\n"
        'run oc patch kubeapiserver cluster --type=merge -p "$(cat -- "$here/kubeapiserver-patch.yaml")"\n'
        'if [ "$dry_run" = 1 ]; then\n'
        '  say "would wait until the API servers serve auditregistration.k8s.io/v1alpha1, then apply audit-sink.yaml"\n'
        "  exit 0\nfi\n"
        "served=0\nfor _ in $(seq 120); do\n"
        "  if oc api-versions 2>/dev/null | grep '^auditregistration.k8s.io/v1alpha1$' >/dev/null; then served=1 && break; fi\n"
        "  sleep 10\ndone\n"
        '[ "$served" = 1 ] || die "the API servers do not serve auditregistration.k8s.io/v1alpha1 after 20 minutes"\n'
        'render "$here/audit-sink.yaml" | oc apply -f -\n'
    )
    back = (
        "need oc\nrun oc delete auditsink audit-receiver --ignore-not-found\n"
        'run oc patch kubeapiserver cluster --type=merge -p "$(cat -- "$here/kubeapiserver-off-patch.yaml")"\n'
    )
    files = {
        "audit-sink.yaml": audit_sink(platform, receiver),
        "kubeapiserver-patch.yaml": platform.header() + on,
        "kubeapiserver-off-patch.yaml": platform.header() + off,
        "enable.sh": script(platform, receiver, "Turn dynamic auditing on and make the AuditSink; run as a cluster administrator.", body),
        "disable.sh": script(platform, receiver, "Delete the AuditSink and turn dynamic auditing off.", back, undo=True),
    }  # fmt: skip
    guide = Guide(
        "as a cluster administrator where oc is",
        (
            '`oc patch kubeapiserver cluster --type=merge -p "$(cat kubeapiserver-patch.yaml)"`.',
            "Wait until the API servers run with it: `oc api-versions | grep auditregistration` finds the new API.",
            "Put the receiver's cluster IP into `audit-sink.yaml` if it holds `RECEIVER_ADDRESS`, and `oc apply -f audit-sink.yaml`.",
        ),
        "`bash disable.sh`: the AuditSink goes, then the three overrides.",
        {
            "kubeapiserver-patch.yaml": "the overrides that turn AuditSink on",
            "kubeapiserver-off-patch.yaml": "the same to turn it off",
        },
        (
            "The log of the API servers themselves stays on: /var/log/kube-apiserver/audit.log on each master.",
            "The overrides are unsupported by name: feature gates and runtime configuration that you have set there as well are replaced.",
        ),
    )
    return files, guide

"""Clouds that keep the API server to themselves: IKS posts events; GKE and EKS have a log that a bridge or plugin reads."""

from __future__ import annotations

import shlex

from falcokit.audit.platforms.platform import ADDRESS, Platform, Receiver
from falcokit.audit.platforms.readme import Guide
from falcokit.audit.platforms.script import script

__all__ = ["aks_plugin", "eks_bridge", "eks_plugin", "gke_bridge", "gke_plugin", "iks"]

_CLUSTER = ("cluster", "NAME", "the cluster")
_PLUGIN_TEST = (
    "Make an object that a rule looks for, and see the alert of Falco; the logs of a cloud are some minutes behind:\n\n"
    "```sh\n"
    "kubectl create configmap falcokit-audit-test --from-literal=password=not-a-secret\n"
    "kubectl delete configmap falcokit-audit-test\n"
    "```"
)


def _asked(*names: str) -> str:
    """The lines that insist on options."""
    return "".join([f'[ -n "${name}" ] || die "give --{name}"\n' for name in names])


def iks(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """IBM's service sets one URL for the events of a cluster; nobody sets its policy but by name."""
    tls = "".join(
        [
            f'set -- "$@" {option} {shlex.quote(path)}\n'
            for option, path in (
                ("--ca-cert", receiver.ca_file),
                ("--client-cert", receiver.cert_file),
                ("--client-key", receiver.key_file),
            )
            if path and receiver.tls
        ]
    )
    url = receiver.url() if receiver.address else receiver.url().replace(ADDRESS, f"${{address:-{ADDRESS}}}")
    body = (
        _asked("cluster") + f'need ibmcloud\nfind_address\nurl="{url}"\n'
        'set -- --cluster "$cluster" --remote-server "$url"\n'
        + tls
        + 'if [ -n "$policy" ]; then set -- "$@" --policy "$policy"; fi\n'
        'run ibmcloud ks cluster master audit-webhook set "$@"\n'
        'run ibmcloud ks cluster master audit-webhook get --cluster "$cluster"\n'
        'run ibmcloud ks cluster master refresh --cluster "$cluster"\n'
    )
    back = (
        _asked("cluster") + "need ibmcloud\n"
        'run ibmcloud ks cluster master audit-webhook unset --cluster "$cluster"\n'
        'run ibmcloud ks cluster master refresh --cluster "$cluster"\n'
    )
    files = {
        "audit-webhook-url.txt": platform.header() + receiver.url() + "\n",
        "enable.sh": script(
            platform, receiver, "Set the audit webhook of an IKS cluster and refresh its master.", body,
            options=(_CLUSTER, ("policy", "NAME", "IBM's policy: default, or verbose for bodies (newer clusters)")),
        ),
        "disable.sh": script(platform, receiver, "Take the audit webhook away.", back, options=(_CLUSTER,), undo=True),
    }  # fmt: skip
    guide = Guide(
        "with `--cluster NAME` where ibmcloud (logged in) and kubectl are",
        (
            "`ibmcloud ks cluster master audit-webhook set --cluster NAME --remote-server URL` with the URL of `audit-webhook-url.txt`"
            + ("" if receiver.address else f", the cluster IP of service {receiver.service} in the place of `{ADDRESS}`") + ".",
            "`ibmcloud ks cluster master audit-webhook get --cluster NAME` shows it.",
            "`ibmcloud ks cluster master refresh --cluster NAME`; this takes some minutes.",
        ),
        "`bash disable.sh --cluster NAME`.",
        {"audit-webhook-url.txt": "the URL that IKS posts to"},
        ("IKS knows no AuditSink. Newer clusters have IBM's policy `verbose`, which records bodies: `enable.sh --policy verbose`.",),
    )  # fmt: skip
    return files, guide


def _deployment(name: str, namespace: str, image: str, env: str, mounts: str = "", volumes: str = "") -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: {namespace}\n  labels:\n    app: {name}\n"
        f"spec:\n  replicas: 1\n  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n"
        f"        app: {name}\n    spec:\n      containers:\n      - name: {name}\n        image: {image}\n        env:\n{env}{mounts}"
        "        resources:\n          requests:\n            cpu: 200m\n            memory: 256Mi\n          limits:\n            memory: 1Gi\n"
        f"{volumes}"
    )


def gke_bridge(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """The bridge of Sysdig from Stackdriver.  Names, image and settings are those of its own repository."""
    space, name = receiver.namespace, "stackdriver-webhook-bridge"
    bridge = (
        f"{platform.header()}# The bridge reads the log of the project with the key in the secret {name}.\n"
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {space}\ndata:\n  swb-config.yaml: |\n"
        f"    url: {receiver.cluster_url}\n    poll_interval: 5s\n    lag_interval: 30s\n    log_level: info\n---\n"
        + _deployment(
            name, space, f"sysdiglabs/{name}",
            "        - name: GOOGLE_APPLICATION_CREDENTIALS\n          value: /var/secrets/google/key.json\n",
            "        volumeMounts:\n        - name: google-cloud-key\n          mountPath: /var/secrets/google\n          readOnly: true\n"
            "        - name: swb-config\n          mountPath: /opt/swb/config\n          readOnly: true\n",
            f"      volumes:\n      - name: google-cloud-key\n        secret:\n          secretName: {name}\n"
            f"      - name: swb-config\n        configMap:\n          name: {name}\n",
        )
    )  # fmt: skip
    account = '"swb-logs-reader@$project.iam.gserviceaccount.com"'
    body = _asked("project") + (
        f"need gcloud\nneed kubectl\naccount={account}\n"
        'if [ "$dry_run" = 1 ] || ! gcloud iam service-accounts describe "$account" --project "$project" >/dev/null 2>&1; then\n'
        '  run gcloud iam service-accounts create swb-logs-reader --project "$project" --display-name "audit log reader"\nfi\n'
        'run gcloud projects add-iam-policy-binding "$project" --member "serviceAccount:$account" --role roles/logging.viewer\n'
        f'if [ "$dry_run" = 1 ]; then\n  say "would make a key of $account and keep it in the secret {name} alone"\n'
        f"elif ! kubectl get secret {name} -n {space} >/dev/null 2>&1; then\n"
        "  work=$(mktemp -d)\n  trap 'rm -rf -- \"$work\"' EXIT\n"
        '  gcloud iam service-accounts keys create "$work/key.json" --iam-account "$account" --project "$project"\n'
        f'  kubectl create secret generic {name} --from-file=key.json="$work/key.json" -n {space}\nfi\n'
        'run kubectl apply -f "$here/receiver-service.yaml"\nrun kubectl apply -f "$here/bridge.yaml"\n'
    )
    back = (
        _asked("project") + f"need gcloud\nneed kubectl\naccount={account}\n"
        f"run kubectl delete deployment,configmap,secret {name} -n {space} --ignore-not-found\n"
        'run gcloud projects remove-iam-policy-binding "$project" --member "serviceAccount:$account" --role roles/logging.viewer\n'
        'run gcloud iam service-accounts delete "$account" --project "$project" --quiet\n'
    )
    option = (("project", "ID", "the Google Cloud project of the cluster"),)
    files = {
        "bridge.yaml": bridge,
        "enable.sh": script(platform, receiver, "Make an account that reads the log, its secret, and the bridge.", body, options=option),
        "disable.sh": script(platform, receiver, "Delete the bridge, its secret and its account.", back, options=option, undo=True),
    }  # fmt: skip
    guide = Guide(
        "with `--project ID` where gcloud and kubectl are",
        (
            "Make a service account of Google Cloud with the role `roles/logging.viewer`, and a key of it.",
            f"Keep the key in the secret `{name}` of namespace `{space}`, under `key.json`, and delete the file.",
            "Apply `receiver-service.yaml` and `bridge.yaml`.",
        ),
        "`bash disable.sh --project ID`.",
        {"bridge.yaml": "the bridge and its configuration"},
        (
            "The log of GKE has no `kubectl exec` traces. The bridge runs in the cluster and resolves the service's name.",
        ),
    )
    return files, guide


def eks_bridge(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """The forwarder of Sysdig from CloudWatch.  Image and settings are those of its own repository."""
    space, name = receiver.namespace, "eks-cloudwatch"
    keys = (
        ("ENDPOINT", "endpoint"),
        ("CLUSTER_NAME", "cluster_name"),
        ("AWS_REGION", "aws_region"),
        ("CW_POLLING", "cw_polling"),
        ("CW_FILTER", "cw_filter"),
    )
    env = "".join(
        [
            f"        - name: {one}\n          valueFrom:\n            configMapKeyRef:\n              name: ekscloudwatch-config\n              key: {key}\n"
            for one, key in keys
        ]
    )
    bridge = (
        f"{platform.header()}# enable.sh fills in CLUSTER and REGION.\n"
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ekscloudwatch-config\n  namespace: {space}\ndata:\n"
        f'  endpoint: "{receiver.cluster_url}"\n  cw_polling: "5m"\n'
        '  cw_filter: \'{ $.sourceIPs[0] != "::1" && $.sourceIPs[0] != "127.0.0.1" }\'\n'
        '  cluster_name: "CLUSTER"\n  aws_region: "REGION"\n---\n'
        + _deployment(name, space, "sysdiglabs/k8sauditlogforwarder:ekscloudwatch-dev", env)
    )
    body = (
        _asked("cluster", "region") + "need aws\nneed kubectl\n" + _EKS_LOGS
        + 'if [ -n "$role" ]; then\n'
        '  run aws iam put-role-policy --role-name "$role" --policy-name k8s-audit-read --policy-document "$(sed "s/CLUSTER/$cluster/; s/REGION/$region/" "$here/iam-policy.json")"\n'
        'else\n  say "give the role of the worker nodes the permissions of iam-policy.json, or run again with --role"\nfi\n'
        'run kubectl apply -f "$here/receiver-service.yaml"\n'
        'if [ "$dry_run" = 1 ]; then\n  say "would apply bridge.yaml for $cluster in $region"\nelse\n'
        '  sed "s/\\"CLUSTER\\"/\\"$cluster\\"/; s/\\"REGION\\"/\\"$region\\"/" "$here/bridge.yaml" | kubectl apply -f -\nfi\n'
    )  # fmt: skip
    back = (
        "need kubectl\n"
        f"run kubectl delete deployment {name} -n {space} --ignore-not-found\n"
        f"run kubectl delete configmap ekscloudwatch-config -n {space} --ignore-not-found\n"
        'if [ -n "$role" ]; then\n  need aws\n  run aws iam delete-role-policy --role-name "$role" --policy-name k8s-audit-read\nfi\n'
        'say "the audit log of the cluster stays on: others may read it"\n'
    )
    role = ("role", "NAME", "the IAM role of the worker nodes, which gets the permission to read the log")
    files = {
        "bridge.yaml": bridge,
        "iam-policy.json": _IAM,
        "enable.sh": script(platform, receiver, "Turn the audit log of EKS on and forward it from CloudWatch.", body, options=(_CLUSTER, ("region", "NAME", "the region of the cluster"), role)),
        "disable.sh": script(platform, receiver, "Delete the forwarder, and with --role the permission.", back, options=(role,), undo=True),
    }  # fmt: skip
    guide = Guide(
        "with `--cluster NAME --region NAME --role NAME` where aws and kubectl are",
        (
            "Turn on the log type `audit` of the cluster, which goes to CloudWatch.",
            "Give the role of the worker nodes the permissions of `iam-policy.json`.",
            "Apply `receiver-service.yaml`, and `bridge.yaml` with the names of cluster and region in it.",
        ),
        "`bash disable.sh --role NAME`; the audit log stays on.",
        {"bridge.yaml": "the forwarder and its configuration", "iam-policy.json": "what the forwarder may read (JSON has no room for a heading)"},
        (
            "CloudWatch costs extra.",
            "Every pod of the worker nodes can read the log with the permission of their role; the plugin of the current platform can have a role of its own.",
        ),
    )  # fmt: skip
    return files, guide


_IAM = """\
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReadAuditLogOfEks",
      "Effect": "Allow",
      "Action": ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"],
      "Resource": ["arn:aws:logs:REGION:*:log-group:/aws/eks/CLUSTER/cluster:*"]
    }
  ]
}
"""
_EKS_LOGS = (
    'if [ "$dry_run" = 0 ] && aws eks describe-cluster --name "$cluster" --region "$region" --output text \\\n'
    "  --query 'cluster.logging.clusterLogging[?enabled].types[]' | grep -w audit >/dev/null; then\n"
    '  say "in place: the audit log of $cluster"\nelse\n'
    '  run aws eks update-cluster-config --name "$cluster" --region "$region" \\\n'
    '    --logging \'{"clusterLogging":[{"types":["audit"],"enabled":true}]}\'\nfi\n'
)


def _plugin(platform: Platform, name: str, init: str, open_params: str, note: str) -> str:
    """What falco.yaml needs.  The keys are those of the plugin's README; Falco puts environment variables in."""
    return (
        f"{platform.header()}# Put this into falco.yaml, and `k8s_audit_rules.yaml` among its rules_files.\n{note}"
        f'plugins:\n- name: {name}\n  library_path: lib{name}.so\n  init_config:\n{init}  open_params: "{open_params}"\n'
        '- name: json\n  library_path: libjson.so\n  init_config: ""\n'
        f"load_plugins: [{name}, json]\n"
    )


def eks_plugin(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """The plugin k8saudit-eks, which polls CloudWatch."""
    options = (_CLUSTER, ("region", "NAME", "the region of the cluster"))
    files = {
        "falco-k8saudit-eks.yaml": _plugin(
            platform, "k8saudit-eks",
            '    region: "${AWS_REGION}"\n    shift: 10\n    polling_interval: 10\n    use_async: false\n    buffer_size: 500\n',
            "${EKS_CLUSTER}", "# AWS_REGION and EKS_CLUSTER are variables of Falco's environment.\n",
        ),
        "iam-policy.json": _IAM.replace("logs:DescribeLogStreams", "logs:Describe*").replace('"logs:GetLogEvents"', '"logs:Get*", "logs:List*"'),
        "enable.sh": script(platform, receiver, "Turn the audit log of an EKS cluster on.", _asked("cluster", "region") + "need aws\n" + _EKS_LOGS, options=options),
        "disable.sh": script(
            platform, receiver, "Turn the audit log of an EKS cluster off.",
            _asked("cluster", "region") + "need aws\n"
            'run aws eks update-cluster-config --name "$cluster" --region "$region" \\\n'
            "  --logging '{\"clusterLogging\":[{\"types\":[\"audit\"],\"enabled\":false}]}'\n",
            options=options, undo=True,
        ),
    }  # fmt: skip
    guide = Guide(
        "with `--cluster NAME --region NAME` where aws is",
        (
            "Turn on the log type `audit` of the cluster, which goes to CloudWatch.",
            "Give the IAM role of Falco's service account the permissions of `iam-policy.json`, with region and cluster filled in.",
            "Install the plugins: `falcoctl artifact install k8saudit-eks json k8saudit-rules`.",
            ("Put `falco-k8saudit-eks.yaml` into falco.yaml and run Falco with AWS_REGION and EKS_CLUSTER set, as one replica:"
            " each one reads the whole log."),
        ),
        "`bash disable.sh --cluster NAME --region NAME` turns the log off: for all who read it.",
        {"falco-k8saudit-eks.yaml": "what falco.yaml needs", "iam-policy.json": "what Falco may read (JSON has no room for a heading)"},
        ("CloudWatch cuts lines of more than 10,000 characters, and the plugin leaves cut ones out. It costs extra.",),
        _PLUGIN_TEST,
    )  # fmt: skip
    return files, guide


def gke_plugin(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """The plugin k8saudit-gke, which reads a Pub/Sub subscription."""
    names = "topic=falco-gke-audit-topic\nsubscription=falco-gke-audit-sub\nsink=falco-gke-audit-sink\n"
    body = _asked("project") + (
        f"need gcloud\n{names}"
        "# there WHAT...: whether Google Cloud has it; a dry run takes it as missing.\n"
        'there() { [ "$dry_run" = 0 ] && gcloud "$@" --project "$project" >/dev/null 2>&1; }\n'
        'there pubsub topics describe "$topic" || run gcloud pubsub topics create "$topic" --project "$project"\n'
        'there pubsub subscriptions describe "$subscription" \\\n'
        '  || run gcloud pubsub subscriptions create "$subscription" --topic "$topic" --project "$project"\n'
        'there logging sinks describe "$sink" \\\n'
        '  || run gcloud logging sinks create "$sink" "pubsub.googleapis.com/projects/$project/topics/$topic" --project "$project" \\\n'
        '    --log-filter \'logName=~"projects/.+/logs/cloudaudit.googleapis.com%2F(activity|data_access)" AND protoPayload.serviceName="k8s.io"\'\n'
        'if [ "$dry_run" = 1 ]; then\n  say "would let the sink publish to $topic"\nelse\n'
        '  writer=$(gcloud logging sinks describe "$sink" --project "$project" --format \'value(writerIdentity)\')\n'
        '  gcloud pubsub topics add-iam-policy-binding "$topic" --project "$project" --member "$writer" --role roles/pubsub.publisher\nfi\n'
    )
    back = _asked("project") + (
        f"need gcloud\n{names}"
        'run gcloud logging sinks delete "$sink" --project "$project" --quiet\n'
        'run gcloud pubsub subscriptions delete "$subscription" --project "$project" --quiet\n'
        'run gcloud pubsub topics delete "$topic" --project "$project" --quiet\n'
    )
    option = (("project", "ID", "the Google Cloud project of the cluster"),)
    files = {
        "falco-k8saudit-gke.yaml": _plugin(
            platform, "k8saudit-gke", '    project_id: "${GCP_PROJECT}"\n    max_event_size: 8000000\n    use_async: false\n',
            "falco-gke-audit-sub", "# GCP_PROJECT is a variable of Falco's environment.\n",
        ),
        "enable.sh": script(platform, receiver, "Route the audit logs of GKE to a Pub/Sub topic that Falco reads.", body, options=option),
        "disable.sh": script(platform, receiver, "Delete the route, the subscription and the topic.", back, options=option, undo=True),
    }  # fmt: skip
    guide = Guide(
        "with `--project ID` where gcloud is",
        (
            ("Make the topic, the subscription and a log sink that routes the audit logs of `k8s.io` to the topic; the sink's writer"
            " gets `roles/pubsub.publisher`."),
            "Give Falco's service account `roles/pubsub.subscriber`.",
            "Install the plugins: `falcoctl artifact install k8saudit-gke json k8saudit-rules`.",
            "Put `falco-k8saudit-gke.yaml` into falco.yaml and run Falco with GCP_PROJECT set.",
        ),
        "`bash disable.sh --project ID`.",
        {"falco-k8saudit-gke.yaml": "what falco.yaml needs"},
        (
            "The plugin rebuilds audit events from Google's log entries: what these lack, no rule sees.",
            "Requests that only read are in the Data Access logs, which a project has to turn on.",
        ),
        _PLUGIN_TEST,
    )  # fmt: skip
    return files, guide


def aks_plugin(platform: Platform, receiver: Receiver) -> tuple[dict[str, str], Guide]:
    """The plugin k8saudit-aks, which reads an Event Hub."""
    about = "id=$(aks_id)\nrun az monitor diagnostic-settings"
    find = (
        "# The cluster's resource ID.\naks_id() {\n"
        '  if [ "$dry_run" = 1 ]; then\n    say "ID-OF-$cluster"\n  else\n'
        '    az aks show --name "$cluster" --resource-group "$group" --query id --output tsv\n  fi\n}\n'
    )
    body = (
        _asked("cluster", "group", "hub", "rule")
        + f'need az\n{find}{about} create --name falco-k8s-audit --resource "$id" \\\n'
        '  --event-hub "$hub" --event-hub-rule "$rule" \\\n'
        '  --logs \'[{"category":"kube-audit","enabled":true}]\'\n'
    )
    back = _asked("cluster", "group") + f'need az\n{find}{about} delete --name falco-k8s-audit --resource "$id"\n'
    group = ("group", "NAME", "its resource group")
    files = {
        "falco-k8saudit-aks.yaml": _plugin(
            platform, "k8saudit-aks",
            '    event_hub_namespace_connection_string: "${AKS_EVENT_HUB}"\n    event_hub_name: "${AKS_EVENT_HUB_NAME}"\n'
            '    blob_storage_connection_string: "${AKS_BLOB_STORAGE}"\n    blob_storage_container_name: "${AKS_BLOB_CONTAINER}"\n'
            "    rate_limit_events_per_second: 100\n    rate_limit_burst: 200\n",
            "", "# The variables come from Falco's environment: connection strings are secrets, keep them in a Secret.\n",
        ),
        "enable.sh": script(
            platform, receiver, "Send the audit log of an AKS cluster to an Event Hub.", body,
            options=(_CLUSTER, group, ("hub", "NAME", "the Event Hub"), ("rule", "ID", "the resource ID of its namespace's authorization rule")),
        ),
        "disable.sh": script(platform, receiver, "Send it no more.", back, options=(_CLUSTER, group), undo=True),
    }  # fmt: skip
    guide = Guide(
        "with `--cluster NAME --group NAME --hub NAME --rule ID` where az is",
        (
            "Make an Event Hub, and a blob container for the plugin's place in it.",
            "Make a diagnostic setting of the cluster that sends the category `kube-audit` to the hub.",
            "Install the plugins: `falcoctl artifact install k8saudit-aks json k8saudit-rules`.",
            ("Put `falco-k8saudit-aks.yaml` into falco.yaml and run Falco with AKS_EVENT_HUB, AKS_EVENT_HUB_NAME, AKS_BLOB_STORAGE and"
            " AKS_BLOB_CONTAINER set."),
        ),
        "`bash disable.sh --cluster NAME --group NAME`; hub and container stay.",
        {"falco-k8saudit-aks.yaml": "what falco.yaml needs"},
        ("The category `kube-audit-admin` leaves out get and list, and is smaller: rules about reading do not fire with it.",),
        _PLUGIN_TEST,
    )  # fmt: skip
    return files, guide

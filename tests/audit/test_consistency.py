"""The pieces of an audit integration: nothing is said of those that fit, and each mistake is found where it is, with what to write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.audit.consistency import TARGETS, Finding, check, pieces_of
from falcokit.report.audit_check import to_json, to_text
from falcokit.source import SourceFile

WEBHOOK = """\
apiVersion: v1
kind: Config
clusters:
- name: falco
  cluster:
    server: https://10.96.0.44:9765/k8s-audit
    certificate-authority: /etc/kubernetes/audit/ca.crt
contexts:
- context:
    cluster: falco
    user: apiserver
  name: default-context
current-context: default-context
users:
- name: apiserver
  user:
    client-certificate: /etc/kubernetes/audit/client.crt
    client-key: /etc/kubernetes/audit/client.key
"""
FALCO = """\
rules_files:
  - /etc/falco/falco_rules.yaml
  - /etc/falco/k8s_audit_rules.yaml
plugins:
  - name: k8saudit
    library_path: libk8saudit.so
    init_config:
      sslCertificate: /etc/falco/certs/server-combined.pem
      maxEventSize: 262144
    open_params: "https://:9765/k8s-audit"
  - name: json
    library_path: libjson.so
load_plugins: [k8saudit, json]
"""
POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: RequestResponse
  resources:
  - group: ""
    resources: [pods]
- level: Metadata
"""
SERVER = """\
apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver, namespace: kube-system}
spec:
  hostNetwork: true
  containers:
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.34.2
    command:
    - kube-apiserver
    - --audit-policy-file=/etc/kubernetes/audit/policy.yaml
    - --audit-webhook-config-file=/etc/kubernetes/audit/webhook.yaml
    - --audit-webhook-batch-max-wait=5s
    - --audit-webhook-truncate-enabled=true
    - --audit-log-path=/var/log/kubernetes/audit.log
    volumeMounts:
    - {mountPath: /etc/kubernetes/audit, name: audit, readOnly: true}
    - {mountPath: /var/log/kubernetes/, name: logs}
  volumes:
  - name: audit
    hostPath: {path: /etc/kubernetes/audit, type: Directory}
  - name: logs
    hostPath: {path: /var/log/kubernetes, type: DirectoryOrCreate}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: falco-k8saudit, namespace: falco}
spec:
  clusterIP: 10.96.0.44
  selector: {app.kubernetes.io/name: falco}
  ports:
  - port: 9765
    targetPort: 9765
"""
FILES = {"webhook": WEBHOOK, "falco": FALCO, "policy": POLICY, "server": SERVER, "service": SERVICE}


def checked(texts: dict[str, str], target: str = "falco", minor: int | None = None) -> tuple[Finding, ...]:
    return check(pieces_of(tuple(SourceFile(name, text) for name, text in texts.items())), TARGETS[target], minor)


def test_nothing_is_said_of_what_fits() -> None:
    assert checked(FILES) == ()


def test_nothing_is_said_of_the_files_for_the_sysdig_agent() -> None:
    webhook = WEBHOOK.replace("https://10.96.0.44:9765/k8s-audit", "http://10.96.0.44:7765/k8s_audit")
    webhook = webhook.replace("    certificate-authority: /etc/kubernetes/audit/ca.crt\n", "")
    service = SERVICE.replace("9765", "7765")
    assert (
        checked(
            {**FILES, "webhook": webhook, "service": service, "falco": "rules_files: [/etc/falco/a_audit.yaml]\n"},
            "sysdig",
        )
        == ()
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "kind", "severity", "at", "write"),
    [
        ("webhook", ":9765/k8s-audit", ":7765/k8s-audit", "port", "error", "https://", "server: https://10.96.0.44:9765/k8s-audit"),
        ("webhook", "/k8s-audit", "/k8s_audit", "path", "error", "https://", "server: https://10.96.0.44:9765/k8s-audit"),
        ("webhook", "/k8s-audit", "", "path", "error", "https://", "server: https://10.96.0.44:9765/k8s-audit"),
        ("webhook", "https://10", "http://10", "scheme", "error", "http://", "server: https://10.96.0.44:9765/k8s-audit"),
        ("webhook", "https://10", "10", "server", "error", "10.96", "server: http://10.96.0.44:9765/k8s-audit"),
        ("webhook", "https://10", "htps://10", "server", "error", "htps", "server: http://10.96.0.44:9765/k8s-audit"),
        ("webhook", "10.96.0.44", "falco.falco.svc", "cluster-dns", "error", "https://", "server: https://CLUSTER_IP:9765/k8s-audit"),
        ("webhook", "10.96.0.44", "falco.falco.svc.cluster.local", "cluster-dns", "error", "https://", "server: https://CLUSTER_IP:9765/k8s-audit"),
        ("webhook", "10.96.0.44", "$AGENT_SERVICE_CLUSTERIP", "placeholder", "error", "https://", "server: http://ADDRESS:9765/k8s-audit"),
        ("webhook", "10.96.0.44", "<ADDRESS>", "placeholder", "error", "https://", "server: http://ADDRESS:9765/k8s-audit"),
        ("webhook", "10.96.0.44", "0.0.0.0", "server", "error", "https://", "server: https://ADDRESS:9765/k8s-audit"),
        ("webhook", "current-context: default-context\n", "", "current-context", "error", "apiVersion", "current-context: default-context"),
        ("webhook", "current-context: default-context", "current-context: other", "current-context", "error", "other", "current-context: default-context"),
        ("webhook", "    cluster: falco", "    cluster: other", "context", "error", "other", "cluster: falco"),
        ("webhook", "    user: apiserver", "    user: other", "context", "error", "other", "user: apiserver"),
        ("webhook", "apiVersion: v1", "apiVersion: v1beta1", "api-version", "error", "v1beta1", "apiVersion: v1"),
        ("webhook", "/etc/kubernetes/audit/ca.crt", "/etc/falco/ca.crt", "not-mounted", "error", "/etc/falco", "mountPath: /etc/falco"),
        ("webhook", "/etc/kubernetes/audit/ca.crt", "ca.crt", "relative-path", "warning", "ca.crt", "certificate-authority: /PATH/ca.crt"),
        ("webhook", "    certificate-authority: /etc/kubernetes/audit/ca.crt\n", "", "authority", "warning", "https://", "certificate-authority: /PATH/ca.crt"),
        ("webhook", "certificate-authority: /etc/kubernetes/audit/ca.crt", "insecure-skip-tls-verify: true", "insecure", "warning", "true", "certificate-authority: /PATH/ca.crt"),
        ("webhook", "    client-key: /etc/kubernetes/audit/client.key\n", "", "client-certificate", "error", "client-certificate", "client-key: /PATH"),
        ("falco", "load_plugins: [k8saudit, json]", "load_plugins: [json]", "load-plugins", "error", "[json]", "load_plugins: [json, k8saudit]"),
        ("falco", "load_plugins: [k8saudit, json]", "load_plugins: [k8saudit]", "load-plugins", "error", "[k8saudit]", "load_plugins: [k8saudit, json]"),
        ("falco", "load_plugins: [k8saudit, json]", "load_plugins: []", "load-plugins", "error", "[]", "load_plugins: [k8saudit, json]"),
        ("falco", "  - name: json\n    library_path: libjson.so\n", "", "json-plugin", "error", "- name: k8saudit", "- name: json, library_path: libjson.so"),
        ("falco", "name: k8saudit\n", "name: k8s_audit\n", "plugin", "error", "- name: k8s_audit", '- name: k8saudit, library_path: libk8saudit.so, open_params: "http://:9765/k8s-audit"'),
        ("falco", "  - /etc/falco/k8s_audit_rules.yaml\n", "", "rules-files", "warning", "- /etc/falco", "- /etc/falco/k8s_audit_rules.yaml"),
        ("falco", "maxEventSize: 262144", "maxEventBytes: 262144", "init-config", "warning", "maxEventBytes", "maxEventSize: ..."),
        ("falco", "maxEventSize: 262144", "maxEventSize: 256k", "init-config", "error", "256k", "maxEventSize: 262144"),
        ("falco", "maxEventSize: 262144", "maxEventSize: 65536", "size", "error", "65536", "maxEventSize: 262144"),
        ("falco", '"https://:9765/k8s-audit"', '"https://:9765"', "open-params", "error", '"https://', 'open_params: "https://:9765/k8s-audit"'),
        ("falco", '"https://:9765/k8s-audit"', '":9765/k8s-audit"', "open-params", "error", '":9765', 'open_params: "http://:9765/k8s-audit"'),
        ("falco", '"https://:9765/k8s-audit"', "/var/log/audit.log", "open-params", "error", "/var", 'open_params: "http://:9765/k8s-audit"'),
        ("falco", "https://:9765/k8s-audit", "https://127.0.0.1:9765/k8s-audit", "loopback", "warning", '"https', 'open_params: "https://:9765/k8s-audit"'),
        ("falco", "https://:9765", "https://:9999", "target-port", "error", "port", "targetPort: 9999"),
        ("policy", "audit.k8s.io/v1", "audit.k8s.io/v1beta1", "api-version", "error", "audit.k8s.io", "apiVersion: audit.k8s.io/v1"),
        ("policy", "[RequestReceived]", "[ResponseComplete]", "omitted-stage", "error", "ResponseComplete", "omitStages: [RequestReceived]"),
        ("policy", "[RequestReceived]", "[ResponseStarted]", "omitted-stage", "warning", "ResponseStarted", "omitStages: [RequestReceived]"),
        ("policy", "[RequestReceived]", "[RequestRecieved]", "stage", "error", "RequestRecieved", "RequestReceived"),
        ("policy", "level: Metadata", "level: metadata", "level", "error", "metadata", "level: Metadata"),
        ("policy", POLICY[POLICY.index("rules:"):], "rules: []\n", "no-rules", "error", "[]", "rules: [{level: Metadata}]"),
        ("policy", POLICY[POLICY.index("rules:"):], "rules: [{level: None}]\n", "silent", "warning", "[{level", "level: Metadata"),
        ("server", "    - --audit-policy-file=/etc/kubernetes/audit/policy.yaml\n", "", "policy-flag", "error", "apiVersion", "--audit-policy-file=/PATH/audit-policy.yaml"),
        ("server", "    - --audit-webhook-config-file=/etc/kubernetes/audit/webhook.yaml\n", "", "webhook-flag", "error", "apiVersion", "--audit-webhook-config-file=/PATH/webhook-config.yaml"),
        ("server", "--audit-webhook-config-file", "--audit-webhook-config", "unknown-flag", "error", "--audit-webhook-config=", "--audit-webhook-config-file"),
        ("server", "/etc/kubernetes/audit/policy.yaml", "/var/lib/k8s_audit/policy.yaml", "not-mounted", "error", "--audit-policy", "mountPath: /var/lib/k8s_audit"),
        ("server", "/var/log/kubernetes/audit.log", "/var/log/kubernetes2/audit.log", "not-mounted", "error", "--audit-log", "mountPath: /var/log/kubernetes2"),
        ("server", "wait=5s", "wait=5", "batch", "error", "--audit-webhook-batch", "--audit-webhook-batch-max-wait=5s"),
        ("server", "wait=5s", "wait=2m", "batch", "warning", "--audit-webhook-batch", "--audit-webhook-batch-max-wait=5s"),
        ("server", "    - --audit-webhook-batch-max-wait=5s\n", "", "batch", "info", "--audit-webhook-config", "--audit-webhook-batch-max-wait=5s"),
        ("server", "--audit-webhook-truncate-enabled=true", "--audit-webhook-mode=blocking-strict", "mode", "warning", "--audit-webhook-mode", "--audit-webhook-mode=batch"),
        ("server", "--audit-webhook-truncate-enabled=true", "--audit-webhook-batch-buffer-size=10", "batch", "warning", "--audit-webhook-batch-buffer", "--audit-webhook-batch-buffer-size=10000"),
        ("server", "--audit-webhook-truncate-enabled=true", "--audit-webhook-version=audit.k8s.io/v1beta1", "api-version", "error", "--audit-webhook-version", "--audit-webhook-version=audit.k8s.io/v1"),
        ("server", "    - --audit-webhook-truncate-enabled=true\n", "", "truncate", "info", "apiVersion", "--audit-webhook-truncate-enabled=true"),
        ("server", "--audit-webhook-truncate-enabled=true", "--audit-dynamic-configuration", "dynamic-audit", "error", "--audit-dynamic", "--audit-webhook-config-file=/PATH/webhook-config.yaml"),
        ("server", "--audit-webhook-truncate-enabled=true", "--runtime-config=auditregistration.k8s.io/v1alpha1=true", "dynamic-audit", "error", "--runtime-config", "--audit-webhook-config-file=/PATH/webhook-config.yaml"),
        ("service", "  - port: 9765", "  - port: 80", "port", "error", "https://", "server: https://10.96.0.44:80/k8s-audit"),
        ("service", "targetPort: 9765", "targetPort: 8765", "target-port", "error", "port", "targetPort: 9765"),
        ("service", "    targetPort: 9765\n", "    targetPort: 9765\n    protocol: UDP\n", "protocol", "error", "port", "protocol: TCP"),
        ("service", "selector:", "selectr:", "selector", "warning", "clusterIP", "selector: {app.kubernetes.io/name: falco}"),
        ("service", "{app.kubernetes.io/name: falco}", "{}", "selector", "warning", "clusterIP", "selector: {app.kubernetes.io/name: falco}"),
        ("webhook", "10.96.0.44", "falco-k8saudit.falco", "cluster-dns", "error", "https://", "server: https://CLUSTER_IP:9765/k8s-audit"),
        ("webhook", "10.96.0.44", "falco-k8saudit", "cluster-dns", "error", "https://", "server: https://CLUSTER_IP:9765/k8s-audit"),
        ("webhook", "10.96.0.44", "elsewhere", "cluster-dns", "warning", "https://", "server: https://CLUSTER_IP:9765/k8s-audit"),
        ("webhook", "kind: Config", "kind: Confg", "kind", "error", "Confg", "kind: Config"),
        ("policy", "kind: Policy", "kind: Policy2", "kind", "error", "Policy2", "kind: Policy"),
        ("falco", "libk8saudit.so", "libjson.so", "library", "warning", "libjson.so", "library_path: libk8saudit.so"),
        ("service", "10.96.0.44", "None", "headless", "error", "None", "remove clusterIP: None"),
    ],
)  # fmt: skip
def test_a_mistake(file: str, old: str, new: str, kind: str, severity: str, at: str, write: str) -> None:
    assert old in FILES[file]
    found = [one for one in checked({**FILES, file: FILES[file].replace(old, new, 1)}) if one.kind == kind]
    (one,) = found
    assert one.severity.word == severity
    assert one.span.file.text[one.span.start :].startswith(at)
    assert one.write == write


def test_an_address_with_several_mistakes_is_mended_as_a_whole() -> None:
    webhook = WEBHOOK.replace("https://10.96.0.44:9765/k8s-audit", "http://falco.falco.svc:7765/k8s_audit")
    found = [
        one
        for one in checked({"webhook": webhook, "falco": FALCO})
        if one.write.startswith("server: ") and one.kind != "authority"
    ]
    assert {one.kind for one in found} == {"scheme", "port", "path", "cluster-dns"}
    assert {one.write for one in found} == {"server: https://CLUSTER_IP:9765/k8s-audit"}


def test_a_port_of_a_node_may_lead_anywhere() -> None:
    found = checked({"webhook": WEBHOOK.replace(":9765", ":32765")})
    assert [(one.kind, one.severity.word) for one in found] == [("port", "warning")]


@pytest.mark.parametrize("host", ["receiver.example.com", "192.0.2.7", "2001:db8::7", "localhost"])
def test_names_that_are_none_of_the_cluster(host: str) -> None:
    host = f"[{host}]" if ":" in host else host
    assert "cluster-dns" not in {
        one.kind for one in checked({"webhook": WEBHOOK.replace("10.96.0.44", host), "service": SERVICE})
    }


CHART = """\
services:
- name: k8saudit-webhook
  type: NodePort
  ports:
  - {port: 9765, nodePort: 30007, protocol: TCP}
falco:
""" + "".join([f"  {line}\n" for line in FALCO.splitlines()])


@pytest.mark.parametrize(
    "service",
    [
        {"values": CHART},
        {
            "falco": FALCO,
            "service": SERVICE.replace("    targetPort: 9765\n", "    targetPort: 9765\n    nodePort: 30007\n"),
        },
    ],
)
def test_a_port_of_the_nodes_is_compared_with_the_service(service: dict[str, str]) -> None:
    right = WEBHOOK.replace("10.96.0.44:9765", "172.18.0.2:30007")
    assert checked({"webhook": right, **service}) == ()
    (one,) = checked({"webhook": right.replace("30007", "30009"), **service})
    assert (one.kind, one.severity.word, one.write) == ("port", "error", "server: https://172.18.0.2:30007/k8s-audit")
    assert "30007" in one.message


def test_a_port_of_the_nodes_is_not_advised_against_where_no_service_is_given() -> None:
    (one,) = checked({"webhook": WEBHOOK.replace("9765", "30007"), "falco": FALCO})
    assert (one.kind, one.severity.word, one.write) == ("port", "warning", "")


def test_a_service_whose_own_port_is_another_than_the_webhooks() -> None:
    service = SERVICE.replace("  clusterIP: 10.96.0.44\n", "").replace("  - port: 9765", "  - port: 80")
    (one,) = checked({"webhook": WEBHOOK, "falco": FALCO, "service": service})
    assert (one.kind, one.severity.word, one.write) == ("port", "warning", "server: https://10.96.0.44:80/k8s-audit")
    assert checked({"webhook": WEBHOOK.replace("10.96.0.44", "127.0.0.1"), "falco": FALCO, "service": service}) == ()


def test_a_policy_that_turns_auditing_off_is_meant() -> None:
    off = (
        "# Records nothing; disable.sh puts it in.\napiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n"
    )
    assert [one.severity.word for one in checked({"policy": off})] == ["info"]


def test_open_params_of_another_port_are_what_the_webhook_has_to_agree_with() -> None:
    falco = FALCO.replace(":9765", ":9999")
    assert [one.kind for one in checked({"webhook": WEBHOOK, "falco": falco})] == ["port"]
    assert checked({"webhook": WEBHOOK.replace(":9765", ":9999"), "falco": falco}) == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kubeadm v1beta4", "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\napiServer:\n  extraArgs:\n  - {name: audit-policy-file, value: /x/p.yaml}\n  - {name: audit-webhook-mode, value: blocking}\n  extraVolumes: []\n"),
        ("kubeadm v1beta3", "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\napiServer:\n  extraArgs: {audit-policy-file: /x/p.yaml, audit-webhook-mode: blocking}\n"),
        ("rke", "services:\n  kube-api:\n    extra_args: {audit-policy-file: /x/p.yaml, audit-webhook-mode: blocking}\n    extra_binds: ['/y:/y']\n"),
        ("command in one text", "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - command:\n    - kube-apiserver --audit-policy-file=/x/p.yaml\n      --audit-webhook-mode=blocking\n"),
    ],
)  # fmt: skip
def test_api_servers_are_started_in_many_ways(name: str, text: str) -> None:
    assert {one.kind for one in checked({name: text})} >= {"mode", "webhook-flag", "not-mounted"}


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nspec:\n  kubeAPIServer: {auditPolicyFile: /x/p.yaml, auditLogMaxBackups: 1, auditWebhookMode: blocking}\n",
        "kube-apiserver-arg:\n- audit-policy-file=/x/p.yaml\n- audit-webhook-mode=blocking\n",
        "kubernetesMasterConfig:\n  apiServerArguments:\n    audit-policy-file: [/x/p.yaml]\n    audit-webhook-mode: [blocking]\n",
    ],
)
def test_where_mounts_cannot_be_seen_none_is_missed(text: str) -> None:
    assert {one.kind for one in checked({"a": text})} == {"mode", "webhook-flag"}


@pytest.mark.parametrize(
    "text",
    [
        "auditConfig: {enabled: true, webHookMode: blocking, policyFile: /x/p.yaml}\n",
        "audit-policy-file: /x/p.yaml\nkube-apiserver-arg+: [audit-webhook-mode=blocking]\n",
    ],
)
def test_policies_by_other_keys(text: str) -> None:
    assert {one.kind for one in checked({"a": text})} == {"mode", "webhook-flag"}


def test_what_is_mounted_in_rke2() -> None:
    config = "audit-policy-file: /p/p.yaml\nkube-apiserver-arg: [audit-webhook-config-file=/w/w.yaml, audit-webhook-batch-max-wait=5s]\nkube-apiserver-extra-mount: ['/{0}:/{0}:ro']\n"
    assert [one.kind for one in checked({"a": config.format("x")}, "sysdig")] == ["not-mounted"]
    assert checked({"a": config.format("w")}, "sysdig") == ()


def test_what_is_gone_is_right_in_an_old_cluster() -> None:
    policy = {"policy": POLICY.replace("audit.k8s.io/v1", "audit.k8s.io/v1beta1")}
    assert checked(policy, minor=23) == ()
    assert [one.kind for one in checked(policy, minor=24)] == ["api-version"]
    assert [one.write for one in checked({"policy": POLICY}, minor=11)] == ["apiVersion: audit.k8s.io/v1beta1"]
    dynamic = SERVER.replace("--audit-log-path=/var/log/kubernetes/audit.log", "--audit-dynamic-configuration")
    assert checked({"server": dynamic.replace("v1.34.2", "v1.16.3"), **policy}) == ()
    assert {one.kind for one in checked({"server": dynamic.replace("v1.34.2", "latest")})} == {"dynamic-audit"}
    assert checked({"server": dynamic.replace("v1.34.2", "latest")}, minor=18) == ()
    openshift = "spec:\n  unsupportedConfigOverrides:\n    apiServerArguments: {audit-dynamic-configuration: ['true'], runtime-config: null}\n"
    assert checked({"patch": openshift}, minor=14) == ()
    assert [one.kind for one in checked({"patch": openshift})] == ["dynamic-audit"]


def test_an_audit_sink() -> None:
    sink = "apiVersion: auditregistration.k8s.io/v1alpha1\nkind: AuditSink\nspec:\n  webhook:\n    clientConfig: {url: 'http://$AGENT_SERVICE_CLUSTERIP:7765/k8s_audit'}\n"
    assert [one.kind for one in checked({"sink": sink}, "sysdig")] == ["audit-sink", "placeholder"]
    assert checked({"sink": sink.replace("$AGENT_SERVICE_CLUSTERIP", "10.96.0.44")}, "sysdig", 18) == ()


def test_objects_and_patches_that_are_not_read_are_no_mistakes() -> None:
    files = {"a": "apiVersion: apps/v1\nkind: Deployment\n", "b": "- {op: add, path: /spec/-, value: x}\n"}
    assert [(one.kind, one.severity.word) for one in checked(files)] == [("unknown-file", "info")] * 2
    assert [one.severity.word for one in checked({"c": "- rule: no piece\n"})] == ["warning"]


def test_pieces_inside_a_config_map_are_checked() -> None:
    inside = "".join(f"    {line}\n" for line in FALCO.replace("k8saudit, json", "json").splitlines())
    config_map = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: falco}}\ndata:\n  falco.yaml: |\n{inside}"
    (one,) = checked({"all.yaml": config_map})
    assert (one.kind, one.span.file.name) == ("load-plugins", "all.yaml#falco.yaml")


def test_an_api_server_that_asks_the_dns_of_the_cluster_is_warned_only() -> None:
    webhook = WEBHOOK.replace("10.96.0.44", "falco.falco.svc")
    server = SERVER.replace("  hostNetwork: true\n", "  hostNetwork: true\n  dnsPolicy: ClusterFirstWithHostNet\n")
    assert [(one.kind, one.severity.word) for one in checked({"w": webhook, "s": server})] == [
        ("cluster-dns", "warning")
    ]


def test_values_of_a_chart_and_patches_of_kind() -> None:
    values = "falco:\n  load_plugins: [json]\n" + "".join(f"  {line}\n" for line in FALCO.splitlines()[3:-1])
    assert [one.kind for one in checked({"values.yaml": values})] == ["load-plugins"]
    kind = (
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n  kubeadmConfigPatches:\n  - |\n"
        "    kind: ClusterConfiguration\n    apiServer:\n      extraArgs: {audit-policy-file: /x/p.yaml}\n"
    )
    found = checked({"kind.yaml": kind})
    assert [one.kind for one in found] == ["webhook-flag", "not-mounted"]
    assert {one.span.file.name for one in found} == {"kind.yaml#kubeadmConfigPatches"}


def test_what_proves_who_sends_is_not_told() -> None:
    webhook = WEBHOOK.replace("https://10", "http://secret-name:secret-word@10").replace(
        "    client-certificate: /etc/kubernetes/audit/client.crt\n    client-key: /etc/kubernetes/audit/client.key\n",
        "    token: secret-token\n    client-key-data: secret-key\n",
    )
    pieces = pieces_of((SourceFile("w", webhook), SourceFile("f", FALCO)))
    found = check(pieces, TARGETS["falco"])
    assert {"plain-secret", "client-certificate", "scheme"} <= {one.kind for one in found}
    assert "secret-" not in to_text(pieces, found, TARGETS["falco"]).replace("plain-secret", "")
    assert "secret-" not in str(to_json(pieces, found, TARGETS["falco"]))


parts = st.sampled_from([*FILES.values(), "null", "[]", "{}", "a: &a [*a]", "\x1b[2J", "kind: Config\nclusters: {}\n", "falco: {plugins: 1}\n", "kind: ConfigMap\ndata: {a: 'plugins: [', b: 'kind: ConfigMap'}\n", "plugins: [[], {name: k8saudit, open_params: [1]}]\n"])  # fmt: skip


@given(
    texts=st.lists(parts, min_size=1, max_size=3),
    cut=st.integers(0, 900),
    more=st.text(max_size=30),
    at=st.integers(0, 900),
)
def test_anything_is_checked_without_an_error_of_ours(texts: list[str], cut: int, more: str, at: int) -> None:
    files = {str(number): text[:at] + more + text[max(at, cut) :] for number, text in enumerate(texts)}
    pieces = pieces_of(tuple(SourceFile(name, text) for name, text in files.items()))
    for target in TARGETS.values():
        found = check(pieces, target)
        told = to_text(pieces, found, target)
        assert "\x1b" not in told
        assert to_json(pieces, found, target)["target"]["name"] == target.name
        assert all(
            len(line) <= 80 or " " not in line.strip()[10:] for line in told.splitlines() if line.startswith("    ")
        )

"""The files that say where events go, the same on every platform: kubeconfig, AuditSink, Service, falco.yaml, policy."""

from __future__ import annotations

import base64
from typing import Final

from falcokit.audit.platforms.platform import ADDRESS, Platform, Receiver, Target
from falcokit.document import Mapping, Scalar, compose
from falcokit.errors import ConfigError
from falcokit.source import SourceFile

__all__ = [
    "CA",
    "CERT",
    "KEY",
    "audit_sink",
    "falco_yaml",
    "policy_for",
    "receiver_service",
    "webhook_config",
]

CA: Final = "receiver-ca.crt"
CERT: Final = "client.crt"
KEY: Final = "client.key"
"""What the files are called where the API server reads them."""


def webhook_config(platform: Platform, receiver: Receiver) -> str:
    """The kubeconfig that ``--audit-webhook-config-file`` names."""
    note = "" if receiver.address else f"# enable.sh puts the service's cluster IP in the place of {ADDRESS}.\n"
    authority = f"    certificate-authority: {platform.seen}/{CA}\n" if receiver.tls and receiver.ca_file else ""
    user = "  user: {}\n"
    if receiver.cert_file:
        user = f"  user:\n    client-certificate: {platform.seen}/{CERT}\n    client-key: {platform.seen}/{KEY}\n"
    return (
        f"{platform.header()}# The API server posts batches of audit events to this URL.\n{note}"
        "apiVersion: v1\nkind: Config\nclusters:\n- name: audit-receiver\n  cluster:\n"
        f"    server: {_quoted(receiver.url())}\n{authority}"
        f"users:\n- name: kube-apiserver\n{user}"
        "contexts:\n- name: audit\n  context:\n    cluster: audit-receiver\n    user: kube-apiserver\n"
        "current-context: audit\n"
    )


def audit_sink(platform: Platform, receiver: Receiver) -> str:
    """The AuditSink object; the only kind of Kubernetes that has it is 1.13 to 1.18."""
    note = "" if receiver.address else f"# enable.sh puts the service's cluster IP in the place of {ADDRESS}.\n"
    bundle = ""
    if receiver.tls and receiver.ca:
        bundle = f"      caBundle: {base64.b64encode(receiver.ca.encode()).decode()}\n"
    return (
        f"{platform.header()}# Served by Kubernetes 1.13 to 1.18 where the API server was told so by flags.\n{note}"
        "apiVersion: auditregistration.k8s.io/v1alpha1\nkind: AuditSink\nmetadata:\n  name: audit-receiver\nspec:\n"
        "  policy:\n    level: RequestResponse\n    stages:\n    - ResponseStarted\n    - ResponseComplete\n"
        "  webhook:\n    throttle:\n      qps: 10\n      burst: 15\n    clientConfig:\n"
        f"      url: {_quoted(receiver.url())}\n{bundle}"
    )


def receiver_service(platform: Platform, receiver: Receiver, cluster_ip: str = "") -> str:
    """The Service in front of the receiver, which may be given a *cluster_ip* of its own."""
    selector = "app.kubernetes.io/name: falco" if receiver.target is Target.falco else "app: sysdig-agent"
    fixed = f"  clusterIP: {_quoted(cluster_ip)}\n" if cluster_ip else ""
    return (
        f"{platform.header()}# Leave it out where the receiver's chart made the service already.\n"
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {receiver.service}\n  namespace: {receiver.namespace}\n"
        f"  labels:\n    app.kubernetes.io/part-of: k8s-audit\nspec:\n  type: ClusterIP\n{fixed}"
        f"  selector:\n    {selector}\n  ports:\n  - name: k8s-audit\n    protocol: TCP\n"
        f"    port: {receiver.port}\n    targetPort: {receiver.port}\n"
    )


def falco_yaml(platform: Platform, receiver: Receiver) -> str:
    """What falco.yaml needs to receive: the plugin and where it listens.  From the README of the plugin k8saudit."""
    scheme = "https" if receiver.tls else "http"
    init = '""'
    note = ""
    if receiver.tls:
        init = "\n    sslCertificate: /etc/falco/falco.pem"
        note = "# falco.pem holds the certificate and its private key; the plugin asks clients for no certificate.\n"
    return (
        f"{platform.header()}# Put this into falco.yaml, and `k8s_audit_rules.yaml` among its rules_files.\n{note}"
        "plugins:\n- name: k8saudit\n  library_path: libk8saudit.so\n"
        f"  init_config:{init if init.startswith(chr(10)) else ' ' + init}\n"
        f'  open_params: "{scheme}://:{receiver.port}{receiver.path}"\n'
        '- name: json\n  library_path: libjson.so\n  init_config: ""\n'
        "load_plugins: [k8saudit, json]\n"
    )


def policy_for(platform: Platform, policy: str) -> str:
    """The audit *policy* with the apiVersion that the platform reads; all else stays as it is.

    Raises `ConfigError` where it is no audit policy.
    """
    documents, error = compose(SourceFile("the audit policy", policy))
    roots = [one.root for one in documents if one.root is not None]
    root = roots[0] if len(roots) == 1 else None
    kind = root.get("kind") if isinstance(root, Mapping) else None
    version = root.get("apiVersion") if isinstance(root, Mapping) else None
    if error is not None or not isinstance(kind, Scalar) or kind.value != "Policy" or not isinstance(version, Scalar):
        raise ConfigError("the audit policy is no `kind: Policy` of apiVersion audit.k8s.io/v1")
    if version.value not in ("audit.k8s.io/v1", "audit.k8s.io/v1beta1"):
        raise ConfigError(f"the audit policy is of apiVersion `{version.value}` and not audit.k8s.io/v1")
    new = platform.policy_api
    if version.value == "audit.k8s.io/v1beta1" and platform.minors[0] < 24:
        new = version.value
    text = policy if version.value == new else policy[: version.start] + new + policy[version.end :]
    text = text.removeprefix(platform.header())  # It may be one that falcokit wrote before.
    return platform.header() + (text if text.endswith("\n") else text + "\n")


def _quoted(text: str) -> str:
    """*text*, an address or a URL of one, as a YAML scalar."""
    return f'"{text}"'

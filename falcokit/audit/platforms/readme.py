"""README.md of a platform's folder."""

from __future__ import annotations

from falcokit.audit.platforms.platform import Method, Platform, Receiver, Target
from falcokit.audit.platforms.script import tls_files
from falcokit.record import Record

__all__ = ["Guide", "readme"]

_METHODS = {
    Method.webhook: "The API server posts its audit events to the receiver (webhook backend).",
    Method.sink: "The API server posts its audit events to the receiver that an AuditSink object names.",
    Method.bridge: "A bridge in the cluster reads the audit log of the cloud and posts the events to the receiver.",
    Method.plugin: "A plugin of Falco reads the audit log of the cloud; nothing is posted and no address is needed.",
}
_FILES = {
    "audit-policy.yaml": "which requests are recorded, and how much of them",
    "webhook-config.yaml": "where the API server posts events to (a kubeconfig)",
    "audit-sink.yaml": "the AuditSink object: where events go, and which",
    "receiver-service.yaml": "the service in front of the receiver",
    "falco-k8saudit.yaml": "what falco.yaml needs to receive events",
    "enable.sh": "does the steps below; twice is as good as once; `--dry-run` only says them",
    "disable.sh": "takes it all back; `--dry-run` only says what",
}


class Guide(Record):
    """What is told of a platform: ordered *steps*, how to *undo* them, *notes*, and what its own files are."""

    __slots__ = ("files", "notes", "steps", "test", "undo", "where")

    def __init__(
        self,
        where: str,
        steps: tuple[str, ...],
        undo: str,
        files: dict[str, str] | None = None,
        notes: tuple[str, ...] = (),
        test: str = "",
    ) -> None:
        self.where = where
        self.steps = steps
        self.undo = undo
        self.files = files or {}
        self.notes = notes
        self.test = test


def readme(platform: Platform, receiver: Receiver, guide: Guide, files: list[str]) -> str:
    """The text; *files* are the names of the folder's files."""
    told = _FILES | guide.files
    lines = [f"# Kubernetes audit events: {platform.title}", ""]
    lines += [f"Made by falcokit. Valid for {platform.valid}; {platform.dated}.", ""]
    if platform.warning:
        lines += [f"> **Warning:** {platform.warning}.", ""]
    lines += [_METHODS[platform.method], ""]
    if platform.method is not Method.plugin:
        name = "Falco with the k8saudit plugin" if receiver.target is Target.falco else "the Sysdig agent"
        lines += [
            f"Receiver: {name}, `{receiver.cluster_url if platform.method is Method.bridge else receiver.url()}`.",
            "",
        ]
    lines += ["## Files", "", "| file | what it is |", "| --- | --- |"]
    lines += [f"| `{name}` | {told[name]} |" for name in files]
    lines += ["", "## Steps", "", f"Run `bash enable.sh` {guide.where}, or do by hand what it does:", ""]
    lines += [f"{number}. {step}" for number, step in enumerate((*_before(platform, receiver, files), *guide.steps), 1)]
    lines += ["", "## Test", "", guide.test or _test(platform, receiver), "", "## Undo", "", guide.undo]
    notes = [*_notes(platform, receiver), *guide.notes]
    if notes:
        lines += ["", "## Good to know", "", *[f"- {note}" for note in notes]]
    return "\n".join(lines) + "\n"


def _before(platform: Platform, receiver: Receiver, files: list[str]) -> list[str]:
    """What has to be there before an API server is told to post."""
    carried = tls_files(receiver) if platform.name not in ("kops", "iks") and "webhook-config.yaml" in files else []
    steps = []
    if carried:
        options = " ".join([f"--{option} FILE" for option, _, _ in carried])
        names = ", ".join([f"`{name}` (mode {mode})" for _, name, mode in carried])
        steps.append(
            "The files of TLS are not in this folder: bring them to each machine on which you run `enable.sh`, and say where"
            f" they are, `bash enable.sh {options}`; without these options it looks for them where falcokit was told of them."
            f" By hand, copy them beside `webhook-config.yaml` of the next steps as {names}."
        )
    if platform.method not in (Method.webhook, Method.sink) or platform.name in ("minikube", "kind"):
        return steps
    return [
        *steps,
        (
            "Have the receiver in the cluster, and a service in front of it: `kubectl apply -f receiver-service.yaml` unless its"
            f" chart made one. Its cluster IP: `kubectl get service {receiver.service} -n {receiver.namespace}`."
        ),
    ]


def _test(platform: Platform, receiver: Receiver) -> str:
    version = f" --kubernetes 1.{platform.minors[1]}" if platform.minors[1] < 32 else ""
    where = (
        "Falco prints an alert of a rule of source k8s_audit"
        if receiver.target is Target.falco
        else "the event shows among the agent's audit events and, with a policy that has the rule, its policy events"
    )
    return (
        "Make an object that a rule looks for, and see the alert:\n\n"
        "```sh\n"
        "kubectl create configmap falcokit-audit-test --from-literal=password=not-a-secret\n"
        "kubectl delete configmap falcokit-audit-test\n"
        "```\n\n"
        f"Within some seconds {where}. Without a cluster, `falcokit audit receive` and `falcokit audit send` try\n"
        f"the same rules, and `falcokit audit check --target {receiver.target}{version} *.yaml` compares the files of this folder."
    )


def _notes(platform: Platform, receiver: Receiver) -> list[str]:
    notes = []
    if platform.method in (Method.webhook, Method.sink):
        notes.append(
            "The API server resolves no names of the cluster's own DNS: give it a cluster IP, or a name that its machine"
            " resolves."
        )
    if receiver.tls and platform.method is not Method.plugin:
        if receiver.target is Target.falco:
            notes.append(
                "The plugin serves TLS with the certificate of `sslCertificate` and asks for no client certificate; to"
                " have one checked, put a proxy in front."
            )
        else:
            notes.append(
                "The agent's port speaks plain HTTP: TLS needs a proxy in front of it, at this address and port."
            )
    elif platform.method in (Method.webhook, Method.sink):
        notes.append("Audit events travel in clear text; `--tls` makes files for an encrypted way.")
    if platform.policy_api:
        notes.append(
            "`falcokit audit policy` makes a policy from the rules in use; put it in with `--policy FILE`. A rule that"
            " looks into an object needs the level Request or RequestResponse for it."
        )
    elif platform.method is not Method.sink:
        notes.append(
            "Nobody but the provider sets the audit policy here. Where it records no bodies, rules that look into"
            " `ka.req.*` or `ka.resp.*` cannot fire as they are meant; `falcokit audit policy` says which."
        )
    else:
        notes.append("The AuditSink records every request with its body: there is no finer choice on this platform.")
    return notes

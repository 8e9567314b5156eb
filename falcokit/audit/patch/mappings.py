"""Configurations in which the flags of an API server are keys or lists of their own: kubeadm, kops, RKE, k3s, OpenShift."""

from __future__ import annotations

import posixpath
from typing import Any, Final

from falcokit.audit.flags import Flag, minor_of
from falcokit.audit.patch.arguments import flags_in_list, joined, put_in_list, unfit
from falcokit.audit.patch.draft import Draft, Path
from falcokit.audit.patch.wanted import Patched, Wanted, blocking, is_below, paths_of
from falcokit.document import Mapping, Scalar, Sequence

__all__ = [
    "patch_k3s",
    "patch_kops",
    "patch_kubeadm",
    "patch_master_arguments",
    "patch_master_config",
    "patch_rke",
    "patch_rke2",
]

_MASTER: Final = "/etc/origin/master"
"""The directory that OpenShift 3 shows its API server."""
_KUBEADM_SHOWS: Final = ("/etc/ssl/certs", "/etc/kubernetes/pki")
"""The directories that kubeadm shows the API server anyway (those of k8s certificates and of the machine's roots)."""


def _text(root: Mapping, key: str) -> str:
    node = root.get(key)
    return node.value if isinstance(node, Scalar) else ""


def _put_key(draft: Draft, path: Path, flag: Flag, value: Any = None) -> list[str]:
    """Give the mapping at *path* the *flag* as a key; a sentence if another value was there."""
    before = draft.at(*path, flag.name)
    if before is not None and (flag.keep or not isinstance(before, str)):
        if not isinstance(before, str):
            draft.refuse(f"`{flag.name}` is no text")
        return []
    new = joined(before or "", flag.value) if flag.joined else flag.value
    draft.put((*path, flag.name), new)
    return [f"{flag.name} was {before}"] if before not in (None, new) and not flag.joined else []


def _fitting(draft: Draft, flags: dict[str, Any], wanted: Wanted, version: object) -> None:
    minor = minor_of(version) if isinstance(version, str) else None
    if why := unfit(dict.fromkeys(flags, ""), wanted.flags, minor or wanted.minor):
        draft.refuse(why)


def _mapping(draft: Draft, *path: str) -> dict[str, Any]:
    found = draft.at(*path)
    if found is not None and not isinstance(found, dict):
        draft.refuse(f"`{'.'.join(path)}` is no mapping")
    return found or {}


def _list(draft: Draft, *path: str) -> list[Any]:
    found = draft.at(*path)
    if found is not None and not isinstance(found, list):
        draft.refuse(f"`{'.'.join(path)}` is no list")
    return found or []


def _texts(flags: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in flags.items() if isinstance(value, str)}


def patch_kubeadm(name: str, text: str, wanted: Wanted) -> Patched:
    """A ``ClusterConfiguration`` of kubeadm; extraArgs is a mapping up to v1beta3 and a list of names and values after."""
    draft = Draft(
        name, text, "ClusterConfiguration of kubeadm", lambda root: _text(root, "kind") == "ClusterConfiguration"
    )
    version = str(draft.at("apiVersion") or "")
    if version not in (
        "kubeadm.k8s.io/v1beta1",
        "kubeadm.k8s.io/v1beta2",
        "kubeadm.k8s.io/v1beta3",
        "kubeadm.k8s.io/v1beta4",
    ):
        draft.refuse(f"its apiVersion is `{version}`, and falcokit knows kubeadm.k8s.io/v1beta1 to v1beta4")
    path = ("apiServer", "extraArgs")
    _mapping(draft, "apiServer")
    notes: list[str] = []
    if version.endswith("v1beta4"):
        items = _list(draft, *path)
        flags = {str(one.get("name")): one.get("value") for one in items if isinstance(one, dict)}
        _fitting(draft, flags, wanted, draft.at("kubernetesVersion"))
        for flag in wanted.flags:
            here = [
                n for n, one in enumerate(_list(draft, *path)) if isinstance(one, dict) and one.get("name") == flag.name
            ]
            if not here:
                draft.append(path, {"name": flag.name, "value": flag.value})
            for number in here if not flag.keep else ():
                before = draft.at(*path, number, "value")
                new = joined(before or "", flag.value) if flag.joined else flag.value
                draft.put((*path, number, "value"), new)
                notes += [f"{flag.name} was {before}"] if before not in (None, new) and not flag.joined else []
        flags = {str(one.get("name")): one.get("value") for one in _list(draft, *path) if isinstance(one, dict)}
    else:
        _fitting(draft, _mapping(draft, *path), wanted, draft.at("kubernetesVersion"))
        for flag in wanted.flags:
            notes += _put_key(draft, path, flag)
        flags = _mapping(draft, *path)
    for mount in wanted.mounts:
        for number, one in enumerate(_list(draft, "apiServer", "extraVolumes")):
            if isinstance(one, dict) and str(one.get("mountPath", "")).rstrip("/") == mount.path:
                if str(one.get("hostPath", "")).rstrip("/") != mount.host:
                    draft.refuse(f"something else is mounted at {mount.path}")
                if mount.writable and one.get("readOnly") == "true":
                    draft.put(("apiServer", "extraVolumes", number, "readOnly"), False)
                break
        else:
            taken = {one.get("name") for one in _list(draft, "apiServer", "extraVolumes") if isinstance(one, dict)}
            named = next(n for n in (mount.name, *(f"{mount.name}-{i}" for i in range(2, 1000))) if n not in taken)
            draft.append(
                ("apiServer", "extraVolumes"),
                {
                    "name": named,
                    "hostPath": mount.host,
                    "mountPath": mount.path,
                    "readOnly": not mount.writable,
                    "pathType": "DirectoryOrCreate",
                },
            )
    after = draft.finish()
    shown = [str(one.get("mountPath")) for one in _list(draft, "apiServer", "extraVolumes") if isinstance(one, dict)]
    _shown(draft, _texts(flags), (*shown, *_KUBEADM_SHOWS))
    return Patched(after, tuple(notes), blocking(flags.get("audit-webhook-mode")))


def _shown(draft: Draft, flags: dict[str, str], folders: tuple[str, ...]) -> None:
    for name, value in paths_of(flags):
        if not any(is_below(value, folder) for folder in folders):
            draft.refuse(f"nothing shows the API server `{value}` of {name}")


def _camel(name: str) -> str:
    """What kops calls a flag; its one irregular name is that of the number of old logs."""
    if name == "audit-log-maxbackup":
        return "auditLogMaxBackups"
    first, *rest = name.replace("maxsize", "max-size").replace("maxage", "max-age").split("-")
    return first + "".join([word.capitalize() for word in rest])


def patch_kops(name: str, text: str, wanted: Wanted) -> Patched:
    """A cluster specification of kops: ``spec.kubeAPIServer`` and ``spec.fileAssets``."""
    draft = Draft(
        name,
        text,
        "cluster of kops",
        lambda root: _text(root, "kind") == "Cluster" and _text(root, "apiVersion").startswith("kops.k8s.io/"),
    )
    if draft.at("apiVersion") != "kops.k8s.io/v1alpha2":
        draft.refuse(f"its apiVersion is `{draft.at('apiVersion')}`, and falcokit knows kops.k8s.io/v1alpha2")
    if not _mapping(draft, "spec"):
        draft.refuse("it has no spec")
    path = ("spec", "kubeAPIServer")
    _mapping(draft, *path)
    _fitting(draft, {}, wanted, draft.at("spec", "kubernetesVersion"))
    notes: list[str] = []
    for flag in wanted.flags:
        number = int(flag.value) if flag.value.isdigit() else flag.value
        before = draft.at(*path, _camel(flag.name))
        if before is not None and flag.keep:
            continue
        draft.put((*path, _camel(flag.name)), number)
        notes += [f"{_camel(flag.name)} was {before}"] if before not in (None, flag.value) else []
    for asset in wanted.assets:
        items = _list(draft, "spec", "fileAssets")
        here = [n for n, one in enumerate(items) if isinstance(one, dict) and asset.name == one.get("name")]
        other = [
            one
            for one in items
            if isinstance(one, dict) and one.get("path") == asset.path and one.get("name") != asset.name
        ]
        if other:
            draft.refuse(f"another file asset is put at {asset.path}")
        if not here:
            new = {"name": asset.name, "path": asset.path, "roles": ["Master"], "content": asset.text}
            draft.append(("spec", "fileAssets"), new)
        for number in here:
            draft.put(("spec", "fileAssets", number, "path"), asset.path)
            draft.put(("spec", "fileAssets", number, "content"), asset.text)
    after = draft.finish()
    # From nodeup/pkg/model/kube_apiserver.go: kops shows /srv/kubernetes/kube-apiserver (old releases all of
    # /srv/kubernetes) and the directory of the log; a directory that is both would be mounted twice.
    flags = {flag.name: str(draft.at(*path, _camel(flag.name)) or "-") for flag in wanted.flags}
    log = posixpath.dirname(flags.get("audit-log-path", "-"))
    if log == posixpath.dirname(flags["audit-policy-file"]):
        draft.refuse(f"auditLogPath lies in {log}, which kops would mount twice")
    _shown(draft, flags, ("/srv/kubernetes/kube-apiserver", *((log,) if log else ())))
    placed = {str(one.get("path")) for one in _list(draft, "spec", "fileAssets") if isinstance(one, dict)}
    for key in ("audit-policy-file", "audit-webhook-config-file"):
        if flags.get(key, "-") not in placed and flags.get(key, "-") != "-":
            draft.refuse(f"no file asset puts `{flags[key]}` on the machines")
    return Patched(after, tuple(notes), blocking(draft.at(*path, "auditWebhookMode")))


def patch_rke(name: str, text: str, wanted: Wanted) -> Patched:
    """The cluster.yml of RKE 1: ``services.kube-api`` with extra_args and extra_binds."""
    draft = Draft(
        name,
        text,
        "cluster.yml of RKE",
        lambda root: isinstance(root.get("nodes"), Sequence) and root.get("kind") is None,
    )
    path = ("services", "kube-api", "extra_args")
    _mapping(draft, "services")
    _mapping(draft, "services", "kube-api")
    _fitting(draft, _mapping(draft, *path), wanted, draft.at("kubernetes_version"))
    notes = [note for flag in wanted.flags for note in _put_key(draft, path, flag)]
    _binds(draft, ("services", "kube-api", "extra_binds"), wanted, _texts(_mapping(draft, *path)))
    return Patched(draft.finish(), tuple(notes), blocking(draft.at(*path, "audit-webhook-mode")))


def _binds(draft: Draft, path: tuple[str, ...], wanted: Wanted, flags: dict[str, str]) -> None:
    """Mounts written as ``host:path[:ro]``."""
    for mount in wanted.mounts:
        new = f"{mount.host}:{mount.path}{'' if mount.writable else ':ro'}"
        for number, one in enumerate(_list(draft, *path)):
            parts = str(one).split(":")
            if len(parts) > 1 and parts[1].rstrip("/") == mount.path:
                if parts[0].rstrip("/") != mount.host:
                    draft.refuse(f"something else is mounted at {mount.path}")
                if mount.writable and "ro" in ":".join(parts[2:]).split(","):
                    draft.item((*path, number), new)
                break
        else:
            draft.append(path, new)
    shown = [str(one).split(":")[1] for one in _list(draft, *path) if ":" in str(one)]
    wanted_paths = {flag.name for flag in wanted.flags if not flag.keep}
    _shown(draft, {key: value for key, value in flags.items() if key in wanted_paths}, tuple(shown))


def _is_k3s(root: Mapping) -> bool:
    return (
        root.get("kind") is None
        and root.get("apiVersion") is None
        and root.get("nodes") is None
        and root.get("spec") is None
    )


def _begun(text: str) -> str:
    """*text*, with a key in it if it is empty but for comments."""
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.lstrip("\ufeff").splitlines()):
        return text + ("" if not text or text.endswith("\n") else "\n") + "kube-apiserver-arg: []\n"
    return text


def _arguments(draft: Draft, wanted: Wanted) -> tuple[list[str], str]:
    """Put the flags into ``kube-apiserver-arg``, a list of ``a=b`` or one such text."""
    key = (
        "kube-apiserver-arg+"
        if draft.at("kube-apiserver-arg") is None and draft.at("kube-apiserver-arg+") is not None
        else "kube-apiserver-arg"
    )
    there = draft.at(key)
    if isinstance(there, str):
        draft.put((key,), [there])
    _list(draft, key)
    flags = flags_in_list([f"--{item}" for item in _list(draft, key)])
    _fitting(draft, flags, wanted, None)
    notes = []
    for flag in wanted.flags:
        before = put_in_list(draft, (key,), flag, "")
        notes += [f"{flag.name} was {before}"] if before else []
    return notes, key


def patch_k3s(name: str, text: str, wanted: Wanted) -> Patched:
    """The config.yaml of k3s; its API server is a part of k3s and sees all of the machine."""
    draft = Draft(name, _begun(text), "configuration of k3s", _is_k3s)
    notes, key = _arguments(draft, wanted)
    return Patched(draft.finish(), tuple(notes), _k3s_blocking(draft, key))


def _k3s_blocking(draft: Draft, key: str) -> tuple[str, ...]:
    return blocking(flags_in_list([f"--{item}" for item in _list(draft, key)]).get("audit-webhook-mode"))


def patch_rke2(name: str, text: str, wanted: Wanted) -> Patched:
    """The config.yaml of RKE2: like that of k3s, with a key of its own for the policy, and mounts."""
    draft = Draft(name, _begun(text), "configuration of RKE2", _is_k3s)
    policy = next(flag for flag in wanted.flags if flag.name == "audit-policy-file")
    notes = _put_key(draft, (), policy)
    rest = wanted.replaced(flags=tuple([flag for flag in wanted.flags if flag is not policy]))
    found, key = _arguments(draft, rest)
    flags = flags_in_list([f"--{item}" for item in _list(draft, key)])
    if flags.get("audit-policy-file", policy.value) != policy.value:
        found.append(f"{policy.name} was {put_in_list(draft, (key,), policy, '')}")
    path = ("kube-apiserver-extra-mount",)
    there = draft.at(*path)
    if isinstance(there, str):
        draft.put(path, [there])
    _binds(draft, path, rest, flags | {policy.name: policy.value})
    return Patched(draft.finish(), tuple(notes + found), _k3s_blocking(draft, key))


def _is_master(root: Mapping) -> bool:
    return _text(root, "kind") == "MasterConfig"


# What OpenShift 3.11 calls the flags in its auditConfig.
_AUDIT_CONFIG: Final = {
    "audit-log-maxsize": "maximumFileSizeMegabytes",
    "audit-log-maxbackup": "maximumRetainedFiles",
    "audit-log-path": "auditFilePath",
    "audit-log-format": "logFormat",
    "audit-webhook-mode": "webHookMode",
    "audit-webhook-config-file": "webHookKubeConfig",
    "audit-policy-file": "policyFile",
}


def patch_master_config(name: str, text: str, wanted: Wanted) -> Patched:
    """The master-config.yaml of OpenShift 3.11: ``auditConfig``."""
    draft = Draft(name, text, "master-config.yaml of OpenShift 3.11", _is_master)
    path = ("auditConfig",)
    there = _mapping(draft, *path)
    notes = []
    flags: dict[str, str] = {}
    draft.put((*path, "enabled"), True)
    for flag in wanted.flags:
        key = _AUDIT_CONFIG.get(flag.name)
        if key is None:
            draft.refuse(f"its auditConfig has no key for {flag.name}")
        before = there.get(key)
        if flag.keep and before:
            flags[flag.name] = before
            continue
        draft.put((*path, key), int(flag.value) if flag.value.isdigit() else flag.value)
        flags[flag.name] = flag.value
        notes += [f"{key} was {before}"] if before not in (None, "", flag.value) else []
    after = draft.finish()
    _shown(draft, {key: value for key, value in flags.items() if key != "audit-log-path"}, (_MASTER,))
    return Patched(after, tuple(notes), blocking(flags.get("audit-webhook-mode")))


def patch_master_arguments(name: str, text: str, wanted: Wanted) -> Patched:
    """The kube-apiserver/master-config.yaml of Minishift 3.11: ``kubernetesMasterConfig.apiServerArguments``."""
    draft = Draft(name, text, "master-config.yaml of Minishift 3.11", _is_master)
    path = ("kubernetesMasterConfig", "apiServerArguments")
    _mapping(draft, "kubernetesMasterConfig")
    _fitting(draft, _mapping(draft, *path), wanted, None)
    notes = []
    for flag in wanted.flags:
        before = draft.at(*path, flag.name)
        if before is not None and not isinstance(before, list):
            draft.refuse(f"`{flag.name}` is no list")
        if before and flag.keep:
            continue
        if before and before != [flag.value]:
            if len(before) > 1:
                draft.refuse(f"`{flag.name}` has more than one value")
            draft.item((*path, flag.name, 0), flag.value)
            notes.append(f"{flag.name} was {before[0]}")
        elif not before:
            draft.put((*path, flag.name), [flag.value])
    after = draft.finish()
    flags = {flag.name: str((draft.at(*path, flag.name) or ["-"])[0]) for flag in wanted.flags}
    _shown(draft, flags, (_MASTER,))
    return Patched(after, tuple(notes), blocking(flags.get("audit-webhook-mode")))

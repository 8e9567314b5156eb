"""The files of an audit integration, told apart by what is in them, as the few values that the checks ask about."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from typing import Final

from falcokit.audit.flags import minor_of
from falcokit.document import Document, Mapping, Node, Scalar, Sequence, compose
from falcokit.record import Record
from falcokit.source import SourceFile, Span

__all__ = [
    "KINDS",
    "ApiServer",
    "Flag",
    "Piece",
    "Pieces",
    "items_of",
    "mounted",
    "pairs_of",
    "pieces_of",
    "server_of",
    "text_at",
    "text_of",
]

KINDS: Final = {
    "kubeconfig": "webhook kubeconfig",
    "falco": "falco.yaml",
    "policy": "audit policy",
    "apiserver": "flags of the API server",
    "service": "Service",
    "sink": "AuditSink",
}
_FALCO_KEYS: Final = ("plugins", "load_plugins", "rules_files", "rules_file", "engine", "json_output", "stdout_output")
_KOPS: Final = {
    "auditLogMaxAge": "audit-log-maxage",
    "auditLogMaxBackups": "audit-log-maxbackup",
    "auditLogMaxSize": "audit-log-maxsize",
}
"""Keys whose flags are spelled another way (pkg/apis/kops/componentconfig.go in kubernetes/kops)."""
_OPENSHIFT: Final = {
    "policyFile": "audit-policy-file",
    "webHookKubeConfig": "audit-webhook-config-file",
    "webHookMode": "audit-webhook-mode",
    "auditFilePath": "audit-log-path",
}
"""Keys of auditConfig in the master-config.yaml of OpenShift 3.11."""


class Piece(Record):
    """One document that is part of the integration: its ``kind``, a key of `KINDS`, and its mapping."""

    __slots__ = ("document", "kind", "root")

    def __init__(self, kind: str, document: Document, root: Mapping) -> None:
        self.kind: Final = kind
        self.document: Final = document
        self.root: Final = root

    def span(self, node: Node | None = None) -> Span:
        """The place of *node*, or where the document begins."""
        if node is None:
            return Span(self.document.file, self.root.start, self.root.start)
        return Span(self.document.file, node.start, node.end if isinstance(node, Scalar) else node.start)


class Flag(Record):
    """A flag of the API server, without its dashes, and the node that it is written in."""

    __slots__ = ("name", "node", "value")

    def __init__(self, name: str, value: str, node: Node) -> None:
        self.name: Final = name
        self.value: Final = value
        self.node: Final = node


class ApiServer(Record):
    """What starts an API server: its ``flags`` by name, and the folders and files that it sees, None where the file does not tell.

    ``minor`` is the version of Kubernetes, 34 for 1.34, None where nothing tells; ``static`` says that it is a static pod,
    ``managed`` that something else gives it its policy and its backends.
    """

    __slots__ = ("flags", "managed", "minor", "mounts", "piece", "static")

    def __init__(
        self,
        piece: Piece,
        flags: dict[str, Flag],
        mounts: tuple[tuple[str, Node], ...] | None,
        minor: int | None,
        static: bool,
        managed: bool = False,
    ) -> None:
        self.managed: Final = managed
        self.piece: Final = piece
        self.flags: Final = flags
        self.mounts: Final = mounts
        self.minor: Final = minor
        self.static: Final = static


class Pieces(Record):
    """All of them.  In ``unread`` files is none, though they are objects of a cluster, or patches; ``strange`` ones are anything else,
    ``broken`` ones no YAML: place and sentence."""

    __slots__ = ("broken", "found", "strange", "unread")

    def __init__(
        self,
        found: tuple[Piece, ...],
        unread: tuple[SourceFile, ...],
        strange: tuple[SourceFile, ...],
        broken: tuple[tuple[Span, str], ...],
    ) -> None:
        self.found: Final = found
        self.unread: Final = unread
        self.strange: Final = strange
        self.broken: Final = broken

    def of(self, kind: str) -> tuple[Piece, ...]:
        """Those of that kind."""
        return tuple([piece for piece in self.found if piece.kind == kind])


def pieces_of(files: tuple[SourceFile, ...]) -> Pieces:
    """The pieces in *files*, and in the texts of a ConfigMap or of a configuration of kind."""
    found: list[Piece] = []
    unread: list[SourceFile] = []
    strange: list[SourceFile] = []
    broken: list[tuple[Span, str]] = []
    for file in files:
        documents, error = compose(file)
        if error is not None:
            at = min(error.offset, len(file.text))
            broken.append((Span(file, at, at), f"this is not YAML: {error.message}"))
            continue
        own = [piece for document in documents for piece in _pieces(document)]
        found += own
        if not own:
            known = documents and all(_is_object(one.root) or _is_patch(one.root) for one in documents if one.root)
            (unread if known else strange).append(file)
    return Pieces(tuple(found), tuple(unread), tuple(strange), tuple(broken))


def _is_object(root: Node | None) -> bool:
    return bool(text_at(root, "apiVersion") and text_at(root, "kind"))


def _is_patch(root: Node | None) -> bool:
    """Whether it is a JSON patch."""
    return bool(items_of(root)) and all(text_at(one, "op") and text_at(one, "path") for one in items_of(root))


def _pieces(document: Document, inside: bool = False) -> Iterator[Piece]:
    root = document.root
    if not isinstance(root, Mapping):
        return
    for name, text in () if inside else _texts(root):
        # Places are those in the text by itself: in the file a block scalar is indented.
        for one in compose(SourceFile(f"{document.file.name}#{name}", text.value))[0]:
            yield from _pieces(one, inside=True)
    values = root.get("falco")
    if isinstance(values, Mapping) and not _kind(root):
        for given in items_of(root.get("services")):
            if isinstance(given, Mapping):
                yield Piece("service", document, _object_of(given))
        root = values  # Values of Falco's Helm chart.
    if kind := _kind(root):
        yield Piece(kind, document, root)


def _object_of(service: Mapping) -> Mapping:
    """A *service* of the chart's values, where all stands in one mapping, as the object that it becomes."""
    pairs = [(Scalar(key, service.start, service.start, "", False), service) for key in ("metadata", "spec")]
    return Mapping(tuple(pairs), service.start, service.end, service.flow)


def _texts(root: Mapping) -> Iterator[tuple[str, Scalar]]:
    """The texts that are files of their own: those of a ConfigMap, and what kind hands on to kubeadm."""
    if text_at(root, "kind") == "ConfigMap":
        for key, value in pairs_of(root.get("data")):
            if isinstance(value, Scalar):
                yield key.value, value
    elif text_at(root, "apiVersion").startswith("kind.x-k8s.io/"):
        for part in (root, *items_of(root.get("nodes"))):
            for value in items_of(_at(part, "kubeadmConfigPatches")):
                if isinstance(value, Scalar):
                    yield "kubeadmConfigPatches", value


def _kind(root: Mapping) -> str:
    kind, version = text_at(root, "kind"), text_at(root, "apiVersion")
    if kind == "Policy" and (version.startswith("audit.k8s.io") or root.get("omitStages") or root.get("rules")):
        return "policy"
    if version.startswith("audit.k8s.io/") and kind not in ("Event", "EventList"):
        return "policy"  # Of a kind that is misspelt.
    if kind == "AuditSink":
        return "sink"
    if kind == "Service" and version == "v1":
        return "service"
    # Nothing else has both keys, whatever it calls itself.
    if kind == "Config" or (isinstance(root.get("clusters"), Sequence) and root.get("contexts")):
        return "kubeconfig"
    if _server_flags(root) is not None:
        return "apiserver"
    if not kind and any(root.get(key) is not None for key in _FALCO_KEYS):
        return "falco"
    return ""


def server_of(piece: Piece) -> ApiServer:
    """The API server that the *piece* starts."""
    flags: dict[str, Flag] = {}
    for flag in _server_flags(piece.root) or ():
        flags[flag.name] = flag  # The last one counts, as in every Go program.
    root = piece.root
    container = _container(root)
    if container is None:
        minor = _minor(text_at(root, "kubernetesVersion") or text_at(root, "spec", "kubernetesVersion"))
        switched_off = text_at(root, "auditConfig", "enabled") == "false"
        managed = switched_off or _at(root, "spec", "unsupportedConfigOverrides") is not None
        return ApiServer(piece, {} if switched_off else flags, _other_mounts(root), minor, False, managed)
    mounts = [
        (text_of(path), mount)
        for mount in items_of(container.get("volumeMounts"))
        if isinstance(mount, Mapping) and (path := mount.get("mountPath")) is not None
    ]
    return ApiServer(piece, flags, tuple(mounts), _minor(text_at(container, "image")), True)


def _server_flags(root: Mapping) -> list[Flag] | None:
    """The flags for an API server, None where the file starts none."""
    container = _container(root)
    if container is not None:
        return _listed([*items_of(container.get("command")), *items_of(container.get("args"))])
    if text_at(root, "kind") == "ClusterConfiguration":  # kubeadm: a mapping up to v1beta3, a list from v1beta4 on
        return _extra(_at(root, "apiServer", "extraArgs"))
    if (own := _at(root, "spec", "kubeAPIServer")) is not None:  # kops, in camel case
        return [Flag(_dashed(flag.name), flag.value, flag.node) for flag in _extra(own)]
    if (own := _at(root, "services", "kube-api", "extra_args")) is not None:  # RKE
        return _extra(own)
    if (own := _at(root, "kubernetesMasterConfig", "apiServerArguments")) is not None:  # OpenShift 3.11
        return _extra(own)
    if (own := _at(root, "spec", "unsupportedConfigOverrides", "apiServerArguments")) is not None:  # OpenShift 4
        return [flag for flag in _extra(own) if flag.value]
    if (own := root.get("auditConfig")) is not None and not text_at(root, "apiVersion").startswith(
        "audit"
    ):  # OpenShift 3.11
        return [Flag(_OPENSHIFT[flag.name], flag.value, flag.node) for flag in _extra(own) if flag.name in _OPENSHIFT]
    return _k3s(root)


def _k3s(root: Mapping) -> list[Flag] | None:
    """The flags in a configuration of k3s or RKE2, where the policy may have a key of its own."""
    lists = [own for key in ("kube-apiserver-arg", "kube-apiserver-arg+") if (own := root.get(key)) is not None]
    policy = root.get("audit-policy-file")
    if not lists and policy is None:
        return None
    named = [Flag("audit-policy-file", text_of(policy), policy)] if policy is not None else []
    return named + _listed([node for one in lists for node in items_of(one) or [one]])


def _container(root: Mapping) -> Mapping | None:
    """The container of a pod that runs kube-apiserver."""
    if text_at(root, "kind") != "Pod":
        return None
    for container in items_of(_at(root, "spec", "containers")):
        if isinstance(container, Mapping):
            words = [text_of(word) for word in (*items_of(container.get("command")), *items_of(container.get("args")))]
            if text_at(container, "name") == "kube-apiserver" or any("kube-apiserver" in word for word in words[:3]):
                return container
    return None


def _other_mounts(root: Mapping) -> tuple[tuple[str, Node], ...] | None:
    volumes = _at(root, "apiServer", "extraVolumes")
    binds = _at(root, "services", "kube-api", "extra_binds")
    found: list[tuple[str, Node]] = [
        (text_at(one, "mountPath"), one) for one in items_of(volumes) if isinstance(one, Mapping)
    ]
    found += [(text_of(one).split(":")[1], one) for one in items_of(binds) if text_of(one).count(":")]
    extra = [root.get(key) for key in ("kube-apiserver-extra-mount", "kube-apiserver-extra-mount+")]
    if root.get("audit-policy-file") is not None or any(extra):
        # RKE2 has a pod for the API server, and mounts the policy there by itself; k3s has none.
        found = [
            (text_of(one).split(":")[1], one) for part in extra for one in items_of(part) if text_of(one).count(":")
        ]
        return (*found, (text_at(root, "audit-policy-file"), root)) if any(extra) else None
    if not isinstance(volumes, Sequence) and not isinstance(binds, Sequence):
        kubeadm = text_at(root, "kind") == "ClusterConfiguration"
        return () if kubeadm or _at(root, "services", "kube-api") is not None else None
    return tuple([pair for pair in found if pair[0]])


def _listed(nodes: list[Node]) -> list[Flag]:
    """The flags of a command line: several words may stand in one text, as old manifests have them."""
    words = [(word, node) for node in nodes for word in text_of(node).split()]
    found = []
    for number, (word, node) in enumerate(words):
        name, equals, value = word.partition("=")
        if not word.startswith("-") and not (equals and name.replace("-", "").isalnum()):
            continue
        if not equals and number + 1 < len(words) and not words[number + 1][0].startswith("-"):
            value = words[number + 1][0]
        found.append(Flag(name.lstrip("-"), value.strip("\"'"), node))
    return found


def _extra(node: Node | None) -> list[Flag]:
    """Flags as a mapping, whose values may be lists, or as a list of objects with name and value."""
    if isinstance(node, Sequence):
        return [
            Flag(text_at(one, "name"), text_at(one, "value"), one) for one in node.items if isinstance(one, Mapping)
        ]
    found = []
    for key, value in pairs_of(node):
        first = value.items[0] if isinstance(value, Sequence) and value.items else value
        found.append(Flag(key.value, text_of(first), key))
    return found


def _dashed(name: str) -> str:
    """The flag that kops writes for a key in camel case."""
    if name in _KOPS:
        return _KOPS[name]
    return "".join([f"-{letter.lower()}" if letter.isupper() else letter for letter in name])


def _minor(text: str) -> int | None:
    return minor_of(text) if text else None


def mounted(server: ApiServer, path: str) -> bool:
    """Whether *server* sees *path*; true where nobody can tell."""
    if server.mounts is None or not posixpath.isabs(path):
        return True
    whole = posixpath.normpath(path)
    if not server.static and whole.startswith(("/etc/kubernetes/pki/", "/etc/ssl/")):
        return True  # kubeadm mounts these by itself.
    folders = [posixpath.normpath(mount) for mount, _ in server.mounts if mount]
    return any(whole == folder or whole.startswith(folder.rstrip("/") + "/") for folder in folders)


def _at(root: Node | None, *path: str) -> Node | None:
    for key in path:
        root = root.get(key) if isinstance(root, Mapping) else None
    return root


def text_of(node: Node | None) -> str:
    """The text of a scalar, empty for all else."""
    return node.value.strip() if isinstance(node, Scalar) and not node.null else ""


def text_at(node: Node | None, *path: str) -> str:
    """The text at *path* below *node*."""
    return text_of(_at(node, *path))


def items_of(node: Node | None) -> list[Node]:
    """The elements of a sequence, none of all else."""
    return list(node.items) if isinstance(node, Sequence) else []


def pairs_of(node: Node | None) -> list[tuple[Scalar, Node]]:
    """The pairs of a mapping whose keys are texts; of a text that is JSON those of what it says."""
    if isinstance(node, Scalar) and node.value.lstrip().startswith("{"):
        return _json_pairs(node)
    return [(key, value) for key, value in node.pairs if isinstance(key, Scalar)] if isinstance(node, Mapping) else []


def _json_pairs(node: Scalar) -> list[tuple[Scalar, Node]]:
    try:
        found = json.loads(node.value)
    except (ValueError, RecursionError):
        return []
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}
    return [
        (Scalar(key, node.start, node.end, "", False), Scalar(value, node.start, node.end, "", False))
        for key, value in texts.items()
    ]

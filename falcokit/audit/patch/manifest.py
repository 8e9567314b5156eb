"""The static pod of an API server, such as kubeadm writes to /etc/kubernetes/manifests/kube-apiserver.yaml."""

from __future__ import annotations

from typing import Any

from falcokit.audit.flags import minor_of
from falcokit.audit.patch.arguments import (
    flags_in_line,
    flags_in_list,
    program_line,
    put_in_line,
    put_in_list,
    unfit,
)
from falcokit.audit.patch.draft import Draft, Path
from falcokit.audit.patch.wanted import Mount, Patched, Wanted, blocking, is_below, paths_of
from falcokit.document import Mapping, Scalar

__all__ = ["patch_manifest"]


def patch_manifest(name: str, text: str, wanted: Wanted) -> Patched:
    """The manifest *text* with what is *wanted*.  Raises `falcokit.ConfigError` where it cannot be, or should not."""
    draft = Draft(name, text, "manifest of a kube-apiserver pod", _fits)
    path = ("spec", "containers", _container(draft))
    place, line = _arguments(draft, path)
    minor = minor_of(str(draft.at(*path, "image")).split("@")[0])
    if why := unfit(_flags(draft, place, line), wanted.flags, minor or wanted.minor):
        draft.refuse(why)
    notes = []
    for flag in wanted.flags:
        if before := (put_in_line if line else put_in_list)(draft, place, flag):
            notes.append(f"--{flag.name} was {before}")
    for mount in wanted.mounts:
        _mount(draft, path, mount)
    after = draft.finish()
    flags = _flags(draft, place, line)
    _check(draft, path, flags, wanted)
    warnings = blocking(flags.get("audit-webhook-mode"))
    if minor is None:
        warnings += (
            f"its image tells no version: nobody checked that this API server knows the flags, as Kubernetes 1.{wanted.minor} does",
        )
    return Patched(after, tuple(notes), warnings)


def _fits(root: Mapping) -> bool:
    kind = root.get("kind")
    return isinstance(kind, Scalar) and kind.value == "Pod" and isinstance(root.get("spec"), Mapping)


def _container(draft: Draft) -> int:
    """Which container of the pod is the API server."""
    containers = draft.at("spec", "containers")
    for number, one in enumerate(containers if isinstance(containers, list) else ()):
        if not isinstance(one, dict):
            continue
        words = [item for key in ("command", "args") for item in one.get(key) or () if isinstance(item, str)]
        if any(program_line(word) or word.rsplit("/")[-1] in ("kube-apiserver", "apiserver") for word in words):
            return number
        if one.get("name") == "kube-apiserver" and words:
            return number
    return draft.refuse("no container of this pod runs kube-apiserver")


def _arguments(draft: Draft, path: Path) -> tuple[Path, bool]:
    """Where the flags stand, and whether they are one line."""
    found: Path | None = None
    for key in ("command", "args"):
        items = draft.at(*path, key)
        if items is not None and not isinstance(items, list):
            draft.refuse(f"its `{key}` is no list")
        for number, item in enumerate(items or ()):
            if program_line(item):
                return (*path, key, number), True
        if any(isinstance(item, str) and item.startswith("--") for item in items or ()):
            found = (*path, key)
    return found or (*path, "args" if draft.at(*path, "args") else "command"), False


def _flags(draft: Draft, place: Path, line: bool) -> dict[str, str]:
    there = draft.at(*place)
    return flags_in_line(there) if line else flags_in_list(there or [])


def _mount(draft: Draft, path: Path, mount: Mount) -> None:
    """A volume and a mount for a directory, unless one shows it already."""
    if _covering(draft, path, mount.path, mount.host, mount.writable):
        return
    mounts = draft.at(*path, "volumeMounts") or []
    volumes = draft.at("spec", "volumes") or []
    if not isinstance(mounts, list) or not isinstance(volumes, list):
        draft.refuse("its volumes are no list")
    for number, one in enumerate(mounts):
        if isinstance(one, dict) and str(one.get("mountPath", "")).rstrip("/") == mount.path:
            volume = _volume(volumes, one.get("name"))
            if volume is None or _host(volume) != mount.host:
                draft.refuse(f"something else is mounted at {mount.path}")
            # The right directory, but read-only where the API server writes a log.
            draft.put((*path, "volumeMounts", number, "readOnly"), False)
            return
    shown = [one["name"] for one in volumes if _host(one) == mount.host and isinstance(one.get("name"), str)]
    name = shown[0] if shown else None
    if name is None:
        taken = {one.get("name") for one in volumes if isinstance(one, dict)}
        name = next(n for n in (mount.name, *(f"{mount.name}-{i}" for i in range(2, 1000))) if n not in taken)
        draft.append(("spec", "volumes"), {"name": name, "hostPath": {"path": mount.host, "type": "DirectoryOrCreate"}})
    draft.append((*path, "volumeMounts"), {"name": name, "mountPath": mount.path, "readOnly": not mount.writable})


def _volume(volumes: list[Any], name: object) -> dict[str, Any] | None:
    return next((one for one in volumes if isinstance(one, dict) and one.get("name") == name), None)


def _host(volume: Any) -> str | None:
    """The directory of the machine that a volume is, None for other volumes."""
    source = volume.get("hostPath") if isinstance(volume, dict) else None
    return str(source.get("path", "")).rstrip("/") if isinstance(source, dict) else None


def _covering(draft: Draft, path: Path, inside: str, host: str, writable: bool) -> bool:
    """Whether the mount that decides what is at *inside* shows the directory *host* of the machine."""
    best: tuple[int, str, bool] = (-1, "", False)
    for one in draft.at(*path, "volumeMounts") or []:
        if not isinstance(one, dict) or not is_below(inside, str(one.get("mountPath", "?"))):
            continue
        at = str(one["mountPath"]).rstrip("/")
        volume = _volume(draft.at("spec", "volumes") or [], one.get("name")) or {}
        folder = _host(volume)
        shown = folder + inside[len(at) :] if folder is not None else ""
        if one.get("subPath") or one.get("subPathExpr"):
            shown = ""
        best = max(best, (len(at), shown, one.get("readOnly") != "true"))
    return best[0] >= 0 and (not host or best[1] == host) and (best[2] or not writable)


def _check(draft: Draft, path: Path, flags: dict[str, str], wanted: Wanted) -> None:
    """Every path that a flag names is shown by a mount; without one the API server would not start."""
    for name, value in paths_of(flags):
        host = next((m.host + value[len(m.path) :] for m in wanted.mounts if is_below(value, m.path)), "")
        if not _covering(draft, path, value, host, False):
            draft.refuse(f"no volume shows the API server `{value}` of --{name}")
        if name == "audit-log-path" and not _covering(draft, path, value, host, True):
            draft.refuse(
                f"the directory of `{value}` of --{name} is mounted read-only, and no log can be written there"
            )

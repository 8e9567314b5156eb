"""What a whitelist matches on: the ways to name a container, from the one that nobody can pretend to the one that anybody can."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from falcokit.condition.ast import And, Check, Expression, Field, Value
from falcokit.condition.render import to_source
from falcokit.event.identity import Container, Image
from falcokit.record import Record

__all__ = [
    "DIMENSIONS",
    "KINDS",
    "Identity",
    "as_told",
    "dimensions",
    "identities",
    "is_digest",
    "narrowed",
    "without_container",
]

KINDS: Final = ("digest", "tag", "image", "name-prefix", "name", "process")
"""The kinds of identities, the safest first; ``process`` names no container at all."""
DIMENSIONS: Final = {
    "process": "proc.name", "parent": "proc.pname", "file": "fd.name", "namespace": "k8s.ns.name", "user": "user.name",
}  # fmt: skip
"""What can make an identity narrower, and the field that tells it."""
_OF_SOURCE: Final = {"k8s_audit": {"namespace": "ka.target.namespace", "user": "ka.user.name"}}
"""The fields that tell the same in events of other sources than system calls."""
_DOCKERSHIM: Final = re.compile(r"k8s_([^_]+)_([^_]+)_([^_]+)_([0-9a-f-]{20,40})_[0-9]+")
_DIGEST: Final = re.compile(r"(?:sha256:)?[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII)
_MOVING: Final = ("latest", "main", "master", "stable", "edge", "nightly")
_BASE: Final = ("docker.io/library/", "registry.k8s.io/", "public.ecr.aws/docker/library/", "mcr.microsoft.com/")
_PROCESS_NAME: Final = 15
"""Longer names of processes are cut by the kernel."""


class Identity(Record):
    """One way to name what is let through: ``checks`` are fields, operators and values that must all hold.

    ``risk`` is ``safe``, ``fair`` or ``risky``; ``reason`` says why in one line.  ``lists`` are names of lists that are not meant
    where a value is called like one.
    """

    __slots__ = ("checks", "kind", "lists", "reason", "risk")

    def __init__(
        self,
        kind: str,
        checks: tuple[tuple[str, str, str], ...],
        risk: str,
        reason: str,
        lists: frozenset[str] = frozenset(),
    ) -> None:
        self.lists: Final = lists
        self.kind: Final = kind
        self.checks: Final = checks
        self.risk: Final = risk
        self.reason: Final = reason

    @property
    def tree(self) -> Expression:
        """The condition that holds for what is let through."""
        found = [Check(_field(name), operator, "", Value(value, quoted=True)) for name, operator, value in self.checks]
        return found[0] if len(found) == 1 else And(tuple(found))

    @property
    def condition(self) -> str:
        """The same as text, whatever stands in the values."""
        return to_source(self.tree, self.lists)

    @property
    def fields(self) -> dict[str, object]:
        """Fields of an event that is let through."""
        return {name: value + ("x" if operator == "startswith" else "") for name, operator, value in self.checks}


def _field(name: str) -> Field:
    bare, bracket, argument = name.partition("[")
    return Field(bare, argument.removesuffix("]") if bracket else None)


def is_digest(text: str) -> bool:
    """Whether *text* is the whole digest of an image."""
    return _DIGEST.fullmatch(text) is not None


def identities(container: Container) -> tuple[Identity, ...]:
    """The ways to name *container*, the safest first; none for the host."""
    if container.on_host:
        return ()
    return (*_of_image(container.image), *_of_name(container.name))


def as_told(found: tuple[Identity, ...], fields: Mapping[str, object]) -> tuple[Identity, ...]:
    """*found*, with an image that was deployed by digest named by the *fields* in which the event tells it: there is no digest in
    such events, so a whitelist by it would never match."""
    told = [
        (name, str(fields[name]))
        for name in ("container.image", "container.image.repository", "container.image.tag")
        if fields.get(name)
    ]
    bare = [(name, value) for name, value in told if name == "container.image"] or told
    if fields.get("container.image.digest") or not bare or not bare[0][1].startswith("sha256"):
        return found
    reason = "the image by its digest, as this runtime tells it; must follow every update of the image"
    own = Identity("digest", tuple([(name, "=", value) for name, value in bare]), "safe", reason)
    return tuple([own if identity.kind == "digest" else identity for identity in found])


def _of_image(image: Image) -> list[Identity]:
    found = []
    if is_digest(image.digest):
        digest = image.digest if ":" in image.digest else f"sha256:{image.digest}"
        reason = "the very bytes of the image: nothing else has them; must follow every update of the image"
        found.append(Identity("digest", (("container.image.digest", "=", digest),), "safe", reason))
    repository = image.repository
    if not repository:
        return found
    registry = repository.partition("/")[0]
    has_registry = "/" in repository and ("." in registry or ":" in registry or registry == "localhost")
    check = ("container.image.repository", "=", repository)
    if repository.startswith(_BASE) or "/" not in repository:
        risk, reason = "fair", "an image that anybody can run, perhaps a base that others are built on"
    elif has_registry:
        risk, reason = "safe", f"whoever may push to {repository}"
    else:
        risk, reason = "fair", "no registry in the name: an image of this name may come from any registry the host asks"
    if image.told == "output":
        risk, reason = "risky", "read out of the text of the alert, which anybody can make look like it"
    whole = Identity("image", (check,), risk, f"{reason}; all its tags")
    if not image.tag:
        return [*found, whole]
    checks = (check, ("container.image.tag", "=", image.tag))
    if image.tag in _MOVING:
        return [
            *found,
            whole,
            Identity("tag", checks, risk, f"the tag {image.tag} moves: hardly narrower than the image"),
        ]
    return [*found, Identity("tag", checks, risk, f"{reason}; this tag only, until the next release"), whole]


def _of_name(name: str) -> list[Identity]:
    if not name or name == "host":
        return []
    found = []
    dockershim = _DOCKERSHIM.fullmatch(name)
    if dockershim is not None:
        reason = f"container {dockershim[1]} in any pod; the rest of the name changes at each restart; anybody who may start containers can take it"
        prefix = f"k8s_{dockershim[1]}_"
        checks: tuple[tuple[str, str, str], ...] = (
            ("container.name", "startswith", prefix),
            ("k8s.ns.name", "=", dockershim[3]),
        )
        found.append(Identity("name-prefix", checks, "risky", reason))
        said = "this container until its next restart only: the name has the id of the pod in it"
        return [*found, Identity("name", (("container.name", "=", name),), "risky", said)]
    reason = "anybody who may start containers can take this name"
    return [Identity("name", (("container.name", "=", name),), "risky", reason)]


def dimensions(source: str) -> Mapping[str, str]:
    """What can make an identity narrower, and the field that tells it in events of *source*."""
    return {**DIMENSIONS, **_OF_SOURCE.get(source, {})}


def without_container(more: Mapping[str, str], source: str = "syscall", *, on_host: bool = False) -> Identity:
    """An identity made of *more* fields alone, for hosts and for what runs in many containers; *on_host* only outside of them."""
    reason = "wherever this is so"
    if "process" in more:
        where = "on any host, in no container" if on_host else "on any host and in any container"
        reason = f"any process that is called so, {where}"
    checks = (("container.id", "=", "host"),) if on_host else ()
    risk = "fair" if "process" in more and "file" in more else "risky"
    return narrowed(Identity("process", checks, risk, reason), more, source)


def narrowed(identity: Identity, more: Mapping[str, str], source: str = "syscall") -> Identity:
    """*identity* with *more* fields that must have these values in events of *source*; a file is a prefix."""
    checks = list(identity.checks)
    said = []
    fields = dimensions(source)
    for dimension, value in more.items():
        field = fields[dimension]
        operator = "startswith" if dimension == "file" else "="
        if dimension in ("process", "parent") and _size(value) > _PROCESS_NAME:
            while _size(value) > _PROCESS_NAME:
                value = value[:-1]
            said.append(f"{field} is cut to {_PROCESS_NAME} bytes, as the kernel does")
        checks.append((field, operator, value))
    return identity.replaced(checks=tuple(checks), reason="; ".join([identity.reason, *said]))


def _size(text: str) -> int:
    """The bytes of *text*; what is no UTF-8 counts one each."""
    return len(text.encode("utf-8", "replace"))

"""Published default rules that were pulled: kept by digest in the user's data folder, checked each time they are used.

The folder of an artifact is called as its reference is (``.../ghcr.io/falcosecurity/rules/falco-rules:5.1.0``): a link to
the folder of its digest beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from falcokit.errors import ConfigError
from falcokit.record import Record
from falcokit.workspace.default_rules import store
from falcokit.workspace.lock import Lock, Pin
from falcokit.workspace.oci import Artifact, Reference, fetch, read_reference
from falcokit.workspace.sources import ENDINGS, Unreadable, read_bytes

__all__ = ["Pulled", "all_pulled", "find_pulled", "pull"]

_ABOUT: Final = "artifact.json"
_MAX_KEPT: Final = 1000
_MAX_FILE: Final = 16 << 20


class Pulled(Record):
    """An artifact on the disk: its ``reference`` with tag, ``digest``, ``version`` as it tells it (or empty), the ``folder`` and
    the digest of each of its ``files`` by name."""

    __slots__ = ("digest", "files", "folder", "reference", "version")

    def __init__(self, reference: str, digest: str, version: str, folder: str, files: Mapping[str, str]) -> None:
        self.reference: Final = reference
        self.digest: Final = digest
        self.version: Final = version
        self.folder: Final = folder
        self.files: Final = files

    @property
    def pin(self) -> Pin:
        """What a lock file says of it."""
        return Pin(self.digest, self.files)


def pull(reference: Reference, lock: Lock, *, plain_http: bool, update: bool) -> tuple[Pulled, bool]:
    """The artifact, and whether the registry was asked for it.

    What *lock* pins is taken by its digest, and from the disk where it is there; with *update* the tag is asked for anew.
    Raises `falcokit.ConfigError`.
    """
    pin = None if update else lock.pins.get(str(reference))
    if pin is not None and reference.digest not in ("", pin.digest):
        raise ConfigError(f"{lock.path} pins {reference} to {pin.digest}, another one; --update takes what you ask for")
    digest = pin.digest if pin is not None else reference.digest
    if digest:
        folder = _folder(reference, digest)
        with suppress(ConfigError):
            found = _checked(reference, folder, pin)
            _link(reference, digest)
            return found, False
    try:
        asked = Reference(reference.registry, reference.repository, reference.tag, digest)
        artifact = fetch(asked, plain_http=plain_http)
    except ConfigError as error:
        if pin is None or "no such artifact" not in str(error):
            raise
        raise ConfigError(f"{error}: {lock.path} pins it to {pin.digest}, which --update replaces") from None
    files = {name: _digest(content) for name, content in artifact.files}
    if pin is not None and files != dict(pin.files):
        raise ConfigError(
            f"{reference}: its files are not those that {lock.path} names; --update pins those of the registry"
        )
    folder = _keep(reference, artifact, files)
    return Pulled(str(reference), artifact.digest, artifact.version, folder, files), True


def find_pulled(reference: Reference, lock: Lock, said: str = "") -> Pulled:
    """What was pulled of *reference*: the pinned one, else the one that its tag stood for at that time.

    Raises `falcokit.ConfigError`; *said* is how the user wrote it.
    """
    said = said or str(reference)
    pin = lock.pins.get(str(reference))
    digest = reference.digest or (pin.digest if pin is not None else "")
    linked = _folder(reference)
    by_digest = _folder(reference, digest) if digest else linked
    folder = linked if os.path.realpath(linked) == os.path.realpath(by_digest) else by_digest
    if not os.path.isdir(folder):
        others = [one.reference for one in all_pulled() if one.reference.startswith(f"{reference.name}:")]
        there = f"; there is {', '.join(others)}" if others and not digest else ""
        pinned = f" as {lock.path} pins it" if pin is not None else ""
        raise ConfigError(f"there is no file or folder {said}, and no rules of that name were pulled{pinned}{there}: falcokit defaults pull {said}")  # fmt: skip
    return _checked(reference, folder, pin if pin is not None and pin.digest == digest else None)


def all_pulled() -> tuple[Pulled, ...]:
    """Every artifact on the disk, by reference: those with a tag, and those that have none; one that was changed since it was pulled has no
    digest and no files."""
    found: dict[str, list[Pulled]] = {}
    for path, reference in _kept():
        try:
            one = _checked(reference, path, None)
        except ConfigError:
            one = Pulled(str(reference), "", "", path, {})
        found.setdefault(os.path.realpath(path), []).append(one)
    every = [one for same in found.values() for one in same if len(same) == 1 or "@" not in one.reference]
    return tuple(sorted(every, key=lambda one: one.reference))


def _kept() -> Iterator[tuple[str, Reference]]:
    top = store()
    count = 0
    for above, folders, _ in os.walk(top):
        for name in [name for name in folders if ":" in name]:
            path = os.path.join(above, name)
            reference = read_reference(os.path.relpath(path, top))
            # A registry with a port has a colon in its name, too.
            if reference is not None and "/" in os.path.relpath(path, top) and (count := count + 1) <= _MAX_KEPT:
                yield path, reference
        folders[:] = [name for name in folders if "@" not in name and not name.startswith(".")]


def _folder(reference: Reference, digest: str = "") -> str:
    """The folder of *digest*, else that of the tag, else that of the reference's own digest."""
    return os.path.join(store(), f"{reference.name}@{digest}" if digest else str(reference))


def _keep(reference: Reference, artifact: Artifact, files: Mapping[str, str]) -> str:
    """Put the artifact on the disk, whole or not at all; where it can be found by its tag."""
    folder = _folder(reference, artifact.digest)
    above = os.path.dirname(folder)
    about = json.dumps({"digest": artifact.digest, "version": artifact.version, "files": dict(files)}, indent=2) + "\n"
    temporary = ""
    try:
        os.makedirs(above, mode=0o700, exist_ok=True)
        temporary = tempfile.mkdtemp(prefix=".falcokit-", dir=above)
        for name, content in (*artifact.files, (_ABOUT, about.encode())):
            descriptor = os.open(os.path.join(temporary, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if os.path.lexists(folder):  # Damaged, or put there by another run at the same time.
            with suppress(OSError):
                os.rename(folder, os.path.join(temporary, ".old"))
        os.rename(temporary, folder)
        shutil.rmtree(os.path.join(folder, ".old"), ignore_errors=True)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise ConfigError(f"cannot keep {reference}: {(error.strerror or 'it failed').lower()}") from None
    return _link(reference, artifact.digest)


def _link(reference: Reference, digest: str) -> str:
    """Let the tag stand for *digest*; the folder of the tag."""
    folder = _folder(reference)
    if not reference.tag:
        return folder
    target = os.path.basename(_folder(reference, digest))
    try:
        if os.path.islink(folder) and os.readlink(folder) == target:
            return folder
        with tempfile.TemporaryDirectory(prefix=".falcokit-", dir=os.path.dirname(folder)) as temporary:
            link = os.path.join(temporary, "link")
            os.symlink(target, link)
            os.replace(link, folder)
    except OSError as error:
        raise ConfigError(f"cannot keep {reference}: {(error.strerror or 'it failed').lower()}") from None
    return folder


def _checked(reference: Reference, folder: str, pin: Pin | None) -> Pulled:
    """What lies in *folder*, if it is what was put there and what *pin* says.  Raises `falcokit.ConfigError`."""
    again = f"{reference} was changed since it was pulled ({folder}); pull it again: falcokit defaults pull {reference}"
    content = read_bytes(os.path.join(folder, _ABOUT), 1 << 20)
    try:
        about = None if isinstance(content, Unreadable) else json.loads(content)
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict) or not isinstance(about.get("files"), dict) or not about["files"]:
        raise ConfigError(again)
    digest, version, files = about.get("digest"), about.get("version"), about["files"]
    if os.path.basename(os.path.realpath(folder)).rpartition("@")[2] != digest:
        raise ConfigError(again)
    if pin is not None and (digest != pin.digest or files != dict(pin.files)):
        raise ConfigError(again)
    try:
        there = {name for name in os.listdir(folder) if name.endswith(ENDINGS)}
    except OSError:
        there = set()
    if there != set(files):
        raise ConfigError(again)
    for name, expected in files.items():
        held = read_bytes(os.path.join(folder, name), _MAX_FILE)
        if isinstance(held, Unreadable) or _digest(held) != expected:
            raise ConfigError(again)
    return Pulled(str(reference), digest, version if isinstance(version, str) else "", folder, files)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"

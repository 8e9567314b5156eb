"""``falcokit.lock``: which digest a version of published rules stands for in a project, and what its files are."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from falcokit.errors import ConfigError
from falcokit.record import Record
from falcokit.workspace.sources import Unreadable, read_bytes
from falcokit.workspace.write import write_whole

__all__ = ["Lock", "Pin", "read_lock", "write_pins"]

_VERSION: Final = 1
_LIMIT: Final = 1 << 20
_MAX_PINS: Final = 1000
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


class Pin(Record):
    """An artifact's ``digest``, and the digest of each of its ``files`` by name."""

    __slots__ = ("digest", "files")

    def __init__(self, digest: str, files: Mapping[str, str]) -> None:
        self.digest: Final = digest
        self.files: Final = files


class Lock(Record):
    """The ``pins`` by reference (``registry/repository:tag``), and the ``path`` of the file that has them."""

    __slots__ = ("path", "pins")

    def __init__(self, path: str, pins: Mapping[str, Pin]) -> None:
        self.path: Final = path
        self.pins: Final = pins


def read_lock(path: str) -> Lock:
    """The lock file at *path*; without pins where there is none.  Raises `falcokit.ConfigError`."""
    if not os.path.lexists(path):
        return Lock(path, {})
    content = read_bytes(path, _LIMIT) if os.path.isfile(path) else Unreadable("it is no plain file")
    if isinstance(content, Unreadable):
        raise ConfigError(f"cannot read {path}: {content.reason}")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    pins = _pins(data)
    if pins is None:
        raise ConfigError(f"{path}: it is no lock file of falcokit (or of a newer one); delete it and pull again")
    return Lock(path, pins)


def write_pins(lock: Lock, pins: Mapping[str, Pin]) -> Lock:
    """*lock* with *pins* added or replaced, written where that changes it; what others have written meanwhile stays.

    Raises `falcokit.ConfigError`.
    """
    try:
        folder = os.open(os.path.dirname(lock.path) or ".", os.O_RDONLY)
    except OSError as error:
        raise ConfigError(f"cannot write {lock.path}: {(error.strerror or 'it failed').lower()}") from None
    try:
        with suppress(OSError):  # Not every file system has locks.
            fcntl.flock(folder, fcntl.LOCK_EX)
        there = read_lock(lock.path).pins
        merged = {**there, **pins}
        if merged != there:
            artifacts = {
                name: {"digest": pin.digest, "files": dict(sorted(pin.files.items()))}
                for name, pin in sorted(merged.items())
            }
            write_whole(lock.path, json.dumps({"version": _VERSION, "artifacts": artifacts}, indent=2) + "\n")
    finally:
        os.close(folder)
    return Lock(lock.path, merged)


def _pins(data: object) -> dict[str, Pin] | None:
    if not isinstance(data, dict) or data.get("version") != _VERSION:
        return None
    artifacts = data.get("artifacts")
    if not isinstance(artifacts, dict) or len(artifacts) > _MAX_PINS:
        return None
    pins: dict[str, Pin] = {}
    for name, entry in artifacts.items():
        if not isinstance(entry, dict) or not _is_digest(entry.get("digest")):
            return None
        files = entry.get("files")
        if not isinstance(files, dict) or not files or not all(map(_is_digest, files.values())):
            return None
        pins[name] = Pin(entry["digest"], files)
    return pins


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None

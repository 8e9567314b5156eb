"""What an API server's configuration is to have: flags, and mounts for the paths that they name."""

from __future__ import annotations

from typing import Final

from falcokit.audit.flags import Flag
from falcokit.record import Record

__all__ = ["Asset", "Mount", "Patched", "Wanted", "blocking", "is_below", "paths_of"]

_PATHS: Final = ("audit-policy-file", "audit-webhook-config-file", "audit-log-path")
"""The flags whose value is a path."""


class Mount(Record):
    """A directory of the machine, where the API server is to see it, and the name of the volume."""

    __slots__ = ("host", "name", "path", "writable")

    def __init__(self, name: str, host: str, path: str, writable: bool = False) -> None:
        self.name: Final = name
        self.host: Final = host
        self.path: Final = path
        self.writable: Final = writable


class Asset(Record):
    """A file that the cluster's tool puts on the machines: a name, its path there, its text."""

    __slots__ = ("name", "path", "text")

    def __init__(self, name: str, path: str, text: str) -> None:
        self.name: Final = name
        self.path: Final = path
        self.text: Final = text


class Wanted(Record):
    """All that is wanted.  ``minor`` is the minor version to assume where the file does not tell."""

    __slots__ = ("assets", "flags", "minor", "mounts")

    def __init__(
        self, flags: tuple[Flag, ...], mounts: tuple[Mount, ...] = (), assets: tuple[Asset, ...] = (), minor: int = 37
    ) -> None:
        self.flags: Final = flags
        self.mounts: Final = mounts
        self.assets: Final = assets
        self.minor: Final = minor


class Patched(Record):
    """The new text of a file, the same as the old one if nothing is to be done, and sentences for its owner.

    ``notes`` tell the values that were replaced, ``warnings`` what is to be thought of before the file is used.
    """

    __slots__ = ("notes", "text", "warnings")

    def __init__(self, text: str, notes: tuple[str, ...] = (), warnings: tuple[str, ...] = ()) -> None:
        self.text: Final = text
        self.notes: Final = notes
        self.warnings: Final = warnings


def paths_of(flags: dict[str, str]) -> list[tuple[str, str]]:
    """The flags of *flags* that name a path, with it; a log that goes to standard output has none."""
    return [(name, flags[name]) for name in _PATHS if flags.get(name, "-") != "-"]


def is_below(path: str, folder: str) -> bool:
    """Whether *path* is *folder* or lies in it."""
    folder = folder.rstrip("/")
    return path == folder or path.startswith(folder + "/")


def blocking(mode: object) -> tuple[str, ...]:
    """A warning if *mode*, the value of ``audit-webhook-mode``, is one in which requests wait for the receiver."""
    if mode not in ("blocking", "blocking-strict"):
        return ()
    after = "fails if it is not reachable" if mode == "blocking-strict" else "waits long if it is not reachable"
    return (f"audit-webhook-mode is {mode}: every request waits for the receiver, and {after}; batch does not",)

"""What reading a configuration needs of a disk; the room `falcokit.workspace` has the real one."""

from __future__ import annotations

from enum import Enum
from typing import Final, Protocol

from falcokit.source import SourceFile

__all__ = ["MAX_FILES", "PathKind", "Reader"]

MAX_FILES: Final = 10_000
"""How many files a folder, or a whole configuration, may have."""


class PathKind(Enum):
    """What a path leads to, links followed."""

    FILE = "a file"
    FOLDER = "a folder"
    OTHER = "neither a file nor a folder"
    MISSING = "nothing"
    UNKNOWN = "a place that cannot be looked at"


class Reader(Protocol):
    """The disk as a configuration sees it: paths are as written there, the reader knows what they are relative to."""

    def kind(self, path: str) -> PathKind:
        """What *path* leads to."""

    def name(self, path: str) -> str:
        """What *path* is called towards users, and opened by."""

    def read(self, path: str) -> SourceFile:
        """The file at *path*; raises `falcokit.errors.ConfigError` where it cannot be read."""

    def listing(self, folder: str) -> list[str]:
        """The paths of the regular files directly in *folder*, in any order, each beginning with *folder* as written.

        Raises `falcokit.errors.ConfigError` for more than `MAX_FILES`.
        """

"""The file of the user's that something is written into: what is in it now, and how the new text gets there."""

from __future__ import annotations

import os
from typing import Final

from falcokit.errors import ConfigError
from falcokit.record import Record
from falcokit.workspace.sources import Unreadable, read_bytes
from falcokit.workspace.write import write_text, write_whole

__all__ = ["Target", "save", "target_at"]


class Target(Record):
    """The file at ``path``, with the text ``before``; None where there is no file yet."""

    __slots__ = ("before", "path")

    def __init__(self, path: str, before: str | None) -> None:
        self.path: Final = path
        self.before: Final = before


def target_at(path: str) -> Target:
    """The file at *path*, read; a pipe or device is none.

    Raises `falcokit.ConfigError`.
    """
    if path == "-":
        raise ConfigError("cannot write to -: name a file; without one the text is printed")
    if not os.path.exists(path):
        return Target(path, None)
    if not (os.path.isfile(path) or os.path.isdir(path)):
        raise ConfigError(f"cannot write to {path}: it is no plain file")
    content = read_bytes(path)
    if isinstance(content, Unreadable):
        raise ConfigError(f"cannot read {path}: {content.reason}")
    try:
        return Target(path, content.decode("utf-8"))
    except UnicodeDecodeError:
        raise ConfigError(f"cannot write to {path}: it is not UTF-8") from None


def save(target: Target, text: str) -> None:
    """Put *text* there, whole or not at all; a file that has changed meanwhile is left alone.

    Raises `falcokit.ConfigError`.
    """
    if target.before is None:
        write_whole(target.path, text)
    elif problem := write_text(target.path, target.before, text):
        raise ConfigError(f"cannot write to {target.path}: {problem}")

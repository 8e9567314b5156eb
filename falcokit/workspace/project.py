"""Where a project's settings are: ``falcokit.toml``, or a ``pyproject.toml`` with ``[tool.falcokit]``, here or above."""

from __future__ import annotations

import os
from typing import Final

from falcokit.errors import ConfigError
from falcokit.record import Record
from falcokit.settings import Settings, read_settings
from falcokit.workspace.sources import Unreadable, read_bytes

__all__ = ["Project", "find_settings", "load_settings"]

_LIMIT: Final = 1 << 20
_MAX_FOLDERS: Final = 100


class Project(Record):
    """Settings with the path of the file that has them and its text."""

    __slots__ = ("path", "settings", "text")

    def __init__(self, path: str, settings: Settings, text: str) -> None:
        self.path: Final = path
        self.settings: Final = settings
        self.text: Final = text

    @property
    def folder(self) -> str:
        """The folder of the file, as seen from the current one; empty for that."""
        return os.path.dirname(self.path)


def find_settings() -> Project | None:
    """The settings nearest to the current folder, going up; None where there are none.  Raises `ConfigError`."""
    folder = "."
    for _ in range(_MAX_FOLDERS):
        for name in ("falcokit.toml", "pyproject.toml"):
            path = os.path.normpath(os.path.join(folder, name))
            if os.path.isfile(path) and (found := _read(path)) is not None:
                return found
        if os.path.realpath(folder) == os.path.realpath(os.path.join(folder, "..")):
            break
        folder = os.path.join(folder, "..")
    return None


def load_settings(path: str) -> Project:
    """The settings in the file at *path*.  Raises `ConfigError`."""
    found = _read(path)
    if found is None:
        raise ConfigError(f"{path}: there is no [tool.falcokit] in it")
    return found


def _read(path: str) -> Project | None:
    content = read_bytes(path, _LIMIT)
    if isinstance(content, Unreadable):
        raise ConfigError(f"cannot read {path}: {content.reason}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: the file is not UTF-8 (byte {error.start})") from None
    settings = read_settings(path, text)
    return None if settings is None else Project(path, settings, text)

"""Where default rules lie that are asked for by path or by name."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

from falcokit.data import data_path
from falcokit.errors import ConfigError
from falcokit.folders import user_folder
from falcokit.workspace.gather import shown
from falcokit.workspace.sources import ENDINGS

__all__ = ["BUNDLED_NAME", "LOCK_NAME", "is_ours", "locate", "store"]

BUNDLED_NAME: Final = "bundled"
LOCK_NAME: Final = "falcokit.lock"
"""The file that pins pulled rules: beside a project's settings, else in the current folder."""


def locate(text: str, folder: str = "", lock: str = LOCK_NAME) -> str:
    """The path of the default rules that *text* names: a file or folder, seen from *folder*, ``bundled``, or an artifact that
    was pulled, as the lock file at the path *lock* pins it.

    Raises `falcokit.ConfigError` where that was not pulled, or was changed since.
    """
    path = os.path.join(folder, text)
    if os.path.lexists(path):
        return path
    if text == BUNDLED_NAME:
        return shown(data_path("default_rules"))
    if text.endswith(ENDINGS):
        return path
    from falcokit.workspace.lock import read_lock
    from falcokit.workspace.oci import read_reference
    from falcokit.workspace.pulled import find_pulled

    reference = read_reference(text)
    return path if reference is None else find_pulled(reference, read_lock(lock), text).folder


def store() -> str:
    """The folder of the rules that were pulled, in the user's data folder (``XDG_DATA_HOME``).  Raises `ConfigError`."""
    return os.path.join(user_folder("data", "pulled rules"), "defaults")


def is_ours(path: str) -> bool:
    """Whether *path* is one of the default rules that are bundled, or were pulled."""
    tops = [data_path("default_rules")]
    with suppress(ConfigError):
        tops.append(store())
    real = os.path.realpath(path)
    return any(real.startswith(os.path.realpath(top) + os.sep) for top in tops)

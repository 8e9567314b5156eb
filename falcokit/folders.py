"""Where what falcokit keeps for a user lies."""

from __future__ import annotations

import os
from typing import Final

from falcokit.errors import ConfigError

__all__ = ["user_folder"]

_BELOW_HOME: Final = {
    "cache": (".cache",),
    "config": (".config",),
    "data": (".local", "share"),
    "state": (".local", "state"),
}


def user_folder(kind: str, what: str, instead: str = "") -> str:
    """The user's folder for *kind*, one of cache, config, data and state, as the XDG Base Directory Specification has it.

    Raises `ConfigError` where there is none, which tells *what* is to be kept and what to give *instead*.
    """
    variable = f"XDG_{kind.upper()}_HOME"
    base = os.environ.get(variable) or os.path.join(os.path.expanduser("~"), *_BELOW_HOME[kind])
    if not os.path.isabs(base):
        raise ConfigError(f"there is no folder to keep {what} in: set {variable} to an absolute path{instead}")
    return os.path.join(base, "falcokit")

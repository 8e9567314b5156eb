"""What is kept of an integration has its name: it is moved when that changes, and taken away with it."""

from __future__ import annotations

import os
import shutil

from falcokit.deliver.spool import stored
from falcokit.deliver.state import folder_of, is_held
from falcokit.errors import ConfigError

__all__ = ["forget", "kept", "movable", "move"]


def kept(state: str, name: str) -> tuple[str, int] | None:
    """The folder below *state* that is kept of the integration *name*, and how many bytes of events wait there; None where there is none."""
    folder = folder_of(state, name)
    return (folder, stored(os.path.join(folder, "spool"))) if os.path.lexists(folder) else None


def movable(state: str, old: str, new: str) -> None:
    """Raises `ConfigError` where what is kept of *old* cannot be kept under the name *new*: a run has it, or there is something already."""
    before, after = folder_of(state, old), folder_of(state, new)
    if is_held(os.path.join(before, "lock")):
        raise ConfigError(f"{old} is in use: end `falcokit forward run` first, then rename it")
    if os.path.lexists(after) and not (os.path.lexists(before) and os.path.samefile(after, before)):
        raise ConfigError(f"{after} is left from an integration of that name: remove it, or take another name")


def move(state: str, old: str, new: str) -> None:
    """Keep what is kept of *old* under the name *new*.  Raises `ConfigError`."""
    if kept(state, old) is not None:
        try:
            os.rename(folder_of(state, old), folder_of(state, new))
        except OSError as error:
            raise ConfigError(
                f"cannot move {folder_of(state, old)}: {(error.strerror or 'it failed').lower()}"
            ) from None


def forget(state: str, name: str) -> str:
    """Take away what is kept of the integration *name*; why not, where a run has it.  Raises `ConfigError`."""
    folder = folder_of(state, name)
    if not os.path.lexists(folder):
        return ""
    if is_held(os.path.join(folder, "lock")):
        return f"{folder} stays, because a run goes on with it: remove it when that has ended"
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise ConfigError(f"cannot remove {folder}: {(error.strerror or 'it failed').lower()}") from None
    return ""

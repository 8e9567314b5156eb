"""The user's own groupings, in a file of their configuration."""

from __future__ import annotations

import json
import os
from typing import Final

from falcokit.errors import ConfigError
from falcokit.folders import user_folder
from falcokit.overview.grouping import Grouping, suggested, trouble
from falcokit.workspace.sources import Unreadable, read_bytes
from falcokit.workspace.write import write_whole

__all__ = ["all_groupings", "default_path", "read_groupings", "write_groupings"]

_LIMIT: Final = 1 << 20
_MAX_GROUPINGS: Final = 1000


def default_path() -> str:
    """Where they are kept: in the folder for configuration (``XDG_CONFIG_HOME``).  Raises `ConfigError`."""
    return os.path.join(user_folder("config", "groupings"), "groupings.json")


def read_groupings(path: str) -> tuple[Grouping, ...]:
    """The groupings in the file at *path*; none where it does not exist.  Raises `ConfigError` where it is damaged."""
    if not os.path.lexists(path):
        return ()
    content = read_bytes(path, _LIMIT)
    if isinstance(content, Unreadable):
        raise ConfigError(f"cannot read {path}: {content.reason}")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise _damaged(path, "it is no JSON") from None
    found = document.get("groupings") if isinstance(document, dict) else None
    if not isinstance(found, dict) or document.get("version") != 1:
        raise _damaged(path, 'it is not {"version": 1, "groupings": {"NAME": ["LABEL", ...]}}')
    groupings = []
    for name, labels in found.items():
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise _damaged(path, f"{name[:100]} has no list of labels")
        grouping = Grouping(name, tuple(labels))
        if problem := "it has no name" * (not name) or trouble(grouping):
            raise _damaged(path, f"{name[:100] or 'a grouping'}: {problem}")
        groupings.append(grouping)
    return tuple(groupings)


def all_groupings(path: str) -> dict[str, Grouping]:
    """The suggested groupings and those in the file at *path*, by name.  Raises `ConfigError`."""
    return {one.name: one for one in (*read_groupings(path), *suggested())}


def write_groupings(path: str, groupings: tuple[Grouping, ...]) -> None:
    """Put *groupings* into the file at *path* in the place of those in it.  Raises `ConfigError`."""
    text = json.dumps({"version": 1, "groupings": {one.name: list(one.labels) for one in groupings}}, indent=2) + "\n"
    if len(groupings) > _MAX_GROUPINGS or len(text) > _LIMIT:
        raise ConfigError(f"these are too many groupings for {path}: delete some")
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {(error.strerror or 'it failed').lower()}") from None
    write_whole(path, text)


def _damaged(path: str, why: str) -> ConfigError:
    return ConfigError(f"{path} is damaged: {why}; mend it, or delete it to begin anew")

"""What is kept on disk of each integration: a folder with its position, its status, its spool, and what was refused."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from contextlib import suppress
from hashlib import blake2b
from typing import Any, Final

from falcokit.deliver.cursor import write_whole
from falcokit.folders import user_folder
from falcokit.record import Record

__all__ = ["Refusals", "Status", "default_state", "folder_of", "is_held", "leave_status", "read_status", "write_status"]

_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_MOST_REFUSED: Final = 1 << 24
"""Bytes of refused events that are kept."""
_MAX_STATUS: Final = 1 << 20


class Status(Record):
    """The ``counts`` of the last or present run, when they were written (seconds since 1970), whether it is ``running``."""

    __slots__ = ("counts", "moment", "running")

    def __init__(self, counts: dict[str, Any], moment: float, running: bool) -> None:
        self.counts: Final = counts
        self.moment: Final = moment
        self.running: Final = running


def default_state() -> str:
    """The user's own folder for this (below ``XDG_STATE_HOME``).  Raises `ConfigError`."""
    return os.path.join(user_folder("state", "positions", ", or give --state"), "forward")


def folder_of(state: str, name: str) -> str:
    """The folder of the integration *name* below *state*."""
    if _SAFE.fullmatch(name):
        return os.path.join(state, name)
    # Two names never share one.
    return os.path.join(
        state, f"{re.sub('[^A-Za-z0-9._-]', '_', name)[:40]}~{blake2b(name.encode(), digest_size=6).hexdigest()}"
    )


def write_status(folder: str, counts: dict[str, Any]) -> OSError | None:
    """Leave *counts* for `read_status`; where the disk does not take them that is left, and returned."""
    path = os.path.join(folder, "status.json")
    try:
        write_whole(path, json.dumps({"version": 1, "moment": time.time(), "counts": counts}).encode(), last=False)
    except OSError as error:
        # Nothing is better than what was so some time ago, and a full disk has room for it.
        with suppress(OSError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        return error
    return None


def leave_status(folder: str, counts: dict[str, Any]) -> None:
    """As `write_status`, for a run that could not begin; not where another one goes on."""
    if os.path.isdir(folder) and not is_held(os.path.join(folder, "lock")):
        write_status(folder, counts)


def read_status(folder: str) -> Status | None:
    """The status that a run left in *folder*; None where there was none.  Where it could not be written that is its trouble."""
    try:
        with open(os.path.join(folder, "status.json"), "rb") as stream:
            data = stream.read(_MAX_STATUS)
            changed = os.fstat(stream.fileno()).st_mtime
        running = is_held(os.path.join(folder, "lock"))
        if not data:
            return Status({"trouble": "what it did could not be written: is the disk full?"}, changed, running)
        document = json.loads(data)
        counts, moment = document["counts"], float(document["moment"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return Status(counts, moment, running) if isinstance(counts, dict) else None


def is_held(path: str) -> bool:
    """Whether a run has the folder with the lock at *path*."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


class Refusals:
    """The events that a receiver does not take, one a line, with a limit to how many are kept."""

    def __init__(self, folder: str) -> None:
        self.path: Final = os.path.join(folder, "refused.jsonl")
        self._there: set[bytes] | None = None

    def keep(self, written: str) -> bool:
        """Whether the event is kept: there was room for it, or it is there since an earlier run that got no further."""
        line = written.replace("\n", " ").encode("utf-8", "replace") + b"\n"
        if self._there is None:
            self._there = _digests(self.path)
        digest = _digest(line)
        if digest in self._there:
            return True
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            return False
        try:
            if os.fstat(file).st_size + len(line) > _MOST_REFUSED:
                return False
            if os.write(file, line) < len(line):
                return False
            self._there.add(digest)
            return True
        except OSError:
            return False
        finally:
            os.close(file)


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=16).digest()


def _digests(path: str) -> set[bytes]:
    """Of all lines of the file at *path*, where there is one."""
    try:
        with open(path, "rb") as stream:
            return {_digest(line) for line in stream.read(_MOST_REFUSED).splitlines(keepends=True)}
    except OSError:
        return set()

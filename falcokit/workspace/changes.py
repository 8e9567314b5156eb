"""Which lines of files changed since a revision, as git knows."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from falcokit.errors import ConfigError
from falcokit.source import Origin, SourceFile

__all__ = ["changed_lines", "last_change"]

_HUNK: Final = re.compile(rb"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_SECONDS: Final = 60
# A repository's own configuration must not get to run programs.
_GIT: Final = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.devnull, "--no-pager")


def changed_lines(files: Iterable[SourceFile], revision: str) -> dict[str, tuple[tuple[int, int], ...]]:
    """For each custom file the ranges of lines, counted from 0, that are not as in *revision*; new files are all new.

    Raises `falcokit.ConfigError` where git cannot tell.
    """
    if not revision or revision.startswith("-"):
        raise ConfigError(f"'{revision}' is no revision")
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    for file in files:
        if file.origin is not Origin.CUSTOM:
            continue
        if not os.path.isfile(file.name):
            found[file.name] = ((0, file.line_count),)
            continue
        folder, name = os.path.split(os.path.realpath(file.name))
        if not _run(folder, "ls-tree", "--name-only", revision, "--", name):
            found[file.name] = ((0, file.line_count),)
            continue
        diff = _run(folder, "diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", revision, "--", name)
        if ranges := [_range(int(start), int(count or 1)) for start, count in _HUNK.findall(diff)]:
            found[file.name] = tuple(ranges)
    return found


def last_change(path: str, line: int) -> str:
    """The commit that *line* (from 1) of the file at *path* is of, and its date; empty where git does not tell."""
    folder, name = os.path.split(os.path.abspath(path))
    try:
        text = _run(folder, "blame", "--porcelain", "-L", f"{line},{line}", "--", name).decode("utf-8", "replace")
    except ConfigError:
        return ""
    found = re.match(r"([0-9a-f]{40}) ", text)
    time = re.search(r"^author-time (\d{1,12})$", text, re.MULTILINE)
    if found is None or time is None or set(found[1]) == {"0"}:
        return ""
    return f"{found[1][:12]} of {datetime.fromtimestamp(int(time[1]), UTC):%Y-%m-%d}"


def _range(start: int, count: int) -> tuple[int, int]:
    """Counted from 0; where lines went away the two beside the gap count as changed."""
    return (start - 1, start - 1 + count) if count else (max(start - 1, 0), start + 1)


def _run(folder: str, *arguments: str) -> bytes:
    try:
        done = subprocess.run([*_GIT, "-C", folder, *arguments], capture_output=True, timeout=_SECONDS, check=False)
    except FileNotFoundError:
        raise ConfigError("--changed-since needs git, which is not installed") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"git did not answer within {_SECONDS} seconds") from None
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise ConfigError(f"git cannot tell what changed: {reason.removeprefix('fatal: ')}")
    return done.stdout

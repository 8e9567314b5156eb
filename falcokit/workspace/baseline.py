"""Findings that were there before: a project starts to lint without mending everything first."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import Final

from falcokit.diagnostic import Diagnostic
from falcokit.errors import ConfigError
from falcokit.report.fingerprint import fingerprints
from falcokit.workspace.sources import Unreadable, read_bytes
from falcokit.workspace.write import write_whole

__all__ = ["read_baseline", "without", "write_baseline"]

_VERSION: Final = 1


def read_baseline(path: str) -> tuple[str, ...]:
    """The fingerprints in the file at *path*.  Raises `falcokit.ConfigError` where there are none to read."""
    content = read_bytes(path)
    if isinstance(content, Unreadable):
        raise ConfigError(f"cannot read the baseline {path}: {content.reason}; make one with --write-baseline")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    known = data.get("findings") if isinstance(data, dict) and data.get("version") == _VERSION else None
    if not isinstance(known, list) or not all(isinstance(mark, str) for mark in known):
        raise ConfigError(f"{path} is no baseline of this version of falcokit; make one with --write-baseline")
    return tuple(sorted(known))


def without(findings: Sequence[Diagnostic], known: Iterable[str]) -> list[Diagnostic]:
    """The findings that the baseline does not have."""
    before = set(known)
    return [d for d, mark in zip(findings, fingerprints(findings), strict=True) if mark not in before]


def write_baseline(path: str, findings: Iterable[Diagnostic]) -> None:
    """Write the fingerprints of *findings* to *path*, whole or not at all.

    Raises `falcokit.ConfigError`, also where *path* has something in it that is no baseline.
    """
    if os.path.exists(path) and os.path.getsize(path):
        try:
            read_baseline(path)
        except ConfigError:
            raise ConfigError(f"{path} is there already and is no baseline: name another file") from None
    data = {"version": _VERSION, "findings": sorted(fingerprints(findings))}
    write_whole(path, json.dumps(data, indent=1) + "\n")

"""Falco's releases, the version of the rules engine in each, and what they brought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from falcokit.data import read_data

__all__ = ["engine_versions", "feature_releases", "first_release"]


@cache
def _versions() -> dict[str, dict[str, str]]:
    versions: dict[str, dict[str, str]] = json.loads(read_data("schemas", "catalogue/versions.json"))
    return versions


def engine_versions() -> Mapping[str, str]:
    """Each Falco release, oldest first, with its engine version: a plain number up to Falco 0.36, then x.y.z."""
    return _versions()["engine"]


def feature_releases() -> Mapping[str, str]:
    """What the rules language gained, each with the first Falco release that has it."""
    return _versions()["features"]


def first_release(engine: str) -> str | None:
    """The oldest Falco release whose engine satisfies ``required_engine_version: engine``; None where none does yet."""
    wanted = _key(engine)
    return next((release for release, version in engine_versions().items() if _key(version) >= wanted), None)


def _key(engine: str) -> tuple[int, ...]:
    """Comparable form: a plain number N means 0.N.0, as Falco reads it."""
    parts = tuple(map(int, engine.split(".")))
    return parts if len(parts) > 1 else (0, *parts, 0)

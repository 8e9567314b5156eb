"""Doing something again whenever files change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

__all__ = ["watched"]


def watched(paths: Iterable[str], work: Callable[[], object]) -> None:
    """Do *work* after each change of files below the folders that *paths* are or stand in, until interrupted."""
    import logging

    from watchfiles import watch

    logging.getLogger("watchfiles").setLevel(logging.CRITICAL)  # An interrupt is how watching ends.

    folders = {path if os.path.isdir(path) else os.path.dirname(path) or "." for path in paths}
    for _ in watch(
        *sorted(folders),
        watch_filter=lambda _, path: path.endswith((".yaml", ".yml", ".json", ".jsonl")),
        raise_interrupt=False,
    ):
        work()

"""From the spool into the history, under locks that are short."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from falcokit.errors import ConfigError
from falcokit.event import Damaged, read_events
from falcokit.history.importing import HOLD, import_events
from falcokit.history.store import Held, open_to_write
from falcokit.receive.spool import Spool, pieces_of

__all__ = ["fold", "make_sure"]


def make_sure(store: str) -> None:
    """Raises `ConfigError` where there is no history at *store*, and none can be made.  That others have it is no reason."""
    with suppress(Held), open_to_write(store, 0.0):
        pass


def fold(spool: Spool, store: str, patience: float, say: Callable[[str], object]) -> int:
    """Put what is in *spool* into the history at *store*, for as long as one may have it: how many events were new.

    A file is taken away when its events are in; a run that ends in between does it again, and the history takes each event once.
    *say* is told of what cannot be put in, which is kept.  Raises `ConfigError`, `Held` where others have the history for
    *patience* seconds.
    """
    if spool.empty:
        return 0
    new = 0
    done: list[str] = []
    refused: dict[str, str] = {}

    def damaged(place: Damaged) -> None:
        if not place.note:
            say(f"{place.name}:{place.line}: {place.reason}")

    with open_to_write(store, patience) as history:
        end = monotonic() + HOLD
        for path in spool.seal():
            try:
                new += import_events(history, read_events(pieces_of(path), path), damaged)[1]
                done.append(path)
            except (ConfigError, OSError):
                raise  # The disk: later it may go.
            except Exception as error:
                # One event that the database refuses must not keep all others out for ever.
                refused[path] = type(error).__name__
            if monotonic() > end:
                break
    for path in done:
        _try(lambda: spool.remove(path), path)  # noqa: B023  # called at once
    for path, reason in refused.items():
        aside = _try(lambda: spool.put_aside(path), path)  # noqa: B023  # called at once
        say(f"events that the history does not take ({reason}) are kept in {os.path.basename(aside)}")
    return new


def _try(act: Callable[[], object], path: str) -> str:
    try:
        return str(act() or path)
    except OSError as error:
        raise ConfigError(f"cannot change {path}: {(error.strerror or 'it failed').lower()}") from None

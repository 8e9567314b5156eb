"""How far an integration has come, on disk: changed as a whole, and safe from a power cut once it is written."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from falcokit.deliver.feed import Place
from falcokit.errors import ConfigError

__all__ = ["Cursor", "write_whole"]

_VERSION: Final = 1
_MAX_SIZE: Final = 1 << 24


class Cursor:
    """The places of one integration, in a folder that one process has at a time."""

    def __init__(self, folder: str) -> None:
        """Raises `ConfigError` where another run has the folder, or it cannot be used."""
        self.folder: Final = folder
        self._path: Final = os.path.join(folder, "position.json")
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._held: Final = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"cannot write {folder}: {(error.strerror or 'it failed').lower()}") from None
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._places = _read(self._path)
        except OSError:
            os.close(self._held)
            raise ConfigError(f"another falcokit forwards with {folder}") from None
        except ConfigError:
            os.close(self._held)
            raise
        self.changed = False

    def get(self, key: str) -> Place | None:
        """The place that was reached in the feed called *key*."""
        return self._places.get(key)

    @property
    def places(self) -> Mapping[str, Place]:
        """All places, by the keys of their feeds."""
        return self._places

    def set(self, key: str, place: Place) -> None:
        """Remember *place*; `save` makes it last."""
        if self._places.get(key) != place:
            self._places[key] = dict(place)
            self.changed = True

    def save(self) -> None:
        """Write all places.  Raises `OSError`; then the old ones are still there."""
        if self.changed:
            self.changed = False
            try:
                write_whole(self._path, json.dumps({"version": _VERSION, "places": self._places}, indent=1).encode())
            except OSError:
                self.changed = True
                raise

    def close(self) -> None:
        """Let another run have the folder."""
        os.close(self._held)


def write_whole(path: str, data: bytes, last: bool = True) -> None:
    """Put *data* into the place of what is at *path*, for its owner only; with *last* it outlasts a power cut.  Raises `OSError`."""
    beside = f"{path}.new"
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        if last:
            os.fsync(file)
    except OSError:
        with suppress(OSError):
            os.unlink(beside)  # It takes room that others lack.
        raise
    finally:
        os.close(file)
    os.replace(beside, path)
    if last:
        folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: str) -> dict[str, dict[str, Any]]:
    try:
        with open(path, "rb") as stream:
            document = json.loads(stream.read(_MAX_SIZE))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        document = None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {(error.strerror or 'it failed').lower()}") from None
    places = document.get("places") if isinstance(document, dict) and document.get("version") == _VERSION else None
    if not isinstance(places, dict) or not all(isinstance(place, dict) for place in places.values()):
        raise ConfigError(f"{path} is damaged: remove it, and all is sent from the beginning")
    return places

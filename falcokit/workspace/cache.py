"""Results of earlier runs, by everything they depend on: contents, options, falcokit itself.

Only ever a shortcut: whatever goes wrong with it is as if there were no cache.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from falcokit.errors import ConfigError
from falcokit.folders import user_folder

__all__ = ["Cache"]

_KEPT = 200


class Cache:
    """A folder of results; with no folder nothing is found and nothing kept."""

    def __init__(self, folder: str | None) -> None:
        self._folder = folder

    @staticmethod
    def of_user() -> Cache:
        """The cache in the user's cache folder (``XDG_CACHE_HOME``)."""
        try:
            return Cache(user_folder("cache", "results"))
        except ConfigError:
            return Cache(None)

    @staticmethod
    def key(parts: Iterable[bytes]) -> str:
        """A name for everything a result depends on."""
        from hashlib import blake2b

        digest = blake2b(digest_size=20)
        for part in (_own_state(), *parts):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.hexdigest()

    def get(self, key: str) -> str | None:
        """The result kept under *key*."""
        if self._folder is None:
            return None
        try:
            with open(os.path.join(self._folder, key), encoding="utf-8", newline="") as file:
                text = file.read()
        except (OSError, ValueError):
            return None
        head, _, body = text.partition("\n")
        return body if head == str(len(body)) else None

    def put(self, key: str, result: str) -> None:
        """Keep *result*; the file appears whole or not at all."""
        if self._folder is None:
            return
        temporary = os.path.join(self._folder, f".{key}.{os.getpid()}")
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(f"{len(result)}\n{result}")
            os.replace(temporary, os.path.join(self._folder, key))
            self._prune()
        except (OSError, ValueError):
            return

    def _prune(self) -> None:
        assert self._folder is not None
        with os.scandir(self._folder) as entries:
            kept = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries)
        for _, path in kept[:-_KEPT]:
            os.unlink(path)


def _own_state() -> bytes:
    """falcokit's own files, by name, size and time: a result of other code is no result."""
    import falcokit
    from falcokit.data import data_path

    found = [falcokit.__version__]
    for top in (os.path.dirname(os.path.abspath(falcokit.__file__)), data_path("schemas")):
        pending = [top]
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir():
                        if entry.name != "__pycache__":
                            pending.append(entry.path)
                    else:
                        state = entry.stat()
                        found.append(f"{entry.path}:{state.st_size}:{state.st_mtime_ns}")
    return "\n".join(sorted(found)).encode("utf-8", "surrogateescape")

"""Lines at the end of a file, or on standard output."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import Sequence
from typing import Final

from falcokit.deliver.outcome import Answer, Trouble
from falcokit.deliver.sinks.sink import Direct
from falcokit.errors import ConfigError
from falcokit.forward.integration import Integration
from falcokit.forward.render import framed

__all__ = ["Lines"]


class Lines(Direct):
    """A file that lines are put at the end of; what was acknowledged outlasts a power cut."""

    def __init__(self, integration: Integration) -> None:
        """Raises `ConfigError` where there is no standard output."""
        super().__init__()
        # Where it was closed, something that forgets all has been put into its place.
        if integration.target == "-" and getattr(sys.stdout, "name", os.devnull) == os.devnull:
            raise ConfigError(f"{integration.name}: cannot write -: standard output is closed")
        self._integration: Final = integration
        self._path: Final = integration.target

    async def send(self, messages: Sequence[bytes]) -> Answer:
        """Write *messages*.  Raises `Trouble`, and `ConfigError` where nobody will ever read them."""
        data = framed(self._integration, messages)
        try:
            await asyncio.to_thread(self._write_out if self._path == "-" else self._append, data)
        except BrokenPipeError:
            raise ConfigError("nobody reads standard output any more") from None
        except OSError as error:
            raise Trouble(f"cannot write {self._path}: {(error.strerror or 'it failed').lower()}") from None
        return Answer(said="written")

    async def close(self, patience: float) -> None:
        """Nothing is held open: whoever rotates the file can do so at any time."""

    def _append(self, data: bytes) -> None:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                _write(file, memoryview(data))
                return
            if found.st_size and os.pread(file, 1, found.st_size - 1) != b"\n":
                data = b"\n" + data  # A run that was killed left the beginning of a line.
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(file, view) :]
                os.fsync(file)
            except OSError:
                # No line stays half where the disk is full, unless somebody else wrote behind it.
                if view and os.fstat(file).st_size == found.st_size + len(data) - len(view):
                    os.ftruncate(file, found.st_size)
                raise
        finally:
            os.close(file)

    def _write_out(self, data: bytes) -> None:
        _write(sys.stdout.fileno(), memoryview(data))


def _write(file: int, view: memoryview) -> None:
    while view:
        view = view[os.write(file, view) :]

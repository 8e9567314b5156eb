"""Lines at the end of a file, or on standard output."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import Sequence
from typing import Final

from falcokit.deliver.outcome import Answer, Trouble
from falcokit.errors import ConfigError
from falcokit.forward.integration import Integration
from falcokit.forward.render import framed

__all__ = ["Lines"]


class Lines:
    """A file that lines are put at the end of; what was acknowledged outlasts a power cut."""

    window: Final = 1
    acknowledges: Final = True
    unsettled: Final = 0
    replayed: Final = 0
    maybe_lost: Final = 0

    def __init__(self, integration: Integration) -> None:
        self._integration: Final = integration
        self._path: Final = integration.target
        self.notes: Final[list[str]] = []

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

    async def tend(self) -> None:
        """Nothing is due."""

    async def close(self, patience: float) -> None:
        """Nothing is held open: whoever rotates the file can do so at any time."""

    def _append(self, data: bytes) -> None:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        try:
            found = os.fstat(file)
            if stat.S_ISREG(found.st_mode) and found.st_size and os.pread(file, 1, found.st_size - 1) != b"\n":
                data = b"\n" + data  # A run that was killed left the beginning of a line.
            _write(file, data)
            if stat.S_ISREG(found.st_mode):
                os.fsync(file)
        finally:
            os.close(file)

    def _write_out(self, data: bytes) -> None:
        _write(sys.stdout.fileno(), data)


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]

"""Writing files whole or not at all, what was mended only over what was read."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import Final

from falcokit.errors import ConfigError
from falcokit.workspace.default_rules import is_ours
from falcokit.workspace.sources import Unreadable, read_bytes

__all__ = ["DEFAULT_FILE", "write_text", "write_whole"]

DEFAULT_FILE: Final = "it is a default file, which an upgrade replaces: put what you change into a file of your own"
"""Why such a file is not written to ([R1])."""


def write_text(path: str, before: str, after: str) -> str:
    """Replace the text *before* of the file at *path* by *after*; what went wrong, or nothing.

    The file keeps its mode; a link stays a link.  A file that is not *before* any more, or not UTF-8, is left alone.
    """
    real = os.path.realpath(path)
    if not os.path.isfile(real):
        return "it is no plain file"  # A device would give way to a file.
    if is_ours(real):
        return DEFAULT_FILE
    content = read_bytes(real, len(before.encode("utf-8", "surrogateescape")) + 1)
    if isinstance(content, Unreadable) or content != before.encode("utf-8", "surrogateescape"):
        return "it has changed since it was read, or is in another encoding than UTF-8"
    try:
        mode = os.stat(real).st_mode & 0o7777
        if not mode & 0o222:
            return "it is read-only"  # A rename would not ask.
        _replace(real, after, mode)
    except OSError as error:
        return (error.strerror or "it cannot be written").lower()
    return ""


def write_whole(path: str, text: str) -> None:
    """Write a report of ours to *path*, whole or not at all; a link stays a link, and a device or pipe is written to.

    Raises `falcokit.ConfigError`.
    """
    try:
        if is_ours(path):
            raise ValueError(DEFAULT_FILE)
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(text)
        else:
            _replace(os.path.realpath(path), text, 0o644)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "it failed"
        raise ConfigError(f"cannot write {path}: {reason.lower()}") from None


def _replace(path: str, text: str, mode: int) -> None:
    """Put a file with *text* in the place of *path*."""
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".falcokit-", dir=os.path.dirname(path) or ".")
        with open(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise

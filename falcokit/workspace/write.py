"""Writing what was mended: whole or not at all, and only over what was read."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress

from falcokit.workspace.sources import Unreadable, read_bytes

__all__ = ["write_text"]


def write_text(path: str, before: str, after: str) -> str:
    """Replace the text *before* of the file at *path* by *after*; what went wrong, or nothing.

    The file keeps its mode; a link stays a link.  A file that is not *before* any more, or not UTF-8, is left alone.
    """
    real = os.path.realpath(path)
    content = read_bytes(real, len(before.encode("utf-8", "surrogateescape")) + 1)
    if isinstance(content, Unreadable) or content != before.encode("utf-8", "surrogateescape"):
        return "it has changed since it was read, or is in another encoding than UTF-8"
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".falcokit-", dir=os.path.dirname(real) or ".")
        with open(descriptor, "wb") as file:
            file.write(after.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, os.stat(real).st_mode & 0o7777)
        os.replace(temporary, real)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        return (error.strerror or "it cannot be written").lower()
    return ""

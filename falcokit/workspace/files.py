"""The disk as a configuration sees it."""

from __future__ import annotations

import errno
import os
import stat

from falcokit.config.reader import MAX_FILES, PathKind
from falcokit.errors import ConfigError
from falcokit.source import SourceFile
from falcokit.source.decode import decode
from falcokit.workspace.sources import DEFAULT_LIMIT, Unreadable, read_bytes, real_path

__all__ = ["DiskReader"]


class DiskReader:
    """A `falcokit.config.Reader` of the disk; relative paths are relative to *folder*, links are followed.

    The file at the real path *planned* counts as there, whether it is yet or not.
    """

    def __init__(self, folder: str, limit: int = DEFAULT_LIMIT, planned: str = "") -> None:
        self._folder = folder
        self._limit = limit
        self._planned = planned
        self._texts: dict[str, str] = {}

    def name(self, path: str) -> str:
        """*path*, put behind the folder where it is relative."""
        return os.path.join(self._folder, path)

    def kind(self, path: str) -> PathKind:
        """What *path* leads to."""
        try:
            mode = os.stat(self.name(path) if path else path).st_mode
        except OSError as error:
            missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
            if missing and self._planned and real_path(self.name(path)) == self._planned:
                return PathKind.FILE
            return PathKind.MISSING if missing else PathKind.UNKNOWN
        except ValueError:  # a NUL character
            return PathKind.MISSING
        if stat.S_ISREG(mode):
            return PathKind.FILE
        return PathKind.FOLDER if stat.S_ISDIR(mode) else PathKind.OTHER

    def read(self, path: str) -> SourceFile:
        """The file at *path*, read once however often it is named; each time a file of its own."""
        name = self.name(path)
        text = self._texts.get(name)
        if text is None:
            data = read_bytes(name, self._limit)
            if isinstance(data, Unreadable):
                raise ConfigError(f"{name}: the file cannot be read: {data.reason}; correct the path or the file")
            text = self._texts[name] = decode(data)
        return SourceFile(name, text)

    def listing(self, folder: str) -> list[str]:
        """The regular files directly in *folder*; none where it may not be read, as in Falco."""
        found: list[str] = []
        try:
            with os.scandir(self.name(folder)) as entries:
                for entry in entries:
                    if _is_file(entry):
                        found.append(os.path.join(folder, entry.name))
                        if len(found) > MAX_FILES:
                            raise ConfigError(
                                f"the folder `{folder}` has more than {MAX_FILES} files; give a smaller one"
                            )
        except PermissionError:
            return []
        except OSError as error:
            reason = (error.strerror or "it cannot be read").lower()
            raise ConfigError(f"the folder `{folder}` cannot be read: {reason}; correct the path") from error
        above, name = os.path.split(self._planned)
        if name and real_path(self.name(folder)) == above and (path := os.path.join(folder, name)) not in found:
            found.append(path)
        return found


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # links in a circle
        return False

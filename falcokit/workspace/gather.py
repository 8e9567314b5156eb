"""Which files a run is about, in load order, and whose they are."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Final

from falcokit.data import data_path
from falcokit.record import Record
from falcokit.source import Origin, SourceFile
from falcokit.source.decode import decode
from falcokit.workspace.sources import (
    DEFAULT_LIMIT,
    ENDINGS,
    Unreadable,
    by_path,
    found_in,
    read_bytes,
    real_path,
    too_large,
)

__all__ = ["Gathered", "Request", "gather"]

_RULES: Final = (
    r"(?m)^[ \t]*(?:-[ \t]+(?:\{\s*|\?[ \t]+)?|\[?\s*\{\s*)[\"']?"
    r"(?:rule|macro|list|required_engine_version|required_plugin_versions)[\"']?[ \t]*(?::|\n)"
)


class Request(Record):
    """What a user asked for.

    ``paths`` are the custom files and folders; ``defaults`` pairs of a path and whether it is a default file, in load
    order, None for the bundled ones; ``stdin`` gives the content of ``-``, up to some bytes and one more.  The file at the
    real path ``planned`` counts as there, empty if it is not yet.
    """

    __slots__ = ("defaults", "limit", "paths", "planned", "stdin", "stdin_name")

    def __init__(
        self,
        paths: tuple[str, ...],
        defaults: tuple[tuple[str, bool], ...] | None,
        stdin: Callable[[int], bytes] | None = None,
        stdin_name: str = "",
        limit: int = DEFAULT_LIMIT,
        planned: str = "",
    ) -> None:
        self.planned: Final = planned
        self.paths: Final = paths
        self.defaults: Final = defaults
        self.stdin: Final = stdin
        self.stdin_name: Final = stdin_name
        self.limit: Final = limit


class Gathered(Record):
    """The files read, in load order; the paths that could not be read; files found in folders that hold no rules.

    ``defaults_named`` are custom paths that are default files; ``empty`` are folders without any YAML file.
    """

    __slots__ = ("defaults_named", "empty", "files", "skipped", "unreadable")

    def __init__(
        self,
        files: tuple[SourceFile, ...],
        unreadable: tuple[tuple[str, Unreadable, Origin], ...],
        skipped: tuple[str, ...],
        defaults_named: tuple[str, ...],
        empty: tuple[str, ...],
    ) -> None:
        self.files: Final = files
        self.unreadable: Final = unreadable
        self.skipped: Final = skipped
        self.defaults_named: Final = defaults_named
        self.empty: Final = empty


class _Gathering:
    def __init__(self, limit: int, planned: str) -> None:
        self.limit = limit
        self.planned = planned
        self.files: list[SourceFile] = []
        self.places: dict[str, int] = {}
        self.unreadable: list[tuple[str, Unreadable, Origin]] = []
        self.skipped: list[str] = []
        self.defaults_named: list[str] = []
        self.empty: list[str] = []

    def add(self, path: str, origin: Origin, *, found: bool = False) -> None:
        """Read *path*; one that was *found* in a folder is passed over when it holds no rules."""
        real = real_path(path)
        if real in self.places:
            if self.files[self.places[real]].origin is Origin.DEFAULT and origin is Origin.CUSTOM and not found:
                self.defaults_named.append(path)
            return
        planned = real == self.planned
        content = b"" if planned and not os.path.exists(real) else read_bytes(path, self.limit)
        if isinstance(content, Unreadable):
            self.unreadable.append((path, content, origin))
            return
        text = decode(content)
        if found and not planned and not re.search(_RULES, text):
            self.skipped.append(path)
            return
        self.put(path, real, text, origin)

    def put(self, name: str, real: str, text: str, origin: Origin) -> None:
        self.places[real] = len(self.files)
        self.files.append(SourceFile(name, text, origin))

    def path(self, path: str, origin: Origin, *, named: bool) -> None:
        if not os.path.isdir(path):
            self.add(path, origin)
            return
        found = found_in(path)
        if isinstance(found, Unreadable):
            self.unreadable.append((path, found, origin))
            return
        found = self._with_planned(path, found)
        if not found:
            self.empty.append(path)
        for inner in found:
            self.add(inner, origin, found=named)

    def _with_planned(self, folder: str, found: list[str]) -> list[str]:
        """*found* in *folder*, and the planned file where it would be found."""
        inner = os.path.relpath(self.planned, real_path(folder)) if self.planned else ""
        path = os.path.join(folder, inner)
        hidden = any(part.startswith(".") for part in inner.split(os.sep)[:-1])
        if hidden or not inner.endswith(ENDINGS) or path in found:
            return found
        return by_path([*found, path])


def gather(request: Request) -> Gathered:
    """Read all files of *request*; the same file, by its real path, is read once, and a default stays a default."""
    gathering = _Gathering(request.limit, request.planned)
    if request.defaults is None:
        for path in bundled():
            gathering.add(path, Origin.DEFAULT)
    for path, default in request.defaults or ():
        gathering.path(path, Origin.DEFAULT if default else Origin.CUSTOM, named=False)
    for path in request.paths:
        if path == "-" and request.stdin is not None:
            _stdin(gathering, request)
        else:
            gathering.path(path, Origin.CUSTOM, named=True)
    return Gathered(
        tuple(gathering.files),
        tuple(gathering.unreadable),
        tuple(gathering.skipped),
        tuple(gathering.defaults_named),
        tuple(gathering.empty),
    )


def _stdin(gathering: _Gathering, request: Request) -> None:
    """Standard input; given the name of a file that is loaded anyway, it takes that file's place."""
    assert request.stdin is not None
    name = request.stdin_name or "<stdin>"
    data = request.stdin(request.limit)
    if len(data) > request.limit:
        gathering.unreadable.append((name, too_large(request.limit), Origin.CUSTOM))
        return
    real = real_path(name) if request.stdin_name else "<stdin>"
    at = gathering.places.get(real)
    if at is None:
        gathering.put(name, real, decode(data), Origin.CUSTOM)
    else:
        gathering.files[at] = SourceFile(name, decode(data), gathering.files[at].origin)


def bundled() -> Iterable[str]:
    """The paths of the default rules that falcokit brings, in load order."""
    folder = data_path("default_rules")
    found = found_in(folder)
    return [] if isinstance(found, Unreadable) else [shown(path) for path in found]


def shown(path: str) -> str:
    """*path* relative to the current folder where it lies below it."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative

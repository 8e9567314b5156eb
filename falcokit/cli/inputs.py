"""Reading what the commands that stand in for Falco's own work on: files named one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from falcokit.cli.options import fail, read_input
from falcokit.workspace.sources import DEFAULT_LIMIT, Unreadable, read_bytes

if TYPE_CHECKING:
    from falcokit.catalogue import Catalogue

__all__ = ["catalogue_with", "read_files"]


def read_files(paths: Iterable[str], code: int = 2) -> list[tuple[str, bytes]]:
    """Pairs of name and content, in order; ends the run with *code* where one cannot be read, as Falco does."""
    found = []
    for path in paths:
        content = read_input(DEFAULT_LIMIT, code) if path == "-" else read_bytes(path)
        if isinstance(content, Unreadable):
            fail(f"cannot read {path}: {content.reason}", code)
        if len(content) > DEFAULT_LIMIT:
            fail(
                f"cannot read {'standard input' if path == '-' else path}: it is larger than {DEFAULT_LIMIT} bytes",
                code,
            )
        found.append(("<stdin>" if path == "-" else path, content))
    return found


def catalogue_with(paths: Iterable[str] | None, catalogue: Catalogue | None = None) -> Catalogue:
    """*catalogue*, by default Falco's, with the fields of the JSON files *paths*."""
    from falcokit.catalogue import Catalogue
    from falcokit.errors import CatalogueError

    catalogue = catalogue or Catalogue.bundled()
    for path, content in read_files(paths or ()):
        try:
            catalogue = catalogue.extended(content.decode("utf-8", "replace"))
        except CatalogueError as error:
            fail(f"{path}: {error}")
    return catalogue

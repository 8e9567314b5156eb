"""Which default rules lie below the files that a command is about; the same for every command."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from falcokit.cli.options import fail
from falcokit.record import Record
from falcokit.workspace.default_rules import LOCK_NAME, locate

if TYPE_CHECKING:
    from falcokit.source import SourceFile
    from falcokit.workspace.falco_config import LintSetup
    from falcokit.workspace.project import Project

__all__ = [
    "BUNDLED",
    "INSTALLED",
    "SYSTEM_CONFIG",
    "Below",
    "below",
    "default_files",
    "lock_path",
    "or_fail",
    "project_of",
]

T = TypeVar("T")
BUNDLED: Final = "bundled with falcokit"
SYSTEM_CONFIG: Final = "/etc/falco/falco.yaml"
INSTALLED: Final = "installed"
"""What the default rules that an installed Falco loads are called."""


class Below(Record):
    """The files below: pairs of a path and whether it is a default file, None for the bundled ones.

    ``said`` is how reports name them; ``setup`` is the Falco configuration that names them, if one does.
    """

    __slots__ = ("files", "said", "setup")

    def __init__(self, files: tuple[tuple[str, bool], ...] | None, said: str, setup: LintSetup | None = None) -> None:
        self.files: Final = files
        self.said: Final = said
        self.setup: Final = setup


def or_fail(read: Callable[[], T]) -> T:
    """What *read* gives; an error of ours ends the run with one line."""
    from falcokit.errors import FalcokitError

    try:
        return read()
    except FalcokitError as error:
        fail(str(error))


def project_of(path: str | None, none: bool) -> Project | None:
    """The project's settings; imported only where there are any."""
    if none and path:
        fail("give either --settings or --no-settings")
    if none:
        return None
    from falcokit.workspace.project import find_settings, load_settings

    return or_fail(lambda: load_settings(path) if path else find_settings())


def below(
    defaults: Sequence[str] | None,
    config: str | None,
    no_defaults: bool,
    project: Project | None,
    default_names: list[str] | None = None,
    limit: int = 0,
    planned: str = "",
) -> Below:
    """What the options say, else the settings, else ``/etc/falco/falco.yaml`` if it exists, else the bundled rules.

    The file at the path *planned* counts as there, whether it is yet or not.
    """
    if no_defaults and (defaults or config):
        fail("--no-defaults excludes --defaults and --config")
    if defaults and config:
        fail("give either --defaults or --config")
    folder = ""
    if project is not None and not (defaults or config or no_defaults):
        defaults, folder = project.settings.defaults, project.folder
    if defaults and INSTALLED in defaults and not os.path.lexists(os.path.join(folder, INSTALLED)):
        if len(defaults) > 1:
            fail(f"`{INSTALLED}` stands for all files of {SYSTEM_CONFIG}: give it alone")
        if not os.path.exists(SYSTEM_CONFIG):
            fail(f"there is no Falco installed here: {SYSTEM_CONFIG} is missing")
        defaults, config = None, SYSTEM_CONFIG
    if not defaults and not config and not no_defaults and os.path.exists(SYSTEM_CONFIG):
        config = SYSTEM_CONFIG
    if config:
        from falcokit.workspace.falco_config import lint_setup
        from falcokit.workspace.sources import DEFAULT_LIMIT, real_path

        path, real = config, real_path(planned) if planned else ""
        setup = or_fail(lambda: lint_setup(path, default_names, limit or DEFAULT_LIMIT, real))
        return Below(setup.files, f"rules_files of {config}", setup)
    if default_names:
        fail("--default-names tells of files of a configuration: give one with --config")
    if defaults:
        paths, names = _located(defaults, folder, project)
        return Below(tuple([(path, True) for path in paths]), ", ".join(names))
    return Below((), "none") if no_defaults else Below(None, BUNDLED)


def lock_path(project: Project | None) -> str:
    """Where the file is that pins pulled rules."""
    return os.path.join(project.folder if project is not None else "", LOCK_NAME)


def _located(texts: Sequence[str], folder: str, project: Project | None) -> tuple[list[str], list[str]]:
    """The paths of the default rules *texts*, seen from *folder*, and what reports call them."""
    lock = lock_path(project)
    paths = [or_fail(partial(locate, text, folder, lock)) for text in texts]
    return paths, [
        path if os.path.join(folder, text) == path else text for text, path in zip(texts, paths, strict=True)
    ]


def default_files(name: str) -> tuple[SourceFile, ...]:
    """The files of the default rules called *name*, in load order; ends the run where there are none."""
    from falcokit.workspace.gather import Request, gather

    files = below([name], None, False, project_of(None, False)).files or ()
    gathered = gather(Request((), tuple([(path, True) for path, default in files if default])))
    for path, trouble, _ in gathered.unreadable:
        fail(f"cannot read {path}: {trouble.reason}")
    if not gathered.files:
        fail(f"no rules files found in {name}")
    return gathered.files

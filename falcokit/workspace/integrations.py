"""The user's integrations, in a file of their configuration that nobody else can read."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from falcokit.errors import ConfigError
from falcokit.folders import user_folder
from falcokit.forward.integration import Integration, read_integration, to_data
from falcokit.workspace.default_rules import is_ours
from falcokit.workspace.sources import Unreadable, read_bytes
from falcokit.workspace.write import DEFAULT_FILE

__all__ = ["changed", "default_path", "read_integrations"]

_VERSION: Final = 1
_LIMIT: Final = 1 << 22
_MAX_INTEGRATIONS: Final = 200
_MAX_TOLD: Final = 5
_KEYS: Final = ("$schema", "version", "integrations")


def default_path() -> str:
    """Where they are kept: in the folder for configuration (``XDG_CONFIG_HOME``).  Raises `ConfigError`."""
    return os.path.join(user_folder("config", "integrations"), "integrations.json")


def read_integrations(path: str) -> tuple[Integration, ...]:
    """The integrations in the file at *path*; none where it does not exist.

    Raises `ConfigError` where it is not right, with every mistake up to five, and where others can read, write or replace it.
    """
    _check_folder(os.path.dirname(os.path.realpath(path)))
    if not os.path.lexists(path):
        return ()
    try:
        found = os.stat(path)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {(error.strerror or 'it failed').lower()}") from None
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"cannot read {path}: it is no plain file")
    if found.st_uid not in (0, os.geteuid()):
        raise ConfigError(f"{path} belongs to another user: who owns it says where events go")
    if found.st_mode & 0o077:
        raise ConfigError(f"{path} is open to others (mode {found.st_mode & 0o7777:04o}): run chmod 600 on it first")
    content = read_bytes(path, _LIMIT)
    if isinstance(content, Unreadable):
        raise ConfigError(f"cannot read {path}: {content.reason}")
    try:
        document = json.loads(content, object_pairs_hook=_once)
    except _Twice as error:
        raise ConfigError(f'{path} has "{error}" twice in one object: mend it') from None
    except (ValueError, RecursionError) as error:
        place = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigError(f"{path} is no JSON{place}: mend it") from None
    entries = document.get("integrations") if isinstance(document, dict) else None
    if not isinstance(entries, list) or document.get("version") != _VERSION:
        raise ConfigError(f'{path}: it must be {{"version": {_VERSION}, "integrations": [...]}}')
    return _read(path, document, entries)


def _check_folder(folder: str) -> None:
    """Raises `ConfigError` where others can put another file into the place of one in *folder*."""
    try:
        found = os.stat(folder)
    except OSError:
        return  # There is no file in it.
    if found.st_uid not in (0, os.geteuid()):
        raise ConfigError(f"{folder} belongs to another user: who owns it says where events go")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX:
        raise ConfigError(f"others can replace what is in {folder} (mode {stat.S_IMODE(found.st_mode):04o}): run chmod go-w on it first")  # fmt: skip


def changed(path: str, change: Callable[[tuple[Integration, ...]], Sequence[Integration]]) -> None:
    """Put what *change* makes of the integrations in the file at *path* in their place, whole or not at all, for the user alone.

    Others that change it at the same time wait.  Raises `ConfigError`, as does *change*.
    """
    real = os.path.realpath(path)
    if is_ours(real):
        raise ConfigError(f"cannot write {path}: {DEFAULT_FILE}")
    try:
        os.makedirs(os.path.dirname(real), mode=0o700, exist_ok=True)
        with _locked(os.path.dirname(real)):
            after = change(read_integrations(path))
            data = {"version": _VERSION, "integrations": [to_data(one) for one in after]}
            text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
            if len(after) > _MAX_INTEGRATIONS or len(text.encode()) > _LIMIT:
                raise ConfigError(f"these are too many integrations for {path}: remove some")
            _replace(real, text)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {(error.strerror or 'it failed').lower()}") from None


class _Twice(Exception):
    """A key is in an object twice; it is the text."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Twice(next(key for key in keys if keys.count(key) > 1)[:60])
    return found


def _read(path: str, document: dict[str, object], entries: list[object]) -> tuple[Integration, ...]:
    mistakes = [f"`{key[:60]}` is not known: there are {', '.join(_KEYS[1:])}" for key in document if key not in _KEYS]
    found: dict[str, Integration] = {}
    for number, entry in enumerate(entries[:_MAX_INTEGRATIONS], 1):
        name = entry.get("name") if isinstance(entry, dict) else None
        called = name if isinstance(name, str) and 0 < len(name) <= 64 else f"integration {number}"
        integration, wrong = read_integration(entry)
        mistakes += [f"{called}: {one}" for one in wrong]
        if integration is not None:
            if integration.name in found:
                mistakes.append(f"{called}: there are two of that name: give one of them another")
            found[integration.name] = integration
    if len(entries) > _MAX_INTEGRATIONS:
        mistakes.append(f"there are more than {_MAX_INTEGRATIONS} integrations")
    if mistakes:
        more = f"; and {len(mistakes) - _MAX_TOLD} mistakes more" if len(mistakes) > _MAX_TOLD else ""
        raise ConfigError(f"{path}: {'; '.join(mistakes[:_MAX_TOLD])}{more}")
    return tuple(found.values())


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # Not every file system has locks.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: str, text: str) -> None:
    """Put a file with *text*, which its owner alone can read, in the place of *path*."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(0, "it is no plain file")
    temporary = ""
    try:
        # Such files are made with mode 0600.
        descriptor, temporary = tempfile.mkstemp(prefix=".falcokit-", dir=os.path.dirname(path))
        with open(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        raise

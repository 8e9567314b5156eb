"""Test files on disk: which they are, the rules files beside them, and the events that their cases name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from falcokit.case.model import Named, TestFile
from falcokit.diagnostic import Diagnostic
from falcokit.record import Record
from falcokit.source import SourceFile
from falcokit.source.decode import decode
from falcokit.workspace.gather import Request, gather
from falcokit.workspace.sources import Unreadable, found_in, read_bytes

if TYPE_CHECKING:
    from falcokit.event import Event

__all__ = ["Found", "events_of", "find_test_files", "is_test_file", "rules_of"]

_NAME: Final = re.compile(r"(test_.*|.*[_.-]test)\.ya?ml", re.IGNORECASE)
_MAX_EVENTS: Final = 1_000_000


class Found(Record):
    """The test files that paths lead to, and those that cannot be read."""

    __slots__ = ("files", "unreadable")

    def __init__(self, files: tuple[SourceFile, ...], unreadable: tuple[tuple[str, Unreadable], ...]) -> None:
        self.files: Final = files
        self.unreadable: Final = unreadable


def is_test_file(path: str) -> bool:
    """Whether the name is one of a test file: ``test_*.yaml``, ``*_test.yaml``, ``*.test.yaml`` or ``*-test.yaml``."""
    return _NAME.fullmatch(os.path.basename(path)) is not None


def find_test_files(paths: Sequence[str]) -> Found:
    """The test files at *paths*; in folders those that are called so."""
    files: dict[str, SourceFile] = {}
    unreadable: list[tuple[str, Unreadable]] = []
    for path in paths:
        inner: list[str] | Unreadable = [path]
        if os.path.isdir(path):
            inner = found_in(path)
            inner = inner if isinstance(inner, Unreadable) else [one for one in inner if is_test_file(one)]
        if isinstance(inner, Unreadable):
            unreadable.append((path, inner))
            continue
        for one in inner:
            # A pipe is not opened: nobody may be writing to it.
            content = read_bytes(one) if not os.path.exists(one) or os.path.isfile(one) else Unreadable("it is no file")
            if isinstance(content, Unreadable):
                unreadable.append((one, content))
            else:
                files.setdefault(os.path.realpath(one), SourceFile(one, decode(content)))
    return Found(tuple(files.values()), tuple(unreadable))


def rules_of(
    test: TestFile, extra: Sequence[str], below: tuple[tuple[str, bool], ...] | None
) -> tuple[tuple[SourceFile, ...], tuple[Diagnostic, ...]]:
    """The rules files that *test* runs on, in load order, and what is wrong with those it names.

    Those it names, else the file beside it that it is named after, on top of its defaults, else of *below*; then *extra*.
    """
    folder = os.path.dirname(test.file.name)
    problems: list[Diagnostic] = []

    def resolved(names: Sequence[Named]) -> list[str]:
        found = []
        for name in names:
            path = os.path.normpath(os.path.join(folder, name.text))
            if os.path.exists(path):
                found.append(path)
            else:
                message = f"there is no file {path}"
                problems.append(Diagnostic("invalid-test", message, name.span, "paths are relative to the test file"))
        return found

    if test.defaults is not None:
        below = tuple([(path, True) for path in resolved(test.defaults)])
    own = resolved(test.rules) if test.rules is not None else _beside(test.file.name)
    gathered = gather(Request((*own, *extra), below))
    for path, unreadable, _ in gathered.unreadable:
        start = SourceFile(test.file.name, test.file.text)
        problems.append(_at_start(test, f"cannot read {path}: {unreadable.reason}", start))
    if not gathered.files and not problems:
        problems.append(_at_start(test, "there are no rules to test", test.file))
    return gathered.files, tuple(problems)


def _at_start(test: TestFile, message: str, file: SourceFile) -> Diagnostic:
    from falcokit.source import Span

    return Diagnostic("invalid-test", message, Span(file, 0, min(1, len(file.text))), "name rules files with `rules:`")


def _beside(path: str) -> list[str]:
    """The rules file that the test file *path* is named after: ``a.yaml`` of ``a_test.yaml`` and ``test_a.yaml``."""
    folder, name = os.path.split(path)
    stem = re.sub(r"^test_|[_.-]test$", "", os.path.splitext(name)[0], flags=re.IGNORECASE)
    candidates = [os.path.join(folder, stem + ending) for ending in (".yaml", ".yml")]
    return [one for one in candidates if os.path.isfile(one) and one != path][:1]


def events_of(test: TestFile) -> Callable[[Named], tuple[Sequence[Event], str]]:
    """What reads the event files that cases of *test* name: their events, and what is wrong with them."""
    known: dict[str, tuple[Sequence[Event], str]] = {}
    folder = os.path.dirname(test.file.name)

    def events(name: Named) -> tuple[Sequence[Event], str]:
        if name.text not in known:
            known[name.text] = _read(os.path.normpath(os.path.join(folder, name.text)))
        return known[name.text]

    return events


def _read(path: str) -> tuple[Sequence[Event], str]:
    from falcokit.event import Event
    from falcokit.workspace.event_files import events_in, unreadable

    if not os.path.isfile(path):
        trouble = unreadable(path)
        return (), f"cannot read {path}: {trouble.reason if trouble is not None else 'it is no file'}"
    found: list[Event] = []
    for one in islice(events_in(path), _MAX_EVENTS + 1):
        if len(found) == _MAX_EVENTS:
            return (), f"{path} has more than {_MAX_EVENTS} events: split it"
        if isinstance(one, Event):
            found.append(one)
        elif not one.note:
            return (), f"{path}:{one.line}: {one.reason}"
    return found, ""

"""Work in another process beside this one: on two processors, events are read on one while the database is busy on the other."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO, Any, Final, NoReturn, TypeVar

from falcokit.errors import ConfigError

__all__ = ["is_worth_it", "made_beside"]

_LARGE: Final = 1 << 24
"""Bytes from which on another process is worth its start."""
_PIPE: Final = 1 << 20
"""Bytes that are sent ahead, as many as a user may ask for."""
_SET_PIPE_SIZE: Final = 1031
"""``F_SETPIPE_SZ`` of Linux."""

_T = TypeVar("_T")


def is_worth_it(paths: Iterable[str]) -> bool:
    """Whether the files at *paths* are best read in another process: they are plain and large, and a processor is there for it."""
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2 or threading.active_count() > 1:
        return False
    found = [*paths]
    try:
        return all(map(os.path.isfile, found)) and sum(map(os.path.getsize, found)) >= _LARGE
    except OSError:
        return False


def made_beside(items: Iterator[_T]) -> Iterator[_T]:
    """*items*, made in a copy of this process, as far ahead as a pipe is large; errors come through.

    An interrupt ends the copy, which is gone with this process too.  What *items* do to anything but files and terminals is not
    seen here.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _send_all(items, writing)
    os.close(writing)
    try:
        with open(reading, "rb", buffering=_PIPE) as stream:
            while (item := _received(stream)) is not None:
                yield item
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _received(stream: IO[bytes]) -> Any:
    try:
        item = pickle.load(stream)  # From a copy of this process.
    except (EOFError, pickle.UnpicklingError):
        raise ConfigError("the process that reads the events was killed") from None
    if isinstance(item, BaseException):
        raise item
    return item


def _send_all(items: Iterable[object], writing: int) -> NoReturn:
    """Send *items*, and None or an error behind them; this process ends with that."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # The process that receives sees to it.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with open(writing, "wb") as stream:
            with suppress(OSError):
                import fcntl

                fcntl.fcntl(writing, _SET_PIPE_SIZE, _PIPE)
            try:
                for item in items:
                    pickle.dump(item, stream, pickle.HIGHEST_PROTOCOL)
                    stream.flush()
                pickle.dump(None, stream)
            except BrokenPipeError:
                pass  # Nobody wants more.
            except BaseException as error:
                error.add_note("".join(traceback.format_exception(error)))
                pickle.dump(error, stream)
    finally:
        os._exit(0)  # Nothing that the copied process has begun is done twice.

"""The command line: parse arguments, call one function, print.  The only room that knows typer.

Each command is a module of its own and imported only when it is run, or when help lists it.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit."""
    # A run makes a great many small values that live to its end: collecting them is time for nothing.
    gc.disable()
    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    code = 0
    try:
        # What typer prints of its own accord, such as wrong usage, is lost where nobody can read it.
        code = _run()
    except OSError as error:
        code = 2
        with suppress(OSError):
            sys.stderr.write(f"falcokit: cannot write the output: {(error.strerror or 'it failed').lower()}\n")
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    # Taking all the values apart one by one takes a fifth of a run, and nobody needs them any more.
    os._exit(code)


def _open_closed() -> None:
    """Whoever closes an output wants none of it; without this the next file opened would take its place."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # open until the end


def _run() -> int:
    from falcokit.cli.app import app
    from falcokit.errors import FalcokitError

    try:
        app()
    except FalcokitError as error:
        from falcokit.cli.options import say

        say(str(error))
        return 2
    except MemoryError:
        sys.stderr.write("falcokit: there is not enough memory\n")
        return 2
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0

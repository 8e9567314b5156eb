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
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    from falcokit.cli.app import app

    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
    else:
        code = 0
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    # Taking all the values apart one by one takes a fifth of a run, and nobody needs them any more.
    os._exit(code)

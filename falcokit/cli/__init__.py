"""The command line: parse arguments, call one function, print.  The only room that knows typer.

Each command is a module of its own and imported only when it is run, or when help lists it.
"""

from __future__ import annotations

import gc
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit."""
    # A run makes a great many small values that live to its end: collecting them is time for nothing.
    gc.disable()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    from falcokit.cli.app import app

    app()

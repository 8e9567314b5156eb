"""What output goes to: its width, and whether it takes colours."""

from __future__ import annotations

import os
import sys

from falcokit.cli.options import Colour

__all__ = ["is_coloured", "screen_width"]


def is_coloured(colour: Colour) -> bool:
    """Whether to print in colours."""
    return colour is Colour.always or (colour is Colour.auto and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


def screen_width() -> int:
    """The columns of the terminal, at least 60; 80 where there is none."""
    if not sys.stdout.isatty():
        return 80
    try:
        return max(os.get_terminal_size(sys.stdout.fileno()).columns, 60)
    except OSError:
        return 80

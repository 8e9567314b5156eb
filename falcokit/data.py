"""Where the packaged data lies."""

from __future__ import annotations

import os

__all__ = ["data_path", "read_data"]


def data_path(folder: str) -> str:
    """The folder ``schemas`` or ``default_rules``: inside the package where it is installed, beside it in a checkout."""
    here = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(here, folder)
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(here), folder)


def read_data(folder: str, name: str) -> str:
    """The text of one data file."""
    with open(os.path.join(data_path(folder), *name.split("/")), encoding="utf-8") as file:
        return file.read()

"""``python -m falcokit``."""

from falcokit.cli import main

main()

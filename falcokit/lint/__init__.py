"""Linting: everything that Falco would say of the files, and everything it would have said had it not stopped."""

from falcokit.lint.run import LintResult, lint, relint

__all__ = ["LintResult", "lint", "relint"]

"""Linting: everything that Falco would say of the files, and everything it would have said had it not stopped."""

from falcokit.lint.run import LintResult, Options, lint, relint

__all__ = ["LintResult", "Options", "lint", "relint"]

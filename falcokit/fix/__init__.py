"""Mending findings: edits of spans, everything else left as it is.  Pure; `workspace` writes what comes out."""

from falcokit.fix.apply import Fixed, apply_edits, fix_files

__all__ = ["Fixed", "apply_edits", "fix_files"]

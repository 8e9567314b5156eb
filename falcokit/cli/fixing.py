"""``falcokit lint --fix`` and ``--diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from falcokit.cli.linting import Run, linter, report_of
from falcokit.workspace.gather import Gathered

if TYPE_CHECKING:
    from falcokit.source import SourceFile

__all__ = ["fixed_report"]


def fixed_report(gathered: Gathered, run: Run, *, unsafe: bool, diff: bool) -> tuple[str, int]:
    """Mend, and report what is left; with *diff* show the changes instead, and how bad what they mend is."""
    from falcokit.cli.options import ReportFormat
    from falcokit.fix import fix_files
    from falcokit.report.text import plain
    from falcokit.workspace.write import DEFAULT_FILE

    fixed = fix_files(gathered.files, linter(run), unsafe=unsafe)
    if diff:
        text = "".join([_diff(before, after) for before, after in zip(gathered.files, fixed.files, strict=True)])
        return text, int(max((d.level for d in fixed.mended), default=0))
    notes = []
    for before, after in zip(gathered.files, fixed.files, strict=True):
        if before is not after:
            problem = _write(before, after)
            notes.append(f"{plain(after.name)}: {'not written: ' + problem if problem else 'mended'}\n")
    notes += [f"{plain(path)}: not written: {DEFAULT_FILE}\n" for path in gathered.defaults_named]
    text, worst = report_of(gathered, run, fixed.result)
    if run.format is not ReportFormat.text:
        return text, worst
    count = len(fixed.mended)
    notes.append(f"{count} finding{'' if count == 1 else 's'} mended\n\n")
    return "".join(notes) + text, worst


def _write(before: SourceFile, after: SourceFile) -> str:
    from falcokit.workspace.write import write_text

    return "it is standard input" if before.name == "<stdin>" else write_text(before.name, before.text, after.text)


def _diff(before: SourceFile, after: SourceFile) -> str:
    """The change as a unified diff that `patch` and `git apply` read."""
    from difflib import unified_diff

    if before is after:
        return ""
    name = before.name.encode("utf-8", "replace").decode("utf-8")
    lines = []
    for line in unified_diff(
        before.text.splitlines(keepends=True), after.text.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    ):
        lines.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(lines).encode("utf-8", "replace").decode("utf-8")

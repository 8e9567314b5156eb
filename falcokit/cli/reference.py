"""The pages of ``docs/`` that are made from the code: ``python -m falcokit.cli.reference docs`` writes them."""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["check_pages", "cli_page", "findings_page"]


def cli_page() -> str:
    """The help of every command."""
    import typer

    from falcokit.cli.app import COMMANDS, app

    group: Any = typer.main.get_command(app)
    context = group.make_context("falcokit", [], resilient_parsing=True)
    context.max_content_width = 100
    context.terminal_width = 100
    parts = ["# Command line\n\nMade by `python -m falcokit.cli.reference docs`; do not edit.\n", _help(group, context)]
    for name in COMMANDS:
        command = group.get_command(context, name)
        inner = _context(command, name, context)
        parts.append(f"## falcokit {name}\n\n" + _help(command, inner))
        for below, lower in getattr(command, "commands", {}).items():
            parts.append(f"## falcokit {name} {below}\n\n" + _help(lower, _context(lower, below, inner)))
    return "\n".join(parts)


def _context(command: Any, name: str, above: Any) -> Any:
    context = command.make_context(name, [], parent=above, resilient_parsing=True)
    context.max_content_width = 100
    context.terminal_width = 100
    return context


def _help(command: Any, context: Any) -> str:
    text = command.get_help(context)
    return "```text\n" + "\n".join(line.rstrip() for line in text.splitlines()) + "\n```\n"


def findings_page() -> str:
    """Every kind of finding with its codes."""
    from falcokit.diagnostic import KINDS

    lines = [
        "# Findings",
        "",
        "Made by `python -m falcokit.cli.reference docs`; do not edit. Beside our code and name stands the code that Falco",
        "itself gives for the same thing; where there is none, Falco says nothing. What Falco accepts and nobody means is found by",
        "checks, which have [pages of their own](checks/index.md).",
        "",
        "| code | name | severity | Falco's code | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind in sorted(KINDS.values(), key=lambda kind: kind.code):
        falco = f"`{kind.falco}`" if kind.falco else ""
        lines.append(f"| {kind.code} | `{kind.name}` | {kind.severity.word} | {falco} | {kind.about} |")
    return "\n".join(lines) + "\n"


def check_pages() -> dict[str, str]:
    """The page of every check, and their index, by path."""
    from falcokit.checks import FAMILIES, all_checks
    from falcokit.checks.page import examples, markdown

    lines = [
        "# Checks",
        "",
        "Made by `python -m falcokit.cli.reference docs`; do not edit. What Falco accepts and authors do not mean. `falcokit explain NAME`",
        "prints a page; [adding a check](../adding-a-check.md) tells how one is made. What Falco itself says is in [findings](../findings.md).",
    ]
    pages = {}
    for family, (_, about) in FAMILIES.items():
        lines += [
            "",
            f"## {family}: {about}",
            "",
            "| code | name | severity | confidence | fix | |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for check in all_checks():
            if check.family != family:
                continue
            kind = check.kind
            pages[f"checks/{kind.name}.md"] = markdown(check)
            fix = "yes" if any(example.fixed is not None for example in examples(check)) else ""
            facts = f"{kind.severity.word} | {kind.confidence.word} | {fix} | {kind.about}"
            lines.append(f"| {kind.code} | [{kind.name}]({kind.name}.md) | {facts} |")
    pages["checks/index.md"] = "\n".join(lines) + "\n"
    return pages


def main(folder: str) -> None:
    """Write all pages into *folder*; a page of a check that is no more goes away."""
    pages = {"cli.md": cli_page(), "findings.md": findings_page(), **check_pages()}
    checks = os.path.join(folder, "checks")
    os.makedirs(checks, exist_ok=True)
    for name in os.listdir(checks):
        if f"checks/{name}" not in pages:
            os.remove(os.path.join(checks, name))
    for name, text in pages.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main(sys.argv[1])

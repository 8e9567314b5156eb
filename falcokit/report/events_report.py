"""A report about events for others to read: one page by itself, or markdown."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from falcokit.overview.kinds import Group, Summary
from falcokit.overview.overall import Overall
from falcokit.overview.severity import LEVELS
from falcokit.report.markdown import cell
from falcokit.report.summary import spark, when
from falcokit.report.text import plain

__all__ = ["to_html", "to_markdown"]

_FOLDER: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pages")
_HEIGHT: Final = 160
_LEVELS: Final = (*LEVELS, "")


def to_html(
    found: Overall,
    kinds: Summary,
    silenced: Sequence[tuple[tuple[str, str, str], int]] | None,
    command: Callable[[Group], str],
    title: str,
) -> str:
    """The report as a page that needs nothing else; *silenced* are rule, image, process and count of what rules that were given leave out."""
    from jinja2 import Environment, FileSystemLoader

    # Nothing of the events is markup, and nothing of them is a template.
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["plain"] = lambda value: plain(str(value))
    environment.filters["when"] = when
    environment.filters["share"] = lambda count: f"{count / max(found.events, 1):.1%}"
    return environment.get_template("report.html.j2").render(
        title=title,
        found=found,
        kinds=kinds,
        silenced=silenced,
        chart=_chart(found),
        height=_HEIGHT,
        spark=spark,
        command=command,
    )


def _chart(found: Overall) -> list[dict[str, Any]]:
    """The columns over time: where each part of them stands."""
    top = max([sum(counts) for _, counts in found.columns], default=0)
    drawn = []
    for number, (begin, counts) in enumerate(found.columns):
        at = float(_HEIGHT)
        parts = []
        for level, count in zip(_LEVELS, counts, strict=True):
            height = count / top * _HEIGHT if top else 0.0
            at -= height
            if count:
                parts.append({"level": level or "none", "y": round(at, 2), "height": round(height, 2)})
        drawn.append({"x": number * 10, "begin": when(begin), "count": sum(counts), "parts": parts})
    return drawn


def to_markdown(
    found: Overall,
    kinds: Summary,
    silenced: Sequence[tuple[tuple[str, str, str], int]] | None,
    command: Callable[[Group], str],
    title: str,
) -> str:
    """The report as markdown."""
    lines = [f"# {cell(title)}", ""]
    if not found.events:
        return "\n".join([*lines, "There are no events.", ""])
    lines += [
        f"{found.events} events from {when(found.first)} to {when(found.last)} (UTC): {_about(found)}.",
        "",
        "| severity | events |", "| --- | ---: |",
        *[f"| {level or 'not told'} | {count} |" for level, count in found.levels],
        "", "Over time: `" + spark([sum(counts) for _, counts in found.columns]) + "`",
        "", "## Rules", "", "| events | severity | rule |", "| ---: | --- | --- |",
        *[f"| {count} | {level or '-'} | {cell(name) or '-'} |" for name, level, count in found.rules],
        "", "## What makes the noise", "", "| events | rule | output | next |", "| ---: | --- | --- | --- |",
        *[f"| {group.count} | {cell(group.rule)} | {cell(group.text)} | {cell(command(group))} |" for group in kinds.groups],
    ]  # fmt: skip
    for heading, rows in (("Images", found.image_counts), ("Namespaces", found.namespaces)):
        if rows:
            lines += ["", f"## {heading}", "", f"| events | {heading[:-1].lower()} |", "| ---: | --- |"]
            lines += [f"| {count} | {cell(name)} |" for name, count in rows]
    if silenced is not None:
        total = sum(count for _, count in silenced)
        lines += ["", "## What the rules given leave out", "", f"{total} of these events."]
        if silenced:
            lines += ["", "| events | rule | image | process |", "| ---: | --- | --- | --- |"]
            lines += [f"| {count} | {' | '.join(map(cell, key))} |" for key, count in silenced[:100]]
    return "\n".join(lines) + "\n"


def _about(found: Overall) -> str:
    return f"{found.containers} containers, {found.images} images, {found.hosts} hosts"

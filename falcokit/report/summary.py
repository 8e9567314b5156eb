"""The commonest kinds of events, and the whitelists that would remove most of them."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any, Final

from falcokit.overview.kinds import Group, Summary
from falcokit.overview.noise import Proposal, Spread
from falcokit.overview.severity import PRIORITIES, level_of
from falcokit.report.markdown import cell
from falcokit.report.text import plain

__all__ = [
    "noise_json",
    "noise_text",
    "summary_csv",
    "summary_json",
    "summary_markdown",
    "summary_text",
    "whitelist_command",
]

_BARS: Final = "▁▂▃▄▅▆▇█"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def summary_text(found: Summary, command: Callable[[Group], str], width: int = 80) -> str:
    """For people: count and share of each kind, its form, where it comes from, and what goes on from there."""
    lines = [f"{_number(found.events, 'event')} of {_number(found.kinds, 'kind')}", ""]
    for group in found.groups:
        share = group.count / max(found.events, 1)
        head = f"{group.count:>8} {share:>6.1%}  {plain(group.rule) or '(no rule)'}"
        lines.append(f"{head}  {spark(group.trend)}")
        rows = wrap(plain(group.text), max(width - 17, 40), max_lines=6, placeholder=" ...")
        lines += [f"{'':17}{row}" for row in rows]
        where = [
            _number(group.containers, "container") if group.containers else "",
            _images(group) if group.images else "",
            _number(group.hosts, "host") if group.hosts else "",
        ]
        lines.append(f"{'':17}{', '.join([one for one in where if one] or ['no container told'])}")
        lines.append(f"{'':17}{when(group.first)} to {when(group.last)}")
        if step := command(group):
            lines.append(f"{'':17}$ {step}")
        lines.append("")
    if found.kinds > len(found.groups):
        rest = found.events - sum(group.count for group in found.groups)
        lines.append(
            f"{_number(rest, 'event')} of {_number(found.kinds - len(found.groups), 'kind')} more: --limit shows more"
        )
    return "\n".join(lines).rstrip() + "\n"


def summary_json(found: Summary, command: Callable[[Group], str]) -> dict[str, Any]:
    """The same as data; times as RFC 3339."""
    return {
        "events": found.events,
        "kinds": found.kinds,
        "groups": [_row(group, found.events, command) for group in found.groups],
    }


def summary_csv(found: Summary, command: Callable[[Group], str]) -> str:
    """The same for spreadsheets: no cell is taken for a formula."""
    stream = io.StringIO()
    rows = [_row(group, found.events, command) for group in found.groups]
    writer = csv.writer(stream)
    writer.writerow(_row_names())
    for row in rows:
        row["trend"] = " ".join(map(str, row["trend"]))
        writer.writerow([_cell(row[name]) for name in _row_names()])
    return stream.getvalue()


def summary_markdown(found: Summary, command: Callable[[Group], str]) -> str:
    """The same as a table."""
    lines = [f"{_number(found.events, 'event')} of {_number(found.kinds, 'kind')}", "", "| events | share | rule | output | containers | images | hosts | first | last | next |", "| ---: | ---: | --- | --- | ---: | ---: | ---: | --- | --- | --- |"]  # fmt: skip
    for group in found.groups:
        seen = [str(group.containers), str(group.images), str(group.hosts), when(group.first), when(group.last)]
        cells = [
            str(group.count),
            f"{group.count / max(found.events, 1):.1%}",
            group.rule,
            group.text,
            *seen,
            command(group),
        ]
        lines.append("| " + " | ".join(map(cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def noise_text(found: Sequence[Proposal], spreads: Sequence[Spread], events: int, width: int = 80) -> str:
    """The proposals in order, with how much is left and what else each covers."""
    if not found:
        return f"no whitelist to propose for {_number(events, 'event')}: they tell neither an image nor a process on a host\n"
    removed = sum(one.removes for one in found)
    share = removed / max(events, 1)
    lines = [
        f"{_number(len(found), 'whitelist')} would remove {removed} of {_number(events, 'event')} ({share:.0%})",
        "",
    ]
    for number, (one, spread) in enumerate(zip(found, spreads, strict=True), 1):
        lines.append(f"{number:>3}. {one.removes:>8} {one.removes / max(events, 1):>6.1%}  {plain(one.rule)}")
        what = [f"image {one.image}" if one.image else "on the host", f"process {one.process}" if one.process else ""]
        what.append(f"started by {one.parent}" if one.parent else "")
        lines += [f"{'':22}{row}" for row in wrap(plain(", ".join(part for part in what if part)), max(width - 22, 40))]
        reach = [_number(one.events, "event")] if one.events != one.removes else []
        reach += [
            _number(spread.forms, "form"),
            _number(one.processes, "process"),
            _number(spread.containers, "container"),
        ]
        reach += [f"{_number(one.urgent, 'event')} of priority Error or above"] if one.urgent else []
        lines += [f"{'':22}{row}" for row in wrap(f"covers {', '.join(reach)}", max(width - 22, 40))]
        lines += [f"{'':22}$ {whitelist_command(one)}", ""]
    return "\n".join(lines).rstrip() + "\n"


def noise_json(found: Sequence[Proposal], spreads: Sequence[Spread], events: int) -> dict[str, Any]:
    """The same as data."""
    rows = [
        {
            "rule": one.rule, "image": one.image, "process": one.process, "parent": one.parent, "removes": one.removes,
            "forms": spread.forms, "processes": one.processes, "events": one.events, "containers": spread.containers, "hosts": spread.hosts, "urgent": one.urgent,
            "newest": f"{one.newest:016x}", "command": whitelist_command(one),
        }
        for one, spread in zip(found, spreads, strict=True)
    ]  # fmt: skip
    return {"events": events, "proposals": rows}


def whitelist_command(one: Proposal) -> str:
    """What proposes that whitelist, and proves it."""
    parts = ["falcokit", "whitelist", "--rule", one.rule]
    for option, value in (("--image", one.image), ("--process", one.process), ("--parent", one.parent)):
        parts += [option, value] if value else []
    return shlex.join([plain(part) for part in parts])


def spark(counts: Sequence[int]) -> str:
    """The counts as bars in one line; none where there is no event."""
    top = max(counts, default=0)
    return (
        "".join(
            _BARS[min((count * len(_BARS) - 1) // top, len(_BARS) - 1)] if count else " " for count in counts
        ).rstrip()
        if top
        else ""
    )


def when(moment: int) -> str:
    """A moment in nanoseconds since 1970, to the second."""
    try:
        return datetime.fromtimestamp(moment // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "?"


def _images(group: Group) -> str:
    mostly = "mostly " if group.images > 1 else ""
    named = f" ({mostly}{plain(group.image)})" if group.image and group.likest * 2 > group.count else ""
    return _number(group.images, "image") + named


def _row_names() -> tuple[str, ...]:
    return ("count", "share", "rule", "priority", "level", "text", "containers", "images", "hosts", "image", "process", "first", "last", "newest", "trend", "command")  # fmt: skip


def _row(group: Group, events: int, command: Callable[[Group], str]) -> dict[str, Any]:
    values = (
        group.count, round(group.count / max(events, 1), 6), group.rule, PRIORITIES[group.rank] if group.rank is not None and group.rank < 8 else None,
        level_of(group.rank) or None, group.text, group.containers, group.images, group.hosts, group.image, group.process,
        when(group.first).replace(" ", "T") + "Z", when(group.last).replace(" ", "T") + "Z", f"{group.newest:016x}", list(group.trend), command(group),
    )  # fmt: skip
    return dict(zip(_row_names(), values, strict=True))


def _number(count: int, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("ss") else "s")
    return f"{count} {noun if count == 1 else plural}"


def _cell(value: object) -> str:
    text = "" if value is None else plain(str(value))
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text

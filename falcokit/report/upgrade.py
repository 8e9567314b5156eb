"""What an upgrade of the default rules changes, and what it means for custom items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Final

from falcokit.report.json import place_json
from falcokit.report.markdown import cell
from falcokit.report.text import plain
from falcokit.upgrade import STATES, Change, Conflict, Upgrade, Verdict

__all__ = ["to_json", "to_markdown", "to_text"]

_HOWS: Final = ("added", "removed", "changed")
_KINDS: Final = ("rule", "macro", "list")
_MAX_ITEMS: Final = 12


def to_text(upgrade: Upgrade, names: tuple[str, str], *, verbose: bool, width: int = 80) -> str:
    """For people; *names* are what the old and the new rules are called, *verbose* shows every change of the defaults."""
    lines = [f"default rules: {plain(names[0])} -> {plain(names[1])}", ""]
    lines += _counts(upgrade.changes)
    if verbose or not upgrade.verdicts:
        for change in upgrade.changes:
            lines += _change(change, width)
    if upgrade.verdicts:
        told = [one for one in upgrade.verdicts if verbose or one.state != "needed" or one.text is not None]
        lines += ["", "custom items"] if told else []
        for verdict in sorted(told, key=lambda one: list(STATES).index(one.state)):
            lines += _verdict(verdict, width)
        lines += ["", _sum(upgrade.verdicts)]
    for problem in upgrade.problems:
        line, column = problem.file.line_column(problem.span.start)
        lines.append(f"{plain(problem.file.name)}:{line + 1}:{column + 1}: {plain(problem.message)}")
    return "\n".join(lines) + "\n"


def _counts(changes: Sequence[Change]) -> list[str]:
    found = Counter((change.kind, change.how) for change in changes)
    if not changes:
        return ["nothing in them means anything else"]
    rows = []
    for kind in _KINDS:
        parts = [f"{found[kind, how]} {how}" for how in _HOWS if found[kind, how]]
        if parts:
            rows.append(f"{kind + 's':<7} {', '.join(parts)}")
    return rows


def _change(change: Change, width: int) -> list[str]:
    lines = [f"{change.how:<8} {change.kind:<5} {plain(change.name)}"]
    said = _said(change)
    return lines + [f"           {line}" for line in wrap(plain(said), max(width - 11, 30))] if said else lines


def _said(change: Change) -> str:
    """In what an item differs, as a sentence without its end."""
    parts = []
    if change.gained or change.lost:
        parts += [f"+ {_some(change.gained)}"] if change.gained else []
        parts += [f"- {_some(change.lost)}"] if change.lost else []
    elif change.keys:
        parts.append(", ".join(change.keys))
    if change.through:
        parts.append("through " + _some([f"{kind} {name}" for kind, name in change.through]))
    return "; ".join(parts)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_ITEMS} more" if len(names) > _MAX_ITEMS else ""
    return ", ".join(names[:_MAX_ITEMS]) + more


def _verdict(verdict: Verdict, width: int) -> list[str]:
    line, column = verdict.span.file.line_column(verdict.span.start)
    place = f"{plain(verdict.span.file.name)}:{line + 1}:{column + 1}"
    lines = [f"{place}: {verdict.kind} {plain(verdict.name)}: {STATES[verdict.state]}"]
    for sentence in _why(verdict):
        lines += [f"    {row}" for row in wrap(plain(sentence), max(width - 4, 30))]
    for conflict in verdict.conflicts:
        lines += _conflict(conflict, width)
    by_hand = f", by hand: {verdict.obstacle}" if verdict.obstacle else ""
    if verdict.text == "":
        lines.append(f"    = remove it{by_hand}")
    elif verdict.text is not None:
        lines.append(f"    = instead{by_hand}:")
        lines += [f"      {plain(row)}" for row in f"- {verdict.text}".split("\n")]
    return lines


def _why(verdict: Verdict) -> list[str]:
    said = [verdict.reason]
    if verdict.copied is not None:
        copied = verdict.copied
        releases = copied.last if copied.first == copied.last else f"{copied.first} to {copied.last}"
        said.append(f"it is a copy of {copied.family} {releases}")
    if verdict.hidden is not None and (more := _said(verdict.hidden)):
        said.append(f"the default changed: {more}")
    return said


def _conflict(conflict: Conflict, width: int) -> list[str]:
    lines = [f"    {conflict.key} cannot be put together"]
    for label, text in (("was", conflict.was), ("yours", conflict.mine), ("now", conflict.theirs)):
        rows = wrap(plain(text), max(width - 12, 30)) or [""]
        lines += [f"      {label:<5} {rows[0]}", *[f"            {row}" for row in rows[1:]]]
    return lines


def _sum(verdicts: Sequence[Verdict]) -> str:
    found = Counter(verdict.state for verdict in verdicts)
    parts = [f"{found[state]} {said}" for state, said in STATES.items() if found[state]]
    return f"{len(verdicts)} custom item{'s' if len(verdicts) != 1 else ''}: {', '.join(parts)}"


def to_markdown(upgrade: Upgrade, names: tuple[str, str]) -> str:
    """For a pull request."""
    lines = [f"## Default rules: {cell(names[0])} → {cell(names[1])}", ""]
    lines += [f"- {row}" for row in _counts(upgrade.changes)]
    if upgrade.verdicts:
        lines += [
            "",
            _sum(upgrade.verdicts),
            "",
            "| place | item | after the upgrade | why |",
            "| --- | --- | --- | --- |",
        ]
        for state in STATES:
            for verdict in upgrade.verdicts:
                if verdict.state == state:
                    line, _ = verdict.span.file.line_column(verdict.span.start)
                    place = f"{verdict.span.file.name}:{line + 1}"
                    cells = (place, f"{verdict.kind} {verdict.name}", STATES[state], "; ".join(_why(verdict)))
                    lines.append("| " + " | ".join(map(cell, cells)) + " |")
        for verdict in upgrade.verdicts:
            lines += _details(verdict)
    for problem in upgrade.problems:
        line, _ = problem.file.line_column(problem.span.start)
        lines += ["", f"**{cell(problem.file.name)}:{line + 1}**: {cell(problem.message)}"]
    lines += [
        "",
        "<details><summary>Changes of the defaults</summary>",
        "",
        "| | item | in what |",
        "| --- | --- | --- |",
    ]
    for change in upgrade.changes:
        row = (change.how, f"{change.kind} {change.name}", _said(change))
        lines.append("| " + " | ".join(map(cell, row)) + " |")
    return "\n".join([*lines, "", "</details>"]) + "\n"


def _details(verdict: Verdict) -> list[str]:
    lines: list[str] = []
    if verdict.text == "":
        lines += ["", f"**{cell(verdict.name)}**: remove it"]
    elif verdict.text:
        lines += ["", f"**{cell(verdict.name)}** instead:", "", *_fenced(f"- {verdict.text}")]
    for conflict in verdict.conflicts:
        lines += ["", f"**{cell(verdict.name)}**: {cell(conflict.key)} cannot be put together", ""]
        lines += ["| was | yours | now |", "| --- | --- | --- |"]
        lines.append(f"| {cell(conflict.was)} | {cell(conflict.mine)} | {cell(conflict.theirs)} |")
    return lines


def _fenced(text: str) -> list[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}yaml", *[plain(row) for row in text.split("\n")], fence]


def to_json(upgrade: Upgrade, names: tuple[str, str]) -> dict[str, Any]:
    """The same as data."""
    return {
        "from": names[0],
        "to": names[1],
        "changes": [_change_json(change) for change in upgrade.changes],
        "items": [
            {
                "place": place_json(verdict.span),
                "kind": verdict.kind,
                "name": verdict.name,
                "state": verdict.state,
                "reason": verdict.reason,
                "hidden": None if verdict.hidden is None else _change_json(verdict.hidden),
                "obstacle": verdict.obstacle,
                "copy_of": None
                if verdict.copied is None
                else {"family": verdict.copied.family, "first": verdict.copied.first, "last": verdict.copied.last},
                "instead": verdict.text,
                "written": bool(verdict.edits),
                "conflicts": [
                    {"key": one.key, "was": one.was, "yours": one.mine, "now": one.theirs} for one in verdict.conflicts
                ],
            }
            for verdict in upgrade.verdicts
        ],
        "problems": [{"place": place_json(one.span), "message": one.message} for one in upgrade.problems],
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "how": change.how,
        "kind": change.kind,
        "name": change.name,
        "keys": list(change.keys),
        "through": [{"kind": kind, "name": name} for kind, name in change.through],
        "gained": list(change.gained),
        "lost": list(change.lost),
        "before": change.before,
        "after": change.after,
    }

"""One event with all that it tells, and what to do about it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from falcokit.event import Event
from falcokit.event.event import is_internal
from falcokit.overview.severity import TILES
from falcokit.report.events import iso, painted, severity
from falcokit.report.text import plain

if TYPE_CHECKING:
    from falcokit.history.query import Entry

__all__ = ["details", "next_steps", "raw_json", "to_text"]

_AROUND: Final = 5 * 60 * 10**9
"""Nanoseconds before and after an event in which things have to do with it."""
_MAX_TEXT: Final = 20_000
_MAX_LISTED: Final = 50
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_IMAGE: Final = re.compile(r"[\w.:/-]{1,512}", re.ASCII)
_COMMANDS: Final = ("proc.cmdline", "proc.pcmdline", "proc.exepath", "ka.uri")


def details(row: Mapping[str, Any], event: Event | None) -> dict[str, Any]:
    """What *event* tells beside what its *row* in a list does: keys that stay, see docs/events.md."""
    document: Mapping[str, Any] = event.document if event is not None and isinstance(event.document, dict) else {}
    inside = document.get("content")
    content: Mapping[str, Any] = inside if isinstance(inside, dict) else {}
    fields = event.fields if event is not None else {}
    return {
        "type_name": TILES.get(row["type"], ""),
        "description": _text(document.get("description")),
        "tags": list(event.header.tags[:_MAX_LISTED]) if event is not None else [],
        "mac": _text(document.get("hostMac")) or _text(document.get("machineId")),
        "agent": _number(document.get("agentId")),
        "policy_id": _number(document.get("policyId")) or _number(content.get("policyId")),
        "commands": {name: value for name in _COMMANDS if (value := _text(fields.get(name)))},
        "captures": _captures(document),
        "labels": dict(sorted(event.header.labels.items())) if event is not None else {},
    }


def to_text(
    row: Mapping[str, Any],
    more: Mapping[str, Any],
    raw: str,
    steps: Sequence[tuple[str, str]],
    *,
    colour: bool,
    width: int = 80,
) -> str:
    """For people: all of it under each other, the event as it was written, and commands to go on with."""
    name = row["rule"] or row["policy"] or "event without a rule"
    lines = [painted(plain(name[:_MAX_TEXT]), "1", colour), ""]

    def add(key: str, *values: object) -> None:
        label = key
        for value in values:
            if not value:
                continue
            for part in wrap(plain(str(value)[:_MAX_TEXT]), max(width - 13, 30)) or [""]:
                lines.append(f"  {label:<10} {part}")
                label = ""

    add("id", row["id"])
    add("when", row["time"])
    lines.append(f"  {'severity':<10} {severity(dict(row), colour)}{_scales(row)}")
    add("rule", row["rule"])
    add("policy", _joined(row["policy"], _also("id", more["policy_id"])))
    add("type", f"{row['type']} {more['type_name']}")
    add("source", row["source"])
    add("about", more["description"])
    add("scope", *[f"{label}: {value or '(none)'}" for label, value in row["entity"].items()])
    add("host", _joined(row["host"], _also("MAC", more["mac"]), _also("agent", more["agent"])))
    add("container", _joined(row["container"], _also("id", row["container_id"])))
    add("image", _joined(row["image"], row["tag"] and f":{row['tag']}", row["digest"] and f"@{row['digest']}"))
    places = [row[key] for key in ("cluster", "namespace", "deployment", "pod") if row[key]]
    add("kubernetes", " > ".join(places))
    add("process", _joined(row["process"], row["parent"] and f", below {row['parent']}"))
    add("commands", *[f"{name}: {value}" for name, value in more["commands"].items()])
    add("user", row["user"])
    add("file", row["file"])
    add("network", _network(row))
    add("actions", ", ".join(row["actions"]))
    add("captures", *more["captures"])
    add("tags", ", ".join(more["tags"]))
    add("labels", *[f"{label}: {value}" for label, value in list(more["labels"].items())[:_MAX_LISTED]])
    add("output", row["output"])
    lines += ["", "as it was written", *[f"  {plain(line)}" for line in raw_json(raw, indent=True).split("\n")]]
    if steps:
        lines += ["", "go on with"]
        for what, command in steps:
            lines += [f"  # {what}", f"  {command}"]
    return "".join([line.rstrip() + "\n" for line in lines])


def raw_json(raw: str, *, indent: bool = False) -> str:
    """The event as it was written, nothing in it that a terminal would obey: in JSON such letters are escaped, and it stays the same."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return plain(raw)
    text = json.dumps(document, ensure_ascii=False, indent=2) if indent else raw.replace("\r", " ")
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def next_steps(
    entry: Entry, files: Sequence[str], store: str, place: tuple[str, int] | None = None
) -> list[tuple[str, str]]:
    """What can be done about an event: a sentence and a command each.

    It was read from *files*, which can be read again where *place* tells file and line of it; without files, from the
    history *store* (empty for the user's own).  No command is given for which a shell would need letters that cannot be shown.
    """
    steps: list[tuple[str, list[str], str]] = []
    source = [_path(path) for path in files] or (["--store", store] if store else [])
    listed = ["falcokit", "events", "list", *source]
    own = [_path(place[0])] if place is not None else source
    show = ["falcokit", "events", "show", entry.key, *own, "--raw"]
    again = place is not None or not files
    whitelist = ["falcokit", "whitelist"]
    if is_internal(entry.rule or ""):
        pass  # There is no rule to whitelist it for.
    elif place is not None:
        command = [*whitelist, "--event", _path(place[0]), "--line", str(place[1])]
        steps.append(("whitelist it: the smallest change, proven", command, ""))
    elif again:
        steps.append(("whitelist it: the smallest change, proven", show, " | falcokit whitelist --event -"))
    if is_internal(entry.rule or ""):
        pass
    elif entry.rule and entry.image and _IMAGE.fullmatch(entry.image):
        tag = f":{entry.tag}" if entry.tag and _IMAGE.fullmatch(entry.tag) else ""
        command = [*whitelist, "--rule", entry.rule, "--image", entry.image + tag]
        steps.append(("whitelist its image for this rule", command, ""))
    elif entry.rule and entry.process and entry.container == "host":
        command = [*whitelist, "--rule", entry.rule, "--process", entry.process]
        steps.append(("whitelist its process for this rule", command, ""))
    if again:
        steps.append(("why a rule fires on it", show, " | falcokit match --explain -"))
        if name := entry.rule or entry.policy:
            steps.append(("only what is of the same rule or policy", [*listed, "--rule", _literal(name)], ""))
        if entry.image:
            steps.append(("only what is of the same image", [*listed, "--image", _literal(entry.image)], ""))
        since, until = iso(max(entry.time - _AROUND, 0)), iso(entry.time + _AROUND)
        there = entry.host if entry.container == "host" else entry.container or entry.host
        command = [*listed, "--since", since, "--until", until, *(["--search", there] if there else [])]
        steps.append(("what else there was, five minutes before and after", command, ""))
    return [
        (what, shlex.join(command) + rest)
        for what, command, rest in steps
        if all(plain(part) == part for part in command)
    ]


def _path(path: str) -> str:
    return f"./{path}" if path.startswith("-") else path


def _literal(name: str) -> str:
    """*name* as a shell pattern that stands for itself only."""
    return re.sub(r"[*?\[]", r"[\g<0>]", name)


def _scales(row: Mapping[str, Any]) -> str:
    if row["severity"] is None:
        return ""
    old = f", {row['old_severity']} on the old scale" if row["old_severity"] else ""
    return f" ({row['severity']} from 0 to 7, {row['level']}{old})"


def _captures(document: Mapping[str, Any]) -> list[str]:
    """The recordings that were made, each as a text."""
    found = []
    for key in ("actionResults", "actions"):
        value = document.get(key)
        for one in value[:_MAX_LISTED] if isinstance(value, list) else ():
            if not isinstance(one, dict) or not _text(one.get("type")).upper().endswith("CAPTURE"):
                continue
            spans = [
                f"{span / 10**9:g} s {word}"
                for key, word in (("beforeEventNs", "before"), ("afterEventNs", "after"))
                if (span := _number(one.get(key)))
            ]
            failed = ["failed"] if one.get("successful") is False or one.get("isSuccessful") is False else []
            found.append(", ".join([part for part in (_text(one.get("token")), *spans, *failed) if part]) or "capture")
    return found


def _network(row: Mapping[str, Any]) -> str:
    ends = [str(end) for end in (row["client"], _joined(row["server"], row["port"] and f":{row['port']}")) if end]
    return f"{row['protocol'] or ''} {' -> '.join(ends)}".strip()


def _also(key: str, value: object) -> str:
    return f" ({key} {value})" if value else ""


def _joined(first: object, *more: object) -> str:
    text = "".join([str(part) for part in more if part])
    return f"{first}{text}" if first else text.lstrip(":, ")


def _text(value: object) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) and value != "<NA>" else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 64 else None

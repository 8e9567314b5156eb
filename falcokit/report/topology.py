"""The topology of events as a tree of text, Graphviz DOT, Mermaid, and data."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from falcokit.overview.severity import PRIORITIES, level_of
from falcokit.overview.topology import Edge, Node, Topology
from falcokit.report.text import plain

__all__ = ["label", "summary", "to_dot", "to_json", "to_mermaid", "to_text", "via"]

_PAINT: Final = {"high": "31", "medium": "33", "low": "93", "info": "36"}
_FILL: Final = {"high": "#f4b6b0", "medium": "#f8cf9f", "low": "#f6eca0", "info": "#c9dcf2", "": "#e8e8e8"}
_SHAPES: Final = {"address": "ellipse", "more": "note", "service": "component"}
_FRAMED: Final = ("host", "service", "network")
_KINDS: Final = (("host", "host", "hosts"), ("service", "service", "services"), ("container", "container", "containers"), ("address", "address", "addresses"))  # fmt: skip
_MARKUP: Final = re.compile(r"[^\w ./:,()-]|(?<=-)-|(?<!\w)[-.](?=\s)")
_MAX_NAME: Final = 60
_MERMAID_EDGES: Final = 400
"""Mermaid refuses a chart with more than 500."""


def label(node: Node) -> str:
    """What a node is called."""
    if node.kind == "more":
        if not node.merged:
            return "other connections" if node.name == "address" else "others"
        words = {one: one if node.merged == 1 else many for _, one, many in _KINDS}
        return " ".join(part for part in (f"{node.merged:,} more", words.get(node.name, "")) if part)
    return node.name or {"network": "network", "host": "host not told"}.get(node.kind, f"{node.kind} not told")


def via(edge: Edge) -> str:
    """The protocol and the server's port of a connection, empty where neither is told."""
    port = "" if edge.port is None else f"{edge.port}"
    return " ".join(part for part in (edge.proto or ("port" if port else ""), port) if part)


def summary(topology: Topology) -> str:
    """How much there is, in one line."""
    counts = [(topology.kinds.get(kind, 0), one, many) for kind, one, many in _KINDS]
    said = ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count)
    return f"{topology.events:,} event{'' if topology.events == 1 else 's'}" + (f" on {said}" if said else "")


def _priority(rank: int | None) -> str:
    return PRIORITIES[rank] if rank is not None and 0 <= rank < len(PRIORITIES) else ""


def to_text(topology: Topology, *, colour: bool = False, width: int = 80) -> str:
    """A tree for a terminal: behind each node what it connects to."""
    names = {node.id: _named(node) for node in topology.nodes}
    children: dict[str, list[Node]] = defaultdict(list)
    for node in topology.nodes:
        children[node.parent].append(node)
    out: dict[str, list[_Line]] = defaultdict(list)
    for edge in _joined(topology.edges):
        out[edge.client].append(edge)
    lines = [summary(topology)]

    def line(head: str, name: str, events: int, rank: int | None, *more: str) -> None:
        told = ", ".join((f"{events:,}", *[part for part in (_priority(rank), *more) if part]))
        room = max(width - _columns(head) - _columns(told) - 2, 12)
        paint = _PAINT.get(level_of(rank), "") if colour else ""
        lines.append(f"{head}{_cut(name, room)}  " + (f"\x1b[{paint}m{told}\x1b[0m" if paint else told))

    waiting: list[tuple[Node | _Line, str, str]] = [(node, "", "") for node in reversed(children[""])]
    while waiting:
        one, head, below = waiting.pop()
        if isinstance(one, _Line):
            same = one.client == one.server
            name = " ".join(part for part in ("itself" if same else names[one.server], one.ways) if part)
            line(f"{head}→ ", name, one.events, one.rank)
            continue
        if not one.parent:
            lines.append("")
        kind = dict(one.details).get("network", "") if one.kind == "address" else ""
        line(head, names[one.id], one.events, one.rank, kind)
        inside: list[Node | _Line] = [*out[one.id], *children[one.id]]
        rows: list[tuple[Node | _Line, str, str]] = []
        for number, row in enumerate(inside):
            last = number == len(inside) - 1
            rows.append((row, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  ")))
        waiting += reversed(rows)
    return "\n".join(lines) + "\n"


class _Line(NamedTuple):
    """All connections from one node to another; ``ways`` are the first protocols and ports."""

    client: str
    server: str
    ways: str
    events: int
    rank: int | None


def _joined(edges: Sequence[Edge]) -> list[_Line]:
    """One line for each two nodes, those with the most events first."""
    found: dict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in edges:
        found[edge.client, edge.server].append(edge)
    lines = []
    for ends, several in found.items():
        ways = list(dict.fromkeys(filter(None, map(via, several))))
        ranks = [edge.rank for edge in several if edge.rank is not None]
        told = ", ".join(ways[:3]) + (", …" if len(ways) > 3 else "")
        lines.append(_Line(*ends, told, sum(edge.events for edge in several), min(ranks, default=None)))
    return sorted(lines, key=lambda line: -line.events)


def _named(node: Node) -> str:
    """The name of a node with what tells it from those of the same name."""
    name = plain(label(node))
    own = dict(node.details)
    if node.kind == "container":
        more = own.get("pod") or own.get("id") or ""
        return f"{name} ({plain(more)})" if more and more != node.name else name
    if node.kind == "service" and own.get("named by") == "image" and "namespace" in own:
        return f"{name} ({plain(own['namespace'])})"
    return name


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cut(text: str, room: int) -> str:
    """*text* in at most *room* columns, without its middle where it is longer."""
    if _columns(text[: room + 1]) <= room and len(text) <= room:
        return text
    text = text[: room * 2] + text[-room * 2 :] if len(text) > 4 * room else text
    if _columns(text) <= room:
        return text
    keep = len(text)
    while keep > 2 and _columns(text[: keep - keep // 3] + "…" + text[len(text) - keep // 3 :]) > room:
        keep -= 1
    return text[: keep - keep // 3] + "…" + text[len(text) - keep // 3 :]


def to_dot(topology: Topology) -> str:
    """For Graphviz: ``dot -Tsvg``."""
    lines = [
        "digraph topology {",
        f"  label={_quoted(summary(topology))}; labelloc=t; rankdir=LR; compound=true; fontname=sans;",
        '  node [shape=box, style="rounded,filled", fontname=sans]; edge [fontname=sans, fontsize=10];',
    ]
    nested = _nested(topology.nodes)

    def write(parent: str, indent: str) -> None:
        for node in nested[parent]:
            framed = node.kind in _FRAMED and bool(nested[node.id])
            inner = indent
            if framed:
                lines.append(f"{indent}subgraph cluster_{node.id} {{")
                inner = indent + "  "
                lines.append(f"{inner}label={_quoted(_counted(node))}; style=rounded;")
            if not framed or node.id in ends:
                shape = _SHAPES.get(node.kind, "box")
                lines.append(
                    f"{inner}{node.id} [label={_quoted(_counted(node))}, shape={shape},"
                    f' fillcolor="{_FILL[level_of(node.rank)]}"];'
                )
            if framed:
                write(node.id, inner)
                lines.append(f"{indent}}}")

    ends = {end for edge in topology.edges for end in (edge.client, edge.server)}
    write("", "  ")
    for edge in _joined(topology.edges):
        told = "\n".join(part for part in (edge.ways, f"{edge.events:,}") if part)
        lines.append(f"  {edge.client} -> {edge.server} [label={_quoted(told)}, penwidth={_thick(edge.events)}];")
    return "\n".join([*lines, "}"]) + "\n"


def _nested(nodes: Sequence[Node]) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        found[node.parent].append(node)
    return found


def _counted(node: Node) -> str:
    """Two lines: what a node is called, and the events in it."""
    return f"{_cut(_named(node), _MAX_NAME)}\n" + ", ".join(
        part for part in (f"{node.events:,}", _priority(node.rank)) if part
    )


def _thick(events: int) -> int:
    return min(len(str(events)), 7)


def _quoted(text: str) -> str:
    """A string of DOT that shows *text*, of which nothing is an escape or an entity."""
    found = "\n".join(map(plain, text.split("\n"))).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + found.replace("\n", "\\n") + '"'


def to_mermaid(topology: Topology) -> str:
    """For Mermaid, which Markdown on GitHub and GitLab draws; of very many connections those with the most events."""
    lines = ["flowchart LR"]
    nested = _nested(topology.nodes)
    drawn = _joined(topology.edges)
    ends = {end for edge in drawn for end in (edge.client, edge.server)}
    levels: dict[str, list[str]] = defaultdict(list)

    def write(parent: str, indent: str) -> None:
        for node in nested[parent]:
            framed = node.kind in _FRAMED and bool(nested[node.id])
            inner = indent
            if framed:
                lines.append(f"{indent}subgraph g{node.id}[{_cited(_counted(node).replace(chr(10), ': '))}]")
                inner = indent + "  "
            if not framed or node.id in ends:
                left, right = ("([", "])") if node.kind == "address" else ("[", "]")
                lines.append(f"{inner}{node.id}{left}{_cited(_counted(node))}{right}")
                levels[level_of(node.rank)].append(node.id)
            if framed:
                write(node.id, inner)
                lines.append(f"{indent}end")

    write("", "  ")
    for edge in drawn[:_MERMAID_EDGES]:
        told = ": ".join(part for part in (edge.ways, f"{edge.events:,}") if part)
        lines.append(f"  {edge.client} -->|{_cited(told)}| {edge.server}")
    for level, ids in levels.items():
        lines.append(f"  classDef {level or 'none'} fill:{_FILL[level]},stroke:#555,color:#111")
        lines.append(f"  class {','.join(ids)} {level or 'none'}")
    if len(drawn) > _MERMAID_EDGES:
        lines.append(f"  %% {len(drawn) - _MERMAID_EDGES} connections with fewer events are not drawn")
    return "\n".join(lines) + "\n"


def _cited(text: str) -> str:
    """A text of Mermaid in which nothing is markup: what could be is written by number."""

    rows = [_MARKUP.sub(lambda found: f"#{ord(found[0])};", plain(row)) for row in text.split("\n")]
    return '"' + "<br/>".join(rows) + '"'


def to_json(topology: Topology) -> dict[str, Any]:
    """The same as data."""
    return {
        "events": topology.events,
        "counts": {many: topology.kinds.get(kind, 0) for kind, _, many in _KINDS},
        "nodes": [
            {
                "id": node.id,
                "kind": node.kind,
                "name": node.name,
                "parent": node.parent or None,
                "events": node.events,
                "priority": _priority(node.rank) or None,
                "level": level_of(node.rank) or None,
                "merged": node.merged,
                "details": dict(node.details),
            }
            for node in topology.nodes
        ],
        "edges": [
            {
                "client": edge.client,
                "server": edge.server,
                "protocol": edge.proto or None,
                "port": edge.port,
                "events": edge.events,
                "priority": _priority(edge.rank) or None,
                "level": level_of(edge.rank) or None,
            }
            for edge in topology.edges
        ],
    }

"""The topology of events as a page to move in: one file, which asks no network for anything."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from hashlib import sha256
from typing import Final

from falcokit.overview.severity import level_of
from falcokit.overview.topology import Topology
from falcokit.report.text import plain
from falcokit.report.topology import label, summary, to_json, to_text, via

__all__ = ["to_page"]

_FOLDER: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pages")
_LEGEND: Final = (
    ("high", "high: Emergency to Error"), ("medium", "medium: Warning, Notice"), ("low", "low: Informational"),
    ("info", "info: Debug"), ("none", "not told"),
)  # fmt: skip


def to_page(topology: Topology, title: str = "Topology of events") -> str:
    """The page.  Its own script and style are all that it may run, by their hashes; what events say stands in it as data."""
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    pages = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, keep_trailing_newline=True)
    style, script = _own("topology.css"), _own("topology.js")
    ranks = {*[node.rank for node in topology.nodes], *[edge.rank for edge in topology.edges]}
    used = {level_of(rank) or "none" for rank in ranks}
    return pages.get_template("topology.html.j2").render(
        title=title,
        summary=summary(topology),
        text=to_text(topology),
        levels=[level for level, _ in _LEGEND],
        legend=[(level, words) for level, words in _LEGEND if level in used],
        data=Markup(_inert(_data(topology))),
        style=Markup(style),
        style_hash=_hash(style),
        script=Markup(script),
        script_hash=_hash(script),
    )


def _data(topology: Topology) -> dict[str, object]:
    """What the script draws."""
    known = to_json(topology)
    for written, node in zip(known["nodes"], topology.nodes, strict=True):
        written["label"] = plain(label(node))
        written["details"] = {plain(name): plain(value) for name, value in node.details}
    for written, edge in zip(known["edges"], topology.edges, strict=True):
        written["via"], written["rank"] = plain(via(edge)), edge.rank
    return {"nodes": known["nodes"], "edges": known["edges"]}


def _inert(data: object) -> str:
    """JSON with nothing in it that ends a script or begins a comment."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _own(name: str) -> str:
    with open(os.path.join(_FOLDER, name), encoding="utf-8") as file:
        return file.read()


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()

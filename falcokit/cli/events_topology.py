"""``falcokit events topology``."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from falcokit.cli.events_common import (
    Files,
    Image,
    Last,
    Namespace,
    Priority,
    Rule,
    Since,
    Store,
    Until,
    Where,
    chosen,
    opened,
)
from falcokit.cli.options import Colour, fail, say, write

if TYPE_CHECKING:
    from falcokit.overview.topology import Topology

__all__ = ["topology"]


class Drawing(StrEnum):
    """What the topology is written as."""

    text = "text"
    dot = "dot"
    mermaid = "mermaid"
    json = "json"
    html = "html"


_LIMITS = {Drawing.text: 200, Drawing.mermaid: 100}
"""How many nodes are readable, or drawn at all; 2,000 elsewhere."""


def topology(
    files: Files = None,
    store: Store = None,
    since: Since = "",
    until: Until = "",
    last: Last = "",
    rule: Rule = None,
    priority: Priority = "",
    image: Image = None,
    namespace: Namespace = None,
    where: Where = "",
    format: Annotated[Drawing, typer.Option(help="A tree, Graphviz, Mermaid, data, or a page to move in.")] = Drawing.text,
    output: Annotated[Optional[str], typer.Option("--output", "-o", metavar="FILE", help="Write it to this file.")] = None,
    limit: Annotated[
        Optional[int],
        typer.Option(
            metavar="N", min=10, max=10_000,
            help="Draw at most N nodes; by default 200 as text, 100 as Mermaid, else 2000.",
        ),
    ] = None,
    color: Annotated[Colour, typer.Option(help="Whether to print in colours.")] = Colour.auto,
) -> None:  # fmt: skip
    """Draw hosts, services, containers, what they are connected with, and the events on all of it.

    Containers are put below their Kubernetes deployment, else their image, else their namespace.  Connections are those that
    the events show (fd.name, fd.cip, fd.sip, fd.sport), from client to server; an address that one container alone has as its own stands for
    that container.  Of each parent, those that make the least noise are drawn as one, so that the whole stays
    readable.  The page needs no network: drag to move, turn the wheel to zoom, Enter to open a node.

    Exit codes: 0 it was drawn, 2 wrong usage or no history.

    Example: falcokit events topology --last 6h --format html -o topology.html
    """
    from falcokit.cli.screen import is_coloured, screen_width
    from falcokit.history.edges import boxes_and_links
    from falcokit.overview.topology import topology as graph_of

    if format is Drawing.html and output is None and sys.stdout.isatty():
        fail("a page is no text for a terminal: name a file with -o")
    with opened(files, store) as history:
        meant = chosen(
            history, files, since=since, until=until, last=last, rule=rule, priority=priority, image=image,
            namespace=namespace, where=where,
        )  # fmt: skip
        boxes, links, others = boxes_and_links(history, meant)
        graph = graph_of(boxes, links, others, limit or _LIMITS.get(format, 2000))
    if not graph.events:
        say("there are no such events")
    text = _drawn(graph, format, is_coloured(color) and (output is None or color is Colour.always), screen_width())
    if output is None:
        write(text)
        return
    from falcokit.cli.below import or_fail
    from falcokit.workspace.write import write_whole

    or_fail(lambda: write_whole(output, text))
    say(f"written: {output}")


def _drawn(graph: Topology, format: Drawing, colour: bool, width: int) -> str:
    """The graph as *format*."""
    if format is Drawing.html:
        from falcokit.report.topology_page import to_page

        return to_page(graph)
    if format is Drawing.json:
        import json

        from falcokit.report.topology import to_json

        return json.dumps(to_json(graph), ensure_ascii=True, indent=2) + "\n"
    from falcokit.report.topology import to_dot, to_mermaid, to_text

    if format is Drawing.text:
        return to_text(graph, colour=colour, width=width)
    return to_dot(graph) if format is Drawing.dot else to_mermaid(graph)

"""Hosts, containers and services, what they are connected with, and the events on all of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from falcokit.overview.ends import Ends, Place, address_of, kind_of, networks_of, own_ends, owners
from falcokit.record import Record

__all__ = ["Box", "Edge", "Link", "Node", "Topology", "topology"]

_Path = tuple[tuple[str, ...], ...]
"""The way to a node from the top: what tells each from those beside it."""
_NETWORK: Final[_Path] = (("network",),)
_MORE: Final = ("more",)


class Box(NamedTuple):
    """The events of one container, or of a host itself (``box`` is None).

    ``box`` tells the containers of a host apart, ``id`` are at most 12 characters of its identifier; what is not known is None.
    ``merged`` is 0, or how many containers these are together: those of a service, or of anything (``spread``).
    """

    host: str | None
    box: str | None
    id: str | None
    container: str | None
    image: str | None
    cluster: str | None
    namespace: str | None
    deployment: str | None
    pod: str | None
    events: int
    rank: int | None
    merged: int = 0
    spread: bool = False


class Link(NamedTuple):
    """The events about one connection of a `Box` (``box`` is empty for all that make too little noise): the ends, the port of the server.

    With neither end these are several, whose ends are not told.
    """

    host: str | None
    box: str | None
    proto: str | None
    client: str | None
    server: str | None
    port: int | None
    events: int
    rank: int | None


class Node(Record):
    """A ``host``, ``service``, ``container``, the ``network``, an ``address``, or ``more``: ``merged`` ones that make less noise.

    Of ``more``, the name is the kind of what it stands for.  ``events`` are those in it and below it, ``rank`` the most urgent priority of them (0 Emergency to 7 Debug, None without).
    ``name`` is empty where it is not told; ``details`` are more names of it, with what they are.
    """

    __slots__ = ("details", "events", "id", "kind", "merged", "name", "parent", "rank")

    def __init__(
        self, id: str, kind: str, name: str, parent: str, events: int, rank: int | None,
        details: tuple[tuple[str, str], ...] = (), merged: int = 0,
    ) -> None:  # fmt: skip
        self.id: Final = id
        self.kind: Final = kind
        self.name: Final = name
        self.parent: Final = parent
        self.events: Final = events
        self.rank: Final = rank
        self.details: Final = details
        self.merged: Final = merged


class Edge(Record):
    """Events that show a connection from the node ``client`` to the node ``server``; of one node with itself where they are the same."""

    __slots__ = ("client", "events", "port", "proto", "rank", "server")

    def __init__(self, client: str, server: str, proto: str, port: int | None, events: int, rank: int | None) -> None:
        self.client: Final = client
        self.server: Final = server
        self.proto: Final = proto
        self.port: Final = port
        self.events: Final = events
        self.rank: Final = rank


class Topology(Record):
    """Nodes, each behind its parent and before those that make less noise, and edges, most events first.

    ``events`` are all, and ``kinds`` how many hosts, services, containers and addresses there are, drawn or not; of containers that
    come merged and spread, the hosts and services are not known.
    """

    __slots__ = ("edges", "events", "kinds", "nodes")

    def __init__(self, nodes: tuple[Node, ...], edges: tuple[Edge, ...], events: int, kinds: Mapping[str, int]) -> None:
        self.nodes: Final = nodes
        self.edges: Final = edges
        self.events: Final = events
        self.kinds: Final = kinds


class _Drawn:
    """A node that is being counted."""

    __slots__ = ("details", "events", "merged", "rank")

    def __init__(self) -> None:
        self.events = 0
        self.rank: int | None = None
        self.merged = 0
        self.details: dict[str, str] = {}

    def add(self, events: int, rank: int | None, merged: int = 0) -> None:
        self.events += events
        self.rank = _urgent(self.rank, rank)
        self.merged += merged


def topology(boxes: Iterable[Box], links: Iterable[Link], others: int = 0, limit: int = 2000) -> Topology:
    """The graph of *boxes* and *links*, of at most *limit* nodes: of each parent, those that make the least noise become one.

    *others* are the addresses of links that do not tell their ends.
    """
    boxes = list(boxes)
    drawn: defaultdict[_Path, _Drawn] = defaultdict(_Drawn)
    paths: dict[Place, _Path] = {}
    for box in boxes:
        path = _path(box)
        if path[-1] != _MORE:
            paths[box.host, box.box] = path
        for end in range(1, len(path) + 1):
            drawn[path[:end]].add(box.events, box.rank, box.merged if path[end - 1] == _MORE else 0)
        drawn[path].details |= _details(box)
    counted = _connect(list(links), boxes, paths, drawn)
    if others:
        drawn[_NETWORK].add(0, None)
        drawn[*_NETWORK, _MORE].add(0, None, others)
    kinds = dict.fromkeys(("host", "service", "container", "address"), 0)
    for path, one in drawn.items():
        kind = path[-1][0]
        if path == (("host", ""),):
            continue  # Which hosts these are is not told.
        if kind in kinds:
            kinds[kind] += 1
        elif kind == "more":
            kinds["address" if path[:1] == _NETWORK else "container"] += one.merged
    kept = _kept(drawn, limit)
    return _numbered(drawn, kept, counted, sum(box.events for box in boxes), kinds)


def _path(box: Box) -> _Path:
    """The way to the node that the events of *box* are in."""
    if box.spread:
        return (_MORE,)
    host = ("host", box.host or "")
    if box.box is None and not box.merged:
        return (host,)
    path: _Path = (host,)
    if (service := _service(box)) is not None:
        path = (*path, service)
    if box.merged:
        return (*path, _MORE)
    own = box.container or box.pod or box.id
    return (*path, ("container", own, box.box or "")) if own else path


def _service(box: Box) -> tuple[str, ...] | None:
    """What the containers of *box* are a part of."""
    place = (box.namespace or "", box.cluster or "")
    if box.deployment:
        return (
            "service",
            f"{box.namespace}/{box.deployment}" if box.namespace else box.deployment,
            "deployment",
            *place,
        )
    if box.image:
        return ("service", box.image, "image", *place)
    return ("service", box.namespace, "namespace", *place) if box.namespace else None


def _details(box: Box) -> dict[str, str]:
    """More names of the last node on the way to *box*."""
    if box.merged:
        return {}
    known = {"cluster": box.cluster, "namespace": box.namespace}
    if box.box is None:
        return {"cluster": box.cluster} if box.cluster else {}
    if box.container or box.pod or box.id:
        known |= {"deployment": box.deployment, "pod": box.pod, "image": box.image, "id": box.id}
    return {name: value for name, value in known.items() if value}


def _connect(
    links: Sequence[Link], boxes: Sequence[Box], paths: Mapping[Place, _Path], drawn: defaultdict[_Path, _Drawn]
) -> dict[tuple[_Path, _Path, str, int | None], _Drawn]:
    """The connections between nodes, most of them with addresses, which are put among *drawn*."""
    clustered = {(box.host, box.box): box.cluster or "" for box in boxes if box.namespace or box.deployment or box.pod}
    seen = [Ends((link.host, link.box), address_of(link.client or ""), address_of(link.server or "")) for link in links]
    firsts = own_ends(seen)
    own = [
        (place, mine)
        for (place, client, server), first in zip(seen, firsts, strict=True)
        if (mine := client if first else server) and kind_of(mine) != "loopback"
    ]
    whose = owners(own, clustered)
    counted: defaultdict[tuple[_Path, _Path, str, int | None], _Drawn] = defaultdict(_Drawn)
    for link, (place, client, server), first in zip(links, seen, firsts, strict=True):
        here = paths.get(place) or _nearest(place, drawn)
        drawn[here].add(0, None)
        there, is_address = here, False
        other = server if first else client
        if not (client or server):
            there, is_address = (*_NETWORK, _MORE), True
        elif other and kind_of(other) != "loopback":
            found = [whose[one, other] for one in networks_of(place, clustered) if (one, other) in whose]
            there = paths.get(found[0], _NETWORK) if found else _NETWORK
            if is_address := there == _NETWORK:
                there = (*_NETWORK, ("address", other))
        if is_address:
            drawn[_NETWORK].add(link.events, link.rank)
            drawn[there].add(link.events, link.rank)
            if kind := kind_of(other):
                drawn[there].details = {"network": kind}
        ends = (here, there) if first else (there, here)
        counted[(*ends, (link.proto or "").lower()[:20], link.port)].add(link.events, link.rank)
    return counted


def _nearest(place: Place, drawn: Mapping[_Path, _Drawn]) -> _Path:
    """The node for a container that makes too little noise to be known."""
    host: _Path = (("host", place[0] or ""),)
    return host if host in drawn and place[1] != "" else (_MORE,)


def _kept(drawn: Mapping[_Path, _Drawn], limit: int) -> set[_Path]:
    """The nodes that are drawn: those with the noisiest containers and addresses.  A parent costs two: it may need one more below it."""
    children: defaultdict[_Path, list[_Path]] = defaultdict(list)
    for path in drawn:
        children[path[:-1]].append(path)
    noise: dict[_Path, int] = {}
    for path in sorted(drawn, key=len, reverse=True):
        inside = children.get(path, ())
        own = drawn[path].events - sum(drawn[one].events for one in inside)
        noise[path] = max([own, *[noise[one] for one in inside]])
    order = sorted((path for path in drawn if path[-1] != _MORE), key=lambda path: (-noise[path], path))
    kept: set[_Path] = {_NETWORK} & drawn.keys()
    left = limit - 1 - 2 * len(kept)
    for path in order:
        cost = 2 if path in children else 1
        if path in kept or (path[:-1] and path[:-1] not in kept):
            continue
        if cost > left:
            break
        kept.add(path)
        left -= cost
    for parent, inside in children.items():
        # One that stands for one alone takes the same room.
        rest = [path for path in inside if path not in kept]
        if len(rest) == 1 and rest[0][-1] != _MORE and rest[0] not in children and (not parent or parent in kept):
            kept.add(rest[0])
    return kept


def _numbered(
    drawn: Mapping[_Path, _Drawn],
    kept: set[_Path],
    counted: Mapping[tuple[_Path, _Path, str, int | None], _Drawn],
    events: int,
    kinds: Mapping[str, int],
) -> Topology:
    """The graph of what is *kept*, all else folded."""
    shown: defaultdict[_Path, _Drawn] = defaultdict(_Drawn)
    for path, one in drawn.items():
        at = _visible(path, kept)
        if at == path and path in kept:
            shown[path] = one
        elif len(at) == len(path):  # What is below a node that is folded is counted in it.
            shown[at].add(one.events, one.rank, one.merged if path[-1] == _MORE else 1)
    children: defaultdict[_Path, list[_Path]] = defaultdict(list)
    for path in shown:
        children[path[:-1]].append(path)
    ids: dict[_Path, str] = {}
    nodes: list[Node] = []

    def order(path: _Path) -> tuple[bool, bool, int, _Path]:
        return path == _NETWORK, path[-1] == _MORE, -shown[path].events, path

    waiting = sorted(children[()], key=order, reverse=True)
    while waiting:
        path = waiting.pop()
        one = shown[path]
        ids[path] = f"n{len(ids) + 1}"
        kind, name, *_ = *path[-1], ""
        if kind == "more":
            name = _below(path, drawn)
        details = _service_details(path[-1]) if kind == "service" else one.details
        nodes.append(
            Node(
                ids[path], kind, name, ids.get(path[:-1], ""), one.events, one.rank, tuple(details.items()), one.merged
            )
        )
        waiting += sorted(children[path], key=order, reverse=True)
    return Topology(tuple(nodes), _edges(counted, kept, ids), events, kinds)


def _edges(
    counted: Mapping[tuple[_Path, _Path, str, int | None], _Drawn], kept: set[_Path], ids: Mapping[_Path, str]
) -> tuple[Edge, ...]:
    """The connections between the nodes that are shown."""
    edges: defaultdict[tuple[str, str, int | None], defaultdict[str, _Drawn]] = defaultdict(lambda: defaultdict(_Drawn))
    for (client, server, proto, port), one in counted.items():
        ends = ids[_visible(client, kept)], ids[_visible(server, kept)]
        if ends[0] != ends[1] or client == server:
            edges[(*ends, port)][proto].add(one.events, one.rank)
    for protos in edges.values():
        if "" in protos and len(protos) == 2:  # Not every rule prints the protocol.
            untold = protos.pop("")
            next(iter(protos.values())).add(untold.events, untold.rank)
    found = [
        Edge(client, server, proto, port, one.events, one.rank)
        for (client, server, port), protos in edges.items()
        for proto, one in protos.items()
    ]
    found.sort(key=lambda edge: (-edge.events, int(edge.client[1:]), int(edge.server[1:]), edge.proto, edge.port or 0))
    return tuple(found)


def _below(path: _Path, drawn: Mapping[_Path, _Drawn]) -> str:
    """The kind of all that stands at *path* together, if it is one."""
    if len(path) == 1:
        return "" if path in drawn else "host"  # Containers of any host come merged.
    return {"service": "container", "network": "address"}.get(path[-2][0], "")


def _service_details(part: tuple[str, ...]) -> dict[str, str]:
    """What a service was named by, and where it is."""
    _, _, by, namespace, cluster = part
    known = {"named by": by, "namespace": namespace, "cluster": cluster}
    return {name: value for name, value in known.items() if value}


def _visible(path: _Path, kept: set[_Path]) -> _Path:
    """The node that stands for the one at *path*."""
    for end in range(len(path)):
        if path[: end + 1] not in kept:
            return (*path[:end], _MORE)
    return path


def _urgent(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)

"""The graph of hosts, containers and connections, from events as users have them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.event import Event, read_events
from falcokit.history.edges import boxes_and_links
from falcokit.history.query import Filter
from falcokit.history.store import in_memory
from falcokit.overview.topology import Box, Link, Node, Topology, topology
from falcokit.validation import holds_for


def alert(number: int, host: str, container: str | None = None, connection: str | None = None, **more: Any) -> dict[str, Any]:  # fmt: skip
    fields = {"container.id": f"{container}-0000000000"[:12] if container else "host", "container.name": container or "host"}  # fmt: skip
    fields |= {"container.image.repository": "img"} if container else {}
    fields |= {"fd.name": connection} if connection else {}
    priority = more.pop("priority", "Warning")
    return {
        "time": f"2026-11-27T10:00:00.{number + 1:09}Z", "rule": "R", "priority": priority, "output": f"o {number}", "source": "syscall",
        "hostname": host, "output_fields": fields | {key.replace("_", "."): value for key, value in more.items()},
    }  # fmt: skip


def drawn(*alerts: dict[str, Any], limit: int = 2000, most: int = 5000, chosen: Filter | None = None) -> Topology:
    text = "\n".join(json.dumps(one) for one in alerts).encode()
    events = [one for one in read_events(iter([text])) if isinstance(one, Event)]
    assert len(events) == len(alerts)
    with in_memory([events]) as history:
        boxes, links, others = boxes_and_links(history, chosen or Filter(), most)
    return topology(boxes, links, others, limit)


def by_id(graph: Topology) -> dict[str, Node]:
    return {node.id: node for node in graph.nodes}


def way(graph: Topology, node: Node) -> str:
    above = f"{way(graph, by_id(graph)[node.parent])} > " if node.parent else ""
    return above + (node.name if node.kind != "more" else f"{node.merged} more")


def connections(graph: Topology) -> set[tuple[str, str, str, int | None, int]]:
    known = by_id(graph)
    return {(known[edge.client].name, known[edge.server].name, edge.proto, edge.port, edge.events) for edge in graph.edges}  # fmt: skip


def test_containers_are_below_their_service_and_their_host() -> None:
    graph = drawn(
        alert(1, "a", "web", k8s_ns_name="shop", k8s_deployment_name="front", k8s_pod_name="front-1", priority="Critical"),
        alert(2, "a", "web", k8s_ns_name="shop", k8s_deployment_name="front", k8s_pod_name="front-1"),
        alert(3, "a", "db"),
        alert(4, "a", priority="Error"),
        alert(5, "b", "db", priority="Debug"),
    )  # fmt: skip
    assert [(way(graph, node), node.kind, node.events, node.rank) for node in graph.nodes] == [
        ("a", "host", 4, 2),
        ("a > shop/front", "service", 2, 2),
        ("a > shop/front > web", "container", 2, 2),
        ("a > img", "service", 1, 4),
        ("a > img > db", "container", 1, 4),
        ("b", "host", 1, 7),
        ("b > img", "service", 1, 7),
        ("b > img > db", "container", 1, 7),
    ]
    assert graph.events == 5
    assert graph.kinds == {"host": 2, "service": 3, "container": 3, "address": 0}


def test_an_event_that_lacks_the_image_is_of_the_same_container() -> None:
    first, second = alert(1, "a", "web"), alert(2, "a", "web")
    del second["output_fields"]["container.image.repository"]
    assert [(node.kind, node.events) for node in drawn(first, second).nodes] == [("host", 2), ("service", 2), ("container", 2)]  # fmt: skip


def test_audit_events_are_in_their_namespace() -> None:
    fields = {"ka.target.namespace": "shop", "ka.verb": "get"}
    one = alert(1, "") | {"output_fields": fields, "source": "k8s_audit"}
    assert [(node.kind, node.name) for node in drawn(one).nodes] == [("host", ""), ("service", "shop")]


def test_the_ends_of_a_connection() -> None:
    graph = drawn(
        alert(1, "a", "web", "10.0.0.1:40000->8.8.8.8:53", fd_l4proto="udp"),
        alert(2, "a", "web", "10.0.0.1:40001->8.8.8.8:53", fd_l4proto="udp"),
        alert(3, "a", "web", "1.1.1.1:55555->10.0.0.1:8080"),
        alert(4, "a", "web", "::ffff:10.0.0.1:8000->::ffff:9.9.9.9:443"),
        alert(5, "a", "web", "127.0.0.1:5->127.0.0.1:6379"),
        alert(6, "a", "web", "0.0.0.0:8080"),
        alert(7, "a", "web", "/etc/a:1->b:2"),
        alert(8, "a", "web", "pipe:[123]"),
        alert(9, "a", "web", fd_sip="10.0.0.9", fd_sport=3306, fd_l4proto="tcp"),
        alert(10, "a", "web", fd_cip="10.0.0.1", fd_sip="2001:db8::1", fd_sport="443"),
        alert(11, "a", "web", "2001:db8:1::1:40000->2001:4860::8:443"),
    )
    assert connections(graph) == {
        ("web", "8.8.8.8", "udp", 53, 2),
        ("1.1.1.1", "web", "", 8080, 1),
        ("web", "9.9.9.9", "", 443, 1),
        ("web", "web", "", 6379, 1),
        ("web", "web", "", 8080, 1),
        ("web", "10.0.0.9", "tcp", 3306, 1),
        ("web", "2001:db8::1", "", 443, 1),
        ("web", "2001:4860::8", "", 443, 1),
    }
    networks = {node.name: dict(node.details)["network"] for node in graph.nodes if node.kind == "address"}
    assert networks["8.8.8.8"] == "internet"
    assert networks["10.0.0.9"] == "private"


def test_an_address_that_one_container_has_stands_for_it() -> None:
    pods = [{"k8s_ns_name": "shop", "k8s_pod_name": name} for name in ("web-1", "web-2", "db-1")]
    alerts = [
        alert(1, "a", "web", "10.1.0.5:40000->10.1.0.9:5432", **pods[0]),
        alert(2, "a", "web", "10.1.0.5:40001->8.8.8.8:53", **pods[0]),
        alert(3, "b", "web2", "10.1.0.6:40000->10.1.0.9:5432", **pods[1]),
        alert(4, "c", "db", "10.1.0.5:40000->10.1.0.9:5432", **pods[2]),
        alert(5, "c", "db", "10.1.0.6:40000->10.1.0.9:5432", **pods[2]),
    ]
    graph = drawn(*alerts)
    assert connections(graph) == {("web", "db", "", 5432, 2), ("web", "8.8.8.8", "", 53, 1), ("web2", "db", "", 5432, 2)}  # fmt: skip
    # Without Kubernetes, addresses of other hosts may be others' as well.
    plain = [alert(n, host, name, end) for n, (host, name, end) in enumerate(
        (one["hostname"], one["output_fields"]["container.name"], one["output_fields"]["fd.name"]) for one in alerts
    )]  # fmt: skip
    assert ("web", "10.1.0.9", "", 5432, 1) in connections(drawn(*plain))


def test_a_protocol_that_some_rules_print_is_that_of_the_others() -> None:
    graph = drawn(
        alert(1, "a", "web", "10.0.0.1:4->10.0.0.2:53", fd_l4proto="udp"),
        alert(2, "a", "web", "10.0.0.1:5->10.0.0.2:53"),
        alert(3, "a", "web", "10.0.0.1:5->10.0.0.3:53"),
    )
    assert connections(graph) == {("web", "10.0.0.2", "udp", 53, 2), ("web", "10.0.0.3", "", 53, 1)}


def test_the_filter_counts() -> None:
    alerts = [alert(1, "a", "web"), alert(2, "a", "db", priority="Error")]
    graph = drawn(*alerts, chosen=Filter(rank=3))
    assert [(node.kind, node.name) for node in graph.nodes][-1] == ("container", "db")
    graph = drawn(*alerts, chosen=Filter(where=holds_for("container.name=web")))
    assert (graph.events, graph.nodes[-1].name) == (1, "web")


def test_the_least_noisy_are_put_together() -> None:
    alerts = [alert(100 * n + m, "a", f"c{n:02}") for n in range(30) for m in range(n + 1)]
    alerts += [alert(9000 + n, "a", "c29", f"10.0.0.1:4->10.9.0.{n}:80") for n in range(1, 41)]
    graph = drawn(*alerts, limit=20)
    assert len(graph.nodes) <= 20
    assert graph.kinds == {"host": 1, "service": 1, "container": 30, "address": 40}
    known = {(node.kind, way(graph, node)): node for node in graph.nodes}
    containers = [node for node in graph.nodes if node.kind == "container"]
    assert [node.name for node in containers] == [f"c{29 - n:02}" for n in range(len(containers))]
    rest = known["more", f"a > img > {30 - len(containers)} more"]
    assert rest.events == 465 + 40 - sum(node.events for node in containers)
    assert sum(edge.events for edge in graph.edges) == 40


def test_what_the_database_puts_together_is_still_counted() -> None:
    alerts = [alert(n, f"h{n % 3}", f"c{n}", f"10.0.0.{n}:4->10.9.0.{n % 50}:80") for n in range(1, 200)]
    full, bounded = drawn(*alerts), drawn(*alerts, most=5)
    assert bounded.kinds == full.kinds
    assert bounded.events == full.events == 199
    assert sum(edge.events for edge in bounded.edges) == 199
    hosts = [{node.name: node.events for node in graph.nodes if node.kind == "host"} for graph in (full, bounded)]
    assert hosts[0] == hosts[1]
    spread = drawn(*[alert(n, f"h{n}", f"c{n}", "10.0.0.1:4->10.9.0.9:80") for n in range(40)], most=3)
    assert spread.events == 40
    assert [(way(spread, node), node.events) for node in spread.nodes if node.kind == "more" and not node.parent] == [
        ("34 more", 34)  # Three by name, three by service.
    ]


names = st.one_of(st.none(), st.sampled_from(["", "a", "b", "<x>", "\x1b[1m", "10.0.0.1"]))
counts = st.integers(1, 10**6)
ranks = st.one_of(st.none(), st.integers(0, 7))
ends = st.one_of(names, st.sampled_from(["10.0.0.1", "10.0.0.2", "8.8.8.8", "127.0.0.1", "::1", "0.0.0.0", "1.2.3.4", "<NA>"]))  # fmt: skip
boxes_of = st.builds(Box, names, names, names, names, names, names, names, names, names, counts, ranks, st.integers(0, 5), st.booleans())  # fmt: skip
links_of = st.builds(Link, names, names, st.sampled_from([None, "tcp", "UDP"]), ends, ends, st.one_of(st.none(), st.integers(1, 65535)), counts, ranks)  # fmt: skip


@given(
    st.lists(boxes_of, max_size=30, unique_by=lambda box: (box.host, box.box)),
    st.lists(links_of, max_size=30),
    st.integers(0, 9),
    st.integers(10, 60),
)
@settings(max_examples=200, deadline=None)
def test_any_rows_make_a_graph_that_adds_up(boxes: list[Box], links: list[Link], others: int, limit: int) -> None:
    graph = topology(boxes, links, others, limit)
    known = by_id(graph)
    assert len(known) == len(graph.nodes) <= limit
    assert graph.events == sum(box.events for box in boxes)
    places = {key: place for place, key in enumerate(known)}
    below: Counter[str] = Counter()
    for node in graph.nodes:
        assert not node.parent or places[node.parent] < places[node.id]
        below[node.parent] += node.events
        if node.parent:
            above = known[node.parent].rank
            assert node.rank is None or (above is not None and above <= node.rank)
    assert all(below[node.id] <= node.events for node in graph.nodes)
    top = sum(node.events for node in graph.nodes if not node.parent and node.kind != "network")
    assert top == graph.events
    assert all(edge.client in known and edge.server in known for edge in graph.edges)
    assert sum(edge.events for edge in graph.edges) <= sum(link.events for link in links)
    assert topology(boxes[::-1], links[::-1], others, limit).kinds == graph.kinds


seen = st.tuples(st.sampled_from("abc"), st.sampled_from([None, "web", "db", "x"]), st.sampled_from([None, "8.8.8.8", "9.9.9.9", "1.1.1.1"]))  # fmt: skip


@given(st.lists(seen, min_size=1, max_size=60), st.sampled_from([2, 5000]))
@settings(max_examples=40, deadline=None)
def test_counts_are_those_of_counting_by_hand(events: list[tuple[str, str | None, str | None]], most: int) -> None:
    own = {name: f"10.0.0.{number}" for number, name in enumerate((None, "web", "db", "x"), 1)}
    graph = drawn(
        *[alert(n, host, name, other and f"{own[name]}:{n + 1}->{other}:443") for n, (host, name, other) in enumerate(events)],
        most=most,
    )  # fmt: skip
    hosts = {node.name: node.events for node in graph.nodes if node.kind == "host"}
    if not any(node.kind == "more" and not node.parent for node in graph.nodes):
        assert hosts == Counter(host for host, _, _ in events)
    assert graph.events == len(events)
    assert sum(edge.events for edge in graph.edges) == len([other for _, _, other in events if other])
    assert graph.kinds["address"] == len({other for _, _, other in events if other})
    assert graph.kinds["container"] == len({(host, name) for host, name, _ in events if name})
    if most > len(events):
        addresses = {node.name: node.events for node in graph.nodes if node.kind == "address"}
        assert addresses == Counter(other for _, _, other in events if other)
        containers = Counter({way(graph, node): node.events for node in graph.nodes if node.kind == "container"})
        assert containers == Counter(f"{host} > img > {name}" for host, name, _ in events if name)

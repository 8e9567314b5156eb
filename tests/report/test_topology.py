"""The topology as text, for Graphviz and Mermaid, as data, and what hostile names become in each."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.overview.topology import Box, Link, Topology, topology
from falcokit.report.topology import to_dot, to_json, to_mermaid, to_text
from falcokit.report.topology_page import to_page

BOXES = [
    Box("web-1", "aaa", "aaa", "web", "nginx", None, "shop", "front", "front-7c9", 1200, 2),
    Box("web-1", None, "host", "host", None, None, None, None, None, 7, 6),
    Box("db-1", "bbb", "bbb", "db", "postgres", None, "shop", None, "db-0", 31, 4),
]
LINKS = [
    Link("web-1", "aaa", "tcp", "10.1.0.5", "10.1.0.9", 5432, 20, 4),
    Link("web-1", "aaa", "udp", "10.1.0.5", "8.8.8.8", 53, 3, 2),
    Link("web-1", "aaa", "tcp", "10.1.0.5", "8.8.8.8", 53, 1, 5),
    Link("db-1", "bbb", None, "10.1.0.5", "10.1.0.9", 5432, 9, 5),
    Link("db-1", "bbb", None, "10.1.0.6", "10.1.0.9", 5432, 2, 5),
    Link("db-1", "bbb", None, "127.0.0.1", "127.0.0.1", 5432, 2, None),
]
HOSTILE = '<script>alert(1)</script>"\'`|]}) --> \\N \\" &amp; #34; \x1b[31m\u202e%% end;{{7*7}}'
SHOWN = '<script>alert(1)</script>"\'`|]}) --> \\N \\" &amp; #34; �[31m�%% end;{{7*7}}'


def hostile() -> Topology:
    boxes = [
        Box(HOSTILE, "c", "c", HOSTILE, HOSTILE, None, HOSTILE, None, None, 5, 3),
        Box("short", "c", "c", HOSTILE[:30], None, None, None, None, None, 5, 3),
    ]
    return topology(boxes, [Link(HOSTILE, "c", HOSTILE, HOSTILE, "10.0.0.1", 80, 4, 3)])


def test_text() -> None:
    assert (
        to_text(topology(BOXES, LINKS))
        == """\
1,238 events on 2 hosts, 2 services, 2 containers, 2 addresses

web-1  1,207, Critical
└─ shop/front  1,200, Critical
   └─ web (front-7c9)  1,200, Critical
      ├─ → db (db-0) tcp 5432  29, Warning
      └─ → 8.8.8.8 udp 53, tcp 53  4, Critical

db-1  31, Warning
└─ postgres (shop)  31, Warning
   └─ db (db-0)  31, Warning
      └─ → itself port 5432  2

network  6, Critical
├─ 8.8.8.8  4, Critical, internet
└─ 10.1.0.6  2, Notice, private
   └─ → db (db-0) port 5432  2, Notice
"""
    )


def test_text_of_nothing() -> None:
    assert to_text(topology([], [])) == "0 events\n"


def test_text_of_what_is_put_together() -> None:
    merged = Box("db-1", None, None, None, "redis", None, None, None, None, 6, 5, 3)
    spread = Box(None, None, None, None, None, None, None, None, None, 4, 6, 1, True)
    links = [*LINKS[3:4], Link("db-1", "bbb", None, None, None, None, 8, 5)]
    assert (
        to_text(topology([*BOXES[2:], merged, spread], links))
        == """\
41 events on 1 host, 2 services, 5 containers, 1 address

db-1  37, Warning
├─ postgres (shop)  31, Warning
│  └─ db (db-0)  31, Warning
│     ├─ → 10.1.0.9 port 5432  9, Notice
│     └─ → other connections  8, Notice
└─ redis  6, Notice
   └─ 3 more containers  6, Notice

1 more  4, Informational

network  17, Notice
├─ 10.1.0.9  9, Notice, private
└─ other connections  8, Notice
"""
    )
    assert "2 more addresses" in to_text(topology(BOXES[2:], links, 2))


def test_text_in_colours_and_columns() -> None:
    coloured = to_text(topology(BOXES, LINKS), colour=True)
    assert "web-1  \x1b[31m1,207, Critical\x1b[0m\n" in coloured
    assert re.sub(r"\x1b\[\d*m", "", coloured) == to_text(topology(BOXES, LINKS))
    long = topology([Box("h" * 300, "c", "c", "名" * 90, None, None, None, None, None, 5, 3)], [])
    rows = to_text(long).splitlines()
    assert max(map(len, rows)) == 80
    assert rows[2].startswith("hhh")
    assert rows[2].endswith("hhh  5, Error")
    assert "…" in rows[3]
    assert rows[3].count("名") < 40  # Each takes two columns.


def test_dot() -> None:
    assert (
        to_dot(topology(BOXES[1:], LINKS[3:5]))
        == """\
digraph topology {
  label="38 events on 2 hosts, 1 service, 1 container, 2 addresses"; labelloc=t; rankdir=LR; compound=true; fontname=sans;
  node [shape=box, style="rounded,filled", fontname=sans]; edge [fontname=sans, fontsize=10];
  subgraph cluster_n1 {
    label="db-1\\n31, Warning"; style=rounded;
    subgraph cluster_n2 {
      label="postgres (shop)\\n31, Warning"; style=rounded;
      n3 [label="db (db-0)\\n31, Warning", shape=box, fillcolor="#f8cf9f"];
    }
  }
  n4 [label="web-1\\n7, Informational", shape=box, fillcolor="#f6eca0"];
  subgraph cluster_n5 {
    label="network\\n11, Notice"; style=rounded;
    n6 [label="10.1.0.5\\n9, Notice", shape=ellipse, fillcolor="#f8cf9f"];
    n7 [label="10.1.0.6\\n2, Notice", shape=ellipse, fillcolor="#f8cf9f"];
  }
  n6 -> n3 [label="port 5432\\n9", penwidth=1];
  n7 -> n3 [label="port 5432\\n2", penwidth=1];
}
"""
    )


def test_mermaid() -> None:
    assert (
        to_mermaid(topology(BOXES[1:], LINKS[3:5]))
        == """\
flowchart LR
  subgraph gn1["db-1: 31, Warning"]
    subgraph gn2["postgres (shop): 31, Warning"]
      n3["db (db-0)<br/>31, Warning"]
    end
  end
  n4["web-1<br/>7, Informational"]
  subgraph gn5["network: 11, Notice"]
    n6(["10.1.0.5<br/>9, Notice"])
    n7(["10.1.0.6<br/>2, Notice"])
  end
  n6 -->|"port 5432: 9"| n3
  n7 -->|"port 5432: 2"| n3
  classDef medium fill:#f8cf9f,stroke:#555,color:#111
  class n3,n6,n7 medium
  classDef low fill:#f6eca0,stroke:#555,color:#111
  class n4 low
"""
    )


def test_mermaid_draws_no_more_connections_than_it_can() -> None:
    links = [Link("web-1", "aaa", "tcp", "10.1.0.5", f"10.2.{n // 200}.{n % 200}", 80, 1000 - n, 4) for n in range(500)]
    text = to_mermaid(topology(BOXES, links))
    assert text.count("-->") == 400
    assert text.endswith("  %% 100 connections with fewer events are not drawn\n")


def test_data() -> None:
    data = to_json(topology(BOXES, LINKS))
    assert data["events"] == 1238
    assert data["counts"] == {"hosts": 2, "services": 2, "containers": 2, "addresses": 2}
    assert data["nodes"][2] == {
        "id": "n3", "kind": "container", "name": "web", "parent": "n2", "events": 1200, "priority": "Critical", "level": "high", "merged": 0,
        "details": {"namespace": "shop", "deployment": "front", "pod": "front-7c9", "image": "nginx", "id": "aaa"},
    }  # fmt: skip
    assert data["edges"][1] == {
        "client": "n3", "server": "n8", "protocol": "udp", "port": 53, "events": 3, "priority": "Critical", "level": "high",
    }  # fmt: skip
    assert sum(node["events"] for node in data["nodes"] if node["parent"] is None and node["kind"] == "host") == 1238


def test_hostile_names_in_text() -> None:
    text = to_text(hostile(), width=200)
    assert f"{SHOWN}  5, Error" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


@pytest.fixture(scope="module")
def graphviz() -> str:
    found = shutil.which("dot") or shutil.which("graphviz-pure", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")  # fmt: skip
    if found is None:
        pytest.skip("needs Graphviz: the package graphviz-pure")
    return found


def test_graphviz_shows_hostile_names_as_they_are(graphviz: str) -> None:
    done = subprocess.run([graphviz, "-Tsvg"], input=to_dot(hostile()), capture_output=True, text=True, check=True)
    shown = {html.unescape(one).replace("\xa0", " ") for one in re.findall(r"<text[^>]*>(.*?)</text>", done.stdout)}
    assert {f"{SHOWN[:30]} (c)", "5, Error", "short", "network", "10.0.0.1"} <= shown
    cut = next(one for one in shown if one.startswith("<script>") and "…" in one)
    assert SHOWN.startswith(cut.partition("…")[0])
    assert "<script" not in done.stdout


def test_mermaid_has_no_markup_of_others() -> None:
    """Labels are in quotes, and nothing in them is other than letters, plain punctuation, entities by number and our own break."""
    rows = to_mermaid(hostile()).splitlines()
    labels = [found[1] for row in rows if (found := re.search(r'"(.*)"', row))]
    assert len(labels) == len([row for row in rows if '"' in row]) > 5
    for one in labels:
        assert re.fullmatch(r"(?:[\w ./:,()…-]|#\d+;)*", one.replace("<br/>", ""))
    read = [re.sub(r"#(\d+);", lambda found: chr(int(found[1])), one.replace("<br/>", "\n")) for one in labels]
    assert f"{SHOWN[:30]} (c)\n5, Error" in read


class Read(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: dict[str, str] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        tag = self.tags[-1] if self.tags else ""
        self.texts[tag] = self.texts.get(tag, "") + data


def attributes_with_addresses(page: Read) -> Iterator[str]:
    return (name for name, _ in page.attributes if name in ("src", "href", "srcset", "action", "data") or name[:2] == "on")  # fmt: skip


def test_page_has_nothing_of_others_in_it() -> None:
    calm, page = Read(to_page(topology(BOXES, LINKS))), Read(to_page(hostile()))
    assert set(page.tags) == set(calm.tags)
    assert page.tags.count("script") == calm.tags.count("script") == 2
    assert list(attributes_with_addresses(page)) == []
    assert f"{SHOWN[:30]} (c)" in page.texts["pre"]
    policy = next(value for name, value in page.attributes if name == "content" and value and "-src" in value)
    assert re.fullmatch(
        r"default-src 'none'; script-src 'sha256-[^' ]+'; style-src 'sha256-[^' ]+'; base-uri 'none'; form-action 'none'",
        policy,
    )


@given(st.text(min_size=1, max_size=60))
@settings(max_examples=50, deadline=None)
def test_any_name_stays_a_name(name: str) -> None:
    graph = topology([Box(name, "c", "c", name, name, None, None, None, None, 1, None)], [])
    assert json.loads(json.dumps(to_json(graph)))["nodes"][0]["name"] == name
    assert len(to_text(graph).split("\n")) == 6
    assert len(to_dot(graph).split("\n")) == 12
    assert len(to_mermaid(graph).split("\n")) == 9
    assert to_page(graph).count("</script>") == 2

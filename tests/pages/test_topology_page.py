"""The page of the topology in a real browser."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from falcokit.overview.topology import Box, Link, Topology, topology
from falcokit.report.topology_page import to_page

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
HOSTILE = "</script><script>window.hit=1</script><img src=x onerror='window.hit=2'>&amp;\"'`\x1b"
BOXES = [
    Box("web-1", "aaa", "aaa", "web", "nginx", None, "shop", "front", "front-7c9", 1200, 2),
    Box("web-1", None, "host", "host", None, None, None, None, None, 7, 6),
    Box("db-1", "bbb", "bbb", "db", "postgres", None, "shop", None, "db-0", 31, 4),
    Box(HOSTILE, "ccc", "ccc", HOSTILE, HOSTILE, None, HOSTILE, None, HOSTILE, 2, 7),
]
LINKS = [
    Link("web-1", "aaa", "tcp", "10.1.0.5", "10.1.0.9", 5432, 20, 4),
    Link("web-1", "aaa", "udp", "10.1.0.5", "8.8.8.8", 53, 3, 2),
    Link("web-1", "aaa", "tcp", "10.1.0.5", "8.8.8.8", 53, 1, 5),
    Link("db-1", "bbb", "tcp", "10.1.0.5", "10.1.0.9", 5432, 9, 5),
    Link("db-1", "bbb", "tcp", "10.1.0.6", "10.1.0.9", 5432, 2, 5),
    Link("db-1", "bbb", "tcp", "127.0.0.1", "127.0.0.1", 5432, 2, None),
]
Show = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    if not os.path.exists(CHROMIUM):
        pytest.skip("needs the package chromium")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Show]:
    """Opens the page of a graph; whatever it asks for or complains of fails the test."""
    wrong: list[str] = []
    contexts = []

    def show(graph: Topology, **options: Any) -> Any:
        path = tmp_path / "topology.html"
        path.write_text(to_page(graph), encoding="utf-8")
        context = browser.new_context(viewport={"width": 1200, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: request.url == path.as_uri() or wrong.append(request.url))
        page.goto(path.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert wrong == []


def node(page: Any, name: str, kind: str = "") -> Any:
    """The node that screen readers call so."""
    return page.locator(f".node{'.' + kind if kind else ''}").filter(has=page.locator("title", has_text=re.compile(rf"^\w+ {re.escape(name)}, ")))  # fmt: skip


def names(page: Any) -> list[str]:
    return [text.partition(", ")[0] for text in page.locator(".node > title").all_text_contents()]


def view(page: Any) -> tuple[float, float, float]:
    found = re.fullmatch(r"translate\((\S+) (\S+)\) scale\((\S+)\)", page.locator("#world").get_attribute("transform"))
    assert found is not None
    return float(found[1]), float(found[2]), float(found[3])


def test_counts_are_on_nodes_and_connections(show: Show) -> None:
    page = show(topology(BOXES, LINKS))
    assert page.title() == "Topology of events"
    assert page.inner_text("#summary") == "1,240 events on 3 hosts, 3 services, 3 containers, 2 addresses"
    assert node(page, "web-1").locator("text").all_text_contents() == ["▾ web-1", "1,207 events · Critical"]
    assert node(page, "web").locator("text").all_text_contents() == ["web", "1,200 events · Critical"]
    assert node(page, "8.8.8.8").locator("text").all_text_contents() == ["8.8.8.8", "4 events · Critical"]
    assert sorted(page.locator(".count").all_text_contents()) == ["tcp 5432 · 2", "tcp 5432 · 2", "tcp 5432 · 29", "udp 53, tcp 53 · 4"]  # fmt: skip
    assert "web → db: tcp 5432 · 29" in page.locator(".edge title").all_text_contents()
    assert "high" in node(page, "web-1").get_attribute("class").split()
    # Only the colours that are there.
    assert page.locator("#legend li").all_inner_texts() == ["high: Emergency to Error", "medium: Warning, Notice", "info: Debug", "not told"]  # fmt: skip


def test_a_click_closes_and_opens_a_node(show: Show) -> None:
    page = show(topology(BOXES, LINKS))
    assert "container web" in names(page)
    node(page, "web-1").click(position={"x": 100, "y": 15})
    assert node(page, "web-1").get_attribute("aria-expanded") == "false"
    assert not {"service shop/front", "container web"} & set(names(page))
    assert "1 inside" in node(page, "web-1").locator(".told").text_content()
    # Its connections lead from the host now, with what they were.
    assert "web-1 → db: tcp 5432 · 29" in page.locator(".edge title").all_text_contents()
    node(page, "web-1").click(position={"x": 100, "y": 15})
    assert node(page, "web-1").get_attribute("aria-expanded") == "true"
    assert "container web" in names(page)
    # The open host tells the connections of what is in it.
    assert "web → db tcp 5432 · 29" in page.locator("#about li").all_inner_texts()
    assert page.locator(".edge.lit").count() == 2


def test_keys_alone_do_everything(show: Show) -> None:
    page = show(topology(BOXES, LINKS))
    fitting = view(page)
    for _ in range(8):  # The buttons, the view, the tree.
        page.keyboard.press("Tab")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused).startswith("host web-1, 1,207 events")
    page.keyboard.press("Enter")
    assert "container web" not in names(page)
    assert page.evaluate(focused).startswith("host web-1")
    page.keyboard.press("Enter")
    assert "container web" in names(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused).startswith("container web")
    assert page.locator(".node[tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    assert page.locator("#about h2").text_content() == "web"
    assert page.locator("#about li").all_text_contents() == ["→ db tcp 5432 · 29", "→ 8.8.8.8 udp 53, tcp 53 · 4"]
    assert [text for text in page.locator("#about dd").all_text_contents() if text in ("front-7c9", "nginx")] == ["front-7c9", "nginx"]  # fmt: skip
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused).startswith("service shop/front")
    page.keyboard.press("ArrowLeft")
    assert "container web" not in names(page)
    page.keyboard.press("ArrowRight")
    assert "container web" in names(page)
    page.keyboard.press("End")
    assert page.evaluate(focused).startswith("address")
    page.keyboard.press("Escape")
    assert page.locator("#about h2").count() == 0
    before = view(page)
    page.keyboard.press("+")
    assert view(page)[2] > before[2]
    page.keyboard.press("-")
    assert view(page)[2] == pytest.approx(before[2])
    page.keyboard.press("Shift+ArrowRight")
    assert view(page)[0] < before[0]
    page.keyboard.press("0")
    assert view(page) == pytest.approx(fitting)
    page.locator("#view").focus()
    at = view(page)
    page.keyboard.press("ArrowUp")
    assert view(page)[1] == at[1] + 60


def test_wheel_buttons_and_drag_move_the_view(show: Show) -> None:
    page = show(topology(BOXES, LINKS))
    start = view(page)
    page.mouse.move(600, 700)
    under = ((600 - start[0]) / start[2], (700 - start[1]) / start[2])
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"!document.getElementById('world').getAttribute('transform').endsWith('scale({start[2]})')")
    zoomed = view(page)
    assert zoomed[2] > start[2]
    top = page.locator("#view").bounding_box()["y"]
    # What is under the pointer stays there.
    assert zoomed[0] + under[0] * zoomed[2] == pytest.approx(600, abs=1)
    assert zoomed[1] + (700 - top - start[1]) / start[2] * zoomed[2] == pytest.approx(700 - top, abs=1)
    page.get_by_role("button", name="Zoom out").click()
    assert view(page)[2] == pytest.approx(zoomed[2] * 0.8)
    page.get_by_role("button", name="Zoom in").click()
    assert view(page)[2] == pytest.approx(zoomed[2])
    before = view(page)
    page.mouse.move(600, 740)
    page.mouse.down()
    page.mouse.move(640, 700, steps=4)
    page.mouse.move(700, 690, steps=4)
    page.mouse.up()
    assert view(page) == pytest.approx((before[0] + 100, before[1] - 50, before[2]))
    page.get_by_role("button", name="Fit").click()
    assert view(page) == pytest.approx(start)
    # A drag that begins on a node moves as well, and does not open it.
    box = node(page, "db-1").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 10, steps=5)
    page.mouse.up()
    assert view(page)[0] == pytest.approx(start[0] + 70)
    assert node(page, "db-1").get_attribute("aria-expanded") == "true"


def test_hostile_names_are_text(show: Show) -> None:
    page = show(topology(BOXES, LINKS))
    shown = HOSTILE.replace("\x1b", "�")
    assert {f"host {shown}", f"service {shown}", f"container {shown}"} <= set(names(page))
    node(page, shown, "container").click()
    assert page.locator("#about h2").text_content() == shown
    assert shown in page.locator("#about dd").all_text_contents()
    assert page.evaluate("window.hit") is None
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


def test_nothing_but_its_own_script_runs(browser: Any, tmp_path: Path) -> None:
    """Were a name to become markup after all, it would do nothing."""
    text = to_page(topology(BOXES, LINKS))
    added = "<script>window.hit=1</script><img src='http://127.0.0.1:9/x' onerror='window.hit=2'><style>h1{display:none}</style>"
    path = tmp_path / "topology.html"
    path.write_text(text.replace("<header>", f"<header>{added}"), encoding="utf-8")
    page = browser.new_page()
    refused: list[tuple[str, str]] = []
    page.on("requestfailed", lambda request: refused.append((request.url, request.failure)))
    page.goto(path.as_uri())
    assert page.evaluate("window.hit") is None
    assert page.locator("h1").is_visible()
    assert refused == [("http://127.0.0.1:9/x", "csp")]
    assert "container web" in names(page)
    page.close()


def test_dark_and_light(show: Show) -> None:
    colours = set()
    for scheme in ("dark", "light"):
        page = show(topology(BOXES, LINKS), color_scheme=scheme)
        read = "getComputedStyle(document.body).backgroundColor"
        first = page.evaluate(read)
        page.get_by_role("button", name="Dark or light").click()
        assert page.evaluate(read) != first
        colours.add(first)
    assert len(colours) == 2


def test_two_thousand_nodes(show: Show) -> None:
    boxes = [
        Box(f"host-{n % 50}", f"c{n}", f"c{n}", f"name-{n}", f"image-{n % 7}", None, None, None, None, 5000 - n, n % 8) for n in range(3000)
    ]  # fmt: skip
    links = [Link(f"host-{n % 50}", f"c{n}", "tcp", f"10.0.{n // 250}.{n % 250}", f"10.9.0.{n % 40}", 443, 3, 4) for n in range(3000)]  # fmt: skip
    graph = topology(boxes, links)
    assert 1500 < len(graph.nodes) <= 2000
    page = show(graph)
    assert page.locator(".node").count() == len([one for one in graph.nodes if not one.parent])
    page.get_by_role("button", name="Open all").click()
    assert page.locator(".node").count() == len(graph.nodes)
    assert page.locator(".node.more").count() == len([one for one in graph.nodes if one.kind == "more"]) > 0
    page.get_by_role("button", name="Close all").click()
    assert page.locator(".node").count() < 100


def test_one_node_and_none(show: Show) -> None:
    page = show(topology(BOXES[1:2], []))
    assert names(page) == ["host web-1"]
    page = show(topology([], []))
    assert names(page) == []
    assert page.inner_text("#summary") == "0 events"


def test_text_where_scripts_do_not_run(show: Show) -> None:
    page = show(topology(BOXES, LINKS), java_script_enabled=False)
    assert "└─ shop/front  1,200, Critical" in page.locator("noscript pre").inner_text()

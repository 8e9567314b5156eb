"""Groupings, and the trees of counts along them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.overview.grouping import DEFAULT, MAX_LEVELS, Grouping, Node, labels_in, suggested, told, tree, trouble


def test_those_that_everyone_has() -> None:
    found = {one.name: one.labels for one in suggested()}
    assert list(found) == ["hosts-and-containers", "kubernetes-deployments", "ecs", "compose", "marathon", "mesos"]
    assert found[DEFAULT] == ("host.hostName", "container.name")
    assert not any(map(trouble, suggested()))


def test_labels_are_written_with_commas() -> None:
    assert labels_in("a.b, c") == ("a.b", "c")
    assert labels_in("") == ("",)


@pytest.mark.parametrize(
    ("name", "labels", "said"),
    [
        ("x", (), "a label is empty"),
        ("x", ("a", ""), "a label is empty"),
        ("x", ("a", "b", "a"), "the label a stands in it twice"),
        ("x", ("a\x1b[31m",), "nothing that cannot be printed"),
        ("x", ("a" * 301,), "up to 300 letters"),
        ("x", tuple(map(str, range(MAX_LEVELS + 1))), f"{MAX_LEVELS} labels at most"),
        ("x\n", ("a",), "the name of a grouping"),
        (" x", ("a",), "the name of a grouping"),
        ("x" * 101, ("a",), "the name of a grouping"),
    ],
)  # fmt: skip
def test_what_can_be_no_grouping(name: str, labels: tuple[str, ...], said: str) -> None:
    assert said in trouble(Grouping(name, labels))


def test_a_priority_is_said_as_a_word() -> None:
    assert [told("priority", value) for value in ("0", "7", "8", "x", None)] == ["Emergency", "Debug", "8", "x", None]
    assert told("rule", "4") == "4"
    assert told("rule", "") is None


def test_a_tree_has_most_first_and_what_is_not_told_last_of_equals() -> None:
    found = tree([(("n1", "a"), 2), (("n2", None), 3), (("n1", "b"), 2), ((None, "a"), 3)])
    assert found == (
        Node("n1", 4, (Node("a", 2), Node("b", 2))),
        Node("n2", 3, (Node(None, 3),)),
        Node(None, 3, (Node("a", 3),)),
    )


paths = st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["c", "d", None]), st.sampled_from(["e", None]))


@given(st.lists(paths))
def test_counts_add_up_at_every_level(events: list[tuple[str | None, ...]]) -> None:
    def look(nodes: Sequence[Node], below: tuple[str | None, ...]) -> None:
        for node in nodes:
            path = (*below, node.value)
            assert node.count == sum(event[: len(path)] == path for event in events)
            assert not node.nodes or node.count == sum(one.count for one in node.nodes)
            look(node.nodes, path)

    found = tree(Counter(events).items())
    assert sum(node.count for node in found) == len(events)
    look(found, ())

"""Events that fall together."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from falcokit.overview.bursts import SPAN, Burst, bursts, singly

SECOND = 10**9
Path = tuple[str | None, ...]


class One(NamedTuple):
    time: int
    rule: str | None = "Shell"
    rank: int | None = 4
    policy: str | None = None
    tile: str = "Fa"
    actions: str | None = None
    template: int = 0


WEB: Path = ("node", "web")
DB: Path = ("node", "db")


def lines(*events: tuple[One, Path]) -> list[Burst[One]]:
    return list(bursts(events))


def test_alike_and_soon_after_each_other_is_one_line() -> None:
    (line,) = lines((One(90 * SECOND), WEB), (One(60 * SECOND), WEB), (One(30 * SECOND), WEB))
    assert (line.newest.time, line.oldest, line.count, line.paths) == (90 * SECOND, 30 * SECOND, 3, (WEB,))


def test_no_line_is_longer_than_a_minute() -> None:
    start = 1000 * SECOND
    assert [line.count for line in lines((One(start), WEB), (One(start - SPAN), WEB))] == [2]
    assert [line.count for line in lines((One(start), WEB), (One(start - SPAN - 1), WEB))] == [1, 1]
    # Each is close to the one before it, and the last one is far from the first.
    steps = [(One(start - n * SPAN // 2), WEB) for n in range(5)]
    assert [line.count for line in lines(*steps)] == [3, 2]


def test_another_rule_priority_policy_or_form_is_another_line() -> None:
    for other in (
        One(1, rule="Other"),
        One(1, rank=3),
        One(1, policy="P"),
        One(1, template=1),
        One(1, tile="Pr"),
        One(1, rule=None),
    ):
        assert [line.count for line in lines((One(2), WEB), (other, WEB))] == [1, 1]


def test_only_the_last_level_of_a_grouping_may_differ() -> None:
    (line,) = lines((One(3), WEB), (One(2), DB), (One(1), WEB))
    assert (line.count, line.paths) == (3, (WEB, DB))
    assert [line.count for line in lines((One(3), WEB), (One(2), ("other", "web")))] == [1, 1]
    assert [line.count for line in lines((One(3), ("web",)), (One(2), ("db",)))] == [2]


def test_what_was_done_is_gathered_once_each() -> None:
    (line,) = lines((One(3, actions="stopped, capture"), WEB), (One(2), WEB), (One(1, actions="capture, paused"), WEB))
    assert line.actions == ("stopped", "capture", "paused")


event = st.builds(
    lambda seconds, rule, template, path: (seconds, rule, template, path),
    st.integers(0, 50), st.sampled_from(["A", "B"]), st.integers(0, 1), st.sampled_from([WEB, DB, ("other", None)]),
)  # fmt: skip


@given(st.lists(event, max_size=60))
def test_every_event_is_in_one_line_in_its_order(steps: list[tuple[int, str, int, Path]]) -> None:
    time, events = 10**15, []
    for seconds, rule, template, path in steps:
        time -= seconds * SECOND
        events.append((One(time, rule, template=template), path))
    found = lines(*events)
    assert sum(line.count for line in found) == len(events)
    at = 0
    for line in found:
        inside = events[at : at + line.count]
        at += line.count
        assert line.newest == inside[0][0]
        assert line.oldest == inside[-1][0].time >= line.newest.time - SPAN
        assert set(line.paths) == {path for _, path in inside}
        assert len({(one.rule, one.template, path[:-1]) for one, path in inside}) == 1
    # None could have been longer.
    for line, after in pairwise(found):
        alike = (line.newest.rule, line.newest.template, line.paths[0][:-1]) == (
            after.newest.rule, after.newest.template, after.paths[0][:-1],
        )  # fmt: skip
        assert not alike or line.newest.time - after.newest.time > SPAN
    assert [line.count for line in singly(events)] == [1] * len(events)

"""Sets of event types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.catalogue import Catalogue

EVENTS = Catalogue.bundled().events
NAMES = st.sets(st.sampled_from(EVENTS.all_names()), max_size=6)


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        ({"open"}, 2),
        ({"open", "openat"}, 6),
        ({"asyncevent"}, 1),
        ({"fsopen"}, 2),
        ({"fsopen", "statx"}, 2),
        ({"fsopen", "open"}, 4),
        ({"syscall"}, 0),
        ({"nosuch"}, 0),
        (set(), 0),
    ],
)
def test_names_to_codes(names: set[str], codes: int) -> None:
    assert EVENTS.count(EVENTS.names(names)) == codes


@pytest.mark.parametrize(
    ("name", "known"), [("open", True), ("fsopen", True), ("", True), ("OPEN", False), ("open*", False)]
)
def test_what_evt_type_can_be_compared_with(name: str, known: bool) -> None:
    assert EVENTS.is_known(name) is known


def test_codes_of_a_name() -> None:
    assert EVENTS.codes("open") == (2, 3)
    assert EVENTS.codes("fsopen") == (0, 1)
    assert EVENTS.codes("nosuch") == ()


def test_names_of_a_set() -> None:
    assert EVENTS.described(EVENTS.names({"open"})) == ("asyncevent", "open")
    assert EVENTS.described(EVENTS.names({"fsopen"})) == ("asyncevent", "fsopen")
    assert EVENTS.described(0) == ("asyncevent",)
    every = EVENTS.described(EVENTS.all_codes)
    assert "syscall" not in every
    assert {"open", "fsopen", "execve"} <= set(every)


@given(NAMES, NAMES)
def test_a_set_of_names_is_the_union_of_its_parts(left: set[str], right: set[str]) -> None:
    assert EVENTS.names(left | right) == EVENTS.names(left) | EVENTS.names(right)
    assert EVENTS.names(left & right) & ~EVENTS.names(left) == 0


@given(NAMES)
def test_a_complement_has_the_other_codes(names: set[str]) -> None:
    mask = EVENTS.names(names) & EVENTS.all_codes
    assert EVENTS.count(mask) + EVENTS.count(EVENTS.all_codes & ~mask) == EVENTS.count(EVENTS.all_codes)


def test_system_calls() -> None:
    assert EVENTS.is_syscall("open")
    assert EVENTS.is_syscall("fsopen")
    assert not EVENTS.is_syscall("asyncevent")

"""Scopes of policies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcokit.policy import Clause, ScopeError, read_scope


@pytest.mark.parametrize(
    ("text", "usual", "applies"),
    [
        ('kubernetes.namespace.name != "dev"', 'kubernetes.namespace.name != "dev"', "containers only"),
        ("container.id != ''", 'container.id != ""', "containers only"),
        ('kubernetes.daemonSet.name in ("a","b")', 'kubernetes.daemonSet.name in ("a", "b")', "containers only"),
        ("not kubernetes.namespace.name in (a)", 'not kubernetes.namespace.name in ("a")', "containers only"),
        ("kubernetes.namespace.name not in (a)", 'not kubernetes.namespace.name in ("a")', "containers only"),
        ('kubernetes.job.name starts with "prod"', 'kubernetes.job.name starts with "prod"', "containers only"),
        ('not host.hostName contains "x"', 'not host.hostName contains "x"', "hosts and containers"),
        ('agent.tag.cluster = "x" and cloudProvider.region != "us-east-1"', 'agent.tag.cluster = "x" and cloudProvider.region != "us-east-1"', "hosts and containers"),
        ("kubernetes.cluster.name = prod", 'kubernetes.cluster.name = "prod"', "hosts and containers"),
    ],
)  # fmt: skip
def test_scopes(text: str, usual: str, applies: str) -> None:
    scope = read_scope(text)
    assert (scope.text(), scope.applies_to, scope.notes) == (usual, applies, ())
    assert read_scope(scope.text()) == scope


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("container.image.repository = x", "the label of a scope is `container.image.repo`"),
        ("kubernetes.namespce.name = x", "did you mean `kubernetes.namespace.name`?"),
        ("host.hostName = a and host.hostName = b", "nothing is in this scope"),
        ("host.hostName contains ''", "the empty text"),
    ],
)
def test_what_is_doubtful(text: str, note: str) -> None:
    assert note in read_scope(text).notes[0]


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "ends where a label is expected"),
        ("namespace = x", 0, "is no label"),
        ("host.hostName", 13, "ends where an operator is expected"),
        ("host.hostName like x", 14, "is no operator"),
        ("host.hostName = a or host.mac = b", 18, "a scope has no `or`"),
        ("host.hostName in a", 17, "takes values in parentheses"),
        ("host.hostName in (a b)", 20, "separated by commas"),
        ('host.hostName = "a', 15, "a quote is never closed"),
        ("host.hostName = ", 16, "ends where a value is expected"),
    ],
)
def test_what_is_wrong(text: str, offset: int, message: str) -> None:
    with pytest.raises(ScopeError, match=message) as raised:
        read_scope(text)
    assert raised.value.offset in (offset, offset - 1, len(text))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        scope = read_scope(text)
    except ScopeError:
        return
    assert read_scope(scope.text()) == scope


@given(st.lists(st.text(min_size=1, max_size=10), min_size=1, max_size=4))
def test_values_read_back_as_they_are(values: list[str]) -> None:
    clause = Clause("host.hostName", "in", tuple(values))
    if any(not value.isprintable() for value in values):
        return
    assert read_scope(clause.text()).clauses == (clause,)

"""What is known of one field's value after some comparisons held and others did not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from falcokit.logic.atom import Atom, Datum, disjoint, implies, test
from falcokit.record import Record

__all__ = ["ANYTHING", "TRUTH", "Domain", "narrowed", "one_of"]


class Domain(Record):
    """``missing`` and ``present`` tell whether the field can be missing and can be there.

    Where it is there its value is one of ``values`` (None: of any), satisfies all of ``held`` and none of ``failed``.
    """

    __slots__ = ("failed", "held", "missing", "present", "values")

    def __init__(
        self,
        missing: bool = True,
        present: bool = True,
        values: frozenset[Datum] | None = None,
        held: tuple[Atom, ...] = (),
        failed: tuple[Atom, ...] = (),
    ) -> None:
        self.missing: Final = missing
        self.present: Final = present
        self.values: Final = values
        self.held: Final = held
        self.failed: Final = failed


ANYTHING: Final = Domain()
TRUTH: Final = Domain(values=frozenset(("true", "false")))
"""What is known of a field of type BOOL before anything is said."""


_NOTED: Final = 2
"""Of how many alternatives what they note is looked for in the others: what all note, the first ones do."""


def narrowed(domain: Domain, atom: Atom, holds: bool) -> Domain | None:
    """The domain once *atom* is known to hold, or not to; None where that cannot be."""
    return _with(domain, atom) if holds else _without(domain, atom)


def _with(domain: Domain, atom: Atom) -> Domain | None:
    if not domain.present:
        return None
    values = domain.values
    if atom.operator == "exists":
        return Domain(False, True, values, domain.held, domain.failed)
    if atom.operator == "in":
        left = _allowed(domain, atom.values if values is None else values.intersection(atom.values))
        return Domain(False, True, left, domain.held, domain.failed) if left else None
    if values is not None:
        left = _left(values, atom, True)
        return Domain(False, True, left, (*domain.held, atom), domain.failed) if left else None
    if any(disjoint(held, atom) for held in domain.held) or any(implies(atom, failed) for failed in domain.failed):
        return None
    return Domain(False, True, None, (*domain.held, atom), domain.failed)


def _without(domain: Domain, atom: Atom) -> Domain | None:
    gone = Domain(True, False) if domain.missing else None
    if not domain.present:
        return domain
    if atom.operator == "exists":
        return gone
    if domain.values is not None:
        left = _left(domain.values, atom, False)
        return Domain(domain.missing, True, left, domain.held, (*domain.failed, atom)) if left else gone
    if any(implies(held, atom) for held in domain.held):
        return gone
    if atom.operator == "!=":
        # Not different from the values: it is one of them, where it is there.
        left = _allowed(domain, atom.values)
        return Domain(domain.missing, True, left, domain.held, domain.failed) if left else gone
    return Domain(domain.missing, True, None, domain.held, (*domain.failed, atom))


def _allowed(domain: Domain, values: Iterable[Datum]) -> frozenset[Datum]:
    """Those of *values* that nothing in *domain* speaks against."""
    left = frozenset(values)
    for atoms, holds in ((domain.held, True), (domain.failed, False)):
        for atom in atoms:
            left = _left(left, atom, holds)
    return left


def _left(values: frozenset[Datum], atom: Atom, holds: bool) -> frozenset[Datum]:
    """Those of *values* for which *atom* may hold, or may not."""
    if atom.operator in ("in", "!="):
        return values.intersection(atom.values) if (atom.operator == "in") is holds else values.difference(atom.values)
    return frozenset([value for value in values if test(atom, value) is not (not holds)])


def one_of(domains: Sequence[Domain]) -> Domain:
    """What is known where one of *domains* is; at least one of them is given."""
    missing = any(domain.missing for domain in domains)
    there = [domain for domain in domains if domain.present]
    if not there:
        return Domain(missing, False)
    values: frozenset[Datum] | None = None
    sets = [domain.values for domain in there if domain.values is not None]
    if len(sets) == len(there):
        values = frozenset().union(*sets)
    return Domain(missing, True, values, _agreed(there, True), _agreed(there, False))


def _agreed(domains: Sequence[Domain], holds: bool) -> tuple[Atom, ...]:
    """What holds, or fails, in all *domains*, of what is noted in the first ones."""
    found: list[Atom] = []
    for domain in domains[:_NOTED]:
        for atom in domain.held if holds else domain.failed:
            if atom not in found and all(_sure(other, atom, holds) for other in domains):
                found.append(atom)
    return tuple(found)


def _sure(domain: Domain, atom: Atom, holds: bool) -> bool:
    """Whether *atom* holds, or fails, for every value of *domain*."""
    if atom in (domain.held if holds else domain.failed):
        return True
    return domain.values is not None and all(test(atom, value) is holds for value in domain.values)

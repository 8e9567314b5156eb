"""What is known of one field's value after some comparisons held and others did not."""

from __future__ import annotations

from typing import Final

from falcokit.logic.atom import Atom, Datum, disjoint, implies, test
from falcokit.record import Record

__all__ = ["ANYTHING", "TRUTH", "Domain", "either", "narrowed"]


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
        allowed = atom.values if values is None else [value for value in atom.values if value in values]
        left = frozenset([value for value in allowed if _allows(domain, value)])
        return Domain(False, True, left, domain.held, domain.failed) if left else None
    if values is not None:
        left = frozenset([value for value in values if test(atom, value) is not False])
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
        left = frozenset([value for value in domain.values if test(atom, value) is not True])
        return Domain(domain.missing, True, left, domain.held, (*domain.failed, atom)) if left else gone
    if any(implies(held, atom) for held in domain.held):
        return gone
    if atom.operator == "!=":
        # Not different from the values: it is one of them, where it is there.
        left = frozenset([value for value in atom.values if _allows(domain, value)])
        return Domain(domain.missing, True, left, domain.held, domain.failed) if left else gone
    return Domain(domain.missing, True, None, domain.held, (*domain.failed, atom))


def _allows(domain: Domain, value: Datum) -> bool:
    return all(test(held, value) is not False for held in domain.held) and all(
        test(failed, value) is not True for failed in domain.failed
    )


def either(first: Domain, second: Domain) -> Domain:
    """What is known where one of the two is."""
    if not first.present or not second.present:
        there = first if first.present else second
        return Domain(first.missing or second.missing, there.present, there.values, there.held, there.failed)
    values = None if first.values is None or second.values is None else first.values | second.values
    held = _agreed(first, second, True)
    return Domain(first.missing or second.missing, True, values, held, _agreed(first, second, False))


def _agreed(first: Domain, second: Domain, holds: bool) -> tuple[Atom, ...]:
    """What holds, or fails, in both."""
    mine, others = (first.held, second.held) if holds else (first.failed, second.failed)
    found = [atom for atom in mine if _sure(second, atom, holds)]
    return (*found, *[atom for atom in others if atom not in mine and _sure(first, atom, holds)])


def _sure(domain: Domain, atom: Atom, holds: bool) -> bool:
    """Whether *atom* holds, or fails, for every value of *domain*."""
    if atom in (domain.held if holds else domain.failed):
        return True
    return domain.values is not None and all(test(atom, value) is holds for value in domain.values)

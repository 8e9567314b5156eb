"""Whether claims can hold together.

The way of it: single checks narrow what is known of their field; of a choice the alternatives that cannot hold are
dropped, the last one left must hold, and what all of them say is known.  Every step is sound, so "cannot hold" is
certain; "can hold" only means that nothing against it was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition.ast import Check, Expression, Field, Identifier, Not, Or
from falcokit.logic.atom import NUMBER, Atom, read_atom
from falcokit.logic.claim import Claim
from falcokit.logic.domain import ANYTHING, TRUTH, Domain, narrowed, one_of
from falcokit.ruleset.field_set import bit_of
from falcokit.ruleset.macros import Bound

__all__ = ["ALL_FIELDS", "Facts", "Solver", "Undecided"]

ALL_FIELDS: Final = -1
"""The mask that every field is in."""

Facts: TypeAlias = "Mapping[str | Check, Domain]"
"""What is known, by field; by check where a check is only ever compared with itself."""

_Claim: TypeAlias = "tuple[Expression, Bound, bool]"

_MAX_TWICE: Final = 16
"""Up to how many choices are looked at again once something is known from the others."""
_MAX_DEPTH: Final = 12
"""How many choices inside choices are looked into; what is below counts as possible."""
_NOTHING: Final[dict[str | Check, Domain]] = {}
_FLAG: Final = Domain(missing=False, values=frozenset(("true", "false")))
_NUMBERED: Final = Domain(missing=False, held=(Atom(NUMBER, "range", (1, 1 << 64)),))
_HOLDS: Final = Atom("", "in", ("true",))


class Undecided(Exception):
    """The budget is used up."""


class Solver:
    """Decides for rules of one source, by what is said of ``fields`` alone (a mask of `field_set`; all by default).

    ``budget`` is how many checks may be looked at before `Undecided` is raised.  With ``constants`` placeholders such as
    ``evt.num < 0`` are taken at their word; otherwise they may hold or not.
    """

    def __init__(
        self,
        source: str,
        catalogue: Catalogue,
        fields: int = ALL_FIELDS,
        budget: int = 20_000,
        constants: bool = False,
    ) -> None:
        self._source = source
        self._catalogue = catalogue
        self._fields = fields
        self._left = budget
        self._constants = constants
        self._atoms: dict[int, tuple[Check, Atom]] = {}

    def about(self, fields: int, budget: int = 20_000) -> Solver:
        """One for the same source with a *budget* of its own that decides by *fields*."""
        other = Solver(self._source, self._catalogue, fields, budget, self._constants)
        other._atoms = self._atoms
        return other

    def _read(self, check: Check) -> Atom:
        """What *check* says."""
        known = self._atoms.get(id(check))
        if known is None:
            known = self._atoms[id(check)] = (check, read_atom(check, self._source, self._catalogue, self._constants))
        return known[1]

    def assume(self, claims: Iterable[Claim], facts: Facts = _NOTHING) -> Facts | None:
        """What is known where all *claims* hold on top of *facts*; None where they cannot."""
        return self._assume([(claim.node, claim.bound, claim.holds) for claim in claims], facts, 0)

    def _assume(self, stack: list[_Claim], facts: Facts, depth: int) -> Facts | None:
        """As `assume`; *facts* themselves where nothing comes to them."""
        known = facts
        choices: list[_Claim] = []
        while stack:
            node, bound, holds = stack.pop()
            kind = node.__class__
            if kind is Check:
                more = self._narrowed(known, node, holds)  # type: ignore[arg-type]
                if more is None:
                    return None
                if more:
                    known = {**known, **more}
            elif kind is Identifier:
                inner = bound.env.get(node.name)  # type: ignore[union-attr]
                if inner is not None and inner.tree is not None and self._matters(inner):
                    stack.append((inner.tree, inner, holds))
            elif kind is Not:
                stack.append((node.child, bound, not holds))  # type: ignore[union-attr]
            elif (kind is Or) is holds:
                choices.append((node, bound, holds))
            else:
                stack += [(child, bound, holds) for child in node.children]  # type: ignore[union-attr]
        if not choices or depth >= _MAX_DEPTH:
            return known
        for _ in range(2 if depth < 2 and len(choices) <= _MAX_TWICE else 1):
            before = known
            undecided = []
            for choice in choices:
                more, final = self._chosen(choice, known, depth + 1)
                if more is None:
                    return None
                if more:
                    known = {**known, **more}
                if not final:
                    undecided.append(choice)
            if not undecided or known is before:
                break
            choices = undecided
        return known

    def _chosen(self, choice: _Claim, known: Facts, depth: int) -> tuple[Facts | None, bool]:
        """What one of the alternatives holding adds to *known*, None where none can, and whether that is all of it."""
        alive: list[Facts] = []
        node, bound, holds = choice
        for part in node.children:  # type: ignore[union-attr]
            if part.__class__ is Check:
                found = self._narrowed(known, part, holds)
            else:
                found = self._assume([(part, bound, holds)], known, depth)
            if found is known or found is _NOTHING:
                return _NOTHING, False  # An alternative that says nothing new: neither does the choice.
            if found is not None:
                alive.append(found)
        if len(alive) > 1:
            return _common(known, alive), False
        return (alive[0], True) if alive else (None, True)

    def _matters(self, bound: Bound) -> bool:
        front, behind, _ = bound.fields
        fields = front | behind
        return bool(self._fields & fields) or (self._constants and not fields)

    def _narrowed(self, known: Facts, check: Check, holds: bool) -> Facts | None:
        """What *check* adds to *known*; None where that cannot be."""
        fields = self._fields
        if fields != ALL_FIELDS and not fields & bit_of(check) and not (self._constants and _is_number(check)):
            return _NOTHING
        atom = self._read(check)
        if atom.operator == "free":
            return _NOTHING
        self._left -= 1
        if self._left < 0:
            raise Undecided
        added: dict[str | Check, Domain] = {}
        if atom.operator == "other":
            flag = narrowed(known.get(check, _FLAG), _HOLDS, holds)
            if flag is None:
                return None
            added[check] = flag
            if not holds or not atom.key:
                return added
            atom = Atom(atom.key, "exists")
        domain = narrowed(known.get(atom.key) or self._unknown(atom.key), atom, holds)
        if domain is None:
            return None
        added[atom.key] = domain
        return added

    def _unknown(self, key: str) -> Domain:
        if key == NUMBER:
            return _NUMBERED
        use = self._catalogue.resolve(key, self._source)
        return TRUTH if isinstance(use, FieldUse) and use.type == "BOOL" and not use.is_list else ANYTHING


def _is_number(check: Check) -> bool:
    return isinstance(check.left, Field) and check.left.name == NUMBER


def _common(known: Facts, alternatives: list[Facts]) -> dict[str | Check, Domain]:
    """What all *alternatives* know beyond *known*."""
    found: dict[str | Check, Domain] = {}
    for key in alternatives[0]:
        before = known.get(key)
        domains = [other.get(key, before) for other in alternatives]
        new = [domain for domain in domains if domain is not None and domain is not before]
        if len(new) == len(domains):
            found[key] = one_of(new)
    return found

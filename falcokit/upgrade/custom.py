"""What an upgrade of the default rules means for each custom item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic, Edit
from falcokit.record import Record
from falcokit.ruleset.ruleset import NamedItem
from falcokit.source import SourceFile
from falcokit.upgrade.changes import Change
from falcokit.upgrade.proof import Proof, absence
from falcokit.upgrade.sides import Sides, key_of
from falcokit.upgrade.verdict import Verdict, verdict_of

__all__ = ["Upgrade", "upgrade"]


class Upgrade(Record):
    """What changed in the default rules, what that means for custom items, and the custom files with all edits made.

    ``problems`` are errors of the new rules with the custom files that no item stands for.
    """

    __slots__ = ("changes", "files", "problems", "verdicts")

    def __init__(
        self,
        changes: tuple[Change, ...],
        verdicts: tuple[Verdict, ...],
        files: tuple[SourceFile, ...],
        problems: tuple[Diagnostic, ...],
    ) -> None:
        self.changes: Final = changes
        self.verdicts: Final = verdicts
        self.files: Final = files
        self.problems: Final = problems


def upgrade(
    old: Sequence[SourceFile], new: Sequence[SourceFile], custom: Sequence[SourceFile], catalogue: Catalogue
) -> Upgrade:
    """What it means to load *custom* on top of the default rules *new* instead of *old*; all in load order.

    Raises `falcokit.RulesError` where a file is no rules file at all.
    """
    sides = Sides(old, new, custom, catalogue)
    verdicts = []
    taken: set[int] = set()
    for item in sides.after.ruleset.custom_items:
        mine = [finding for finding in sides.errors if _inside(finding, item)]
        taken |= {id(finding) for finding in mine}
        verdict = verdict_of(sides, item, bool(mine))
        if mine and verdict.state != "gone":
            earlier = "it did not load before either: " if key_of(mine[0]) in sides.known else ""
            verdict = verdict.replaced(
                state="broken", reason=earlier + mine[0].message, text=None, edits=(), conflicts=()
            )
        verdicts.append(verdict)
    left = tuple([finding for finding in sides.errors if id(finding) not in taken])
    proof = Proof(sides.after, sides.load, sides.outer)
    verdicts = _proven_claims(proof, verdicts)
    verdicts, edits = _proven_edits(proof, verdicts)
    return Upgrade(sides.changes, tuple(verdicts), proof.edited(edits), left)


def _proven_claims(proof: Proof, verdicts: list[Verdict]) -> list[Verdict]:
    """The verdicts; of what is said to be in the default only that whose absence would change nothing at all."""
    claims = [verdict for verdict in verdicts if verdict.state == "redundant" and verdict.item is not None]
    stand = proof.longest(claims, lambda kept: [absence(one.item) for one in kept if one.item is not None], frozenset())
    found = []
    for verdict in verdicts:
        if verdict in claims and verdict not in stand:
            reason = "without it your other items of this name would mean something else"
            verdict = verdict.replaced(state="needed", reason=reason, text=None, edits=(), obstacle="")
        found.append(verdict)
    return found


def _proven_edits(proof: Proof, verdicts: list[Verdict]) -> tuple[list[Verdict], list[Edit]]:
    """The verdicts without the edits that would do more than they should, and all edits that are left.

    What is in the default, and what only takes another form, changes nothing; what follows the default again changes its
    own name and what uses that.
    """
    edited = [verdict for verdict in verdicts if verdict.edits]

    def all_edits(kept: Sequence[Verdict]) -> list[Edit]:
        return [edit for verdict in kept for edit in verdict.edits]

    may = frozenset([(one.kind, one.name) for one in edited if one.state == "hides"])
    kept = proof.longest(edited, all_edits, may)
    found = []
    for verdict in verdicts:
        if verdict.edits and verdict not in kept:
            verdict = verdict.replaced(edits=(), text=None)
        found.append(verdict)
    return found, all_edits(kept)


def _inside(finding: Diagnostic, item: NamedItem) -> bool:
    return finding.file is item.file and item.node.start <= finding.span.start <= item.node.end

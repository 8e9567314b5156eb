"""What a change would have silenced of what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from falcokit.evaluate import Matcher
from falcokit.evaluate.leaf import Leaves
from falcokit.evaluate.partial import told_fields
from falcokit.evaluate.read_back import ReadBack
from falcokit.evaluate.walk import Walk
from falcokit.event import Event
from falcokit.record import Record
from falcokit.whitelist.identity import Identity

__all__ = ["Blast", "blast", "count_silenced", "silenced_by"]


class Blast(Record):
    """Of ``events``, how many fall ``silent``: by rule, image and process; ``foreign`` are those among them that are not of the identity,
    or do not tell; ``open`` those of which the fields do not decide it.  ``of_rule`` events are of the rule it is for, and ``covers`` tells
    how many of these each other way to name it would let through.
    """

    __slots__ = ("covers", "events", "foreign", "of_rule", "open", "silent")

    def __init__(
        self,
        events: int,
        silent: tuple[tuple[tuple[str, str, str], int], ...],
        foreign: tuple[tuple[tuple[str, str, str], int], ...],
        open: int,
        of_rule: int = 0,
        covers: tuple[tuple[Identity, int], ...] = (),
    ) -> None:
        self.of_rule: Final = of_rule
        self.covers: Final = covers
        self.events: Final = events
        self.silent: Final = silent
        self.foreign: Final = foreign
        self.open: Final = open


def blast(
    before: Matcher,
    after: Matcher,
    identity: Identity,
    events: Iterable[Event],
    rule: str = "",
    others: Sequence[Identity] = (),
) -> Blast:
    """What the change from *before* to *after*, made for *identity* in *rule*, does to alerts that there were, and how many
    the *others* would cover."""
    old = {rule.name: rule for rule in before.rules}
    new = {rule.name: rule for rule in after.rules}
    read_back = ReadBack(before.rules, before.catalogue)
    walks: dict[str, Walk] = {}
    silent: Counter[tuple[str, str, str]] = Counter()
    foreign: Counter[tuple[str, str, str]] = Counter()
    covers = [0] * len(others)
    count = undecided = of_rule = 0
    for event in events:
        count += 1
        source = event.source or (old[event.rule].definition.source if event.rule in old else "syscall")
        fields, names = told_fields(event, source, before.catalogue, read_back)
        complete = event.form.complete
        if source not in walks:
            walks[source] = Walk(Leaves(source, before.catalogue))
        walk = walks[source]
        for name in [rule.name for rule in before.fired(fields, source)] if complete else names:
            if name not in old or name not in new or old[name] is new[name]:
                continue
            if old[name].definition.source != source:
                continue  # It says so itself that it is none of the rule's.
            if before.why(old[name], fields, complete=complete).holds is False:
                continue
            if name == rule:
                of_rule += 1
                for number, other in enumerate(others):
                    covers[number] += walk.answer(other.tree, None, fields, complete=complete).holds is True
            holds = after.why(new[name], fields, complete=complete).holds
            if holds is not False:
                undecided += holds is None and after.why(new[name], fields, complete=complete) != before.why(old[name], fields, complete=complete)  # fmt: skip
                continue
            image = event.container.image.repository or event.container.image.digest or event.container.id or "-"
            key = (name, image, str(fields.get("proc.name") or "-"))
            silent[key] += 1
            if walk.answer(identity.tree, None, fields, complete=complete).holds is not True:
                foreign[key] += 1
    covered = tuple(zip(others, covers, strict=True))
    return Blast(count, tuple(silent.most_common()), tuple(foreign.most_common()), undecided, of_rule, covered)


def silenced_by(before: Matcher, after: Matcher, events: Iterable[Event]) -> list[tuple[tuple[str, str, str], int]]:
    """How many of *events* fire, or may, with *before* and not with *after*, by rule, image and process, most first."""
    nobody = Identity("process", (("evt.type", "exists", ""),), "risky", "")
    return [*blast(before, after, nobody, events).silent]


def count_silenced(before: Matcher, after: Matcher, events: Iterable[Event]) -> int:
    """How many of *events* fire, or may, with *before* and not with *after*."""
    return sum(count for _, count in silenced_by(before, after, events))

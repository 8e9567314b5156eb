"""Which few whitelists would remove most of the noise, and what else they would remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from falcokit.record import Record

__all__ = ["URGENT", "Cell", "Proposal", "Spread", "proposals"]

_NARROW: Final = 0.8
"""Which share of what a wide proposal removes a narrow one must remove to be taken instead."""
URGENT: Final = 3
"""The number of the priority Error: what is as urgent is told."""


class Cell(Record):
    """Events that whitelists cannot tell apart by rule, image, process and parent: their ``count``, how many are of priority Error or more
    urgent, and the identifier of the newest."""

    __slots__ = ("count", "image", "newest", "on_host", "parent", "process", "rule", "urgent")

    def __init__(
        self,
        rule: str,
        image: str | None,
        process: str | None,
        parent: str | None,
        count: int,
        urgent: int,
        newest: int,
        on_host: bool,
    ) -> None:
        self.rule: Final = rule
        self.image: Final = image
        self.process: Final = process
        self.parent: Final = parent
        self.count: Final = count
        self.urgent: Final = urgent
        self.newest: Final = newest
        self.on_host: Final = on_host


class Proposal(Record):
    """Leave out the events of ``rule`` with this ``image`` (of hosts, with this parent) and, where it is not empty, this ``process``.

    ``removes`` is how many events it removes that no other does; ``events`` and ``processes`` are all that it covers: on a host it names
    no container, so that the same process in containers goes with it.  ``urgent`` are those of priority Error or more urgent.
    """

    __slots__ = ("events", "image", "newest", "parent", "process", "processes", "removes", "rule", "urgent")

    def __init__(self, rule: str, image: str, process: str, parent: str, removes: int, covered: Sequence[Cell]) -> None:
        self.rule: Final = rule
        self.image: Final = image
        self.process: Final = process
        self.parent: Final = parent
        self.removes: Final = removes
        self.events: Final = sum(cell.count for cell in covered)
        self.processes: Final = len({cell.process for cell in covered})
        self.urgent: Final = sum(cell.urgent for cell in covered)
        self.newest: Final = max(covered, key=lambda cell: cell.count).newest


class Spread(NamedTuple):
    """How many forms of outputs, containers and hosts the events that a proposal covers are of."""

    forms: int
    containers: int
    hosts: int


def proposals(cells: Sequence[Cell], limit: int) -> list[Proposal]:
    """The *limit* proposals that remove most, each as narrow as it can be for that: what removes most comes first, and a process is
    named where it makes nearly all of what its image does."""
    left = [cell for cell in cells if cell.image or (cell.on_host and cell.process)]
    groups: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in left:
        # On a host only the process and what started it tell one from another.
        key = (cell.rule, cell.image, "") if cell.image else (cell.rule, "", f"{cell.process}\0{cell.parent or ''}")
        groups.setdefault(key, []).append(cell)
    everywhere: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        everywhere.setdefault((cell.rule, f"{cell.process}\0{cell.parent or ''}"), []).append(cell)
    found = []
    for (rule, image, own), group in groups.items():
        if own:
            process, _, parent = own.partition("\0")
            alike = everywhere[rule, f"{process}\0{parent}"]
            found.append(Proposal(rule, "", process, parent, sum(cell.count for cell in group), alike))
            continue
        total = sum(cell.count for cell in group)
        by_process: dict[str, list[Cell]] = {}
        for cell in group:
            by_process.setdefault(cell.process or "", []).append(cell)
        # The process that makes nearly all of it, and what is left of the image as a proposal of its own.
        main = max(by_process.values(), key=lambda same: sum(cell.count for cell in same))
        share = sum(cell.count for cell in main)
        if main[0].process and share >= _NARROW * total:
            found.append(Proposal(rule, image, main[0].process, "", share, main))
            for process, same in by_process.items():
                if process and process != main[0].process:
                    found.append(Proposal(rule, image, process, "", sum(cell.count for cell in same), same))
        else:
            found.append(Proposal(rule, image, "", "", total, group))
    return sorted(found, key=lambda one: (-one.removes, one.rule, one.image, one.process, one.parent))[:limit]

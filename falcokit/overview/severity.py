"""How urgent events are, on the three scales that are in use: Falco's words, Sysdig's levels, Sysdig's old numbers."""

from __future__ import annotations

from typing import Final

__all__ = ["LEVELS", "PRIORITIES", "TILES", "level_of", "old_number", "rank_of", "tile_of"]

PRIORITIES: Final = ("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug")
"""Falco's words; their places are Falco's numbers, and those of Sysdig's severity today."""
LEVELS: Final = ("high", "medium", "low", "info")
_OF_RANK: Final = ("high", "high", "high", "high", "medium", "medium", "low", "info")
_OLD: Final = {"high": 3, "medium": 2, "low": 1, "info": 0}
_RANKS: Final = {word: rank for rank, word in enumerate(PRIORITIES)}
TILES: Final = {
    "Pr": "process", "Co": "container", "Ne": "network", "Fi": "file system", "Sy": "system call", "Fa": "Falco",
}  # fmt: skip
_BY_TYPE: Final = {
    "PROCESS": "Pr", "CONTAINER": "Co", "NETWORK": "Ne", "FILESYSTEM": "Fi", "SYSCALL": "Sy", "FALCO": "Fa",
}  # fmt: skip


def rank_of(priority: str) -> int | None:
    """The number of a priority, 0 (Emergency) to 7 (Debug); None where there is none."""
    return _RANKS.get(priority)


def level_of(rank: int | None) -> str:
    """Sysdig's level for the number of a priority: high (0 to 3), medium (4, 5), low (6), info (7); empty without one."""
    return _OF_RANK[rank] if rank is not None and 0 <= rank < len(_OF_RANK) else ""


def old_number(level: str) -> int | None:
    """The number that Sysdig's old interface had for a level: high 3, medium 2, low 1."""
    return _OLD.get(level)


def tile_of(rule_type: str) -> str:
    """The two letters for the type of a rule as Sysdig writes it (``RULE_TYPE_PROCESS``); rules of Falco where it is none of these."""
    return _BY_TYPE.get(rule_type.upper().removeprefix("RULE_TYPE_"), "Fa")

"""The ids of ATT&CK, and what may be meant by a tag that is like one and is none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final

from falcokit.data import read_data
from falcokit.record import Record
from falcokit.ruleset.suggest import nearest

__all__ = ["Wrong", "tactic_of", "tactics_of_technique", "wrong"]

_PREFIX: Final = "mitre_"
_LIKE_TECHNIQUE: Final = re.compile(r"[Tt]([1-9]\d{3})(?:[._-](\d{1,3}))?")
_LIKE_TACTIC: Final = re.compile(r"[Tt][Aa]00\d\d")
_ONE: Final = {"TA0112": "TA0005"}
"""ATT&CK 19 split one tactic into these two: what belonged to it may be in either, whichever version a rule means."""


class Wrong(Record):
    """What is wrong with a tag, and what to write instead, ``""`` where that cannot be told."""

    __slots__ = ("instead", "message")

    def __init__(self, message: str, instead: str = "") -> None:
        self.message: Final = message
        self.instead: Final = instead


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(read_data("schemas", "attack.json"))
    return table


@lru_cache(maxsize=1000)
def tactic_of(tag: str) -> str:
    """The id of the tactic that *tag* names, ``""`` for none."""
    tactics = _table()["tactics"]
    found: str = tag if tag in tactics.values() else tactics.get(tag.removeprefix(_PREFIX), "")
    return _ONE.get(found, found)


@lru_cache(maxsize=1000)
def tactics_of_technique(tag: str) -> dict[str, str]:
    """The tactics of the technique that *tag* is the id of: their ids, and what their tags are called."""
    ids = _table()["techniques"].get(tag, "").split()
    names = {found: name for name, found in reversed(_table()["tactics"].items())}
    return {_ONE.get(found, found): _PREFIX + names[found] for found in ids}


@lru_cache(maxsize=1000)
def wrong(tag: str) -> Wrong | None:
    """What is wrong with *tag*, None for one that is right or has nothing to do with ATT&CK."""
    if tag[:5].lower() == "mitre":
        return _wrong_name(tag)
    if _LIKE_TACTIC.fullmatch(tag):
        return _wrong_tactic(tag)
    technique = _LIKE_TECHNIQUE.fullmatch(tag)
    return _wrong_technique(tag, technique[1], technique[2]) if technique else None


def _wrong_name(tag: str) -> Wrong | None:
    names = _table()["tactics"]
    plain = re.sub(r"[\W_]+", "_", tag.lower()).removeprefix(_PREFIX)
    if plain in names:
        right = _PREFIX + plain
        return None if tag == right else Wrong(f"`{tag}` is another tag than `{right}`", right)
    near = nearest(plain, names)
    return Wrong(f"there is no tactic `{plain}`", _PREFIX + near[0]) if near else None


def _wrong_tactic(tag: str) -> Wrong | None:
    right = tag.upper()
    if right not in _table()["tactics"].values():
        return Wrong(f"ATT&CK has no tactic {right} for enterprises")
    return None if tag == right else Wrong(f"`{tag}` is another tag than `{right}`", right)


def _wrong_technique(tag: str, number: str, part: str | None) -> Wrong | None:
    table = _table()
    right = f"T{number}" if part is None else f"T{number}.{part.zfill(3)}"
    if right in table["gone"]:
        instead = table["gone"][right]
        return Wrong(f"ATT&CK has {instead} for {right} now" if instead else f"ATT&CK has withdrawn {right}", instead)
    if right in table["techniques"]:
        return None if tag == right else Wrong(f"`{tag}` is another tag than `{right}`", right)
    newest = max(known for known in table["techniques"] if part is None or known.startswith(f"T{number}"))
    return Wrong(f"ATT&CK has no technique {right} for enterprises") if tag == right and right < newest else None

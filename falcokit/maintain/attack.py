"""Making the table of ATT&CK's ids: ``python -m falcokit.maintain.attack enterprise-attack.json``.

The file is MITRE's STIX bundle of the matrix for enterprises.  What is written has ids and the names of tactics only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any, Final

from falcokit.data import data_path

__all__ = ["FILE", "build", "main", "text_of"]

FILE: Final = "attack.json"
_TACTICS: Final = {"defense_evasion": "TA0005", "stealth": "TA0005", "defense_impairment": "TA0112"}
"""ATT&CK 19 split a tactic in two.  Rules keep the old name, and the new ones can be used before the table is made again."""
_SOURCE: Final = (
    "MITRE ATT&CK for enterprises {version}: ids, and which tactics they belong to. (c) The MITRE Corporation. This work is"
    " reproduced and distributed with the permission of The MITRE Corporation."
)


def build(bundle: dict[str, Any]) -> dict[str, Any]:
    """The table of what *bundle* has."""
    objects = bundle["objects"]
    version = next(o["x_mitre_version"] for o in objects if o["type"] == "x-mitre-collection")
    names = {o["x_mitre_shortname"].replace("-", "_"): _id(o) for o in objects if o["type"] == "x-mitre-tactic"}
    tactics = {**_TACTICS, **names}
    techniques = {o["id"]: o for o in objects if o["type"] == "attack-pattern"}
    successors = {
        _id(techniques[o["source_ref"]]): _id(techniques[o["target_ref"]])
        for o in objects
        if o["type"] == "relationship" and o["relationship_type"] == "revoked-by" and o["source_ref"] in techniques
    }
    live = {_id(o): _tactics(o, tactics) for o in techniques.values() if not _is_gone(o)}
    return {
        "source": _SOURCE.format(version=version),
        "tactics": tactics,
        "techniques": live,
        "gone": {i: _last(i, successors, live) for i in map(_id, techniques.values()) if i not in live},
    }


def _id(thing: dict[str, Any]) -> str:
    return next(str(r["external_id"]) for r in thing["external_references"] if r["source_name"] == "mitre-attack")


def _is_gone(technique: dict[str, Any]) -> bool:
    return bool(technique.get("revoked") or technique.get("x_mitre_deprecated"))


def _tactics(technique: dict[str, Any], tactics: dict[str, str]) -> str:
    phases = [phase["phase_name"].replace("-", "_") for phase in technique["kill_chain_phases"]]
    return " ".join(sorted({tactics[phase] for phase in phases}))


def _last(technique: str, successors: dict[str, str], live: Iterable[str]) -> str:
    """What stands for *technique* now, ``""`` for nothing."""
    for _ in range(10):
        technique = successors.get(technique, "")
        if technique in live:
            return technique
    return ""


def text_of(table: dict[str, Any]) -> str:
    """The table as it is written: one id a line, so that a new version can be read as a diff."""
    return json.dumps(table, indent=0, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Write the table of the bundle into the packaged data; the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m falcokit.maintain.attack BUNDLE\n")
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as file:
            text = text_of(build(json.load(file)))
    except (OSError, ValueError, KeyError, StopIteration) as error:
        sys.stderr.write(f"falcokit: {error!r}\n")
        return 2
    with open(os.path.join(data_path("schemas"), FILE), "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

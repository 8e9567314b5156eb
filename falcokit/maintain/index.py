"""Making the index of all releases of the default rules: ``python -m falcokit.maintain.index FOLDER...``.

A folder holds releases as ``FAMILY/VERSION/*.yaml``; ``FAMILY/*.yaml`` without versions is left out.  What is written has
names and hashes only, so that falcokit brings no text of those rules.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from typing import Any, Final

from falcokit.catalogue import Catalogue
from falcokit.data import data_path
from falcokit.ruleset.default_index import FILE, fingerprint
from falcokit.ruleset.loader import load_all
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import SourceFile
from falcokit.source.decode import decode
from falcokit.workspace.sources import Unreadable, found_in, read_bytes

__all__ = ["build", "main"]

_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")


def build(folders: Iterable[str]) -> dict[str, Any]:
    """The index of the releases in *folders*.  Raises `ValueError` for a release that cannot be read."""
    index: dict[str, Any] = {"families": {}, "list": {}, "macro": {}, "rule": {}, "askers": {}}
    for folder in sorted(folders):
        for family in sorted(os.listdir(folder)):
            path = os.path.join(folder, family)
            versions = [v for v in os.listdir(path) if _VERSION.fullmatch(v)] if os.path.isdir(path) else []
            if versions:
                _add_family(index, path, family, sorted(versions, key=lambda v: tuple(map(int, v.split(".")))))
    return index


def _add_family(index: dict[str, Any], path: str, family: str, versions: list[str]) -> None:
    file = ""
    for number, version in enumerate(versions):
        name, ruleset = _load(os.path.join(path, version))
        file = name
        present = {named: fingerprint(definition) for named, definition in ruleset.named.items()}
        known = {(kind, name) for kind in ("list", "macro", "rule") for name in index[kind]}
        for kind, name in sorted(known | present.keys()):
            spans = index[kind].setdefault(name, {}).setdefault(family, [])
            mark = present.get((kind, name))
            if (spans[-1][1] if spans else None) != mark:
                spans.append([number, mark])
        if number == len(versions) - 1:
            _add_askers(index, family, ruleset)
    for kind in ("list", "macro", "rule"):
        for families in index[kind].values():
            if not families.get(family, True):
                del families[family]
    index["families"][family] = {"file": file, "versions": versions}


def _add_askers(index: dict[str, Any], family: str, ruleset: Ruleset) -> None:
    for named, definition in ruleset.named.items():
        if named[0] != "rule" and ruleset.is_hook(named, definition) and (rules := ruleset.rules_using(named)):
            index["askers"].setdefault(":".join(named), {})[family] = sorted(rules)


def _load(folder: str) -> tuple[str, Ruleset]:
    found = found_in(folder)
    if isinstance(found, Unreadable) or not found:
        raise ValueError(f"there are no rules in {folder}")
    files = []
    for path in found:
        content = read_bytes(path)
        if isinstance(content, Unreadable):
            raise ValueError(f"cannot read {path}: {content.reason}")
        files.append(SourceFile(path, decode(content)))
    return os.path.basename(found[0]), Ruleset(load_all(files, Catalogue.bundled()))


def text_of(index: dict[str, Any]) -> str:
    """The index as it is written: one name a line."""
    lines = ["{", f'"families": {json.dumps(index["families"], sort_keys=True)},']
    for part in ("list", "macro", "rule", "askers"):
        entries = [
            f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'), sort_keys=True)}"
            for name, entry in sorted(index[part].items())
        ]
        lines.append(f'"{part}": {{\n' + ",\n".join(entries) + ("\n}," if part != "askers" else "\n}"))
    return "\n".join(lines) + "\n}\n"


def main(folders: list[str]) -> int:
    """Write the index of *folders* into the packaged data; the exit code."""
    if not folders:
        sys.stderr.write("usage: python -m falcokit.maintain.index FOLDER...\n")
        return 2
    try:
        text = text_of(build(folders))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"falcokit: {error}\n")
        return 2
    with open(os.path.join(data_path("schemas"), FILE), "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

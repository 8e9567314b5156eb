"""What is in a set of default rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from falcokit.report.text import plain
from falcokit.ruleset.items import EngineItem, Item, ListItem, MacroItem, PluginsItem, RuleItem
from falcokit.ruleset.rule_reader import PRIORITIES
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["to_json", "to_text"]

_MATURITY = "maturity_"


def to_json(name: str, about: Mapping[str, str], ruleset: Ruleset) -> dict[str, Any]:
    """The set called *name*: what is told *about* it, its files with what they require, its rules."""
    files = [
        {"name": result.file.name, **_requirements(result.items), **_counts(result.items)}
        for result in ruleset.loaded.files
    ]
    rules = [
        {
            "name": rule.name,
            "priority": PRIORITIES[rule.priority],
            "source": rule.source,
            "enabled": rule.enabled,
            "tags": list(rule.tags),
        }
        for rule in ruleset.rule_definitions
    ]
    return {"name": name, **about, "files": files, "rules": rules}


def to_text(name: str, about: Mapping[str, str], ruleset: Ruleset) -> str:
    """The same for people."""
    data = to_json(name, about, ruleset)
    lines = [name, *[f"  {key:<9} {value}" for key, value in about.items() if value], "", "files"]
    for file in data["files"]:
        counts = [_count(file[kind], kind) for kind in ("rules", "macros", "lists")]
        lines.append(f"  {file['name']}: {', '.join(counts)}")
        needs = [f"engine {file['engine']}"] if file["engine"] else []
        needs += file["plugins"]
        lines += [f"    requires {', '.join(needs)}"] if needs else []
    lines += ["", "rules"]
    for rule in data["rules"]:
        maturity = [tag.removeprefix(_MATURITY) for tag in rule["tags"] if tag.startswith(_MATURITY)]
        notes = [*maturity, *([] if rule["enabled"] else ["disabled"])]
        told = f" ({', '.join(notes)})" if notes else ""
        lines.append(f"  {rule['priority']:<13} {rule['name']}{told}")
    return "".join(plain(line) + "\n" for line in lines)


def _count(number: int, kind: str) -> str:
    return f"{number} {kind.removesuffix('s') if number == 1 else kind}"


def _counts(items: tuple[Item, ...]) -> dict[str, int]:
    kinds = {"rules": RuleItem, "macros": MacroItem, "lists": ListItem}
    return {name: sum(isinstance(item, kind) for item in items) for name, kind in kinds.items()}


def _requirements(items: tuple[Item, ...]) -> dict[str, Any]:
    versions = [item.version for item in items if isinstance(item, EngineItem) and item.version]
    plugins = [
        " or ".join(f"{name} {_version(version)}" for name, version, _ in requirement.alternatives)
        for item in items
        if isinstance(item, PluginsItem)
        for requirement in item.requirements
    ]
    return {"engine": _version(max(versions)) if versions else "", "plugins": plugins}


def _version(parts: tuple[int, int, int]) -> str:
    return ".".join(map(str, parts))

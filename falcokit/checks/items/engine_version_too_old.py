"""FK058."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.catalogue.releases import engine_versions, feature_releases, first_release
from falcokit.checks.check import Finding, check
from falcokit.condition.ast import Check, Field, Transformer
from falcokit.diagnostic import Edit, Fix, Label, Severity
from falcokit.document import Mapping, Sequence
from falcokit.ruleset.items import EngineItem, IgnoredItem, Item
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Origin, SourceFile, Span

__all__ = ["engine_version_too_old"]

_OVERRIDE: Final = ("override: append/replace", "`override`")
_EXCEPTIONS: Final = ("exceptions", "`exceptions`")
_TRANSFORMERS: Final = ("field transformers, val()", "a transformer or `val()`")
_MODIFIERS: Final = ("operator modifiers oneof/anyof/allof", "the modifier of an operator")
_KEYS: Final = (("override", Mapping, _OVERRIDE), ("exceptions", Sequence, _EXCEPTIONS))


@check("FK058", Severity.INFO)
def engine_version_too_old(ruleset: Ruleset) -> Iterator[Finding]:
    """A file says that an engine is enough which cannot read it.

    `required_engine_version` makes an old Falco refuse the file with a clear word.  Where it names too old an engine, that
    Falco reads the file, and ignores what it does not know: without `override` an item that changes a rule is an incomplete rule.

    ## Flagged

    ```yaml custom.yaml
    - required_engine_version: «26»
    - list: shells
      items: [sh]
    - list: shells
      items: [bash]
      override:
        items: append
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and tolower(proc.name) in (shells)
      output: shell %proc.name
      priority: INFO
    ```

    ## Fixed

    ```yaml custom.yaml
    - required_engine_version: 0.40.0
    - list: shells
      items: [sh]
    - list: shells
      items: [bash]
      override:
        items: append
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and tolower(proc.name) in (shells)
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - required_engine_version: 0.31.0
    - list: shells
      items: [sh]
    - list: shells
      items: [bash]
      override:
        items: append
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    ```

    ## See also

    `engine-version-of-falco`, `newer-falco-needed`
    """
    stated: dict[SourceFile, EngineItem] = {}
    for item in ruleset.items:
        if isinstance(item, EngineItem) and item.version is not None and item.file.origin is Origin.CUSTOM:
            before = stated.get(item.file)
            if before is None or (before.version or item.version) < item.version:
                stated[item.file] = item
    stated = {file: engine for file, engine in stated.items() if (engine.version or ()) < _newest()}
    if not stated:
        return
    used: dict[SourceFile, dict[tuple[str, str], Span]] = {file: {} for file in stated}
    for item in ruleset.items:
        for feature, span in _in_item(item):
            if span.file in used:
                used[span.file].setdefault(feature, span)
    for use in [use for use in ruleset.uses if _in_check(use.check) is not None]:
        newer, span = _in_check(use.check), use.span()
        if newer is not None and span.file in used:
            used[span.file].setdefault(newer, span)
    for file, engine in stated.items():
        yield from _finding(engine, used[file])


def _finding(engine: EngineItem, used: dict[tuple[str, str], Span]) -> Iterator[Finding]:
    node = engine.node.get("required_engine_version")
    assert node is not None
    assert engine.version is not None
    newer = [(_needed(feature), feature) for feature in used if _version(_needed(feature)) > engine.version]
    if not newer:
        return
    needed, feature = max(newer, key=lambda found: _version(found[0]))
    release = feature_releases()[feature[0]]
    written = engine.file.text[node.start : node.end]
    has = first_release(".".join(map(str, engine.version)))
    message = f"{written} is the engine of Falco {has}, which does not know {feature[1]}"
    label = Label(used[feature], f"this came with Falco {release}, engine {needed}")
    span = Span(engine.file, node.start, node.end)
    fix = Fix(f"require {needed}", (Edit(span, needed),))
    yield Finding(span, message, f"write {needed}", (label,), fix)


def _newest() -> tuple[int, ...]:
    """The engine that has all features."""
    return max([_version(_needed(feature)) for feature in (_OVERRIDE, _EXCEPTIONS, _MODIFIERS, _TRANSFORMERS)])


def _needed(feature: tuple[str, str]) -> str:
    return engine_versions()[feature_releases()[feature[0]]]


def _version(text: str) -> tuple[int, ...]:
    parts = tuple(map(int, text.split(".")))
    return parts if len(parts) > 1 else (0, *parts, 0)


def _in_item(item: Item) -> Iterator[tuple[tuple[str, str], Span]]:
    if isinstance(item, IgnoredItem):
        return
    names = item.node.names()
    for key, kind, feature in _KEYS:
        if key in names and isinstance(item.node.get(key), kind) and (node := item.node.key(key)) is not None:
            yield feature, Span(item.file, node.start, node.end)


def _in_check(part: Check) -> tuple[str, str] | None:
    if part.modifier:
        return _MODIFIERS
    sides = part.left.__class__, part.right.__class__
    return _TRANSFORMERS if Transformer in sides or sides[1] is Field else None

"""FK850."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.catalogue.releases import engine_versions, feature_releases, first_release
from falcokit.checks.check import Finding, check
from falcokit.condition.ast import Check, Transformer
from falcokit.diagnostic import Severity
from falcokit.ruleset.items import EngineItem, RuleItem
from falcokit.ruleset.ruleset import NamedItem, Ruleset
from falcokit.source import Origin, Span

__all__ = ["newer_falco_needed"]


@check("FK850", Severity.ERROR)
def newer_falco_needed(ruleset: Ruleset) -> Iterator[Finding]:
    """The Falco that is aimed at cannot read this.

    With `target-falco` in the settings, or `--target-falco`, everything is reported that came with a later release.  An older
    Falco refuses the file, or worse: it ignores `override` and wants a whole rule.  The public fields of older releases are
    not known here; fields are checked as in the newest one.

    ## Flagged

    ```toml falcokit.toml
    target-falco = "0.36"
    ```

    ```yaml default.yaml
    - list: shells
      items: [sh]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - required_engine_version: «0.31.0»
    - list: shells
      items: [zsh]
      «override»:
        items: append
    - rule: Upper
      desc: a shell in capitals
      condition: evt.type = execve and «tolower(proc.name) = sh»
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```toml falcokit.toml
    target-falco = "0.38"
    ```

    ```yaml custom.yaml
    - required_engine_version: 0.31.0
    - rule: Upper
      desc: a shell in capitals
      condition: evt.type = execve and tolower(proc.name) = sh
      output: shell %proc.name
      priority: INFO
    ```
    """
    if not ruleset.target:
        return
    for result in ruleset.loaded.files:
        for item in result.items:
            if isinstance(item, EngineItem):
                yield from _engine(ruleset, item)
    for named_item in ruleset.custom_items:
        yield from _item(ruleset, named_item)
    for use in ruleset.uses:
        feature = _used(use.check)
        if feature and _is_newer(ruleset, feature):
            span = use.span()
            if span.file.origin is Origin.CUSTOM:
                yield _finding(ruleset, span, feature)


def _release(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _is_newer(ruleset: Ruleset, feature: str) -> bool:
    return _release(feature_releases()[feature]) > _release(ruleset.target)


def _finding(ruleset: Ruleset, span: Span, feature: str) -> Finding:
    message = f"Falco {ruleset.target} cannot read this: {_WORDS[feature]} came with {feature_releases()[feature]}"
    return Finding(span, message, _HELP[feature])


_WORDS = {
    "override: append/replace": "`override`",
    "exceptions": "exceptions",
    "field transformers, val()": "transformers and `val()`",
    "operator modifiers oneof/anyof/allof": "the modifiers `oneof`, `anyof` and `allof`",
}
_HELP = {
    "override: append/replace": "use `append: true` where that is enough, or aim at a newer Falco",
    "exceptions": "write `and not (...)` in the condition, or aim at a newer Falco",
    "field transformers, val()": "compare with every spelling, or aim at a newer Falco",
    "operator modifiers oneof/anyof/allof": "write one comparison for each value with `or` between, or aim at a newer Falco",
}


def _engine(ruleset: Ruleset, item: EngineItem) -> Iterator[Finding]:
    node = item.node.get("required_engine_version")
    engines = engine_versions()
    target = ".".join(ruleset.target.split(".")[:2])
    if node is None or item.version is None or target not in engines:
        return
    have = tuple(map(int, engines[target].split(".")))
    have = have if len(have) > 1 else (0, *have, 0)
    if item.version > have:
        wanted = ".".join(map(str, item.version))
        first = first_release(wanted)
        message = f"Falco {ruleset.target} has engine {engines[target]}, this file requires {wanted}"
        help_text = f"Falco {first} is the first that has it" if first else "no release that is known has it"
        yield Finding(Span(item.file, node.start, node.end), message, help_text)


def _item(ruleset: Ruleset, item: NamedItem) -> Iterator[Finding]:
    features = [("override", "override: append/replace")]
    if isinstance(item, RuleItem):
        features.append(("exceptions", "exceptions"))
    for key, feature in features:
        node = item.node.key(key)
        if node is not None and _is_newer(ruleset, feature):
            yield _finding(ruleset, Span(item.file, node.start, node.end), feature)


def _used(check: Check) -> str:
    if check.modifier:
        return "operator modifiers oneof/anyof/allof"
    if isinstance(check.left, Transformer) or isinstance(check.right, Transformer):
        return "field transformers, val()"
    return ""

"""FK352."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.overrides._redefinitions import redefinitions
from falcokit.diagnostic import Label, Severity
from falcokit.document import Mapping
from falcokit.ruleset.items import RuleItem
from falcokit.ruleset.ruleset import NamedItem, Ruleset, name_span
from falcokit.source import Origin, Span

__all__ = ["replaced_default"]


@check("FK352", Severity.INFO)
def replaced_default(ruleset: Ruleset) -> Iterator[Finding]:
    """An override replaces what a default detects by.

    `replace` says plainly what it does, and sometimes it is right.  But from now on the condition, or the list, stays
    as it is here, whatever the default rules learn.  Where only something is to be added or left out, append.

    ## Flagged

    ```yaml default.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (sh, bash)
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - rule: Shell
      condition: evt.type = execve and proc.name = sh
      override:
        «condition: replace»
    ```

    ## Accepted

    ```yaml default.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (sh, bash)
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - rule: Shell
      condition: and not proc.pname = cron
      priority: ERROR
      override:
        condition: append
        priority: replace
    ```

    ## See also

    `shadowed-default`
    """
    for found in redefinitions(ruleset):
        if found.explicit and not found.same and found.base_item.file.origin is Origin.DEFAULT:
            key = "items" if found.named[0] == "list" else "condition"
            if found.item.file.origin is Origin.CUSTOM and not ruleset.is_hook(found.named, found.before):
                yield _finding(found.item, key, found.named, found.base_item, found.difference())
    for named, definition in ruleset.named.items():
        if named[0] != "rule" or definition.contributions[0].file.origin is not Origin.DEFAULT:
            continue
        for item in definition.contributions:
            if item.file.origin is Origin.CUSTOM and isinstance(item, RuleItem):
                for update in item.updates:
                    if update.operation == "replace" and update.condition is not None:
                        yield _finding(item, "condition", named, definition.contributions[0], "")


def _finding(item: NamedItem, key: str, named: tuple[str, str], base: NamedItem, difference: str) -> Finding:
    kind, name = named
    message = f"this takes the place of the `{key}` of the default {kind} `{name}` and freezes it{difference}"
    help_text = "write `append` with what is to be added, such as `and not ...`, if that is all you mean"
    return Finding(_place(item, key), message, help_text, (Label(name_span(base), "the default stands here"),))


def _place(item: NamedItem, key: str) -> Span:
    override = item.node.get("override")
    node = override.key(key) if isinstance(override, Mapping) else None
    value = override.get(key) if isinstance(override, Mapping) else None
    if node is None or value is None:
        return name_span(item)
    return Span(item.file, node.start, value.end)

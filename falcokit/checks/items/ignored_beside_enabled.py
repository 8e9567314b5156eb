"""FK053."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.items._said import says_already
from falcokit.diagnostic import Severity
from falcokit.document import Scalar
from falcokit.ruleset.definitions import RuleDefinition
from falcokit.ruleset.items import RuleItem
from falcokit.ruleset.rule_reader import APPENDABLE, REPLACEABLE
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["ignored_beside_enabled"]


@check("FK053", Severity.WARNING)
def ignored_beside_enabled(ruleset: Ruleset) -> Iterator[Finding]:
    """A key beside a bare `enabled` has no effect.

    A rule item without condition, output, desc and priority switches the rule on or off, and does nothing else: `tags`
    and `exceptions` in it are ignored without a word.  Tags that the rule has anyway are not flagged.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    - rule: Shell
      enabled: true
      «tags»: [shell]
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    - rule: Shell
      enabled: true
      tags: [shell]
      override:
        enabled: replace
        tags: append
    ```

    ## See also

    `ignored-beside-append`
    """
    for item in ruleset.items:
        if not isinstance(item, RuleItem) or item.node.get("enabled") is None:
            continue
        if [update.operation for update in item.updates] != ["enable"]:
            continue
        rule = next((state for one, state in ruleset.states(("rule", item.name.text)) if one is item), None)
        for key, value in item.node.pairs:
            if not isinstance(key, Scalar) or key.value not in REPLACEABLE or key.value == "enabled":
                continue
            if not isinstance(rule, RuleDefinition) or not says_already(rule, key.value, value):
                message = f"`{key.value}` has no effect beside a bare `enabled`"
                operation = "append" if key.value in APPENDABLE else "replace"
                help_text = f"name both keys under `override:`: `{key.value}: {operation}` and `enabled: replace`"
                yield Finding(Span(item.file, key.start, key.end), message, help_text)

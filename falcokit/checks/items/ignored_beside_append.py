"""FK052."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.items._said import says_already
from falcokit.diagnostic import Severity
from falcokit.document import Scalar
from falcokit.ruleset.definitions import RuleDefinition
from falcokit.ruleset.items import RuleItem
from falcokit.ruleset.rule_reader import REPLACEABLE
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["ignored_beside_append"]


@check("FK052", Severity.WARNING)
def ignored_beside_append(ruleset: Ruleset) -> Iterator[Finding]:
    """A key beside `append: true` has no effect.

    An appending rule item gives `condition` and `exceptions`, everything else in it is ignored without a word.  With
    `override` every key can be appended or replaced.  What the rule says anyway is not flagged.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    - rule: Shell
      condition: and not proc.pname = cron
      «priority»: ERROR
      «tags»: [shell]
      append: true
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    - rule: Shell
      condition: and not proc.pname = cron
      priority: Info
      append: true
    - rule: Shell
      priority: ERROR
      override:
        priority: replace
    ```

    ## See also

    `ignored-beside-enabled`
    """
    for item in ruleset.items:
        if not isinstance(item, RuleItem) or item.node.get("override") is not None:
            continue
        if not any(update.operation == "append" for update in item.updates):
            continue
        rule = next((state for one, state in ruleset.states(("rule", item.name.text)) if one is item), None)
        for key, value in item.node.pairs:
            if not isinstance(key, Scalar) or key.value not in REPLACEABLE or key.value in ("condition", "exceptions"):
                continue
            if not isinstance(rule, RuleDefinition) or not says_already(rule, key.value, value):
                operation = "append" if key.value in ("output", "desc", "tags") else "replace"
                message = f"`{key.value}` has no effect beside `append: true`"
                help_text = f"write `override:` with `{key.value}: {operation}` instead of `append: true`"
                yield Finding(Span(item.file, key.start, key.end), message, help_text)

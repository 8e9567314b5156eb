"""FK356."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Confidence, Label, Severity
from falcokit.ruleset.definitions import ListDefinition
from falcokit.ruleset.items import ListItem, RuleItem
from falcokit.ruleset.ruleset import NamedItem, Ruleset, name_span
from falcokit.source import Origin

__all__ = ["wide_change"]


@check("FK356", Severity.INFO, Confidence.MEDIUM)
def wide_change(ruleset: Ruleset) -> Iterator[Finding]:
    """What is appended to a default changes several rules.

    Lists such as the names of shells and macros such as the start of a process stand in many rules.  What is added for one
    rule's sake changes all of them, some to fire more, some to fire less.  Append to the one rule, or use its hook.

    ## Flagged

    ```yaml default.yaml
    - list: shells
      items: [sh]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    - rule: Not by a shell
      desc: a write that no shell makes
      condition: evt.type = open and not proc.name in (shells)
      output: write by %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - «list: shells»
      items: [php]
      override:
        items: append
    ```

    ## Accepted

    ```yaml default.yaml
    - list: user_known_shells
      items: []
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and not proc.name in (user_known_shells)
      output: shell %proc.name
      priority: INFO
    - rule: Another
      desc: another
      condition: evt.type = open and not proc.name in (user_known_shells)
      output: another %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - list: user_known_shells
      items: [php]
      override:
        items: append
    ```

    Nothing comes to a list that has all of it already.

    ```yaml default.yaml
    - list: shells
      items: [sh, bash]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    - rule: Not by a shell
      desc: a write that no shell makes
      condition: evt.type = open and not proc.name in (shells)
      output: write by %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - list: shells
      items: [bash]
      override:
        items: append
    ```

    ## See also

    `shadowed-default`
    """
    for item in ruleset.custom_items:
        if isinstance(item, RuleItem) or item.operation != "append":
            continue
        named = (item.step.item_type, item.name.text)
        definition = ruleset.definition(named)
        if definition is None or definition.contributions[0].file.origin is not Origin.DEFAULT:
            continue
        if ruleset.is_hook(named, ruleset.states(named)[0][1]) or _adds_nothing(ruleset, item):
            continue
        rules = [
            r for r in ruleset.rules_using(named) if ruleset.definitions.rules[r].item.file.origin is Origin.DEFAULT
        ]
        if len(rules) < 2:
            continue
        shown = ", ".join(f"`{rule}`" for rule in rules[:3]) + (f" and {len(rules) - 3} more" if len(rules) > 3 else "")
        message = f"this changes {len(rules)} default rules: {shown}"
        label = Label(name_span(definition.contributions[0]), "the default stands here")
        yield Finding(name_span(item), message, "if one rule is meant, append to it, or use its hook", (label,))


def _adds_nothing(ruleset: Ruleset, item: NamedItem) -> bool:
    """Whether the list has all that is appended to it already."""
    if not isinstance(item, ListItem):
        return False
    before: set[str] = set()
    for other, state in ruleset.states(("list", item.name.text)):
        if other is item:
            break
        before = {entry.text for entry in state.items} if isinstance(state, ListDefinition) else set()
    return before.issuperset([entry.text for entry in item.items])

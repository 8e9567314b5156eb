"""FK357."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.overrides._append_form import suffix_of
from falcokit.diagnostic import Edit, Fix, Severity
from falcokit.document import Mapping
from falcokit.ruleset.definitions import RuleDefinition, joined
from falcokit.ruleset.items import RuleItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Origin, Span

__all__ = ["replace_repeats"]


@check("FK357", Severity.WARNING)
def replace_repeats(ruleset: Ruleset) -> Iterator[Finding]:
    """A replaced condition repeats the default's and adds to it.

    Appending what is new comes to the same today, and keeps up with the default rules tomorrow.

    ## Flagged

    ```yaml default.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - rule: Shell
      condition: >
        evt.type = execve and proc.name = sh
        and not proc.pname = cron
      override:
        condition: «replace»
    ```

    ## Fixed

    ```yaml custom.yaml
    - rule: Shell
      condition: and not proc.pname = cron
      override:
        condition: append
    ```

    ## Accepted

    ```yaml default.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - rule: Shell
      condition: evt.type = execve and proc.name = shell
      override:
        condition: replace
    ```

    ## See also

    `replaced-default`
    """
    for named, definition in ruleset.named.items():
        if named[0] != "rule" or len(definition.contributions) < 2:
            continue
        states = ruleset.states(named)
        for number, (item, _) in enumerate(states):
            before = states[number - 1][1] if number else None
            if item.file.origin is Origin.CUSTOM and isinstance(item, RuleItem) and isinstance(before, RuleDefinition):
                yield from _repeats(item, before)


def _repeats(item: RuleItem, before: RuleDefinition) -> Iterator[Finding]:
    override = item.node.get("override")
    value = override.get("condition") if isinstance(override, Mapping) else None
    for update in item.updates:
        if update.operation != "replace" or update.condition is None or value is None:
            continue
        rest = suffix_of(joined(before.condition), update.condition.text)
        if rest:
            node = update.condition.node
            written = item.file.text[node.start : node.end]
            end = node.start + len(written.rstrip())
            plain = ": " not in rest and " #" not in rest
            text = rest if plain else "'" + rest.replace("'", "''") + "'"
            span = Span(item.file, value.start, value.end)
            fix = Fix("append what is new", (Edit(Span(item.file, node.start, end), text), Edit(span, "append")))
            message = "this repeats the condition that is there and adds to it"
            yield Finding(span, message, f"append `{rest if len(rest) <= 60 else rest[:57] + '...'}`", (), fix)
